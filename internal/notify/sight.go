package notify

import (
	"context"
	"errors"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

// sight is what an owner sees of devices and payloads. It remembers for one delivery.
type sight struct {
	*Service
	scope   fleet.Scope
	devices map[fleet.DeviceID]fleet.Scope // the areas a device is in; none: it is not seen
	tags    map[action.PayloadID][]string
}

// sightOf returns what an owner sees; nil: they may not read what they have subscribed to.
func (s *Service) sightOf(ctx context.Context, sub *Subscription, owner *access.Principal) (*sight, error) {
	scope := owner.Scope(access.ReadDevices)
	if len(scope) == 0 {
		return nil, nil
	}
	sees := &sight{s, scope, make(map[fleet.DeviceID]fleet.Scope), make(map[action.PayloadID][]string)}
	if sub.Device == "" {
		return sees, nil
	}
	areas, err := sees.areas(ctx, sub.Device)
	if err != nil || len(areas) == 0 {
		return nil, err
	}
	return sees, nil
}

func (s *sight) areas(ctx context.Context, id fleet.DeviceID) (fleet.Scope, error) {
	if s.scope.Everything() {
		return s.scope, nil
	}
	if areas, known := s.devices[id]; known {
		return areas, nil
	}
	place, err := s.Devices.Place(ctx, id)
	var areas fleet.Scope
	switch {
	case err == nil:
		areas = s.scope.Around(place)
	case !errors.Is(err, fleet.ErrNotFound):
		return nil, err
	}
	s.devices[id] = areas
	return areas, nil
}

// event reports whether the owner sees an event: its device, and the payload that it tells of.
func (s *sight) event(ctx context.Context, e *live.Event) (bool, error) {
	areas, err := s.areas(ctx, e.Device)
	if err != nil || len(areas) == 0 || e.Result == nil || areas.Tags() == nil {
		return len(areas) > 0, err
	}
	tags, known := s.tags[e.Result.Payload]
	if !known {
		if tags, err = s.Payloads.PayloadTags(ctx, e.Result.Payload); err != nil {
			return false, err
		}
		s.tags[e.Result.Payload] = tags
	}
	return areas.Reaches(tags), nil
}

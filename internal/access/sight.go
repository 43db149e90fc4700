package access

import (
	"context"
	"errors"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Places knows what decides who reaches a device; fleet.ErrNotFound if there is none.
type Places interface {
	Place(ctx context.Context, id fleet.DeviceID) (fleet.Place, error)
}

// PayloadTags knows the scope tags of a payload; none if it is not in the catalog any more.
type PayloadTags interface {
	PayloadTags(ctx context.Context, id action.PayloadID) ([]string, error)
}

// Sight is what somebody sees of devices and payloads. It remembers, because one answer asks often
// about the same, and is to be forgotten soon, because groups and tags change. It is for one
// goroutine.
type Sight struct {
	scope    fleet.Scope
	places   Places
	payloads PayloadTags
	areas    map[fleet.DeviceID]fleet.Scope // the areas a device is in; none: it is not seen
	tags     map[action.PayloadID][]string
}

// NewSight returns what who has a scope sees.
func NewSight(scope fleet.Scope, places Places, payloads PayloadTags) *Sight {
	return &Sight{scope, places, payloads, make(map[fleet.DeviceID]fleet.Scope),
		make(map[action.PayloadID][]string)}
}

// Areas returns the areas of the scope that a device is in; none: it is not seen, or does not
// exist.
func (s *Sight) Areas(ctx context.Context, id fleet.DeviceID) (fleet.Scope, error) {
	if s.scope.Everything() {
		return s.scope, nil
	}
	if areas, known := s.areas[id]; known {
		return areas, nil
	}
	place, err := s.places.Place(ctx, id)
	var areas fleet.Scope
	switch {
	case err == nil:
		areas = s.scope.Around(place)
	case !errors.Is(err, fleet.ErrNotFound):
		return nil, err
	}
	s.areas[id] = areas
	return areas, nil
}

// SeesChange reports whether a change of a device is seen: the device, and the payload that
// changed, if it was one. gone is where a device was whose record is no more, and nil for all others.
func (s *Sight) SeesChange(ctx context.Context, device fleet.DeviceID, gone *fleet.Place,
	changed *action.Result) (bool, error) {
	if gone != nil {
		return len(s.scope.Around(*gone)) > 0, nil
	}
	if changed != nil {
		return s.Sees(ctx, device, changed.Payload)
	}
	areas, err := s.Areas(ctx, device)
	return len(areas) > 0, err
}

// Sees reports whether a payload on a device is seen. A payload that is not in the catalog any more
// has no tags: who is limited to some does not see it.
func (s *Sight) Sees(ctx context.Context, device fleet.DeviceID,
	payload action.PayloadID) (bool, error) {
	areas, err := s.Areas(ctx, device)
	if err != nil || len(areas) == 0 || areas.AllPayloads() {
		return len(areas) > 0, err
	}
	tags, known := s.tags[payload]
	if !known {
		if tags, err = s.payloads.PayloadTags(ctx, payload); err != nil {
			return false, err
		}
		s.tags[payload] = tags
	}
	return areas.Reaches(tags), nil
}

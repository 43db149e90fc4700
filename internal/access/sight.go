package access

import (
	"context"
	"errors"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Places returns what decides in which areas a device is. The error is fleet.ErrNotFound if there
// is no such device.
type Places interface {
	Place(ctx context.Context, id fleet.DeviceID) (fleet.Place, error)
}

// PayloadTags returns the scope tags of a payload; none if it is no longer in the catalog.
type PayloadTags interface {
	PayloadTags(ctx context.Context, id action.PayloadID) ([]string, error)
}

// Sight decides which devices and payloads a caller sees. It caches what it looked up, because one
// answer asks for the same things often. Groups and tags change, so do not keep a Sight for long.
// It is for one goroutine.
type Sight struct {
	scope    fleet.Scope
	places   Places
	payloads PayloadTags
	// the caller's areas that a device is in; none: it is not seen
	areas map[fleet.DeviceID]fleet.Scope
	tags  map[action.PayloadID][]string
}

// NewSight returns the Sight of a caller with this scope.
func NewSight(scope fleet.Scope, places Places, payloads PayloadTags) *Sight {
	return &Sight{scope, places, payloads, make(map[fleet.DeviceID]fleet.Scope),
		make(map[action.PayloadID][]string)}
}

// Areas returns the areas of the scope that contain a device; none: the caller does not see it, or
// it does not exist.
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

// SeesChange reports whether the caller sees a change of a device: the device, and the payload that
// changed, if it was one. gone is where a device was whose record was deleted; nil for all others.
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

// Sees reports whether the caller sees a payload on a device. A payload that is no longer in the
// catalog has no tags, so a caller who is limited to tags does not see it.
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

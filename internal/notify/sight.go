package notify

import (
	"context"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// sightOf returns the Sight of a subscription's owner, for one delivery; nil: they may not read
// what they have subscribed to.
func (s *Service) sightOf(ctx context.Context, sub *Subscription,
	owner *access.Principal) (*access.Sight, error) {
	scope := owner.Scope(access.ReadDevices)
	if len(scope) == 0 {
		return nil, nil
	}
	sees := access.NewSight(scope, s.config.Devices, s.config.Payloads)
	if sub.Device == "" {
		return sees, nil
	}
	areas, err := sees.Areas(ctx, sub.Device)
	if err != nil || len(areas) > 0 {
		return sees, err
	}
	if told, err := s.tellsOfEnd(ctx, sub, sees); err != nil || !told {
		return nil, err
	}
	return sees, nil
}

// tellsOfEnd reports whether the owner is still to be told that the record of the subscription's one
// device was deleted: that is seen by who saw the device.
func (s *Service) tellsOfEnd(ctx context.Context, sub *Subscription,
	sees *access.Sight) (bool, error) {
	events, err := s.config.Store.Events(ctx, sub.Device, sub.Position, readBatch)
	for i := range events {
		if e := &events[i]; e.Place != nil && err == nil {
			return sees.SeesChange(ctx, e.Device, e.Place, nil)
		}
	}
	return false, err
}

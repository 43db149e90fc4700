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
	if err != nil || len(areas) == 0 {
		return nil, err
	}
	return sees, nil
}

package engine

import (
	"context"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// retry runs fn in a transaction of one device, and again from the start if the device's ledger
// changed meanwhile. So fn assigns nothing outside of itself: what it returns is handed on from the
// run whose writes were kept, and of the others nothing is left. With an error it is the zero
// value.
func retry[T any](ctx context.Context, s Store, device fleet.DeviceID,
	fn func(Tx) (T, error)) (T, error) {
	var kept, none T
	err := s.Update(ctx, device, func(tx Tx) (err error) {
		kept, err = fn(tx)
		return err
	})
	if err != nil {
		return none, err
	}
	return kept, nil
}

package engine

import (
	"context"
	"errors"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// ErrNotManagedHere is returned for a device that another system manages: only that can retire it.
var ErrNotManagedHere = errors.New("another system manages the device")

// ErrNotManaged is returned for a device that is not managed.
var ErrNotManaged = errors.New("the device is not managed")

// CannotRetireError is returned for a device that its channel cannot ask to leave.
type CannotRetireError struct{ Reason string }

func (e *CannotRetireError) Error() string { return e.Reason }

// Retire asks a device to leave management, and with it all that was managed. forget says that its
// record goes, too, once it has left. Asked again, it changes nothing more than that. The error is
// fleet.ErrNotFound, ErrNotManaged, ErrNotManagedHere or a *CannotRetireError.
func (e *Engine) Retire(ctx context.Context, id fleet.DeviceID, forget bool) error {
	return e.transact(ctx, id, nobodyConnected, func(tx Tx, l *Ledger, env action.Env) error {
		d, err := tx.Device(ctx, id)
		switch {
		case err != nil:
			return err
		case !d.Enrolled:
			return ErrNotManaged
		case d.Authority != fleet.ThisServer:
			return ErrNotManagedHere
		}
		if ch, ok := e.channels[served{d.Authority, d.Platform}].(Unretirable); ok {
			return &CannotRetireError{ch.Unretirable()}
		}
		before := *d
		d.Leaving = max(d.Leaving, fleet.Retires)
		if forget {
			d.Leaving = fleet.Deleted
		}
		l.Device.Retire(env)
		if err := noteDevice(ctx, tx, id, leavingText(&before), leavingText(d)); err != nil {
			return err
		}
		return tx.SaveDevice(ctx, d)
	})
}

// markLeft takes note that a device left management, and returns whether its record is to go.
func markLeft(ctx context.Context, tx Tx, id fleet.DeviceID) (forget bool, err error) {
	d, err := tx.Device(ctx, id)
	if err != nil {
		return false, err
	}
	forget = d.Leaving == fleet.Deleted
	d.Enrolled, d.Leaving = false, fleet.Stays
	return forget, tx.SaveDevice(ctx, d)
}

// forget deletes the record of a device that left, once that is committed. Where it cannot be
// deleted it stays as that of a device that left, to be deleted by hand.
func (e *Engine) forget(ctx context.Context, id fleet.DeviceID) {
	if e.config.Forget == nil {
		return
	}
	if err := e.config.Forget(ctx, id); err != nil {
		e.config.Log.Error("the record of a device that left could not be deleted", "device", id,
			"err", err)
	}
}

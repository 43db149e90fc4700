package engine

import (
	"context"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

// transact is a step: one transaction on one device. change alters the ledger; transact stores what
// it altered, with the events that tell of it, and sets the clocks. The device is woken afterwards
// if change left it work and nobody is in touch with it. change may run again, from the start, if
// the ledger changed meanwhile.
func (e *Engine) transact(ctx context.Context, id fleet.DeviceID, inTouch contact,
	change func(Tx, *Ledger, action.Env) error) error {
	plan := func(l *Ledger, now time.Time) bool { return l.schedule(now, inTouch) }
	return e.transactAndPlan(ctx, id, plan, change)
}

// transactAndPlan is transact with its own way to set the clocks; plan says whether to wake the
// device.
func (e *Engine) transactAndPlan(ctx context.Context, id fleet.DeviceID,
	plan func(*Ledger, time.Time) bool,
	change func(Tx, *Ledger, action.Env) error) error {
	_, err := transactReturning(ctx, e, id, plan,
		func(tx Tx, l *Ledger, env action.Env) (struct{}, error) {
			return struct{}{}, change(tx, l, env)
		})
	return err
}

// transactReturning is transactAndPlan for a change that returns something: that of the run whose
// writes were kept.
func transactReturning[T any](ctx context.Context, e *Engine, id fleet.DeviceID,
	plan func(*Ledger, time.Time) bool,
	change func(Tx, *Ledger, action.Env) (T, error),
) (T, error) {
	update := func(run func(Tx) error) error { return e.config.Store.Update(ctx, id, run) }
	out, err := keepReturned(update, func(tx Tx) (stepOutcome[T], error) {
		return runStep(ctx, e, tx, id, plan, change)
	})
	if err == nil {
		e.announce(id, out.events, out.wake)
	}
	return out.value, err
}

// stepOutcome is what a step leaves to be done once it is committed.
type stepOutcome[T any] struct {
	value  T // what its change returned
	events []live.Event
	wake   bool
}

// keepReturned runs fn in a transaction that may run it more than once. So fn assigns nothing outside
// of itself: what it returns is handed on from the run whose writes were kept, and of the others
// nothing is left. With an error it is the zero value.
func keepReturned[T any](update func(run func(Tx) error) error, fn func(Tx) (T, error)) (T, error) {
	var kept, none T
	err := update(func(tx Tx) (err error) {
		kept, err = fn(tx)
		return err
	})
	if err != nil {
		return none, err
	}
	return kept, nil
}

// runStep is a step within a transaction.
func runStep[T any](ctx context.Context, e *Engine, tx Tx, id fleet.DeviceID,
	plan func(*Ledger, time.Time) bool,
	change func(Tx, *Ledger, action.Env) (T, error),
) (out stepOutcome[T], err error) {
	l, err := tx.Ledger(ctx, id)
	if err != nil {
		return out, err
	}
	previous, wasEnrolled := l.Device.Action, l.Device.Enrolled
	previousAsRead := previous.Clone()
	env := e.newEnv()
	l.Device.CorrectPauses(env)
	if l.Changed {
		if err := e.refresh(ctx, tx, id, l, env); err != nil {
			return out, err
		}
	}
	if out.value, err = change(tx, l, env); err != nil {
		return out, err
	}
	// A superseded action's end comes before its successor's beginning. An action never changes
	// without an event.
	if out.events = live.Changes(id, env.Now, previousAsRead, previous); len(out.events) > 0 {
		if err := tx.SaveAction(ctx, id, previous); err != nil {
			return out, err
		}
	}
	if latest := l.Device.Action; latest != previous {
		if err := tx.SaveAction(ctx, id, latest); err != nil {
			return out, err
		}
		out.events = append(out.events, live.Changes(id, env.Now, nil, latest)...)
		// The wait between wake-ups begins anew. This one may be lost with the process, and the next
		// must not be hours away because the device was off for days before.
		l.Wake.Tries = 0
	}
	out.events = append(out.events, live.Membership(id, env.Now, wasEnrolled, l.Device.Enrolled,
		l.enrolledAgain)...)
	l.enrolledAgain = false
	if err := tx.AppendEvents(ctx, out.events); err != nil {
		return out, err
	}
	out.wake = plan(l, env.Now)
	return out, tx.SaveLedger(ctx, id, l)
}

// announce tells of a step that was committed, and wakes the device if it is to be woken.
func (e *Engine) announce(id fleet.DeviceID, events []live.Event, wake bool) {
	if len(events) > 0 {
		e.config.Committed(events)
	}
	if wake {
		e.wake(id)
	}
}

// refresh tells the rules what the catalog assigns to the device now.
func (e *Engine) refresh(ctx context.Context, tx Tx, id fleet.DeviceID, l *Ledger,
	env action.Env) error {
	specs, err := tx.Assigned(ctx, id)
	if err != nil {
		return err
	}
	l.Device.Assign(env, specs)
	l.Changed = false
	return nil
}

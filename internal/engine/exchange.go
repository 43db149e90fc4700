package engine

import (
	"context"
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Idle takes note that a device connected with nothing to answer and returns its next task, nil if
// there is none. A device without work costs one read.
func (e *Engine) Idle(ctx context.Context, id fleet.DeviceID) (*Task, error) {
	e.contacts.add(id, e.config.Clock.Now())
	quiet := false
	err := e.config.Store.Look(ctx, func(tx Tx) error {
		l, err := tx.Ledger(ctx, id)
		quiet = err == nil && !l.Changed && l.Device.Quiet(e.config.Clock.Now())
		return err
	})
	if err != nil || quiet {
		return nil, err
	}
	return transactReturning(ctx, e, id, scheduleWhileConnected,
		func(tx Tx, l *Ledger, env action.Env) (*Task, error) {
			l.Device.Contact()
			return e.next(ctx, tx, id, l, env)
		})
}

// scheduleWhileConnected sets the clocks of a device that is connected.
func scheduleWhileConnected(l *Ledger, now time.Time) (wake bool) {
	return l.schedule(now, deviceConnected)
}

// ErrNothingAsked means that an answer names no task, and that the device was handed none.
var ErrNothingAsked = errors.New("the device was handed no task")

// Answer applies a device's answer to a task and returns its next task, nil if there is none. An
// answer that is repeated, or to a task that the device does not have, changes nothing. One without
// a task is to the task that the device was handed last; the error is ErrNothingAsked, and nothing
// was changed, if it was handed none.
func (e *Engine) Answer(ctx context.Context, id fleet.DeviceID, r Report) (*Task, error) {
	r.bound()
	e.contacts.add(id, e.config.Clock.Now())
	type outcome struct {
		next   *Task
		forget bool
	}
	o, err := transactReturning(ctx, e, id, scheduleWhileConnected,
		func(tx Tx, l *Ledger, env action.Env) (o outcome, err error) {
			if r.Task == "" && l.Device.Handed.Task == "" {
				return o, ErrNothingAsked
			}
			wasEnrolled := l.Device.Enrolled
			known := l.Device.Answer(env, r.Task, r.Outcome)
			if wasEnrolled && !l.Device.Enrolled {
				o.forget, err = markLeft(ctx, tx, id)
				return o, err
			}
			if known && r.Facts != nil {
				if err := saveFacts(ctx, tx, id, r.Facts); err != nil {
					return o, err
				}
			}
			o.next, err = e.next(ctx, tx, id, l, env)
			return o, err
		})
	if o.forget {
		e.forget(ctx, id)
	}
	return o.next, err
}

func (e *Engine) next(ctx context.Context, tx Tx, id fleet.DeviceID, l *Ledger,
	env action.Env) (*Task, error) {
	for {
		t, ok := l.Device.Next(env)
		if !ok {
			return nil, nil
		}
		if t.Kind != action.Install || t.Payload.Mirrored {
			return &Task{Task: t}, nil
		}
		content, err := tx.Payload(ctx, t.Payload.ID)
		if err == nil && content.Version == t.Payload.Version {
			return &Task{Task: t, Content: content}, nil
		}
		if err != nil && !errors.Is(err, catalog.ErrNotFound) {
			return nil, err
		}
		// The catalog moved on since the work was planned: plan again.
		if err := e.refresh(ctx, tx, id, l, env); err != nil {
			return nil, err
		}
	}
}

func saveFacts(ctx context.Context, tx Tx, id fleet.DeviceID, f *fleet.Facts) error {
	d, err := tx.Device(ctx, id)
	if err != nil {
		return err
	}
	d.Learn(f)
	return tx.SaveDevice(ctx, d)
}

// Enroll makes d a managed device, or an existing one of the same UDID newly enrolled: it starts
// clean, and an action in force is canceled. unsupported is why a device of this kind cannot do the
// action, empty if it can. It returns the managedDevice id.
//
// The device and its ledger are written in one transaction, which nobody else writes beside: what is
// assigned to a device depends on rows that it has only then.
func (e *Engine) Enroll(ctx context.Context, d fleet.Device,
	unsupported string) (fleet.DeviceID, error) {
	d.Bound()
	unsupported = bounded(unsupported)
	alone := func(run func(Tx) error) error { return e.config.Store.UpdateAlone(ctx, run) }
	o, err := keepReturned(alone, func(tx Tx) (stepOutcome[fleet.DeviceID], error) {
		d, err := e.saveEnrolling(ctx, tx, d)
		if err != nil {
			return stepOutcome[fleet.DeviceID]{}, err
		}
		return runStep(ctx, e, tx, d.ID, scheduleWhileConnected,
			func(tx Tx, l *Ledger, env action.Env) (fleet.DeviceID, error) {
				l.enrolledAgain = l.Device.Enrolled
				l.Device.Enroll(env, unsupported)
				return d.ID, e.refresh(ctx, tx, d.ID, l, env)
			})
	})
	if err != nil {
		return "", err
	}
	e.announce(o.value, o.events, o.wake)
	return o.value, nil
}

// saveEnrolling stores a device that enrolls, with its place in the fleet if it is new.
func (e *Engine) saveEnrolling(ctx context.Context, tx Tx, d fleet.Device) (fleet.Device, error) {
	d, isNew, err := e.recognize(ctx, tx, d)
	if err != nil {
		return d, err
	}
	if err := tx.SaveDevice(ctx, &d); err != nil || !isNew {
		return d, err
	}
	return d, tx.PlaceDevice(ctx, &d)
}

// recognize returns a device that enrolls as it is to be stored: with the id that its UDID has, or
// else its own or a new one, and whether it is new.
func (e *Engine) recognize(ctx context.Context, tx Tx,
	d fleet.Device) (_ fleet.Device, isNew bool, _ error) {
	old, err := tx.DeviceByUDID(ctx, d.UDID)
	switch {
	case err == nil:
		d.ID = old.ID
		noteEnrollment(ctx, &d, old.Enrolled)
	case errors.Is(err, fleet.ErrNotFound) && d.ID == "":
		d.ID = fleet.DeviceID(e.config.NewID())
		noteEnrollment(ctx, &d, false)
	case !errors.Is(err, fleet.ErrNotFound):
		return d, false, err
	}
	now := e.config.Clock.Now()
	d.Enrolled = true
	d.EnrolledAt = now
	d.LastSync = now
	return d, err != nil, nil
}

// Unenroll takes note that a device left management.
func (e *Engine) Unenroll(ctx context.Context, id fleet.DeviceID) error {
	forget, err := transactReturning(ctx, e, id, scheduleWhileConnected,
		func(tx Tx, l *Ledger, env action.Env) (forget bool, err error) {
			l.Device.Unenroll(env)
			if err := noteDevice(ctx, tx, id, enrolledText(true), enrolledText(false)); err != nil {
				return false, err
			}
			if err := e.refresh(ctx, tx, id, l, env); err != nil {
				return false, err
			}
			return markLeft(ctx, tx, id)
		})
	if forget {
		e.forget(ctx, id)
	}
	return err
}

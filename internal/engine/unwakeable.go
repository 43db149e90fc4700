package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// unwakeableKept bounds the devices that are remembered because they could not be woken.
const unwakeableKept = 100_000

// unwakeable remembers of which devices this process told that they cannot be woken, so that it
// takes that back when they can.
type unwakeable struct {
	mu      sync.Mutex
	reasons map[fleet.DeviceID]string
}

// isNews reports whether why a device cannot be woken, empty if it can, is to be told.
func (u *unwakeable) isNews(id fleet.DeviceID, why string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return why != "" || u.reasons[id] != ""
}

func (u *unwakeable) note(id fleet.DeviceID, why string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.reasons == nil || len(u.reasons) >= unwakeableKept {
		u.reasons = make(map[fleet.DeviceID]string)
	}
	if u.reasons[id] = why; why == "" {
		delete(u.reasons, id)
	}
}

// tellUnwakeable writes into what waits for a device that it cannot be woken, and why, or that it
// can again. The clocks stay as they are: the device is woken again in its time.
func (e *Engine) tellUnwakeable(ctx context.Context, id fleet.DeviceID, err error) error {
	why := ""
	if u := Unwakeable(nil); errors.As(err, &u) {
		why = u.Unwakeable()
	}
	if err != nil && why == "" || !e.unwakeable.isNews(id, why) {
		return nil
	}
	err = e.transactAndPlan(ctx, id, func(*Ledger, time.Time) bool { return false },
		func(_ Tx, l *Ledger, env action.Env) error {
			l.Device.TellUnwakeable(env, why)
			return nil
		})
	if err == nil {
		e.unwakeable.note(id, why)
	}
	return err
}

package engine_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// A device that was off for days is woken hours apart. The wake-up for a new action may be lost with
// the server's process, so the next one comes in a minute all the same.
func TestNewActionWakesSoonAgain(t *testing.T) {
	st := storetest.Open(t)
	c := clocktest.New(time.Date(2025, 2, 13, 10, 0, 0, 0, time.UTC))
	app := assign(t, st, c, "com.example.app")
	e := engine.New(engine.Config{Store: st, Clock: c, Log: slog.New(slog.DiscardHandler)})
	id, err := e.Enroll(t.Context(), fleet.Device{UDID: "1", Platform: fleet.IOS}, "")
	if err != nil {
		t.Fatal(err)
	}
	next := func() (wait time.Duration) {
		err := st.View(t.Context(), func(tx engine.Tx) error {
			l, err := tx.Ledger(t.Context(), id)
			if err == nil {
				wait = l.Wake.At.Sub(c.Now())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return wait
	}
	for range 8 {
		c.Advance(24 * time.Hour)
		if err := e.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if wait := next(); wait < time.Hour {
		t.Fatalf("a device that is off is woken again in %s", wait)
	}
	restoreAfter := 30 * time.Hour
	if err := e.Start(t.Context(), id, engine.Call{Name: action.SyncPayloads, Actor: "admin",
		Set:          []action.Selection{{ID: app, Type: action.Application}},
		RestoreAfter: &restoreAfter}); err != nil {
		t.Fatal(err)
	}
	if wait := next(); wait > time.Minute {
		t.Errorf("after a call it is woken again in %s", wait)
	}
	for range 3 {
		c.Advance(10 * time.Hour)
		if err := e.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if wait := next(); wait > time.Minute {
		t.Errorf("after the automatic restore it is woken again in %s", wait)
	}
}

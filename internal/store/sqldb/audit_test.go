package sqldb_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// The record of a step is written with it, whatever else is written at the same time, and its events
// are numbered.
func TestStepsAreRecorded(t *testing.T) {
	s := storetest.Open(t)
	enroll(t, s, "d")
	var writing sync.WaitGroup
	for i := range 8 {
		id := fmt.Sprint("entry ", i)
		writing.Go(func() {
			draft := &audit.Draft{Entry: audit.Entry{ID: id, At: dawn, Activity: "some"}}
			events := []live.Event{{Device: "d", At: dawn, Kind: live.ActionChanged}}
			if err := record(audit.With(t.Context(), draft), s, events); err != nil {
				t.Error(err)
			}
			if events[0].Position == 0 && !storetest.Postgres() {
				t.Error("an event is not told its position")
			}
			if audit.Of(audit.With(t.Context(), draft)) != nil {
				t.Error("what was recorded can be recorded again")
			}
			if e, err := s.Entry(t.Context(), id); err != nil || len(e.Objects) != 1 {
				t.Errorf("%s is recorded as %+v, %v", id, e, err)
			}
		})
	}
	writing.Wait()
	if found, err := s.Events(t.Context(), "d", 0, 100); err != nil || len(found) != 8 {
		t.Errorf("%d events, %v", len(found), err)
	}
}

// record is a step of a device with its record and events.
func record(ctx context.Context, s *store.Store, events []live.Event) error {
	const device fleet.DeviceID = "d"
	return s.Update(ctx, device, func(tx engine.Tx) error {
		l, err := tx.Ledger(ctx, device)
		if err != nil {
			return err
		}
		audit.Note(ctx, audit.Object{Type: "managedDevice", ID: string(device)})
		if err := tx.AppendEvents(ctx, events); err != nil {
			return err
		}
		l.Wake.Tries++
		return tx.SaveLedger(ctx, device, l)
	})
}

package store_test

import (
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// appendEvents writes events of a device in a step.
func appendEvents(t *testing.T, s *store.Store, events []live.Event) {
	t.Helper()
	if err := s.Update(t.Context(), events[0].Device, func(tx engine.Tx) error {
		return tx.AppendEvents(t.Context(), events)
	}); err != nil {
		t.Fatal(err)
	}
}

// Events have consecutive positions in the order in which they were written, however many there are
// at once, and are read by device, or all of them.
func TestPositionsOfEvents(t *testing.T) {
	s := openFleet(t, fleet.Device{ID: "a", UDID: "a"}, fleet.Device{ID: "b", UDID: "b"})
	at := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	oldest, newest, err := s.EventRange(t.Context())
	if err != nil || oldest != newest+1 {
		t.Fatalf("an empty log goes from %d to %d, %v", oldest, newest, err)
	}
	first := newest + 1
	number := 0
	for _, device := range []fleet.DeviceID{"a", "b", "a"} {
		var events []live.Event
		for range 19 {
			number++
			events = append(events, live.Event{Device: device, At: at, Kind: live.ActionChanged,
				Action: action.ActionID(rune('A' + number))})
		}
		before := newest
		appendEvents(t, s, events)
		if _, newest, err = s.EventRange(t.Context()); err != nil || newest != before+19 {
			t.Fatalf("the newest is %d after %d, %v", newest, before, err)
		}
		for i, e := range events {
			if want := before + 1 + int64(i); !storetest.Postgres() && e.Position != want {
				t.Errorf("event %d was told position %d, want %d", i, e.Position, want)
			}
		}
	}
	for device, want := range map[fleet.DeviceID]int{"": 57, "a": 38, "b": 19, "c": 0} {
		events, err := s.Events(t.Context(), device, first-1, 100)
		if err != nil || len(events) != want {
			t.Fatalf("of %q there are %d events, %v, want %d", device, len(events), err, want)
		}
		last := first - 1
		for _, e := range events {
			if number := int64(e.Action[0]) - 'A'; device == "" && e.Position != last+1 ||
				e.Position <= last || e.Position != first+number-1 {
				t.Errorf("of %q event %d is at %d", device, number, e.Position)
			}
			last = e.Position
		}
	}
	if oldest, newest, err = s.EventRange(t.Context()); err != nil || oldest != first ||
		newest != first+56 {
		t.Errorf("the log goes from %d to %d, %v", oldest, newest, err)
	}
}

// What ended in error is a failure, but for what a later action overtook.
func TestFailuresOfEvents(t *testing.T) {
	s := openFleet(t, fleet.Device{ID: "a", UDID: "a"})
	at := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	failed := func(status action.Status, number int64, whose action.Source) live.Event {
		return live.Event{Device: "a", At: at, Kind: live.PayloadChanged, Action: "x",
			Result: &action.Result{Payload: "p", Status: status, Step: action.StepFailed,
				Code: number, Source: whose}}
	}
	appendEvents(t, s, []live.Event{
		{Device: "a", At: at, Kind: live.ActionStarted, Action: "x"},
		failed(action.InProgress, 0, action.ByServer),
		failed(action.Removed, 0, action.ByServer),
		failed(action.Error, action.CodeSuperseded, action.ByServer),
		failed(action.Error, action.CodeSuperseded, action.ByDevice),
		failed(action.Error, action.CodeNotVerified, action.ByServer),
		failed(action.Error, 4001, action.ByDevice),
	})
	found, err := s.Failures(t.Context(), nil, at.Add(-time.Hour), nil, 10)
	var codes []action.Code
	for _, f := range found {
		codes = append(codes, f.Result.WhoseCode())
	}
	want := []action.Code{{Number: 4001, Source: action.ByDevice},
		{Number: action.CodeNotVerified},
		{Number: action.CodeSuperseded, Source: action.ByDevice}}
	if err != nil || len(codes) != len(want) {
		t.Fatalf("the failures are %+v, %v, want %+v", codes, err, want)
	}
	for i := range want {
		if codes[i] != want[i] {
			t.Errorf("failure %d is %+v, want %+v", i, codes[i], want[i])
		}
	}
}

// A step rests on the ledger that stands, whether the one before it, on this node or on another,
// stored a ledger or not.
func TestStepsOnOneLedger(t *testing.T) {
	location := storetest.Location(t)
	one, other := storetest.OpenAt(t, location), storetest.OpenAt(t, location)
	if err := one.Update(t.Context(), "a", func(tx engine.Tx) error {
		return tx.SaveDevice(t.Context(), &fleet.Device{ID: "a", UDID: "a"})
	}); err != nil {
		t.Fatal(err)
	}
	tries := 0
	step := func(s *store.Store, save bool, meanwhile func()) (runs int) {
		t.Helper()
		seen := 0
		err := s.Update(t.Context(), "a", func(tx engine.Tx) error {
			runs++
			l, err := tx.Ledger(t.Context(), "a")
			if err != nil {
				return err
			}
			if meanwhile != nil && runs == 1 {
				meanwhile()
			}
			seen = l.Wake.Tries
			if !save {
				return tx.SaveKey(t.Context(), "a", &engine.Key{Caller: "c", Name: "k",
					Digest: []byte("d")}, time.Now())
			}
			l.Wake.Tries++
			return tx.SaveLedger(t.Context(), "a", l)
		})
		if err != nil {
			t.Fatal(err)
		}
		if seen != tries {
			t.Errorf("what was written rests on a ledger of %d tries, want %d", seen, tries)
		}
		if save {
			tries++
		}
		return runs
	}
	for range 2 {
		for _, save := range []bool{true, false} {
			step(one, true, nil) // may not know yet what the other did
			if n := step(one, save, nil); n != 1 {
				t.Errorf("with nobody else it took %d tries", n)
			}
			if n := step(one, save, func() { step(other, true, nil) }); n != 2 {
				t.Errorf("with a step of another node between it took %d tries", n)
			}
		}
	}
}

package store_test

import (
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// A step that was overtaken too often has the database to itself; its events are written as those
// of any other, and those that cannot be written keep it from being written.
func TestEventsOfAStepThatWasOvertaken(t *testing.T) {
	s := openFleet(t, fleet.Device{ID: "a", UDID: "a"})
	tries := 0
	try := func(tx engine.Tx, before func()) error {
		l, err := tx.Ledger(t.Context(), "a")
		if err != nil {
			return err
		}
		before()
		l.Wake.Tries++
		return tx.SaveLedger(t.Context(), "a", l)
	}
	overtake := func() {
		t.Helper()
		if err := s.Update(t.Context(), "a",
			func(tx engine.Tx) error { return try(tx, func() {}) }); err != nil {
			t.Fatal(err)
		}
		tries++
	}
	step := func(overtaken int, events []live.Event) (ran int, err error) {
		err = s.Update(t.Context(), "a", func(tx engine.Tx) error {
			ran++
			if err := try(tx, func() {
				if ran <= overtaken {
					overtake()
				}
			}); err != nil {
				return err
			}
			return tx.AppendEvents(t.Context(), events)
		})
		return ran, err
	}
	for _, overtaken := range []int{0, 3} {
		events := make([]live.Event, 19) // more than one statement has
		for i := range events {
			events[i] = live.Event{Device: "a", At: dawn, Kind: live.ActionChanged}
		}
		_, before, err := s.EventRange(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if ran, err := step(overtaken, events); err != nil || ran != overtaken+1 {
			t.Fatalf("overtaken %d times it ran %d times, %v", overtaken, ran, err)
		}
		tries++
		found, err := s.Events(t.Context(), "a", before, 100)
		if err != nil || len(found) != len(events) {
			t.Errorf("overtaken %d times: %d events, %v", overtaken, len(found), err)
		}
		for i, e := range events {
			if !storetest.Postgres() && e.Position != before+1+int64(i) {
				t.Errorf("event %d was told position %d after %d", i, e.Position, before)
			}
		}
	}
	never := []live.Event{{Device: "a", Kind: live.ActionChanged, // RFC 3339 has no such year
		At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}}
	for _, overtaken := range []int{0, 3} {
		if _, err := step(overtaken, never); err == nil {
			t.Errorf("overtaken %d times: an event is written that has no text", overtaken)
		}
	}
	err := s.View(t.Context(), func(tx engine.Tx) error {
		l, err := tx.Ledger(t.Context(), "a")
		if err == nil && l.Wake.Tries != tries {
			t.Errorf("%d steps are written, want %d", l.Wake.Tries, tries)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Old events are dropped from the beginning of the log, so many at a time, and what comes after
// them is not numbered anew.
func TestDropEvents(t *testing.T) {
	s := openFleet(t, fleet.Device{ID: "a", UDID: "a"})
	var events []live.Event
	for i := range 5 {
		events = append(events, live.Event{Device: "a", Kind: live.ActionChanged,
			At: dawn.Add(time.Duration(i) * time.Hour)})
	}
	appendEvents(t, s, events)
	_, newest, err := s.EventRange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		before time.Time
		limit  int
		want   int
		left   int64
	}{
		{dawn, 10, 0, 5},
		{dawn.Add(3 * time.Hour), 2, 2, 3},
		{dawn.Add(3 * time.Hour), 2, 1, 2},
		{dawn.Add(3 * time.Hour), 2, 0, 2},
		{dawn.Add(9 * time.Hour), 10, 2, 0},
	} {
		n, err := s.DropEvents(t.Context(), step.before, step.limit)
		if err != nil || n != step.want {
			t.Errorf("before %s are %d dropped, %v, want %d", step.before, n, err, step.want)
		}
		oldest, last, err := s.EventRange(t.Context())
		if err != nil || last != newest || oldest != newest+1-step.left {
			t.Errorf("the log goes from %d to %d, %v, want from %d to %d", oldest, last, err,
				newest+1-step.left, newest)
		}
	}
	appendEvents(t, s, []live.Event{{Device: "a", Kind: live.ActionChanged, At: dawn}})
	if oldest, last, err := s.EventRange(t.Context()); err != nil || oldest != newest+1 ||
		last != newest+1 {
		t.Errorf("the next one is from %d to %d, %v, want %d", oldest, last, err, newest+1)
	}
}

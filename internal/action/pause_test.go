package action_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// jump sets the clock, forward or backward.
func (w *world) jump(t *rapid.T) {
	w.now = w.now.Add(time.Duration(rapid.IntRange(-100*3600, 100*3600).Draw(t,
		"jump")) * time.Second)
	if rapid.Bool().Draw(t, "noticed") {
		w.d.CorrectPauses(w.step())
	}
}

func (w *world) restoreTimes() map[action.PayloadID]time.Time {
	clocks := make(map[action.PayloadID]time.Time)
	for _, p := range w.d.Payloads {
		clocks[p.ID] = p.RestoreAt
	}
	return clocks
}

// checkPauses holds that no clock that was ever wrong keeps work waiting for longer than the rules
// let it wait, and that what is corrected is nothing else.
func (w *world) checkPauses(t *rapid.T) {
	var c world
	roundTrip(t, w.d, &c.d)
	clocks, results := c.restoreTimes(), w.d.Action.Clone()
	c.d.Action = w.d.Action.Clone()
	c.d.CorrectPauses(w.step())
	for id, at := range c.restoreTimes() {
		if !clocks[id].Equal(at) {
			t.Fatalf("%s was to be restored at %s, and is now at %s", id, clocks[id], at)
		}
	}
	if results != nil && (c.d.Action.State != results.State ||
		slices.ContainsFunc(results.Results, func(r action.Result) bool {
			return !slices.ContainsFunc(c.d.Action.Results,
				func(o action.Result) bool {
					return r.Payload == o.Payload &&
						r.Status == o.Status
				})
		})) {
		t.Fatalf("an action changed:\n%+v\n%+v", results, c.d.Action)
	}
	c.d.Contact()
	working := false
	for _, p := range c.d.Payloads {
		working = working || p.Work.Phase != action.Idle && p.Work.Phase != action.Stuck
	}
	for _, i := range c.d.Inventories {
		working = working || i.Wanted
	}
	// clocks of servers differ
	longest := max(action.DefaultPolicy.RetryMax, action.DefaultPolicy.PollMax) + time.Minute
	if next := c.d.NextDue(w.now); working && !c.d.Ready(w.now) &&
		(next.IsZero() || next.After(w.now.Add(longest))) {
		t.Fatalf("at %s there is work, and nothing is tried before %s: %s", w.now, next,
			w.snapshot())
	}
}

// What is to be tried again is tried when its pause has passed by the right clock, whatever the
// clock was when it began.
func TestPausesOfAWrongClock(t *testing.T) {
	const wrong = 72 * time.Hour
	busy := action.Outcome{Verdict: action.Retriable, Code: 42, Detail: "busy"}
	for name, c := range map[string]struct {
		begin func(*bench)
		wait  time.Duration
	}{
		"retry": {func(b *bench) { b.answer(b.next(), busy) }, time.Minute},
		"third try": {func(b *bench) {
			for range 2 {
				b.answer(b.next(), busy)
				b.now = b.now.Add(2 * time.Minute)
			}
			b.now = b.now.Add(-2 * time.Minute)
		}, 2 * time.Minute},
		"inventory": {func(b *bench) {
			b.answer(b.next(), action.Outcome{})
			b.answer(b.next(), busy)
		}, time.Minute},
		"look": {func(b *bench) {
			b.answer(b.next(), action.Outcome{})
			s := spec(pid(0), action.DeviceConfiguration, 1)
			b.answer(b.next(),
				action.Outcome{Sightings: []action.Sighting{{Identifier: s.Identifier,
					Working: true, Detail: "at it"}}})
		}, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 1)
			_ = b.start(action.SyncPayloads, 30*24*time.Hour, 0)
			right := b.now
			b.now = right.Add(wrong)
			c.begin(b)
			if due := b.d.NextDue(b.now); b.d.Ready(b.now) || !due.Equal(b.now.Add(c.wait)) {
				t.Fatalf("by the wrong clock it is due at %s, want in %s", due, c.wait)
			}
			due := b.d.NextDue(b.now)
			b.now = b.now.Add(-time.Minute) // as far as the clocks of two servers may be apart
			if b.d.CorrectPauses(b.step()); b.d.Ready(b.now) || !b.d.NextDue(b.now).Equal(due) {
				t.Fatal("another server, a minute behind, does not wait for it")
			}
			b.now = right
			if b.d.CorrectPauses(b.step()); !b.d.Ready(b.now) {
				t.Fatal("by the right clock it waits")
			}
			if due := b.d.NextDue(b.now); !due.Equal(right.Add(30 * 24 * time.Hour)) {
				t.Fatalf("the clock alone does something at %s, want at the restore in 30 days",
					due)
			}
			b.next()
		})
	}
}

// A result does not go on naming a next try in days.
func TestDetailAfterAWrongClock(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, 0, 0, 1)
	right := b.now
	b.answer(b.next(), action.Outcome{Verdict: action.Retriable, Code: 42, Detail: "busy"})
	b.d.CorrectPauses(b.step())
	ordinary := fmt.Sprintf("0 1 0 attempt 1 of 5 failed: busy (code 42); next try at %s",
		right.Add(time.Minute).Format(time.RFC3339))
	b.expect(0, ordinary)
	b.now = right.Add(72 * time.Hour)
	b.answer(b.next(), action.Outcome{Verdict: action.Retriable, Code: 42, Detail: "busy"})
	b.answer(b.next(), action.Outcome{Verdict: action.Retriable, Code: 42, Detail: "busy"})
	b.now = right
	b.d.CorrectPauses(b.step())
	b.expect(0, "0 1 0 attempt 2 of 5 failed: busy (code 42); next try when the device connects")
	b.expect(1, "0 1 0 attempt 1 of 5 failed: busy (code 42); next try when the device connects")
	if !b.d.Ready(b.now) || !b.d.NextDue(b.now).IsZero() {
		t.Fatal("it still waits")
	}
}

// An app that never settles is given up as late as ever after its acknowledgement by a clock that
// was ahead.
func TestVerificationEndsAfterAWrongClock(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	right := b.now
	b.now = right.Add(72 * time.Hour)
	b.answer(b.next(), action.Outcome{})
	b.now = right
	identifier := spec(pid(0), action.DeviceConfiguration, 1).Identifier
	for b.d.Action.State == action.Active {
		b.answer(b.next(), action.Outcome{Sightings: []action.Sighting{{Identifier: identifier,
			Working: true, Detail: "at it"}}})
		if due := b.d.NextDue(b.now); !due.IsZero() {
			b.now = due
		}
	}
	if took := b.now.Sub(right); took < 24*time.Hour || took > 25*time.Hour {
		t.Fatalf("given up after %s, want 24 hours", took)
	}
	b.expect(0, fmt.Sprintf("0 3 %d still not settled", action.CodeNotVerified))
}

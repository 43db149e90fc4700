package action_test

import (
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// A connection of a device is of no use when nothing is ready for it and it postponed nothing, be
// it a command or an inventory.
func TestQuiet(t *testing.T) {
	b := newBench(t, 1)
	expect := func(quiet, deferred bool) {
		t.Helper()
		if b.d.Quiet(b.now) != quiet || b.d.Deferred() != deferred {
			t.Fatalf("quiet %t, postponed %t, want %t, %t", b.d.Quiet(b.now), b.d.Deferred(), quiet,
				deferred)
		}
	}
	expect(true, false)
	_ = b.start(action.SyncPayloads, 0, 0)
	expect(false, false)
	b.answer(b.next(), action.Outcome{Verdict: action.NotNow})
	expect(false, true)
	b.d.Contact()
	expect(false, false)
	b.answer(b.next(), action.Outcome{})
	expect(false, false)
	b.answer(b.next(), action.Outcome{Verdict: action.NotNow})
	expect(false, true)
	b.d.Contact()
	b.answer(b.next(), list(1))
	expect(true, false)
}

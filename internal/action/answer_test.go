package action_test

import (
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// An answer that names its task is that to what was handed over last only if the names are the
// same: else what was handed over last still waits for its own.
func TestNamedAnswerBesideWhatWasHanded(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, 0, 0, 1)
	first := b.next()
	b.answer(first, action.Outcome{Verdict: action.NotNow})
	if b.d.Answer(b.step(), "", action.Outcome{}) {
		t.Fatal("an answer without a name counts for what was postponed by name")
	}
	b.expect(0, "0 1 0 the device said not now")
	b.next()
	b.answer(first, action.Outcome{}) // it did it after all
	b.expect(0, "0 1 0 acknowledged, verifying")
	if !b.d.Answer(b.step(), "", action.Outcome{}) {
		t.Fatal("the answer to what was handed over last does not count")
	}
	b.expect(1, "0 1 0 acknowledged, verifying")
}

// A command that is answered late makes an inventory worthless for its payload that was asked for
// before; one that is postponed does not.
func TestInventoryFromBeforeAnAnswer(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, 0, 0, 1)
	late := b.next()
	b.answer(late, action.Outcome{Verdict: action.NotNow})
	b.answer(b.next(), action.Outcome{})
	inventory := b.next()
	b.answer(late, action.Outcome{})
	b.answer(inventory, list(1, 0)) // as it was before that
	b.expect(0, "0 1 0 acknowledged, verifying")
	b.expect(1, "0 2 0")
	b.answer(b.next(), list(1))
	b.expect(0, "0 2 0")

	b = newBench(t, 2)
	_ = b.start(action.SyncPayloads, 0, 0, 1)
	late = b.next()
	b.answer(late, action.Outcome{Verdict: action.NotNow})
	b.answer(b.next(), action.Outcome{})
	inventory = b.next()
	b.answer(late, action.Outcome{Verdict: action.NotNow})
	b.answer(inventory, list(1)) // somebody else took it off
	b.expect(0, "0 2 0")
}

// A late answer raises no new try of what failed for good, and none if nothing is in its place.
func TestLateAnswerOfWhatFailed(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	late := b.next()
	_ = b.start(action.SyncPayloads, 0)
	b.answer(b.next(), action.Outcome{Verdict: action.Permanent, Code: 4001, Detail: "never"})
	b.expect(0, "1 3 4001 never")
	b.answer(late, action.Outcome{})
	if p := b.d.Find(pid(0)); p.Work.Phase != action.Stuck || p.Work.Code != 4001 {
		t.Errorf("it stands as %+v", p)
	}
	if b.d.Ready(b.now) {
		t.Error("it is tried again")
	}
}

// A late installation of what is behind another one is undone.
func TestLateInstallationBehindAnother(t *testing.T) {
	r := newRivals(t, action.Application, 0)
	specs := newRivals(t, action.Application, 2).specs
	r.specs = specs
	r.assignOnly(specs[1])
	late := r.next()
	r.assignOnly(specs...)
	r.work()
	r.holds(0, "-p1+p0")
	r.answer(late, r.ph.execute(late).outcome)
	if p := r.d.Find(pid(1)); p.Work.Phase != action.Queued || p.Work.Kind != action.Uninstall {
		t.Fatalf("what came late stands as %+v", p)
	}
	r.work()
	r.holds(0, "-p1+p0")
}

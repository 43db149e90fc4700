package action_test

import (
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// A result keeps the time at which it began to say what it says.
func TestResultKeepsItsTime(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, 0, 0, 1)
	result := func() action.Result { return b.d.Action.Results[0] }
	changes := func(what string, want bool, do func()) {
		t.Helper()
		before := result().LastModified
		b.now = b.now.Add(time.Second)
		do()
		if got := result().LastModified; got.Equal(before) == want || want && !got.Equal(b.now) {
			t.Errorf("%s: the result is of %s, after %s", what, got, before)
		}
	}
	unwakeable := func(why string) func() {
		return func() { b.d.TellUnwakeable(b.step(), why) }
	}
	changes("cannot be woken", true, unwakeable("no certificate"))
	changes("the same again", false, unwakeable("no certificate"))
	changes("another reason", true, unwakeable("no token"))
	changes("can be woken", true, unwakeable(""))
	changes("can be woken still", false, unwakeable(""))
	var task action.Task
	changes("sent", true, func() { task = b.next() })
	changes("sent, and can be woken", false, unwakeable(""))
	changes("acknowledged", true, func() { b.answer(task, action.Outcome{}) })
	b.answer(b.next(), action.Outcome{})
	changes("at it, in the same words", true, func() {
		s := spec(pid(0), action.DeviceConfiguration, 1)
		b.answer(b.next(), action.Outcome{Sightings: []action.Sighting{{Identifier: s.Identifier,
			Working: true, Detail: "acknowledged, verifying"}}})
	})
	if r := result(); r.Step != action.StepSettling {
		t.Errorf("what the device is at shows step %d", r.Step)
	}
}

// An action keeps the time at which its state became what it is.
func TestActionKeepsItsTime(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, 0, 0, 1)
	b.now = b.now.Add(time.Minute)
	began := b.now
	b.answer(b.next(), action.Outcome{})
	b.now = b.now.Add(time.Minute)
	b.answer(b.next(), action.Outcome{})
	if a := b.d.Action; a.State != action.Active || !a.Updated.Equal(began) {
		t.Errorf("active since %s, want %s", a.Updated, began)
	}
	b.answer(b.next(), action.Outcome{})
	if a := b.d.Action; a.State != action.Done || !a.Updated.Equal(b.now) {
		t.Errorf("done since %s, want %s", a.Updated, b.now)
	}
}

// Nobody is told anything of a device without an action in force.
func TestTellNobody(t *testing.T) {
	b := newBench(t, 1)
	b.d.TellUnwakeable(b.step(), "no certificate")
	if b.d.Action != nil {
		t.Fatalf("there is an action: %+v", b.d.Action)
	}
	_ = b.start(action.SyncPayloads, 0, 0)
	b.serve(0)
	before := b.d.Action.Clone()
	b.d.TellUnwakeable(b.step(), "no certificate")
	if r := b.d.Action.Results[0]; r != before.Results[0] {
		t.Errorf("an action that has ended says %+v", r)
	}
}

// Numbers that were stored before it was known whose they are: the server's are -1 to -6.
func TestCodeOf(t *testing.T) {
	for _, tt := range []struct {
		number       int64
		stored, want action.Source
	}{
		{1, action.ByServer, action.ByDevice},
		{0, action.ByServer, action.ByServer},
		{-1, action.ByServer, action.ByServer},
		{-6, action.ByServer, action.ByServer},
		{-7, action.ByServer, action.ByDevice},
		{-1, action.ByDevice, action.ByDevice},
		{4001, action.ByDevice, action.ByDevice},
	} {
		if got := action.CodeOf(tt.number, tt.stored); got != (action.Code{Number: tt.number,
			Source: tt.want}) {
			t.Errorf("%d, stored as %d, is %+v", tt.number, tt.stored, got)
		}
	}
}

// What an inventory shows instead of what was installed is said.
func TestInstallationThatDoesNotShow(t *testing.T) {
	for want, seen := range map[string]action.Outcome{
		"installation acknowledged, but the device shows another version": list(1, 0),
		"installation acknowledged, but the device does not show it":      {},
	} {
		b := newBench(t, 1)
		_ = b.start(action.SyncPayloads, 0, 0)
		b.serve(0)
		b.assign(2, 1)
		_ = b.start(action.SyncPayloads, 0)
		b.answer(b.next(), action.Outcome{})
		b.answer(b.next(), seen)
		b.expect(0, "1 1 0 attempt 1 of 5 failed: "+want+" (code -4)")
	}
}

// An inventory asks for what it is about, and is asked for anew when the device may have changed
// since.
func TestInventoryAsksForItsPayloads(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, 0, 0, 1)
	b.d.Assign(b.step(), []action.Spec{spec(pid(0), action.DeviceConfiguration, 1),
		spec(pid(1), action.DeviceConfiguration, 1), spec("app", action.Application, 1)})
	late := b.next()
	b.answer(late, action.Outcome{Verdict: action.NotNow})
	b.answer(b.next(), action.Outcome{})
	b.answer(b.next(), action.Outcome{})
	first := b.next()
	if first.Class != action.Profiles || len(first.Identifiers) != 2 ||
		first.Identifiers[0] != spec(pid(0), action.DeviceConfiguration, 1).Identifier {
		t.Fatalf("the inventory is %+v", first)
	}
	if again := b.next(); again.ID != first.ID {
		t.Fatalf("with nothing changed comes %+v after %+v", again, first)
	}
	b.answer(late, action.Outcome{})
	if again := b.next(); again.ID == first.ID {
		t.Fatal("it is asked for under the id of the one before the answer")
	}
}

// Of several pauses only those are ended that a clock which was ahead began.
func TestPausesThatAreRight(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, 0, 0, 1)
	busy := action.Outcome{Verdict: action.Retriable, Detail: "busy"}
	b.answer(b.next(), busy)
	right := b.now
	b.now = right.Add(72 * time.Hour)
	b.d.Find(pid(0)).Work.Deferred = true // the next one is the other
	b.answer(b.next(), busy)
	b.now = right
	b.d.CorrectPauses(b.step())
	if p := b.d.Find(pid(0)); !p.Work.NotBefore.Equal(right.Add(time.Minute)) {
		t.Errorf("a right pause ends at %s", p.Work.NotBefore)
	}
	if p := b.d.Find(pid(1)); !p.Work.NotBefore.IsZero() {
		t.Errorf("a wrong pause ends at %s", p.Work.NotBefore)
	}
}

package action_test

import (
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// An answer that does not say which command it answers is the answer to what the device was handed
// last, once.
func TestAnswerWithoutATask(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, 0, 0, 1)
	b.d.Contact()
	if b.d.Answer(b.step(), "", action.Outcome{}) {
		t.Fatal("an answer counts although the device was handed nothing")
	}
	b.expect(0, "0 0 0")
	b.next()
	if !b.d.Answer(b.step(), "", action.Outcome{}) {
		t.Fatal("the answer to the removal does not count")
	}
	b.expect(0, "0 1 0 acknowledged, verifying")
	if b.d.Answer(b.step(), "", action.Outcome{}) {
		t.Fatal("it counts a second time")
	}
	b.expect(1, "0 0 0")
	b.next()
	b.d.Contact()
	if b.d.Answer(b.step(), "", action.Outcome{}) {
		t.Fatal("it counts on the next connection")
	}
	b.expect(1, "0 1 0 sent to the device")
}

// A refusal that names no task refuses the one that was handed over, be it a command or an
// inventory; a list that names none proves nothing, and is asked for again.
func TestInventoryWithoutATask(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.next()
	b.d.Answer(b.step(), "", action.Outcome{Verdict: action.NotNow})
	b.expect(0, "0 1 0 the device said not now")
	b.d.Contact()
	b.answer(b.next(), action.Outcome{})
	inventory := b.next()
	if !b.d.Answer(b.step(), "", list(1)) {
		t.Fatal("the answer to the inventory does not count")
	}
	b.expect(0, "0 1 0 acknowledged, verifying")
	if b.d.Ready(b.now) || !b.d.Ready(b.now.Add(action.DefaultPolicy.RetryBase)) {
		t.Fatal("the inventory is not asked for again after the usual wait")
	}
	b.now = b.now.Add(action.DefaultPolicy.RetryBase)
	again := b.next()
	if again.ID == inventory.ID {
		t.Fatal("it is asked for again under the same id")
	}
	b.answer(again, list(1))
	b.expect(0, "0 2 0")
}

// A device that answers a command with another id is handed the command again, and has failed it
// when it did so once more often than a command is tried.
func TestAnswerWithAnotherTask(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	first := b.next()
	for i := range action.DefaultPolicy.MaxAttempts {
		if b.d.Answer(b.step(), "another", action.Outcome{}) {
			t.Fatal("an answer to a task that never was counts")
		}
		b.expect(0, "0 1 0 sent to the device")
		if again := b.next(); again.ID != first.ID {
			t.Fatalf("time %d: it is handed %+v, want the same again", i, again)
		}
	}
	b.d.Answer(b.step(), "another", action.Outcome{})
	b.expect(0,
		"0 1 0 attempt 1 of 5 failed: handed over 6 times, and answered with another command's id (code -4)")
	b.d.Answer(b.step(), "another", action.Outcome{})
	b.expect(0, "0 1 0 attempt 1 of 5 failed")
}

// The times that a task was handed over are counted for that task, on one connection.
func TestHandedTimesAreOneTasks(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, 0, 0, 1)
	for range action.DefaultPolicy.MaxAttempts {
		b.next()
	}
	b.d.Contact()
	one := b.next()
	b.d.Answer(b.step(), "another", action.Outcome{})
	b.expect(0, "0 1 0 sent to the device")
	b.answer(one, action.Outcome{})
	b.next()
	b.d.Answer(b.step(), "another", action.Outcome{})
	b.expect(1, "0 1 0 sent to the device")
}

// An answer to what is acknowledged already changes nothing.
func TestAnswerTwice(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	remove := b.next()
	b.answer(remove, action.Outcome{})
	if b.d.Answer(b.step(), remove.ID, action.Outcome{Verdict: action.Permanent, Code: 5}) {
		t.Fatal("the second answer counts")
	}
	b.expect(0, "0 1 0 acknowledged, verifying")
}

// A command of work that was given up, answered late, raises a doubt that an inventory settles; one
// that the device only postponed was not carried out.
func TestLateAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		verdict action.Verdict
		doubt   bool
	}{"accepted": {action.Accepted, true}, "failed": {action.Permanent, true},
		"postponed": {action.NotNow, false}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 2)
			_ = b.start(action.SyncPayloads, 0, 0)
			late := b.next()
			_ = b.start(action.SyncPayloads, 0)
			b.serve(2)
			if !b.d.Answer(b.step(), late.ID, action.Outcome{Verdict: c.verdict}) {
				t.Fatal("the late answer is not known")
			}
			if got := b.d.Ready(b.now); got != c.doubt {
				t.Fatalf("the device has something to do: %t, want %t", got, c.doubt)
			}
			if b.d.Answer(b.step(), late.ID, action.Outcome{}) {
				t.Fatal("it counts a second time")
			}
			if c.doubt {
				b.answer(b.next(), list(1, 1)) // it is off after all
				if task := b.next(); task.Kind != action.Install || task.Payload.ID != pid(0) {
					t.Fatalf("the device lost what it should have, and is sent %+v", task)
				}
			}
		})
	}
}

// Where a device lists what is installed and what it manages apart, both are asked for, and what
// one command changed between them is asked for anew.
func TestInventoryOfTwoLists(t *testing.T) {
	b := newBench(t, 0)
	app := spec("app", action.Application, 1)
	other := spec("other", action.Application, 1)
	b.d.Assign(b.step(), []action.Spec{app, other})
	sighted := func(list action.List, specs ...action.Spec) action.Outcome {
		o := action.Outcome{List: list}
		for _, s := range specs {
			o.Sightings = append(o.Sightings,
				action.Sighting{Identifier: s.Identifier, Present: true})
		}
		return o
	}
	inventory := func() action.Task {
		t.Helper()
		for {
			task := b.next()
			if task.Kind == action.TakeInventory {
				return task
			}
			b.answer(task, action.Outcome{})
		}
	}
	b.answer(inventory(), sighted(action.Managed, app, other))
	second := inventory()
	if !second.Second {
		t.Fatalf("after the first list comes %+v", second)
	}
	b.d.Contact() // nothing is known of what happened meanwhile
	first := inventory()
	if first.Second || first.ID == second.ID {
		t.Fatalf("on the next connection comes %+v, want the first list again", first)
	}
	b.answer(first, sighted(action.Managed, app, other))
	b.answer(inventory(), sighted(action.Everything, app, other))
	for _, p := range b.d.Payloads {
		if p.Presence != action.Present || p.Unmanaged {
			t.Errorf("what is managed is %+v", p)
		}
	}
	b.ids++
	_, _, _ = b.d.Start(b.step(), action.Request{ID: "off", Name: action.SyncPayloads,
		Set: []action.Selection{{ID: "app", Type: action.Application}}})
	b.answer(inventory(), sighted(action.Managed, other))
	b.answer(inventory(), sighted(action.Everything, app, other))
	if r := b.d.Action.Results[0]; r.Status != action.InProgress ||
		!strings.Contains(r.Detail, "but the device still shows it") {
		t.Errorf("the device keeps the app, and the removal shows %+v", r)
	}
	b.now = b.now.Add(action.DefaultPolicy.RetryBase)
	b.answer(inventory(), sighted(action.Managed, other))
	b.answer(inventory(), sighted(action.Everything, other))
	if r := b.d.Action.Results[0]; r.Status != action.Removed {
		t.Errorf("the app is gone, and the removal shows %+v", r)
	}
}

// An inventory that the device refuses is asked for again after a wait, and is given up with an
// error after as many tries as any, which says what the device said.
func TestRefusedInventoryWaits(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.answer(b.next(), action.Outcome{})
	for wait := time.Minute; wait <= 8*time.Minute; wait *= 2 {
		b.answer(b.next(), action.Outcome{Verdict: action.Retriable, Code: 7, Detail: "no list"})
		b.expect(0, "0 1 0 acknowledged, verifying")
		if b.d.Ready(b.now.Add(wait-time.Second)) || !b.d.Ready(b.now.Add(wait)) {
			t.Fatalf("it does not wait for %s", wait)
		}
		b.now = b.now.Add(wait)
	}
	b.answer(b.next(), action.Outcome{Verdict: action.Retriable, Code: 7, Detail: "no list"})
	b.expect(0, "0 3 -4 acknowledged, but the device refuses its inventory: no list (code 7)")
}

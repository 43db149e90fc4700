package action_test

import (
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// That a device gives no inventory of one class concerns what only that one would show.
func TestRefusalConcernsItsInventory(t *testing.T) {
	b := newBench(t, 0)
	profile, idle := spec(pid(0), action.DeviceConfiguration, 1),
		spec(pid(1), action.DeviceConfiguration, 1)
	app := spec("app", action.Application, 1)
	b.d.Assign(b.step(), []action.Spec{profile, idle, app})
	for range 3 {
		b.answer(b.next(), action.Outcome{})
	}
	see := func(s action.Spec) action.Sighting {
		return action.Sighting{Identifier: s.Identifier, Revision: s.Revision, Present: true}
	}
	b.answer(b.next(), action.Outcome{Sightings: []action.Sighting{see(profile), see(idle)}})
	b.answer(b.next(), action.Outcome{Sightings: []action.Sighting{see(app)}})

	set := append(selection(0), action.Selection{ID: "app", Type: action.Application})
	if _, _, err := b.d.Start(b.step(), action.Request{ID: "a", Set: set}); err != nil {
		t.Fatal(err)
	}
	b.answer(b.next(), action.Outcome{})
	b.answer(b.next(), action.Outcome{})
	apps := func(want string) {
		t.Helper()
		if got := b.d.Action.Results[1].Detail; got != want {
			t.Fatalf("the app shows %q, want %q", got, want)
		}
	}
	refuse := func(v action.Verdict) {
		t.Helper()
		task := b.next()
		if task.Kind != action.TakeInventory || task.Class != action.Profiles {
			t.Fatalf("the device is sent %+v", task)
		}
		b.answer(task, action.Outcome{Verdict: v, Code: 9, Detail: "no list"})
	}
	refuse(action.NotNow)
	b.expect(0, "0 1 0 acknowledged; the device said not now when asked for its inventory")
	apps("acknowledged, verifying")
	b.d.Contact()
	for range action.DefaultPolicy.MaxAttempts {
		refuse(action.Retriable)
		if due := b.d.NextDue(b.now); !due.IsZero() {
			b.now = due
		}
	}
	b.expect(0, "0 3 -4 acknowledged, but the device refuses its inventory: no list (code 9)")
	apps("acknowledged, verifying")
	if p := b.d.Find(pid(1)); p.Work.Phase != action.Idle {
		t.Errorf("what nothing was done about is %+v", p.Work)
	}
}

// The clock has nothing to do about what is ready.
func TestNothingIsDueThatIsReady(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.answer(b.next(), action.Outcome{Verdict: action.Retriable})
	b.now = b.d.NextDue(b.now)
	if due := b.d.NextDue(b.now); !b.d.Ready(b.now) || !due.IsZero() {
		t.Errorf("it is ready, and due at %s", due)
	}
	b.answer(b.next(), action.Outcome{})
	b.answer(b.next(), action.Outcome{Verdict: action.Retriable})
	b.now = b.d.NextDue(b.now)
	if due := b.d.NextDue(b.now); !b.d.Ready(b.now) || !due.IsZero() {
		t.Errorf("an inventory is ready, and due at %s", due)
	}
}

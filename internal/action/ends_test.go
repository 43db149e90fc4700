package action_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

func TestAutomaticRestore(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.ChangeAssignments, 8*time.Hour, 0)
	b.serveWithout(0)
	if due := b.d.NextDue(b.now); !due.Equal(b.now.Add(8 * time.Hour)) {
		t.Fatalf("restore is due %s", due)
	}
	// The same set again restarts the clock and sends nothing.
	b.now = b.now.Add(7 * time.Hour)
	_ = b.start(action.ChangeAssignments, 8*time.Hour, 0)
	b.expect(0, "0 2 0")
	b.expectState(action.Done)
	if due := b.d.NextDue(b.now); !due.Equal(b.now.Add(8 * time.Hour)) {
		t.Fatalf("the clock did not start again: %s", due)
	}
	b.now = b.now.Add(8 * time.Hour)
	if _, started := b.d.RestoreExpired(b.step(), "system"); !started {
		t.Fatal("nothing was restored")
	}
	if a := b.d.Action; a.Actor != action.SystemActor || a.Name != action.ChangeAssignments {
		t.Fatalf("restored by %s as %s", a.Actor, a.Name)
	}
	b.serve(2)
	b.expect(0, "1 4 0")
}

func TestRemovalNeverDeliveredIsWithdrawn(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, time.Hour, 0)
	b.now = b.now.Add(time.Hour)
	if superseded, _ := b.d.RestoreExpired(b.step(), "system"); superseded == nil ||
		superseded.State != action.Canceled {
		t.Fatalf("the removal is %+v, want canceled", superseded)
	}
	b.expect(0, "1 4 0 the removal was withdrawn")
	b.expectState(action.Done)
	if task, ok := b.d.Next(b.step()); ok {
		t.Fatalf("the device comes back and is sent %+v", task)
	}
}

func TestAssignmentEndedWhileRemoved(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.serve(0)
	b.assign(1, 0)
	_ = b.start(action.SyncPayloads, 0)
	b.expect(0, "1 2 0 not restored: its assignment ended")
	b.expectState(action.Done)
	if len(b.d.Payloads) != 0 {
		t.Fatalf("the record stays: %+v", b.d.Payloads[0])
	}
}

func TestSupersede(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, 0, 0)
	held := b.next()
	first := b.d.Action
	_ = b.start(action.SyncPayloads, 0, 1)
	if first.State != action.Canceled || first.Results[0].Code != action.CodeSuperseded {
		t.Fatalf("the earlier action is %+v", first)
	}
	b.expect(0, "1 0 0")
	b.answer(held, action.Outcome{Verdict: action.Permanent, Code: 5, Detail: "late"})
	b.expect(0, "1 0 0") // the late answer is not this action's
}

func TestLateInstallAfterVerifiedRemoval(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.serve(0)
	_ = b.start(action.SyncPayloads, 0)
	late := b.next() // the device holds this installation for long
	_ = b.start(action.SyncPayloads, 0, 0)
	b.serve(0)
	b.expect(0, "0 2 0")
	b.answer(late, action.Outcome{})
	b.answer(b.next(), list(1, 0)) // and there it is again
	if task := b.next(); task.Kind != action.Uninstall {
		t.Fatalf("the device has what was asked to be off and is sent %+v", task)
	}
	b.expect(0, "0 2 0")
}

func TestEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end   func(*bench)
		state action.State
		code  int64
	}{
		"wiped": {func(b *bench) { b.d.Enroll(b.step(), "") }, action.Canceled,
			action.CodeUnenrolled},
		"checked out": {func(b *bench) { b.d.Unenroll(b.step()) }, action.Canceled,
			action.CodeUnenrolled},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 1)
			_ = b.start(action.SyncPayloads, 0, 0)
			task := b.next()
			c.end(b)
			b.expectState(c.state)
			b.expect(0, fmt.Sprintf("0 3 %d", c.code))
			b.assign(1, 1)
			b.answer(task, action.Outcome{})
			if p := b.d.Find(pid(0)); p.Away || p.Presence != action.Unknown {
				t.Fatalf("the device does not start clean: %+v", p)
			}
		})
	}
}

func TestDeviceThatCannotDoIt(t *testing.T) {
	b := &bench{T: t, d: &action.Device{}, now: time.Now()}
	b.d.Enroll(b.step(), "a user enrollment cannot do it")
	b.assign(1, 1)
	if err := b.start(action.SyncPayloads, 0, 0); err != nil {
		t.Fatal(err)
	}
	b.expectState(action.NotSupported)
	b.expect(0, fmt.Sprintf("0 3 %d a user enrollment cannot do it", action.CodeNotSupported))
	if b.d.Find(pid(0)).Away {
		t.Fatal("it counts as removed")
	}
}

func TestRepeatedCallChangesNothing(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, time.Hour, 0, 1)
	first := b.d.Action
	_ = b.start(action.SyncPayloads, time.Hour, 1, 0)
	if b.d.Action != first {
		t.Fatal("the same set in force was started again")
	}
	_ = b.start(action.ChangeAssignments, time.Hour, 1, 0)
	if b.d.Action == first {
		t.Fatal("a call under the other name is another action")
	}
}

// An app's configuration waits for the app, fails with it, and is set again when it comes back.
func TestConfigurationFollowsItsApp(t *testing.T) {
	b := newBench(t, 0)
	app := action.Spec{ID: "app", Type: action.Application, Identifier: "com.example.app",
		Version: 1}
	configuration := action.Spec{ID: "config", Type: action.AppConfiguration,
		Identifier: app.Identifier, Revision: "r", Version: 1}
	b.d.Assign(b.step(), []action.Spec{configuration, app})
	there := action.Outcome{Sightings: []action.Sighting{{Identifier: app.Identifier,
		Present: true}}}
	expectNext := func(kind action.TaskKind, id action.PayloadID, class action.Class,
		o action.Outcome) {
		t.Helper()
		task := b.next()
		if task.Kind != kind || task.Payload.ID != id || task.Class != class {
			t.Fatalf("next is %+v", task)
		}
		b.answer(task, o)
	}
	expectNext(action.Install, "app", 0, action.Outcome{})
	expectNext(action.TakeInventory, "", action.Apps, there)
	expectNext(action.Install, "config", 0, action.Outcome{})
	expectNext(action.TakeInventory, "", action.AppConfigurations, there)

	set := []action.Selection{{ID: "app", Type: action.Application}}
	if _, _, err := b.d.Start(b.step(), action.Request{ID: "a", Name: action.SyncPayloads,
		Set: set}); err != nil {
		t.Fatal(err)
	}
	expectNext(action.Uninstall, "app", 0, action.Outcome{})
	expectNext(action.TakeInventory, "", action.Apps, action.Outcome{})
	b.expectState(action.Done)

	if _, _, err := b.d.Start(b.step(), action.Request{ID: "b",
		Name: action.SyncPayloads}); err != nil {
		t.Fatal(err)
	}
	expectNext(action.Install, "app", 0, action.Outcome{})
	expectNext(action.TakeInventory, "", action.Apps, there)
	b.expectState(action.Done)
	// it went with the app
	expectNext(action.TakeInventory, "", action.AppConfigurations, action.Outcome{})
	expectNext(action.Install, "config", 0, action.Outcome{})
	expectNext(action.TakeInventory, "", action.AppConfigurations, there)
	if b.d.Ready(b.now) {
		t.Fatal("something is left to do")
	}
}

package action_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// planned is what a set would do to a device, as text.
func (b *bench) planned(ids ...int) string {
	b.Helper()
	plan, err := b.d.Plan(selection(ids...))
	if err != nil {
		b.Fatal(err)
	}
	text := ""
	for _, list := range []struct {
		name string
		of   []*action.Payload
	}{{"remove", plan.Remove}, {"unchanged", plan.Unchanged}, {"restore", plan.Restore},
		{"closed", plan.Closed}} {
		for _, p := range list.of {
			text += fmt.Sprintf("%s %s, ", list.name, p.ID)
		}
	}
	return text
}

func (b *bench) expectPlan(want string, ids ...int) {
	b.Helper()
	if got := b.planned(ids...); got != want {
		b.Errorf("a set of %v would do %q, want %q", ids, got, want)
	}
}

// A plan tells what is to be taken off from what is off already, and what comes back from what
// cannot.
func TestPlan(t *testing.T) {
	b := newBench(t, 3)
	b.expectPlan("remove p0, ", 0)
	_ = b.start(action.SyncPayloads, 0, 0, 1)
	b.expectPlan("remove p0, restore p1, ", 0) // not seen to be off yet
	b.serve(0)
	b.expectPlan("remove p2, unchanged p0, restore p1, ", 0, 2)
	_ = b.start(action.SyncPayloads, 0, 1)
	b.expectPlan("remove p0, unchanged p1, ", 0, 1) // p0 is on its way back
	b.assign(1, 1)
	b.expectPlan("remove p0, closed p1, ", 0)
}

// What is off already is said to be off at once, and what was on its way back is not sent.
func TestSetThatIsOffAlready(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.serve(0)
	_ = b.start(action.ChangeAssignments, 0, 0)
	if r := b.d.Action.Results[0]; r.Status != action.Removed || r.Detail != "" {
		t.Errorf("what is off already shows %+v", r)
	}
	_ = b.start(action.SyncPayloads, 0)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.expectState(action.Done)
	b.expect(0, "0 2 0 it was not on the device")
	if task, ok := b.d.Next(b.step()); ok {
		t.Errorf("the device is sent %+v", task)
	}
}

// What stays off because nothing assigns it any more counts among the results.
func TestClosedOnesCount(t *testing.T) {
	b := newBench(t, 31)
	ids := make([]int, action.MaxPayloads)
	for i := range ids {
		ids[i] = i + 1
	}
	_ = b.start(action.SyncPayloads, 0, ids...)
	b.serve(0)
	b.assign(1, 1)
	var refusal *action.Refusal
	if err := b.start(action.SyncPayloads, 0, 0); !errors.As(err, &refusal) ||
		refusal.Reason != action.TooMany || refusal.Index != 31 {
		t.Errorf("one to remove and 30 that are closed: %v", err)
	}
	if err := b.start(action.SyncPayloads, 0); err != nil {
		t.Error(err)
	}
}

// Only what has a clock that ran out is restored by it.
func TestRestoreOfWhatExpired(t *testing.T) {
	b := newBench(t, 3)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.serve(0)
	b.now = b.now.Add(1000 * time.Hour)
	if _, started := b.d.RestoreExpired(b.step(), "system"); started {
		t.Fatal("what has no clock is restored")
	}
	held := selection(0)
	b.ids++
	if _, _, err := b.d.Start(b.step(), action.Request{ID: "b", Set: selection(1), Held: held,
		RestoreAfter: time.Hour}); err != nil {
		t.Fatal(err)
	}
	b.serve(0)
	b.now = b.now.Add(time.Hour - 1)
	if _, started := b.d.RestoreExpired(b.step(), "system"); started {
		t.Fatal("it is restored before its time")
	}
	b.now = b.now.Add(1)
	if _, started := b.d.RestoreExpired(b.step(), "system"); !started {
		t.Fatal("it is not restored in time")
	}
	if p := b.d.Find(pid(0)); !p.Away || p.Intent != action.Remove {
		t.Errorf("what has no clock stands as %+v", p)
	}
	b.expect(1, "1 0 0")
}

// An action goes on with what the one before it began: what the device took already is not sent
// again, and everything else is.
func TestActionGoesOn(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, 0, 0)
	_ = b.start(action.ChangeAssignments, 0, 0)
	b.expect(0, "0 0 0") // nothing was sent yet
	b.answer(b.next(), action.Outcome{})
	_ = b.start(action.SyncPayloads, 0, 0, 1)
	b.expect(0, "0 1 0 acknowledged, verifying")
	b.expect(1, "0 0 0")
	if task := b.next(); task.Kind != action.Uninstall || task.Payload.ID != pid(1) {
		t.Fatalf("the device is sent %+v", task)
	}
	b.serve(0)
	b.expectState(action.Done)

	b = newBench(t, 0)
	b.assign(1, 1)
	b.answer(b.next(), action.Outcome{})
	_ = b.start(action.SyncPayloads, 0, 0)
	b.expect(0, "0 0 0") // what the device took is the opposite
	if task := b.next(); task.Kind != action.Uninstall {
		t.Fatalf("the device is sent %+v", task)
	}
}

// An edit during the verification of an earlier version is sent.
func TestRestoreOfAnEdit(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.serve(0)
	_ = b.start(action.SyncPayloads, 0)
	b.answer(b.next(), action.Outcome{})
	_ = b.start(action.SyncPayloads, time.Hour, 0)
	b.answer(b.next(), action.Outcome{})
	_ = b.start(action.SyncPayloads, 2*time.Hour, 0)
	b.expect(0, "0 1 0 acknowledged, verifying")
	b.assign(2, 1)
	_ = b.start(action.SyncPayloads, 0)
	if task := b.next(); task.Kind != action.Install || task.Payload.Version != 2 {
		t.Fatalf("the device is sent %+v", task)
	}
}

// What could not be removed, and is seen to be there, needs no command to be restored.
func TestRestoreOfWhatIsThere(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.answer(b.next(), action.Outcome{Verdict: action.Permanent, Code: 1, Detail: "never"})
	b.d.WantInventory()
	b.serve(1)
	_ = b.start(action.SyncPayloads, 0)
	b.expect(0, "1 4 0 it is on the device already")
	b.expectState(action.Done)
}

// What an action removed is removed again when it comes back, and restored in its time all the
// same.
func TestWhatComesBackIsRemovedAgain(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, time.Hour, 0)
	b.serve(0)
	b.expectState(action.Done)
	b.d.WantInventory()
	b.answer(b.next(), action.Outcome{})
	b.answer(b.next(), list(1, 0))
	if p := b.d.Find(pid(0)); p.Intent != action.Remove ||
		!p.RestoreAt.Equal(b.now.Add(time.Hour)) || p.Work.Kind != action.Uninstall ||
		p.Work.Phase != action.Queued {
		t.Errorf("it stands as %+v", p)
	}
}

// A mirrored payload that the device took the removal of and still shows is tried again: its own
// system did not bring it back.
func TestRemovalOfMirroredIsTriedAgain(t *testing.T) {
	b := &desk{bench: &bench{T: t, d: &action.Device{},
		now: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)}}
	b.d.Enroll(b.step(), "")
	b.d.Assign(b.step(), []action.Spec{{ID: pid(0), Type: action.DeviceConfiguration,
		Identifier: "x", Version: 1, Mirrored: true}})
	_ = b.start(action.SyncPayloads, time.Hour, 0)
	doc := b.hand()
	if r := b.at(action.StepHandedOver, action.Pending); r.Status != action.Initiated {
		t.Errorf("what no device has taken is in progress: %+v", r)
	}
	b.report(doc.Mark, map[action.PayloadID]action.Sighting{pid(0): {Present: true}}, nil)
	b.at(action.StepFailing, action.Active)
	if p := b.d.Find(pid(0)); p.Intent != action.Remove || p.RestoreAt.IsZero() {
		t.Errorf("it stands as %+v", p)
	}
}

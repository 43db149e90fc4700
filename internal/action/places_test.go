package action_test

import (
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// What is in the way and cannot be taken off keeps the other one waiting, however that is edited,
// until it is seen to be gone by itself.
func TestObstacleThatGoesByItself(t *testing.T) {
	r := newRivals(t, action.Application, 0)
	r.specs = newRivals(t, action.Application, 2).specs
	r.assignOnly(r.specs[1])
	r.work()
	r.assignOnly(r.specs...)
	r.work(action.Uninstall)
	if p := r.d.Find(pid(0)); p.Work.Phase != action.Stuck || p.Work.Code != action.CodeInPlace {
		t.Fatalf("what has the place stands as %+v", p.Work)
	}
	r.specs[0].Version++
	r.assignOnly(r.specs...)
	if task, ok := r.d.Next(r.step()); ok {
		t.Fatalf("it is sent to where another one is: %+v", task)
	}
	clear(r.ph.has)
	r.d.WantInventory()
	r.work()
	r.holds(0, "+p0")
}

// Two are told apart only if an inventory shows a revision of each.
func TestRivalWithoutRevision(t *testing.T) {
	for _, without := range []int{0, 1} {
		r := newRivals(t, action.DeviceConfiguration, 2)
		r.specs[without].Revision = ""
		r.assignOnly(r.specs...)
		r.off(0)
		if task := r.next(); task.Kind != action.Uninstall || task.Payload.ID != pid(0) {
			t.Errorf("without the revision of p%d the device is sent %+v", without, task)
		}
	}
	r := newRivals(t, action.DeviceConfiguration, 2)
	r.specs[1].Revision = r.specs[0].Revision
	r.assignOnly(r.specs...)
	r.off(0)
	if task := r.next(); task.Kind != action.Uninstall || task.Payload.ID != pid(0) {
		t.Errorf("with one revision for both the device is sent %+v", task)
	}
}

// Of several that are removed at once, one is replaced by what is wanted in the end, and waits for
// that.
func TestReplacedByTheOneThatIsWanted(t *testing.T) {
	r := newRivals(t, action.DeviceConfiguration, 3)
	r.off(0, 1)
	install := r.next()
	if install.Kind != action.Install || install.Payload.ID != pid(2) {
		t.Fatalf("the device is sent %+v", install)
	}
	r.answer(install, action.Outcome{Verdict: action.NotNow})
	if task, ok := r.d.Next(r.step()); ok {
		t.Fatalf("while the successor is postponed the device is sent %+v", task)
	}
	r.d.Contact()
	r.work()
	r.holds(2, "+p2")
}

// A removal that the device was handed is handed to it again, whatever comes in its place since.
func TestHandedRemovalGoesOn(t *testing.T) {
	r := newRivals(t, action.DeviceConfiguration, 0)
	r.specs = newRivals(t, action.DeviceConfiguration, 2).specs
	r.assignOnly(r.specs[1])
	r.work()
	r.assignOnly()
	remove := r.next()
	r.assignOnly(r.specs[0])
	if again := r.next(); again.ID != remove.ID {
		t.Fatalf("after %+v the device is sent %+v", remove, again)
	}
	r.work()
	r.holds(0, "-p1+p0")
}

// What is sent makes doubtful what is in its place, behind what was off the device before.
func TestDoubtBehindWhatIsOff(t *testing.T) {
	r := newRivals(t, action.DeviceConfiguration, 3)
	r.off(0)
	r.work()
	r.holds(1, "+p1")
	r.off(0, 1)
	if task := r.next(); task.Kind != action.Install || task.Payload.ID != pid(2) {
		t.Fatalf("the device is sent %+v", task)
	}
	for i, want := range []action.Presence{action.Absent, action.Unknown, action.Unknown} {
		if got := r.d.Find(pid(i)).Presence; got != want {
			t.Errorf("p%d is taken for %d, want %d", i, got, want)
		}
	}
}

package action_test

import (
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// rivals is a device to which payloads with one identifier are assigned, p0 the oldest, and a phone
// that answers for it.
type rivals struct {
	*bench
	specs []action.Spec
	ph    phone
	sent  []action.Task // commands since the last look
}

func newRivals(t *testing.T, typ action.PayloadType, n int) *rivals {
	r := &rivals{bench: &bench{T: t, d: &action.Device{},
		now: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)},
		ph: phone{has: map[string]string{}, slow: map[string]int{},
			blind: typ == action.Application}}
	for i := range n {
		s := spec(pid(i), typ, 1)
		s.Identifier, s.DisplayName, s.Created = "com.example.shared", "Payload "+string(pid(i)),
			r.now.Add(time.Duration(i)*time.Minute)
		if r.ph.blind {
			s.Revision = ""
		}
		r.specs = append(r.specs, s)
	}
	r.d.Enroll(r.step(), "")
	r.assignOnly(r.specs...)
	r.work()
	return r
}

func (r *rivals) assignOnly(specs ...action.Spec) { r.d.Assign(r.step(), specs) }

// work lets the device do all it is asked; it refuses what fail names.
func (r *rivals) work(fail ...action.TaskKind) {
	r.Helper()
	r.sent = nil
	for {
		task, ok := r.d.Next(r.step())
		if !ok {
			return
		}
		if task.Kind != action.TakeInventory {
			r.sent = append(r.sent, task)
			if len(fail) > 0 && task.Kind == fail[0] {
				fail = fail[1:]
				r.answer(task, action.Outcome{Verdict: action.Permanent, Code: 4001, Detail: "no"})
				continue
			}
		}
		a := r.ph.execute(task)
		r.answer(task, a.outcome)
	}
}

func (r *rivals) off(ids ...int) {
	r.Helper()
	var set []action.Selection
	for _, i := range ids {
		set = append(set, action.Selection{ID: pid(i), Type: r.specs[i].Type})
	}
	r.ids++
	if _, _, err := r.d.Start(r.step(), action.Request{ID: action.ActionID("a" + r.NewID()),
		Name: action.SyncPayloads, Set: set}); err != nil {
		r.Fatal(err)
	}
}

func (r *rivals) NewID() string { return r.step().NewID() }

// holds checks that the device has p with this number, that the others are behind it, and which
// commands brought it there.
func (r *rivals) holds(i int, commands string) {
	r.Helper()
	if got := r.ph.has["com.example.shared"]; i >= 0 && got != content(r.specs[i]) ||
		i < 0 && got != "" {
		r.Errorf("the device has %q, want p%d", got, i)
	}
	for _, p := range r.d.Payloads {
		behind := p.Assigned && !(p.Away && p.Intent == action.Remove) && i >= 0 && p.ID != pid(i)
		if (p.Behind != "") != behind || behind &&
			(p.Behind != pid(i) || p.Work.Phase != action.Stuck ||
				p.Work.Code != action.CodeInPlace) {
			r.Errorf("%s stands as %+v", p.ID, p)
		}
	}
	got := ""
	for _, task := range r.sent {
		got += map[action.TaskKind]string{action.Install: "+", action.Uninstall: "-"}[task.Kind] +
			string(task.Payload.ID)
	}
	if got != commands {
		r.Errorf("the device was sent %q, want %q", got, commands)
	}
}

// A profile is replaced by the one that comes in its place, in one step.
func TestProfilesOfOneIdentifier(t *testing.T) {
	r := newRivals(t, action.DeviceConfiguration, 3)
	r.holds(0, "+p0")
	r.off(0)
	r.work()
	r.holds(1, "+p1")
	r.expect(0, "0 2 0")
	r.expectState(action.Done)
	r.off(0, 1)
	r.work()
	r.holds(2, "+p2")
	r.off(1)
	r.work()
	r.holds(0, "+p0")
	r.expect(0, "1 4 0")
	r.expect(1, "0 2 0")
	r.off()
	r.work()
	r.holds(0, "")
	r.expect(1, "1 3 -6 another policy or app with the same identifier")
	if result := r.d.Action.Results[0]; result.InPlace != pid(0) ||
		result.InPlaceName != "Payload p0" {
		t.Errorf("what is in its place is not named: %+v", result)
	}
	r.expectState(action.Failed)
	r.off(2)
	r.work()
	r.holds(0, "") // what is not there needs no command
	r.expect(2, "0 2 0 it was not on the device")
	r.off()
	r.assignOnly(r.specs[1])
	r.work()
	r.holds(1, "+p1")
	r.assignOnly()
	r.work()
	r.holds(-1, "-p1")
	if len(r.d.Payloads) != 0 {
		t.Errorf("%d are remembered", len(r.d.Payloads))
	}
}

// When what comes in its place fails, a payload is taken off all the same.
func TestFailingSuccessor(t *testing.T) {
	r := newRivals(t, action.DeviceConfiguration, 2)
	r.off(0)
	r.work(action.Install)
	if r.sent[len(r.sent)-1].Kind != action.Uninstall || len(r.sent) != 2 {
		t.Errorf("sent %+v", r.sent)
	}
	r.expect(0, "0 2 0")
	if p := r.d.Find(pid(1)); p.Work.Phase != action.Stuck || p.Work.Code != 4001 {
		t.Errorf("the successor stands as %+v", p)
	}
}

// What was held back by an older one that fails stays where it is.
func TestFailingOlderOne(t *testing.T) {
	r := newRivals(t, action.DeviceConfiguration, 2)
	r.assignOnly(r.specs[1])
	r.work()
	r.holds(1, "+p1")
	r.assignOnly(r.specs...)
	r.work(action.Install)
	if r.ph.has["com.example.shared"] != content(r.specs[1]) || len(r.sent) != 1 {
		t.Errorf("the device has %v after %+v", r.ph.has, r.sent)
	}
	r.assignOnly(r.specs[1])
	r.work()
	r.holds(1, "+p1")
}

// Of apps an inventory does not tell two apart, so one is seen to be off before the other is sent.
func TestAppsOfOneIdentifier(t *testing.T) {
	r := newRivals(t, action.Application, 2)
	r.holds(0, "+p0")
	r.off(0)
	r.work()
	r.holds(1, "-p0+p1")
	r.expect(0, "0 2 0")
	r.off()
	r.work()
	r.holds(0, "-p1+p0")
	r.expect(0, "1 4 0")
	r.off(0)
	r.work(action.Uninstall)
	r.expect(0, "0 3 4001 no")
	if p := r.d.Find(pid(1)); p.Work.Code != action.CodeInPlace ||
		r.ph.has["com.example.shared"] != content(r.specs[0]) {
		t.Errorf("behind what cannot be taken off it stands as %+v", p)
	}
	r.off()
	r.off(0)
	r.work()
	r.holds(1, "-p0+p1")
}

// A late command for one payload makes an older inventory of another one of its place worthless.
func TestLateCommandForARival(t *testing.T) {
	r := newRivals(t, action.DeviceConfiguration, 2)
	r.assignOnly()
	held := r.next()
	r.assignOnly(r.specs...) // the removal cannot be called back
	r.assignOnly(r.specs[1])
	install := r.next()
	if held.Kind != action.Uninstall || install.Kind != action.Install ||
		install.Payload.ID != pid(1) {
		t.Fatalf("the device was sent %+v and %+v", held, install)
	}
	r.answer(install, r.ph.execute(install).outcome)
	inventory := r.next()
	stale := r.ph.execute(inventory)
	r.answer(held, r.ph.execute(held).outcome)
	r.answer(inventory, stale.outcome)
	if p := r.d.Find(pid(1)); p.Presence == action.Present {
		t.Errorf("it is believed to be there: %+v", p)
	}
	r.work()
	r.now = r.d.NextDue(r.now) // it was acknowledged and is not there: it is tried again
	r.work()
	r.holds(1, "+p1")
}

// Every server decides alike: by the time of creation, and of one time by id, in whichever order it
// learns of them.
func TestOldestHasThePlace(t *testing.T) {
	specs := newRivals(t, action.ConfigurationPolicy, 3).specs
	specs[2].Created = specs[0].Created.Add(-time.Hour)
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
		r := newRivals(t, action.ConfigurationPolicy, 0)
		r.specs = specs
		for n := range order {
			var some []action.Spec
			for _, i := range order[:n+1] {
				some = append(some, specs[i])
			}
			r.assignOnly(some...)
			r.work()
		}
		r.sent = nil
		r.holds(2, "")
		same := append([]action.Spec(nil), specs...)
		for i := range same {
			same[i].Created = specs[0].Created
		}
		r.assignOnly(same[order[0]], same[order[1]], same[order[2]])
		r.work()
		r.holds(0, "+p0")
	}
}

package action

import (
	"testing"
	"time"
)

// A device that is retired is handed nothing but that, until it says that it has left.
func TestRetire(t *testing.T) {
	ids := 0
	env := Env{Now: time.Unix(1_000_000, 0), Policy: DefaultPolicy, NewID: func() string {
		ids++
		return string(rune('a' + ids))
	}}
	d := &Device{}
	d.Retire(env)
	if d.Leave.Wanted {
		t.Fatal("a device that is not enrolled is retired")
	}
	d.Enroll(env, "")
	d.Assign(env, []Spec{{ID: "p", Type: DeviceConfiguration, Identifier: "p", Version: 1}})
	d.Action = &Action{Name: SyncPayloads, State: Pending}
	d.Retire(env)
	if d.Action.State != Canceled {
		t.Errorf("its action is %d", d.Action.State)
	}
	d.Assign(env, []Spec{{ID: "q", Type: DeviceConfiguration, Identifier: "q", Version: 1}})
	if len(d.Payloads) != 0 {
		t.Errorf("it is given %v", d.Payloads)
	}
	first, ok := d.Next(env)
	if !ok || first.Kind != LeaveManagement || !d.Ready(env.Now) {
		t.Fatalf("it is handed %+v", first)
	}
	if again, _ := d.Next(env); again.ID != first.ID {
		t.Error("what was not answered is handed over under another id")
	}
	d.Retire(env) // asked twice is as once
	if again, _ := d.Next(env); again.ID != first.ID {
		t.Error("asked again, it begins anew")
	}
	// not now: when it connects again
	d.Answer(env, first.ID, Outcome{Verdict: NotNow})
	if _, ok := d.Next(env); ok || !d.Deferred() {
		t.Error("it is asked again on the same connection")
	}
	d.Contact()
	again, ok := d.Next(env)
	if !ok || again.ID != first.ID {
		t.Errorf("then it is handed %+v", again)
	}
	// it failed: after a while, as another command
	d.Answer(env, again.ID, Outcome{Verdict: Permanent, Code: 1, Source: ByDevice})
	if _, ok := d.Next(env); ok || !d.Enrolled {
		t.Error("it is asked again at once")
	}
	due := d.NextDue(env.Now)
	if !due.After(env.Now) {
		t.Fatalf("the clock looks at it at %s", due)
	}
	env.Now = due
	last, ok := d.Next(env)
	if !ok || last.ID == first.ID {
		t.Fatalf("then it is handed %+v", last)
	}
	d.Answer(env, last.ID, Outcome{Verdict: Accepted})
	if d.Enrolled || d.Leave != (Leave{}) || d.Ready(env.Now) {
		t.Errorf("it has left: %+v", d)
	}
	// and it comes back clean
	d.Enroll(env, "")
	if task, ok := d.Next(env); !ok || task.Kind != TakeInventory || d.Unsupported != "" {
		t.Errorf("enrolled again, it is handed %+v", task)
	}
}

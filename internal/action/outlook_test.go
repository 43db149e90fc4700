package action_test

import (
	"fmt"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// outlook is what a set of these payloads would do to the places, as text.
func (r *rivals) outlook(ids ...int) string {
	var set []action.Selection
	for _, i := range ids {
		set = append(set, action.Selection{ID: pid(i), Type: r.specs[i].Type})
	}
	o := r.d.Outlook(set)
	text := ""
	for _, p := range o.Install {
		text += "+" + string(p.ID)
	}
	for _, p := range o.Displace {
		text += "-" + string(p.ID)
	}
	for _, s := range r.specs {
		if by := o.InPlace[s.ID]; by != nil {
			text += fmt.Sprintf(" %s:%s", s.ID, by.ID)
		}
	}
	return text
}

func (r *rivals) expectOutlook(want string, ids ...int) {
	r.Helper()
	before := len(r.d.Payloads)
	if got := r.outlook(ids...); got != want {
		r.Errorf("a set of %v would do %q to the places, want %q", ids, got, want)
	}
	if len(r.d.Payloads) != before {
		r.Error("looking changed the device")
	}
}

// What a set does to the places is told before it is done: what comes because a place is free, what
// leaves because an older one returns, and what is in whose place then.
func TestOutlook(t *testing.T) {
	r := newRivals(t, action.DeviceConfiguration, 3)
	r.expectOutlook("")
	r.expectOutlook("+p1 p0:p1", 0)
	r.expectOutlook(" p1:p0", 1) // is behind, and stays so
	r.expectOutlook("+p2 p0:p2 p1:p2", 0, 1)
	r.expectOutlook("", 0, 1, 2)

	r.off(0)
	r.work()
	r.holds(1, "+p1")
	r.expectOutlook("-p1 p1:p0") // p0 returns
	r.expectOutlook(" p0:p1", 0)
	r.expectOutlook("+p2 p0:p2 p1:p2", 0, 1)
	r.off(0, 1)
	r.work()
	r.expectOutlook("-p2 p1:p0 p2:p0", 1)

	r = newRivals(t, action.DeviceConfiguration, 3)
	r.off(1)
	r.assignOnly(r.specs[0], r.specs[2])
	r.expectOutlook("") // p1 is held off, and would not return
}

// One that was to be restored, and waits to be seen gone because an older one is restored before
// it, is told of as well.
func TestOutlookOfARestoreInBetween(t *testing.T) {
	r := newRivals(t, action.Application, 2)
	r.off(0)
	r.work()
	r.holds(1, "-p0+p1")
	r.off(0, 1)
	if task := r.next(); task.Kind != action.Uninstall || task.Payload.ID != pid(1) {
		t.Fatalf("the device is sent %+v", task)
	}
	r.off()
	if p := r.d.Find(pid(1)); !p.Away || p.Behind != pid(0) {
		t.Fatalf("p1 stands as %+v", p)
	}
	r.expectOutlook("-p1 p1:p0")
}

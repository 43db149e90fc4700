package amapi_test

import (
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

// hears has the channel take a report of a device, by the version that it has, with a change.
func (w *world) hears(d *simulator.Device, edit func(*said)) {
	w.Helper()
	r := w.read(d)
	r.NonComplianceDetails = nil
	edit(r)
	w.take(r, w.clock.Now())
}

// An app counts as gone when two reports do not list it. One in between that lists no apps at all
// says nothing, and takes nothing back.
func TestReportWithoutAppsBetweenTwo(t *testing.T) {
	w := newWorld(t)
	p := w.app(exampleApp)
	d, id := w.enroll("S", simulator.DeviceOptions{SystemApps: []string{"com.android.settings"}})
	w.steady(id)
	w.quiet[d] = true
	w.call(id, p)
	w.served()
	w.clock.Advance(time.Second)
	w.must(d.Sync())
	for i, edit := range []func(*said){unlisted,
		func(r *said) { r.ApplicationReports = nil }} {
		w.hears(d, edit)
		if got := w.result(id, p); got.Status != action.InProgress {
			t.Fatalf("after report %d: %+v", i, got)
		}
	}
	w.hears(d, unlisted)
	if got := w.result(id, p); got.Status != action.Removed {
		t.Errorf("after the second report that does not list it: %+v", got)
	}
}

// A report without an app says nothing of what is asked after the app was wanted again, also if no
// report came while it was.
func TestAbsenceOfBeforeARestoration(t *testing.T) {
	w := newWorld(t)
	p := w.app(exampleApp)
	d, id := w.enroll("S", simulator.DeviceOptions{SystemApps: []string{"com.android.settings"}})
	w.steady(id)
	w.quiet[d] = true
	w.call(id, p)
	w.served()
	w.clock.Advance(time.Second)
	w.must(d.Sync())
	w.hears(d, unlisted)
	w.call(id)
	w.served()
	w.call(id, p)
	w.served()
	w.clock.Advance(time.Second)
	w.must(d.Sync())
	w.hears(d, unlisted)
	if got := w.result(id, p); got.Status != action.InProgress {
		t.Errorf("after the first report since the app was wanted: %+v", got)
	}
	w.hears(d, unlisted)
	if got := w.result(id, p); got.Status != action.Removed {
		t.Errorf("after the second: %+v", got)
	}
}

// A version of somebody else's is looked at once, however many reports tell of it: if it has the
// content of what was posted here, and if it has not, until the policy is set anew.
func TestForeignVersionIsLookedAtOnce(t *testing.T) {
	for name, change := range map[string]bool{"the same content": false, "another": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.wifi("Office")
			d, id := w.enroll("S", simulator.DeviceOptions{})
			w.steady(id)
			w.quiet[d] = true
			policy, version := d.PolicyVersion()
			if w.service.EditPolicy(policy, func(p *androidmanagement.Policy) {
				p.CameraDisabled = change
			}) != version+1 {
				t.Fatal("the policy was not changed")
			}
			before := w.service.Calls("policies.get")
			for range 3 {
				w.reported(d)
			}
			if n := w.service.Calls("policies.get") - before; n != 1 {
				t.Errorf("the policy was read %d times", n)
			}
		})
	}
}

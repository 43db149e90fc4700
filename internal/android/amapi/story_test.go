package amapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

// A device gets what is assigned to it in one policy. What is taken off is off the device before it
// counts as removed, and what is put back is there before it counts as restored.
func TestRemoveAndRestore(t *testing.T) {
	w := newWorld(t)
	mail, wifi := w.app("com.example.mail"), w.wifi("Office")
	camera := w.settings("No camera", `{"cameraBlocked":true}`)
	d, id := w.enroll("R1", simulator.DeviceOptions{})
	w.steady(id)
	if !d.Has("com.example.mail") || ssids(d) != "Office" ||
		d.Settings()["cameraAccess"] != "CAMERA_ACCESS_DISABLED" {
		t.Fatalf("the device has %v, %s, %v", d.Apps(), ssids(d), d.Settings())
	}
	before := w.service.Calls("policies.patch")

	w.call(id, mail, wifi, camera)
	w.served()
	for _, p := range []action.PayloadID{mail, wifi, camera} {
		if r := w.result(id, p); r.Status != action.Initiated ||
			!strings.Contains(r.Detail, "waiting for the device to take it") {
			t.Errorf("before the device took it: %+v", r)
		}
	}
	if a := w.latest(id); a.State != action.Pending {
		t.Errorf("the action is in state %d, want pending", a.State)
	}
	if n := w.service.Calls("policies.patch") - before; n != 1 {
		t.Errorf("%d requests for one call", n)
	}
	w.reported(d)
	if !w.is(id, wifi, action.Removed) || !w.is(id, camera, action.Removed) {
		t.Errorf("after the device took it: %+v, %+v", w.result(id, wifi), w.result(id, camera))
	}
	w.until("the app is removed", func() bool { return w.is(id, mail, action.Removed) })
	if d.Has("com.example.mail") || ssids(d) != "" || d.Settings()["cameraAccess"] != nil {
		t.Errorf("the device still has %v, %s, %v", d.Apps(), ssids(d), d.Settings())
	}
	if w.latest(id).State != action.Done {
		t.Errorf("the action is in state %d", w.latest(id).State)
	}

	w.call(id)
	w.until("all is restored", func() bool {
		return w.is(id, mail, action.Succeeded) && w.is(id, wifi, action.Succeeded) &&
			w.is(id, camera, action.Succeeded)
	})
	if !d.Has("com.example.mail") || ssids(d) != "Office" ||
		d.Settings()["cameraAccess"] != "CAMERA_ACCESS_DISABLED" {
		t.Errorf("the device has %v, %s, %v", d.Apps(), ssids(d), d.Settings())
	}
	w.step(time.Hour)
	if n := w.service.Calls("devices.delete"); n > 0 {
		t.Errorf("%d devices were deleted, which wipes them", n)
	}
}

// An app whose assignment ends is taken off and blocked until it is seen to be gone, and then no
// more: people may have it again. That holds for one that was deleted, too.
func TestAppIsBlockedUntilItIsGone(t *testing.T) {
	w := newWorld(t)
	unassigned, deleted := w.app("com.example.a"), w.app("com.example.b")
	d, id := w.enroll("S", simulator.DeviceOptions{SystemApps: []string{"com.android.settings"}})
	w.steady(id)
	w.quiet[d] = true
	_, err := w.catalog.Assign(t.Context(), unassigned, nil)
	w.must(err)
	w.must(w.catalog.Delete(t.Context(), deleted))
	w.served()
	p, err := w.channel.Policy(t.Context(), id)
	w.must(err)
	if len(p.Applications) != 2 || p.Applications[0].InstallType != "BLOCKED" ||
		p.Applications[1].InstallType != "BLOCKED" {
		t.Errorf("the policy has the apps %+v", p.Applications)
	}
	w.quiet[d] = false
	w.until("they are not blocked any more", func() bool {
		p, err := w.channel.Policy(t.Context(), id)
		w.must(err)
		return len(p.Applications) == 0
	})
	if d.Has("com.example.a") || d.Has("com.example.b") {
		t.Errorf("the device has %v", d.Apps())
	}
	before := w.service.Calls("policies.patch")
	w.step(time.Hour)
	w.step(time.Hour)
	if n := w.service.Calls("policies.patch") - before; n > 0 {
		t.Errorf("the policy was set %d times without a reason", n)
	}
}

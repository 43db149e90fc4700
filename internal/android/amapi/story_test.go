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

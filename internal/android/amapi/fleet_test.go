package amapi_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// A fleet whose reports are lost, repeated, swapped and late, on a service that fails now and then
// and has two servers, ends as asked: each device by its own state.
func TestAndroidFleet(t *testing.T) {
	devices := 30
	if n, err := strconv.Atoi(os.Getenv("SYNCPAYLOADS_TEST_DEVICES")); err == nil {
		devices = n
	}
	w := newWorld(t)
	app, wifi := w.app("com.example.app"), w.wifi("Office")
	rules := w.settings("Rules", `{"cameraBlocked":true,"screenCaptureBlocked":true}`)
	token := w.token(amapi.Dedicated, access.EnrollmentTerms{})
	ids := make(map[*simulator.Device]fleet.DeviceID)
	for i := range devices {
		d, err := w.service.Enroll(token.Value, fmt.Sprint("S", i), simulator.DeviceOptions{
			SystemApps: []string{"com.android.settings"},
			Faults: simulator.Faults{LoseReports: 0.2, RepeatReports: 0.2, SwapReports: 0.2,
				AppReports: 1, AppLate: 1}})
		w.must(err)
		w.devices = append(w.devices, d)
	}
	w.pull()
	for _, d := range w.devices {
		ids[d] = w.idOf(d)
	}
	w.service.AddTrouble(simulator.Trouble{Method: "policies.patch", Status: 503, Chance: 0.1})
	w.service.AddTrouble(simulator.Trouble{Method: "policies.patch", LoseAnswer: true,
		Chance: 0.1})
	w.service.AddTrouble(simulator.Trouble{Method: "subscriptions.acknowledge", Status: 503,
		Chance: 0.2})
	other := w.newNode()
	open := w.devices
	all := func(what string, is func(*simulator.Device, fleet.DeviceID) bool) {
		t.Helper()
		open = w.devices
		w.within(30*time.Second, what, func() bool {
			_, _ = other.channel.Pull(t.Context())
			for _, d := range open {
				_ = other.channel.Wake(t.Context(), ids[d])
			}
			other.channel.ServeDue(t.Context())
			var left []*simulator.Device
			for _, d := range open {
				if !is(d, ids[d]) {
					left = append(left, d)
				}
			}
			open = left
			return len(open) == 0
		})
	}
	has := func(d *simulator.Device) bool {
		return d.Has("com.example.app") && ssids(d) == "Office" &&
			d.Settings()["cameraAccess"] == "CAMERA_ACCESS_DISABLED" &&
			d.Settings()["screenCaptureDisabled"] == true
	}
	lacks := func(d *simulator.Device) bool {
		return !d.Has("com.example.app") && ssids(d) == "" && d.Settings()["cameraAccess"] == nil &&
			d.Settings()["screenCaptureDisabled"] == nil
	}
	all("everything is there", func(d *simulator.Device, id fleet.DeviceID) bool {
		return has(d) && w.settled(id)
	})
	for _, id := range ids {
		w.call(id, app, wifi, rules)
	}
	all("everything is removed", func(d *simulator.Device, id fleet.DeviceID) bool {
		return lacks(d) && w.latest(id).State.Final()
	})
	ended := func(status action.Status) {
		for d, id := range ids {
			for _, r := range w.latest(id).Results {
				if r.Status != status {
					t.Errorf("%s: %+v", d.Serial(), r)
				}
			}
		}
	}
	ended(action.Removed)
	for _, id := range ids {
		w.call(id)
	}
	all("everything is restored", func(d *simulator.Device, id fleet.DeviceID) bool {
		return has(d) && w.latest(id).State.Final()
	})
	ended(action.Succeeded)
	if n := w.service.Calls("devices.delete"); n > 0 {
		t.Errorf("%d devices were deleted", n)
	}
}

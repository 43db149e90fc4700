package amapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Other servers on the same service had troubles, which they told of in public. Each one has a test
// that it cannot happen here.
func TestTroublesOfOthers(t *testing.T) {
	for _, tt := range []struct {
		name string
		test func(*world)
	}{
		{"one bad payload keeps all others from being sent", oneBadPayload},
		{"another version sends what is done back to pending", anotherVersion},
		{"what waited for the user never becomes good", waitedForTheUser},
		{"an app that is not listed counts as failed", unlistedApp},
		{"installed and in progress at once stays in progress", installedAndInProgress},
		{"an empty list of apps proves a removal", emptyList},
		{"a server that Google cannot reach learns nothing", unreachableServer},
		{"a device that left without a word stays for ever", leftWithoutAWord},
		{"every device is asked all the time", askedAllTheTime},
		{"a device costs more than one request a change", oneRequestAChange},
		{"messages of before change what is now", oldMessages},
		{"a report without its parts is too much", missingParts},
		{"a network before its certificate is an error for ever", networkBeforeCertificate},
		{"the same device is there twice", sameDeviceTwice},
		{"to end management erases the device", nothingIsDeleted},
		{"nobody sees what Google refuses", refusalsAreShown},
		{"work of a device that left hangs", workOfOneThatLeft},
		{"a device without a policy is reset", startPolicyFirst},
		{"the first policy removes what set-up installed", startPolicyKeeps},
	} {
		t.Run(tt.name, func(t *testing.T) { t.Parallel(); tt.test(newWorld(t)) })
	}
}

func oneBadPayload(w *world) {
	good := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	bad, other := w.settings("Bad", `{"cameraBlocked":true}`), w.wifi("Guests")
	w.service.AddTrouble(simulator.Trouble{Method: "policies.patch", Status: 400, Times: 1,
		Message: "Invalid value at 'policy.camera_access'"})
	w.quiet[d] = true
	w.served()
	if phase := w.payload(id, other).Work.Phase; phase != action.Delivered {
		w.Errorf("what the device did not get yet is in phase %d, because another one failed",
			phase)
	}
	w.quiet[d] = false
	w.until("the rest is there", func() bool { return ssids(d) == "Guests Office" })
	w.until("the bad one failed", func() bool {
		return w.payload(id, bad).Work.Phase == action.Stuck
	})
	if p := w.payload(id, bad); p.Work.Code != 4400 ||
		!strings.Contains(p.Work.Note, "policy.camera_access") {
		w.Errorf("the bad one: %+v", p.Work)
	}
	w.until("the rest is done", func() bool {
		return w.payload(id, other).Work.Phase == action.Idle &&
			w.payload(id, good).Work.Phase == action.Idle
	})
	// a hash that never got a version does not count as posted
	w.clock.Advance(time.Hour)
	w.call(id, good)
	w.call(id)
	w.until("the bad one is taken now", func() bool {
		return d.Settings()["cameraAccess"] == "CAMERA_ACCESS_DISABLED"
	})
}

func anotherVersion(w *world) {
	a, b := w.wifi("A"), w.wifi("B")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.call(id, a)
	w.served()
	w.reported(d)
	if !w.is(id, a, action.Removed) {
		w.Fatalf("%+v", w.result(id, a))
	}
	w.quiet[d] = true
	c := w.wifi("C") // a new version, which the device has not taken
	w.served()
	w.clock.Advance(time.Second)
	w.must(d.Report()) // of the version before
	w.pull()
	if w.latest(id).State != action.Done || !w.is(id, a, action.Removed) ||
		w.payload(id, b).Work.Phase != action.Idle {
		w.Errorf("another version touched what was done: %+v", w.latest(id))
	}
	w.reported(d)
	if w.payload(id, c).Work.Phase != action.Idle {
		w.Errorf("the new one: %+v", w.payload(id, c).Work)
	}
}

func waitedForTheUser(w *world) {
	p := w.settings("Camera", `{"cameraBlocked":true}`)
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.call(id, p)
	w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })
	d.Refuse(simulator.Refusal{Setting: "cameraAccess", Reason: "USER_ACTION"})
	w.call(id)
	w.until("it waits for the user", func() bool { return w.is(id, p, action.InProgress) })
	if r := w.result(id, p); !strings.Contains(r.Detail, "USER_ACTION") {
		w.Errorf("the detail is %q", r.Detail)
	}
	w.clock.Advance(time.Hour)
	d.Allow()
	w.until("it is restored", func() bool { return w.is(id, p, action.Succeeded) })

	// what ended in error, and became good all the same, is known to be good
	w.call(id, p)
	w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })
	d.Refuse(simulator.Refusal{Setting: "cameraAccess", Reason: "USER_ACTION"})
	w.call(id)
	w.within(30*time.Minute, "its time is over",
		func() bool { return w.is(id, p, action.Error) })
	if r := w.result(id, p); r.Code != 1003 {
		w.Errorf("the code is %d", r.Code)
	}
	d.Allow()
	w.until("it is good", func() bool { return w.payload(id, p).Work.Phase == action.Idle })
}

func unlistedApp(w *world) {
	p := w.app("com.example.a")
	d, id := w.enroll("S", simulator.DeviceOptions{Faults: simulator.Faults{AppLate: 3}})
	w.until("it is there", func() bool { return d.Has("com.example.a") })
	if phase := w.payload(id, p).Work.Phase; phase == action.Stuck {
		w.Fatal("an app that is not listed yet has failed")
	}
	w.steady(id)

	// one report without it does not prove that it is gone
	w.call(id, p)
	w.served()
	w.quiet[d] = true
	w.clock.Advance(time.Second)
	w.must(d.Sync())
	r := w.read(d)
	r.ApplicationReports = others()
	w.take(r, w.clock.Now())
	if w.is(id, p, action.Removed) {
		w.Error("an app counts as removed by one report that does not list it")
	}
	w.take(r, w.clock.Now())
	if w.is(id, p, action.Removed) {
		w.Error("an app counts as removed by one report that came twice")
	}
	late := *r // from before, when it was there
	late.ApplicationReports = append(others(), &androidmanagement.ApplicationReport{
		PackageName: "com.example.a", State: "INSTALLED"})
	w.take(&late, w.clock.Now().Add(-time.Minute))
	w.clock.Advance(time.Minute)
	w.take(r, w.clock.Now())
	if !w.is(id, p, action.Removed) {
		w.Errorf("after two reports: %+v", w.result(id, p))
	}
}

// others are apps that nobody assigned.
func others() []*androidmanagement.ApplicationReport {
	return []*androidmanagement.ApplicationReport{{PackageName: "com.android.settings",
		State: "INSTALLED", ApplicationSource: "SYSTEM_APP_FACTORY_VERSION"}}
}

func installedAndInProgress(w *world) {
	p := w.app("com.example.a")
	d, id := w.enroll("S", simulator.DeviceOptions{Faults: simulator.Faults{StaleProgress: true,
		NoLastReport: true}})
	w.until("it is there", func() bool { return d.Has("com.example.a") })
	w.until("it is known to be there",
		func() bool { return w.payload(id, p).Presence == action.Present })
}

func emptyList(w *world) {
	p := w.app("com.example.a")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	d.SetFaults(simulator.Faults{NoApplications: true})
	w.call(id, p)
	w.served()
	for range 3 {
		w.reported(d)
	}
	if r := w.result(id, p); r.Status != action.InProgress {
		w.Errorf("with an empty list: %+v", r)
	}
	d.SetFaults(simulator.Faults{})
	w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })
}

func askedAllTheTime(w *world) {
	w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	before := w.service.Calls("devices.get")
	for range 48 {
		w.step(30 * time.Minute)
	}
	if n := w.service.Calls("devices.get") - before; n > 0 {
		w.Errorf("a device without work was read %d times in a day", n)
	}
	d.SetOnline(false)
	w.wifi("Guests")
	before = w.service.Calls("devices.get")
	for range 48 {
		w.step(30 * time.Minute)
	}
	if n := w.service.Calls("devices.get") - before; n == 0 || n > 10 {
		w.Errorf("a device that is off was read %d times in a day", n)
	}
}

func oneRequestAChange(w *world) {
	var held []action.PayloadID
	for i := range 10 {
		held = append(held, w.wifi(fmt.Sprint("W", i)))
	}
	_, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	before := w.service.Calls("policies.patch")
	w.call(id, held...)
	w.until("all are removed", func() bool { return w.latest(id).State == action.Done })
	w.step(time.Hour)
	if n := w.service.Calls("policies.patch") - before; n != 1 {
		w.Errorf("%d requests for one change of ten payloads", n)
	}
}

func missingParts(w *world) {
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{Faults: simulator.Faults{
		Omit: []string{"hardwareInfo", "softwareInfo", "memoryInfo", "networkInfo",
			"deviceSettings", "applicationReports"}}})
	w.steady(id)
	w.call(id, p)
	w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })
	if ssids(d) != "" {
		w.Errorf("the device has %s", ssids(d))
	}
	d.SetFaults(simulator.Faults{})
	w.step(time.Second)
	if found, _ := w.store.Device(w.Context(), id); found.SerialNumber != "S" ||
		found.Model == "" || found.OSVersion != "16" {
		w.Errorf("when its parts came the device is %+v", found)
	}
}

func networkBeforeCertificate(w *world) {
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.call(id, p)
	w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })
	d.Refuse(simulator.Refusal{WifiGUID: string(p), Reason: "INVALID_VALUE",
		SpecificReason: "ONC_WIFI_KEY_PAIR_ALIAS_NOT_CORRESPONDING_TO_EXISTING_KEY"})
	w.call(id)
	w.until("it waits for the certificate", func() bool { return w.is(id, p, action.InProgress) })
	d.Allow()
	w.until("it is restored", func() bool { return w.is(id, p, action.Succeeded) })
}

// read is a device as Google tells of it, by its newest report.
func (w *world) read(d *simulator.Device) *androidmanagement.Device {
	w.Helper()
	w.clock.Advance(time.Second)
	w.must(d.Report())
	r, err := w.channel.Read(w.Context(), d.Name())
	w.must(err)
	return r
}

// take has the channel take a report as of a time.
func (w *world) take(r *androidmanagement.Device, at time.Time) {
	w.Helper()
	said := *r
	said.LastStatusReportTime = at.Format(time.RFC3339Nano)
	w.must(w.channel.Take(w.Context(), &said))
}

// message publishes a message, which the channel pulls.
func (w *world) message(kind string, r *androidmanagement.Device) {
	w.Helper()
	raw, err := json.Marshal(r)
	w.must(err)
	setup, err := w.store.AndroidSetup(w.Context())
	w.must(err)
	w.service.Publish(setup.Enterprise, kind, raw)
	w.pull()
}

func (w *world) device(id fleet.DeviceID) *fleet.Device {
	w.Helper()
	d, err := w.store.Device(w.Context(), id)
	w.must(err)
	return d
}

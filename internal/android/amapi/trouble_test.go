package amapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
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

func unreachableServer(w *world) {
	// Messages are asked for, so all of these tests are of a server that Google cannot reach. If
	// they do not come either, the list of all devices tells.
	p := w.wifi("Office")
	w.service.AddTrouble(simulator.Trouble{Method: "subscriptions.pull", Status: 503})
	d, err := w.service.Enroll(w.token(amapi.FullyManaged, access.EnrollmentTerms{}).Value, "S",
		simulator.DeviceOptions{})
	w.must(err)
	w.must(w.channel.Sweep(w.Context()))
	id := w.idOf(d)
	w.devices = append(w.devices, d)
	w.within(time.Minute, "it is done", func() bool {
		return ssids(d) == "Office" && w.payload(id, p).Work.Phase == action.Idle
	})
}

func leftWithoutAWord(w *world) {
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	d.Reset(simulator.Unnoticed)
	w.must(w.channel.Sweep(w.Context()))
	found, err := w.store.Device(w.Context(), id)
	if err != nil || found.Enrolled {
		w.Errorf("a device that left is %+v, %v", found, err)
	}
	for _, kind := range []string{"ENROLLMENT", "STATUS_REPORT"} {
		d, id := w.enroll("last "+kind, simulator.DeviceOptions{Faults: simulator.Faults{
			DeletedAs: kind}})
		w.steady(id)
		d.Reset(simulator.Notified)
		w.pull()
		if found, err := w.store.Device(w.Context(), id); err != nil || found.Enrolled {
			w.Errorf("after a last %s the device is %+v, %v", kind, found, err)
		}
	}
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

func oldMessages(w *world) {
	a := w.wifi("A")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	old := w.read(d)
	oldAt := old.LastStatusReportTime
	w.call(id, a)
	w.until("it is removed", func() bool { return w.is(id, a, action.Removed) })

	// a report of before, again and late
	w.message("STATUS_REPORT", old)
	w.message("ENROLLMENT", old)
	if p := w.payload(id, a); p.Presence != action.Absent || p.Work.Phase != action.Idle {
		w.Errorf("a report of %s made it %+v", oldAt, p)
	}
	// the enrollment of before, after the device has enrolled anew
	again, err := w.service.Enroll(w.token(amapi.FullyManaged, access.EnrollmentTerms{}).Value,
		"S", simulator.DeviceOptions{})
	w.must(err)
	w.devices = []*simulator.Device{again}
	w.pull()
	if now := w.idOf(again); now != id {
		w.Fatalf("the same device has become %s", now)
	}
	w.steady(id)
	w.message("ENROLLMENT", old)
	old.State, old.AppliedState = "DELETED", "DELETED"
	w.message("STATUS_REPORT", old)
	if found, err := w.store.Device(w.Context(), id); err != nil || !found.Enrolled ||
		!w.settled(id) {
		w.Errorf("by messages of before the device is %+v, %v", found, err)
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

func sameDeviceTwice(w *world) {
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.call(id, p)
	w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })
	old := d.Name()
	again := w.enrollWith(w.token(amapi.FullyManaged, access.EnrollmentTerms{}), "S",
		simulator.DeviceOptions{})
	if again.Name() == old {
		w.Fatal("the simulated device has its old name")
	}
	if now := w.idOf(again); now != id {
		w.Errorf("the same hardware is %s and %s", id, now)
	}
	if e, err := w.store.AndroidEnrollment(w.Context(), old); err != nil ||
		e.Standing != amapi.Replaced {
		w.Errorf("the old name is %+v, %v", e, err)
	}
	w.devices = []*simulator.Device{again}
	w.until("it starts clean, with all that is assigned", func() bool {
		return ssids(again) == "Office" && w.settled(id)
	})
}

func nothingIsDeleted(w *world) {
	w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	d.Reset(simulator.Unnoticed)
	w.must(w.channel.Sweep(w.Context()))
	w.must(w.channel.RevokeToken(w.Context(), w.token(amapi.Dedicated,
		access.EnrollmentTerms{}).ID))
	w.must(w.channel.Sweep(w.Context()))
	if n := w.service.Calls("devices.delete") + w.service.Calls("devices.issueCommand"); n > 0 {
		w.Errorf("%d requests that erase devices", n)
	}
}

func refusalsAreShown(w *world) {
	p := w.wifi("Office")
	_, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.service.AddTrouble(simulator.Trouble{Method: "policies.patch", Status: 403})
	w.call(id, p)
	w.served()
	r := w.result(id, p)
	if r.Status != action.Error || r.Code != 4403 ||
		!strings.Contains(r.Detail, "PERMISSIBLE_USAGE") {
		w.Errorf("the result is %+v", r)
	}
	h, err := w.channel.Health(w.Context())
	w.must(err)
	if h.LastRefusal == nil || h.LastRefusal.Code != http.StatusForbidden ||
		!strings.Contains(h.LastRefusal.Text, "PERMISSIBLE_USAGE") ||
		h.Project != "simulated-project" || h.Devices != 1 {
		w.Errorf("the health is %+v", h)
	}
}

func workOfOneThatLeft(w *world) {
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.call(id, p)
	w.served()
	d.Reset(simulator.Notified)
	w.pull()
	if a := w.latest(id); a.State != action.Canceled {
		w.Errorf("the action of a device that left is in state %d", a.State)
	}
	if n := w.channel.ServeDue(w.Context()); n > 0 && w.channel.Waits() > 0 {
		w.Error("a device that left waits to be served")
	}
}

func startPolicyFirst(w *world) {
	other := newBareWorld(w.T, simulator.Options{Quota: 1000})
	key, err := other.service.ServiceAccount(other.google.URL, "")
	w.must(err)
	_, err = other.channel.SetServiceAccount(w.Context(), key)
	w.must(err)
	other.service.AddTrouble(simulator.Trouble{Method: "policies.patch", Status: 500, Times: 1})
	if _, err := other.channel.FinishSignup(w.Context(), other.signUp(), amapi.Pull); err == nil {
		w.Error("the set-up is finished without a policy to start with")
	}
	if _, err := other.channel.CreateToken(w.Context(), amapi.TokenTerms{
		Mode: amapi.FullyManaged}); err == nil {
		w.Error("there is a token before the policy that its devices start with")
	}
	e, err := other.channel.FinishSignup(w.Context(), "", amapi.Pull)
	if err != nil || e.Step != amapi.StepReady {
		w.Fatalf("the set-up does not go on: %+v, %v", e, err)
	}
	// the device has that policy from the beginning, and is not reset
	d, err := other.service.Enroll(other.token(amapi.Dedicated, access.EnrollmentTerms{}).Value,
		"S", simulator.DeviceOptions{})
	w.must(err)
	other.clock.Advance(10 * time.Minute)
	w.must(d.Sync())
	if !d.Enrolled() {
		w.Error("a device was reset because it had no policy")
	}
}

func startPolicyKeeps(w *world) {
	d, err := w.service.Enroll(w.token(amapi.FullyManaged, access.EnrollmentTerms{}).Value, "S",
		simulator.DeviceOptions{})
	w.must(err)
	w.must(d.Sync())
	w.must(d.InstallByUser("com.example.setup"))
	w.clock.Advance(time.Second)
	w.must(d.Sync())
	if !d.Has("com.example.setup") {
		w.Error("the policy that devices start with removes what set-up installed")
	}
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

package simulator_test

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

// A device takes the newest version, becomes like it, and says so.
func TestDeviceTakesItsPolicy(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.listen()
	w.post("p", reporting("FORCE_INSTALLED", "com.example.mail"))
	d := w.enroll("S1", simulator.DeviceOptions{})
	enrolled := w.take()
	if kinds(enrolled) != "test ENROLLMENT" || enrolled[1].device.Name != d.Name() ||
		enrolled[1].device.EnrollmentTokenData != "group-1" ||
		enrolled[1].device.HardwareInfo.SerialNumber != "S1" {
		t.Fatalf("enrolled with %+v", enrolled)
	}
	w.must(d.Sync())
	reports := w.take()
	if kinds(reports) != "STATUS_REPORT" || reports[0].device.AppliedPolicyVersion != 1 ||
		!reports[0].device.PolicyCompliant || len(reports[0].device.ApplicationReports) != 1 ||
		reports[0].device.AppliedState != "ACTIVE" || !d.Has("com.example.mail") {
		t.Errorf("after the first policy: %+v, apps %v", reports, d.Apps())
	}
	blocked := reporting("BLOCKED", "com.example.mail")
	blocked.CameraAccess = "CAMERA_ACCESS_DISABLED"
	w.post("p", blocked)
	if now := w.get(d); now.AppliedPolicyVersion != 1 {
		t.Errorf("a PATCH alone made version %d of the device", now.AppliedPolicyVersion)
	}
	w.must(d.Sync())
	now := w.get(d)
	if now.AppliedPolicyVersion != 2 || now.ApplicationReports[0].State != "REMOVED" ||
		d.Has("com.example.mail") || d.Settings()["cameraAccess"] != "CAMERA_ACCESS_DISABLED" {
		t.Errorf("after the second policy: %+v", now)
	}
}

// PlayStoreMode is WHITELIST by default: what nobody lists goes.
func TestWhitelistUninstalls(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.post("p", reporting(""))
	d := w.enroll("S1", simulator.DeviceOptions{SystemApps: []string{"com.android.camera"}})
	w.must(d.Sync())
	w.must(d.InstallByUser("com.example.game"))
	p := reporting("FORCE_INSTALLED", "com.example.mail")
	p.PlayStoreMode, p.UninstallAppsDisabled = "", true
	w.post("p", p)
	w.must(d.Sync())
	if !d.Has("com.example.game") {
		t.Error("uninstallAppsDisabled did not keep the app")
	}
	p.UninstallAppsDisabled = false
	w.post("p", p)
	w.must(d.Sync())
	if d.Has("com.example.game") || !d.Has("com.example.mail") || !d.Has("com.android.camera") {
		t.Errorf("with a white list: %v", d.Apps())
	}
	if err := d.InstallByUser("com.example.game"); !errors.Is(err, simulator.ErrNotAllowed) {
		t.Errorf("the user's install: %v", err)
	}
}

// A device without a policy is reset after five minutes.
func TestNoPolicyNoDevice(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	token := w.token("PERSONAL_USAGE_DISALLOWED", "missing")
	lost, err := w.service.Enroll(token.Value, "S1", simulator.DeviceOptions{})
	w.must(err)
	w.advance(4 * time.Minute)
	kept, err := w.service.Enroll(token.Value, "S2", simulator.DeviceOptions{})
	w.must(err)
	if state := w.get(lost).AppliedState; state != "PROVISIONING" {
		t.Errorf("without a policy the state is %s", state)
	}
	w.advance(time.Minute)
	_, err = w.emm.Enterprises.Devices.Get(lost.Name()).Do()
	w.refused(err, 404, lost.Name())
	if lost.Enrolled() || lost.Sync() == nil {
		t.Error("the device was not reset")
	}
	w.post("missing", &androidmanagement.Policy{})
	w.advance(time.Hour)
	w.get(kept)
	w.must(kept.Sync())
}

func TestTokens(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.post("p", reporting(""))
	enroll := func(usage string, personal bool) (*simulator.Device, error) {
		return w.service.Enroll(w.token(usage, "p").Value, usage, simulator.DeviceOptions{
			PersonallyOwned: personal})
	}
	for usage, want := range map[string]simulator.Mode{
		"PERSONAL_USAGE_DISALLOWED":          simulator.FullyManaged,
		"PERSONAL_USAGE_DISALLOWED_USERLESS": simulator.Dedicated,
		"PERSONAL_USAGE_ALLOWED":             simulator.WorkProfile} {
		d, err := enroll(usage, false)
		w.must(err)
		if d.Mode() != want {
			t.Errorf("%s gives %s", usage, d.Mode())
		}
		if shown := w.get(d); shown.Ownership != "COMPANY_OWNED" ||
			(shown.ManagementMode == "PROFILE_OWNER") != (want == simulator.WorkProfile) {
			t.Errorf("%s: %s %s", want, shown.Ownership, shown.ManagementMode)
		}
	}
	d, err := enroll("PERSONAL_USAGE_ALLOWED", true)
	w.must(err)
	if shown := w.get(d); shown.Ownership != "PERSONALLY_OWNED" ||
		shown.HardwareInfo.SerialNumber != "" || shown.HardwareInfo.EnterpriseSpecificId == "" {
		t.Errorf("a person's own device: %+v", shown.HardwareInfo)
	}
	if _, err := enroll("PERSONAL_USAGE_DISALLOWED", true); !errors.Is(err,
		simulator.ErrTokenMode) {
		t.Errorf("a person's own device, fully managed: %v", err)
	}
	once, err := w.emm.Enterprises.EnrollmentTokens.Create(w.enterprise,
		&androidmanagement.EnrollmentToken{OneTimeOnly: true, PolicyName: "p",
			Duration: "120s"}).Do()
	w.must(err)
	_, err = w.service.Enroll(once.Value, "A", simulator.DeviceOptions{})
	w.must(err)
	if _, err := w.service.Enroll(once.Value, "B", simulator.DeviceOptions{}); !errors.Is(err,
		simulator.ErrUsedToken) {
		t.Errorf("used again: %v", err)
	}
	deleted, late := w.token("", "p"), w.token("", "p")
	_, err = w.emm.Enterprises.EnrollmentTokens.Delete(deleted.Name).Do()
	w.must(err)
	if _, err := w.service.Enroll(deleted.Value, "C", simulator.DeviceOptions{}); !errors.Is(err,
		simulator.ErrUnknownToken) {
		t.Errorf("deleted: %v", err)
	}
	w.advance(time.Hour)
	if _, err := w.service.Enroll(late.Value, "C", simulator.DeviceOptions{}); !errors.Is(err,
		simulator.ErrExpiredToken) {
		t.Errorf("expired: %v", err)
	}
}

// What is not acknowledged before its deadline comes again.
func TestRedelivery(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.listen()
	w.post("p", reporting(""))
	w.enroll("S1", simulator.DeviceOptions{})
	first := w.pull()
	if kinds(first) != "test ENROLLMENT" {
		t.Fatalf("first: %s", kinds(first))
	}
	w.advance(59 * time.Second)
	if again := w.pull(); len(again) != 0 {
		t.Errorf("before the deadline: %s", kinds(again))
	}
	w.advance(time.Second)
	if again := w.pull(); kinds(again) != "test ENROLLMENT" {
		t.Errorf("after the deadline: %s", kinds(again))
	}
	w.acknowledge(first) // too late: these were delivered again
	w.advance(time.Minute)
	w.acknowledge(w.pull())
	w.advance(time.Hour)
	if again := w.pull(); len(again) != 0 || w.service.Waiting(subscription) != 0 {
		t.Errorf("after the acknowledgement: %s", kinds(again))
	}
}

package simulator_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

// faulty is a device with faults that has taken a policy, and a world in which all that was said of
// that is read.
func faulty(t *testing.T, f simulator.Faults) (*world, *simulator.Device) {
	t.Helper()
	w := newWorld(t, simulator.Options{})
	w.listen()
	w.post("p", reporting("FORCE_INSTALLED", "com.example.mail"))
	d := w.enroll("S1", simulator.DeviceOptions{})
	w.must(d.Sync())
	w.take()
	d.SetFaults(f)
	return w, d
}

// next posts another version and has the device take it.
func (w *world) next(d *simulator.Device) {
	w.Helper()
	w.advance(time.Minute)
	w.post("p", reporting("FORCE_INSTALLED", "com.example.mail"))
	w.must(d.Sync())
}

// versions are the versions that reports say were applied.
func versions(list []got) string {
	var all []string
	for _, one := range list {
		all = append(all, fmt.Sprint(one.device.AppliedPolicyVersion))
	}
	return strings.Join(all, " ")
}

// Three versions are taken, a minute after each other, and the fourth minute brings nothing new.
func TestReportsOnTheirWay(t *testing.T) {
	for name, test := range map[string]struct {
		faults simulator.Faults
		want   []string // the versions that are heard of in each minute
	}{
		"at once":  {simulator.Faults{}, []string{"2", "3", "4", ""}},
		"delayed":  {simulator.Faults{ReportDelay: time.Minute}, []string{"", "2", "3", "4"}},
		"lost":     {simulator.Faults{LoseReports: 1}, []string{"", "", "", ""}},
		"repeated": {simulator.Faults{RepeatReports: 1}, []string{"2 2", "3 3", "4 4", ""}},
		"batched":  {simulator.Faults{BatchReports: 3}, []string{"", "", "2 3 4", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			w, d := faulty(t, test.faults)
			var seen []string
			for range 3 {
				w.next(d)
				seen = append(seen, versions(w.take()))
			}
			w.advance(time.Minute)
			if seen = append(seen, versions(w.take())); !slices.Equal(seen, test.want) {
				t.Errorf("seen %q, want %q", seen, test.want)
			}
			if known := w.get(d).AppliedPolicyVersion; known != 4 {
				t.Errorf("the service knows version %d", known)
			}
		})
	}
}

func TestReportsSwapped(t *testing.T) {
	w, d := faulty(t, simulator.Faults{SwapReports: 1})
	w.next(d)
	d.SetFaults(simulator.Faults{})
	w.next(d)
	if seen := versions(w.take()); seen != "3 2" {
		t.Errorf("swapped: %s", seen)
	}
}

// A report that comes daily says nothing of what happened meanwhile.
func TestDailyReports(t *testing.T) {
	w, d := faulty(t, simulator.Faults{DailyReports: true})
	w.next(d)
	if known := w.get(d).AppliedPolicyVersion; known != 1 || len(w.take()) != 0 {
		t.Errorf("reported version %d", known)
	}
	if _, version := d.PolicyVersion(); version != 2 {
		t.Errorf("the device took version %d", version)
	}
	w.advance(24 * time.Hour)
	w.must(d.Sync())
	if seen := versions(w.take()); seen != "2" {
		t.Errorf("after a day: %q", seen)
	}
}

// reason is what a report says of an app: listed or not, and why it is not there.
func reason(d *androidmanagement.Device, name string) string {
	listed := slices.ContainsFunc(d.ApplicationReports,
		func(r *androidmanagement.ApplicationReport) bool {
			return r.PackageName == name && r.State == "INSTALLED"
		})
	for _, detail := range d.NonComplianceDetails {
		if detail.PackageName == name {
			return fmt.Sprint(listed, " ", detail.NonComplianceReason, " ",
				detail.InstallationFailureReason, " ", detail.FieldPath)
		}
	}
	return fmt.Sprint(listed)
}

func TestAppsTakeTheirTime(t *testing.T) {
	const (
		working     = "false APP_NOT_INSTALLED IN_PROGRESS applications[0]"
		contradicts = "true APP_NOT_INSTALLED IN_PROGRESS applications[0]"
	)
	for name, test := range map[string]struct {
		faults simulator.Faults
		said   []string
	}{
		"at once":     {simulator.Faults{}, []string{"true", "true"}},
		"in progress": {simulator.Faults{AppReports: 2}, []string{working, working, "true"}},
		"takes time": {simulator.Faults{AppTime: 90 * time.Second},
			[]string{working, working, "true"}},
		"listed late": {simulator.Faults{AppLate: 2}, []string{"false", "false", "true"}},
		"contradicts": {simulator.Faults{StaleProgress: true}, []string{contradicts, "true"}},
		"no last report": {simulator.Faults{AppReports: 1, NoLastReport: true},
			[]string{working, working, working}},
		"nothing reported": {simulator.Faults{NoApplications: true}, []string{"false", "false"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, simulator.Options{})
			w.post("p", reporting("FORCE_INSTALLED", "com.example.mail"))
			d := w.enroll("S1", simulator.DeviceOptions{Faults: test.faults})
			for i, want := range test.said {
				w.must(d.Sync())
				if said := reason(w.get(d), "com.example.mail"); said != want {
					t.Errorf("report %d: %s, want %s", i, said, want)
				}
				w.advance(time.Minute)
			}
			if !d.Has("com.example.mail") {
				t.Error("it never came")
			}
			w.advance(24 * time.Hour)
			w.must(d.Sync())
			if said := reason(w.get(d), "com.example.mail"); said != "true" &&
				!test.faults.NoApplications {
				t.Errorf("after a day: %s", said)
			}
		})
	}
}

// Every reason can be had, for a field, an app and a network, and ends.
func TestRefusals(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	p := reporting("FORCE_INSTALLED", "com.example.mail", "com.example.chat")
	p.CameraAccess = "CAMERA_ACCESS_DISABLED"
	p.PasswordPolicies = []*androidmanagement.PasswordRequirements{{PasswordMinimumLength: 8,
		PasswordQuality: "NUMERIC"}}
	p.OpenNetworkConfiguration = []byte(`{"NetworkConfigurations":[
		{"GUID":"g1","Name":"Office","Type":"WiFi","WiFi":{"SSID":"office","Security":"WPA-PSK",
			"Passphrase":"secret-secret"}},
		{"GUID":"g2","Name":"Corp","Type":"WiFi","WiFi":{"SSID":"corp","Security":"WPA-EAP",
			"EAP":{"Outer":"PEAP","ServerCARef":"ca"}}}],
		"Certificates":[{"GUID":"ca","Type":"Authority","X509":"MIIB"}]}`)
	w.post("p", p)
	d := w.enroll("S1", simulator.DeviceOptions{})
	d.Refuse(simulator.Refusal{Setting: "cameraAccess", Reason: "API_LEVEL"})
	d.Refuse(simulator.Refusal{Setting: "passwordPolicies",
		FieldPath: "passwordPolicies[0].passwordMinimumLength", Reason: "USER_ACTION",
		SpecificReason: "PASSWORD_POLICIES_PASSWORD_NOT_SUFFICIENT",
		PasswordScope:  "SCOPE_DEVICE"})
	d.Refuse(simulator.Refusal{Setting: "locationMode", Reason: "API_LEVEL"}) // not in the policy
	d.Refuse(simulator.Refusal{Package: "com.example.chat", InstallReason: "INSUFFICIENT_STORAGE"})
	d.Refuse(simulator.Refusal{WifiGUID: "g1", Reason: "INVALID_VALUE",
		SpecificReason: "ONC_WIFI_INVALID_VALUE"})
	w.must(d.Sync())
	var said []string
	for _, detail := range w.get(d).NonComplianceDetails {
		guid := ""
		if c := detail.SpecificNonComplianceContext; c != nil && c.OncWifiContext != nil {
			guid = c.OncWifiContext.WifiGuid
		}
		said = append(said, strings.Join([]string{detail.SettingName, detail.FieldPath,
			detail.NonComplianceReason, detail.InstallationFailureReason,
			detail.SpecificNonComplianceReason, guid}, " "))
	}
	want := []string{"cameraAccess  API_LEVEL   ",
		"passwordPolicies passwordPolicies[0].passwordMinimumLength USER_ACTION  " +
			"PASSWORD_POLICIES_PASSWORD_NOT_SUFFICIENT ",
		"applications applications[1] APP_NOT_INSTALLED INSUFFICIENT_STORAGE  ",
		"openNetworkConfiguration  INVALID_VALUE  ONC_WIFI_INVALID_VALUE g1",
		"openNetworkConfiguration  INVALID_VALUE  ONC_WIFI_INVALID_ENTERPRISE_CONFIG g2"}
	if !slices.Equal(said, want) {
		t.Errorf("said\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
	_, camera := d.Settings()["cameraAccess"]
	password := d.Settings()["passwordPolicies"].([]any)[0].(map[string]any)
	if camera || password["passwordMinimumLength"] != nil || password["passwordQuality"] == nil ||
		d.Has("com.example.chat") || len(d.Networks()) != 0 || d.Certificates()["ca"] == "" {
		t.Errorf("the device has what it refused: %v %v %v", d.Settings(), d.Apps(), d.Networks())
	}
	d.Allow()
	w.must(d.Sync())
	if details := w.get(d).NonComplianceDetails; len(details) != 1 || !d.Has("com.example.chat") ||
		d.Settings()["cameraAccess"] == nil || d.Networks()[0].SSID != "office" {
		t.Errorf("afterwards: %+v", details)
	}
}

func TestOmittedFields(t *testing.T) {
	w, d := faulty(t, simulator.Faults{Omit: []string{"hardwareInfo", "memoryInfo",
		"appliedPolicyName"}})
	w.must(d.Report())
	if seen := w.take()[0].device; seen.HardwareInfo != nil || seen.MemoryInfo != nil ||
		seen.AppliedPolicyName != "" || seen.SoftwareInfo == nil {
		t.Errorf("reported %+v", seen)
	}
}

// How a device leaves decides what the service knows.
func TestDevicesLeave(t *testing.T) {
	for how, test := range map[simulator.Leaving]struct {
		known    bool
		notified string
	}{simulator.Silently: {true, ""}, simulator.Unnoticed: {false, ""},
		simulator.Notified: {false, "ENROLLMENT"}} {
		w, d := faulty(t, simulator.Faults{DeletedAs: "ENROLLMENT"})
		d.Reset(how)
		list := w.take()
		_, err := w.emm.Enterprises.Devices.Get(d.Name()).Do()
		if kinds(list) != test.notified || (err == nil) != test.known || d.Enrolled() ||
			len(d.Apps()) != 0 {
			t.Errorf("%d: notified %q, %v", how, kinds(list), err)
		}
		if len(list) > 0 && list[0].device.State != "DELETED" {
			t.Errorf("last report: %+v", list[0].device)
		}
		if err := d.Sync(); !errors.Is(err, simulator.ErrNotEnrolled) {
			t.Errorf("it still syncs: %v", err)
		}
	}
}

// A device that is enrolled anew has a new name, and remembers the old ones.
func TestReenrollment(t *testing.T) {
	w, first := faulty(t, simulator.Faults{})
	second := w.enroll("S1", simulator.DeviceOptions{})
	third := w.enroll("S1", simulator.DeviceOptions{})
	if shown := w.get(third); !slices.Equal(shown.PreviousDeviceNames,
		[]string{first.Name(), second.Name()}) || third.Name() == first.Name() {
		t.Errorf("the third time: %+v", shown)
	}
	listed, err := w.emm.Enterprises.Devices.List(w.enterprise).Do()
	w.must(err)
	if len(listed.Devices) != 1 || first.Enrolled() || second.Enrolled() {
		t.Errorf("listed: %+v", listed.Devices)
	}
}

// Deleting a device wipes it when it is next in touch, and that can be counted.
func TestDeleteWipes(t *testing.T) {
	w, d := faulty(t, simulator.Faults{})
	if n := w.service.Calls("devices.delete"); n != 0 {
		t.Fatalf("deleted %d times", n)
	}
	_, err := w.emm.Enterprises.Devices.Delete(d.Name()).Do()
	w.must(err)
	_, err = w.emm.Enterprises.Devices.Get(d.Name()).Do()
	w.refused(err, 404, d.Name())
	if !d.Has("com.example.mail") || d.Wiped() || w.service.Calls("devices.delete") != 1 {
		t.Error("wiped before it was in touch")
	}
	if err := d.Sync(); !errors.Is(err, simulator.ErrNotEnrolled) || !d.Wiped() ||
		len(d.Apps()) != 0 {
		t.Errorf("not wiped: %v", err)
	}
	if last := w.take(); kinds(last) != "STATUS_REPORT" || last[0].device.State != "DELETED" {
		t.Errorf("last report: %+v", last)
	}
}

func TestOfflineDevice(t *testing.T) {
	w, d := faulty(t, simulator.Faults{})
	d.SetOnline(false)
	w.post("p", reporting("BLOCKED", "com.example.mail"))
	w.advance(7 * 24 * time.Hour)
	if err := d.Sync(); !errors.Is(err, simulator.ErrOffline) || !d.Has("com.example.mail") {
		t.Errorf("offline: %v", err)
	}
	d.SetOnline(true)
	w.must(d.Sync())
	if d.Has("com.example.mail") {
		t.Error("it kept the app")
	}
}

// Somebody else's edit is a version like any other.
func TestForeignEdit(t *testing.T) {
	w, d := faulty(t, simulator.Faults{})
	if v := w.service.EditPolicy(w.enterprise+"/policies/p", func(p *androidmanagement.Policy) {
		p.Applications = nil
		p.AddUserDisabled = true
	}); v != 2 {
		t.Fatalf("version %d", v)
	}
	w.must(d.Sync())
	if w.get(d).AppliedPolicyVersion != 2 || d.Settings()["addUserDisabled"] != true {
		t.Errorf("the device has %v", d.Settings())
	}
	if w.service.EditPolicy(w.enterprise+"/policies/none", nil) != 0 {
		t.Error("edited a policy that is not there")
	}
}

func TestUserRemovesPreinstalledApp(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.post("p", reporting("PREINSTALLED", "com.example.mail"))
	d := w.enroll("S1", simulator.DeviceOptions{})
	w.must(d.Sync())
	w.must(d.UninstallByUser("com.example.mail"))
	w.postAndSync(d, "PREINSTALLED")
	if d.Has("com.example.mail") {
		t.Error("it came back by itself")
	}
	w.postAndSync(d, "FORCE_INSTALLED")
	if err := d.UninstallByUser("com.example.mail"); !errors.Is(err, simulator.ErrNotAllowed) {
		t.Errorf("the user removed what is forced: %v", err)
	}
}

func (w *world) postAndSync(d *simulator.Device, installType string) {
	w.Helper()
	w.post("p", reporting(installType, "com.example.mail"))
	w.must(d.Sync())
}

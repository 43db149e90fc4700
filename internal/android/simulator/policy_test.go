package simulator_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"
	"google.golang.org/api/googleapi"

	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

// A PATCH without a mask is the whole document: what it leaves out has its default again, and every
// PATCH is a version.
func TestPolicyIsWhole(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	first := w.post("p", &androidmanagement.Policy{CameraAccess: "CAMERA_ACCESS_DISABLED",
		MaximumTimeToLock: 60000, OutgoingBeamDisabled: true,
		AdvancedSecurityOverrides: &androidmanagement.AdvancedSecurityOverrides{
			DeveloperSettings: "DEVELOPER_SETTINGS_ALLOWED"}})
	if first.Version != 1 || first.CameraAccess == "" || first.MaximumTimeToLock != 60000 {
		t.Errorf("first version: %+v", first)
	}
	second := w.post("p", &androidmanagement.Policy{OutgoingBeamDisabled: true})
	if second.Version != 2 || second.CameraAccess != "" || second.MaximumTimeToLock != 0 ||
		second.AdvancedSecurityOverrides != nil || !second.OutgoingBeamDisabled {
		t.Errorf("second version: %+v", second)
	}
	read, err := w.emm.Enterprises.Policies.Get(first.Name).Do()
	w.must(err)
	if read.Version != 2 || read.CameraAccess != "" {
		t.Errorf("read: %+v", read)
	}
	same := w.post("p", &androidmanagement.Policy{OutgoingBeamDisabled: true})
	if same.Version != 3 {
		t.Errorf("the same once more is version %d", same.Version)
	}
}

// With a mask, what it names is changed, and nothing else.
func TestPolicyMask(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.post("p", &androidmanagement.Policy{OutgoingBeamDisabled: true,
		SkipFirstUseHintsEnabled: true})
	name := w.enterprise + "/policies/p"
	patched, err := w.emm.Enterprises.Policies.Patch(name,
		&androidmanagement.Policy{CameraAccess: "CAMERA_ACCESS_DISABLED",
			AddUserDisabled: true}).UpdateMask("cameraAccess,outgoing_beam_disabled").Do()
	w.must(err)
	if patched.CameraAccess == "" || patched.OutgoingBeamDisabled || patched.AddUserDisabled ||
		!patched.SkipFirstUseHintsEnabled || patched.Version != 2 {
		t.Errorf("with a mask: %+v", patched)
	}
	_, err = w.emm.Enterprises.Policies.Patch(name, &androidmanagement.Policy{}).
		UpdateMask("version").Do()
	w.refused(err, 400, "version")
}

func TestSamePolicyNotModified(t *testing.T) {
	w := newWorld(t, simulator.Options{SameNotModified: true})
	p := &androidmanagement.Policy{OutgoingBeamDisabled: true}
	w.post("p", p)
	if _, err := w.emm.Enterprises.Policies.Patch(w.enterprise+"/policies/p",
		p).Do(); !googleapi.IsNotModified(err) {
		t.Errorf("the same: %v", err)
	}
	if p.OutgoingBeamDisabled = false; w.post("p", p).Version != 2 {
		t.Error("another document was not the second version")
	}
}

// raw sends a body as it is and returns the answer's.
func (w *world) raw(verb, path, body string) (int, string) {
	w.Helper()
	request, err := http.NewRequest(verb, w.server.URL+"/v1/"+path, strings.NewReader(body))
	w.must(err)
	answer, err := http.DefaultClient.Do(request)
	w.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	w.must(err)
	return answer.StatusCode, string(bytes.TrimSpace(text))
}

// status calls without a body.
func (w *world) status(verb, path string) (int, string) {
	w.Helper()
	return w.raw(verb, path, "")
}

// What Google's reference excludes is refused with the name of the field, and changes nothing.
func TestPolicyRefused(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.post("p", &androidmanagement.Policy{})
	apps := func(n int, format string) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(format, i))
		}
		return `{"applications":[` + strings.Join(list, ",") + `]}`
	}
	network := func(n string) string {
		return `{"openNetworkConfiguration":{"NetworkConfigurations":[{"Name":"n",` + n + `}]}}`
	}
	app := func(fields string) string { return `{"applications":[{` + fields + `}]}` }
	freeze := func(periods ...string) string { // month, day, month, day
		var list []string
		for _, p := range periods {
			var from, start, to, end int
			fmt.Sscan(p, &from, &start, &to, &end)
			list = append(list, fmt.Sprintf(`{"startDate":{"month":%d,"day":%d},`+
				`"endDate":{"month":%d,"day":%d}}`, from, start, to, end))
		}
		return `{"systemUpdate":{"freezePeriods":[` + strings.Join(list, ",") + `]}}`
	}
	for _, test := range []struct{ body, field string }{
		{`[]`, "Root element"},
		{`{"a":1`, "Invalid JSON payload"},
		{`{"cameraOff":1}`, `Unknown name \"cameraOff\" at 'policy'`},
		{app(`"packageName":"a.b","pkg":"x"`), "policy.applications[0]"},
		{app(`"packageName":"a.b","installType":"FORCE"`), "policy.applications[0].install_type"},
		{app(`"installType":"KIOSK"`), "policy.applications[0].package_name"},
		{app(`"packageName":"a.b"},{"packageName":"a.b"`), "policy.applications[1].package_name"},
		{app(`"packageName":"a.b","managedConfiguration":[]`), "managed_configuration"},
		{app(`"packageName":"a.b","managedConfiguration":{"k":"` + strings.Repeat("x", 65536) +
			`"}`), "managedConfiguration.k"},
		{apps(3001, `{"packageName":"a.b%d"}`), "at most 3000"},
		{apps(21, `{"packageName":"a.b%d","minimumVersionCode":2}`), "minimum_version_code"},
		{apps(2, `{"packageName":"a.b%d","installType":"KIOSK"}`), "install_type"},
		{`{"cameraDisabled":"yes"}`, "policy.camera_disabled"},
		{`{"maximumTimeToLock":"1h"}`, "policy.maximum_time_to_lock"},
		{`{"systemUpdate":{"type":"WINDOWED","startMinutes":1440}}`,
			"policy.system_update.start_minutes"},
		{`{"systemUpdate":{"startMinutes":3000000000}}`, "policy.system_update.start_minutes"},
		{`{"passwordPolicies":[{"passwordExpirationTimeout":"1 day"}]}`,
			"password_expiration_timeout"},
		{`{"passwordPolicies":[{"unifiedLockSettings":"REQUIRE_SEPARATE_WORK_LOCK"}]}`,
			"unified_lock_settings"},
		{`{"passwordPolicies":[{"passwordScope":"SCOPE_DEVICE"},{"passwordScope":"SCOPE_DEVICE"}]}`,
			"policy.password_policies[1].password_scope"},
		{`{"policyEnforcementRules":[{"settingName":"x","blockAction":{"blockAfterDays":1}}]}`,
			"policy_enforcement_rules[0]"},
		{`{"choosePrivateKeyRules":[{"urlPattern":"x"}],
			"applications":[{"packageName":"a.b","delegatedScopes":["CERT_SELECTION"]}]}`,
			"choose_private_key_rules"},
		{`{"deviceConnectivityManagement":{
			"wifiSsidPolicy":{"wifiSsidPolicyType":"WIFI_SSID_ALLOWLIST"}}}`, "wifi_ssids"},
		{freeze("1 1 4 30"), "at most 90"},
		{freeze("12 1 1 10", "2 1 2 9"), "60 days"},
		{freeze("2 30 3 1"), "must be a date"},
		{network(`"GUID":"g","Type":"Ethernet"`), "Type must be WiFi"},
		{network(`"Type":"WiFi","WiFi":{"SSID":"s","Security":"None"}`), "GUID"},
		{network(`"GUID":"g","Type":"WiFi","Remove":true,"WiFi":{"SSID":"s","Security":"None"}`),
			"Remove"},
		{network(`"GUID":"g","Type":"WiFi","WiFi":{"SSID":"s","Security":"WPA-PSK"}`),
			"Passphrase"},
	} {
		body, field := test.body, test.field
		code, answer := w.raw("PATCH", w.enterprise+"/policies/p", body)
		if code != 400 || !strings.Contains(answer, field) {
			t.Errorf("%.200s: %d %.300s, want %q", body, code, answer, field)
		}
	}
	read, err := w.emm.Enterprises.Policies.Get(w.enterprise + "/policies/p").Do()
	w.must(err)
	if read.Version != 1 {
		t.Errorf("refused documents made version %d", read.Version)
	}
}

// What has its default is not in the answer, as in all of Google's JSON.
func TestDefaultsAreLeftOut(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	_, answer := w.raw("PATCH", w.enterprise+"/policies/p", `{"cameraDisabled":false,
		"maximumTimeToLock":"0","playStoreMode":"PLAY_STORE_MODE_UNSPECIFIED","applications":[],
		"shortSupportMessage":{},"name":"x","frpAdminEmails":null,
		"openNetworkConfiguration":{"Type":"UnencryptedConfiguration","x":[false]}}`)
	const want = `{"name":"` + "NAME" + `","openNetworkConfiguration":` +
		`{"Type":"UnencryptedConfiguration","x":[false]},"shortSupportMessage":{},"version":"1"}`
	if got := strings.Replace(answer, w.enterprise+"/policies/p", "NAME", 1); got != want {
		t.Errorf("answer %s", got)
	}
}

func TestPolicyInUseStays(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.post("p", reporting(""))
	d := w.enroll("S1", simulator.DeviceOptions{})
	_, err := w.emm.Enterprises.Policies.Delete(w.enterprise + "/policies/p").Do()
	w.refused(err, 400, d.Name())
	w.post("q", reporting(""))
	_, err = w.emm.Enterprises.Devices.Patch(d.Name(),
		&androidmanagement.Device{PolicyName: "q"}).UpdateMask("policyName").Do()
	w.must(err)
	_, err = w.emm.Enterprises.Policies.Delete(w.enterprise + "/policies/p").Do()
	w.must(err)
	_, err = w.emm.Enterprises.Policies.Get(w.enterprise + "/policies/p").Do()
	w.refused(err, 404, "policies/p")
}

// Beyond 1,000 queries in 100 seconds everything is refused until the window ends.
func TestQuota(t *testing.T) {
	w := newWorld(t, simulator.Options{Quota: 20})
	list := func() error {
		_, err := w.emm.Enterprises.Policies.List(w.enterprise).Do()
		return err
	}
	for i := range 20 {
		if err := list(); err != nil {
			t.Fatalf("query %d: %v", i, err)
		}
	}
	w.refused(list(), 429, "Quota exceeded")
	w.advance(99 * time.Second)
	w.refused(list(), 429, "Quota exceeded")
	w.advance(time.Second)
	w.must(list())
}

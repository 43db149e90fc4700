package amapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

type said = androidmanagement.Device

const exampleApp = "com.example.a"

// lists is a report with an app beside those that nobody assigned.
func lists(state string, keyed ...*androidmanagement.KeyedAppState) func(*said) {
	return func(r *said) {
		r.ApplicationReports = append(others(), &androidmanagement.ApplicationReport{
			PackageName: exampleApp, State: state, KeyedAppStates: keyed})
	}
}

func unlisted(r *said) { r.ApplicationReports = others() }

// says is a report that the device does not comply with a part of its policy.
func says(d androidmanagement.NonComplianceDetail) func(*said) {
	return func(r *said) { r.NonComplianceDetails = append(r.NonComplianceDetails, &d) }
}

func ofApp(reason string) func(*said) {
	return says(androidmanagement.NonComplianceDetail{SettingName: "applications",
		PackageName: exampleApp, NonComplianceReason: reason})
}

func all(edits ...func(*said)) func(*said) {
	return func(r *said) {
		for _, edit := range edits {
			edit(r)
		}
	}
}

func anApp(w *world) action.PayloadID { return w.app(exampleApp) }

func aVPN(w *world) action.PayloadID {
	w.app(exampleApp)
	return w.create("androidDeviceOwnerVpnConfiguration", "VPN",
		fmt.Sprintf(`{"packageId":%q,"alwaysOn":true}`, exampleApp))
}

func twoSettings(w *world) action.PayloadID {
	return w.settings("Rules", `{"cameraBlocked":true,"screenCaptureBlocked":true}`)
}

func ofSetting(name, reason string) func(*said) {
	return says(androidmanagement.NonComplianceDetail{SettingName: name,
		NonComplianceReason: reason})
}

// evidenceRow is one report after a removal, or a restoration, and what it proves.
type evidenceRow struct {
	name   string
	make   func(*world) action.PayloadID
	edit   func(*said)
	want   action.Status
	code   int64
	detail string
}

var removalRows = []evidenceRow{
	{"an app that was removed", anApp, lists("REMOVED"), action.Removed, 0, ""},
	{"an app that is still there", anApp, lists("INSTALLED"), action.InProgress, 0, "still lists"},
	{"an app that the device says is there", anApp, all(lists("REMOVED"), ofApp("APP_INSTALLED")),
		action.InProgress, 0, "APP_INSTALLED"},
	{"an app, by the version before", anApp, all(lists("REMOVED"),
		func(r *said) { r.AppliedPolicyVersion-- }), action.Initiated, 0, "waiting"},
	{"an app, by another policy", anApp, all(lists("REMOVED"),
		func(r *said) { r.AppliedPolicyName += "x" }), action.Initiated, 0, "waiting"},
	{"an app, without a policy", anApp, all(lists("REMOVED"),
		func(r *said) { r.AppliedPolicyName = "" }), action.Initiated, 0, "waiting"},
	{"an app, of a disabled device", anApp, all(lists("REMOVED"),
		func(r *said) { r.AppliedState = "DISABLED" }), action.Initiated, 0, "disabled"},
	{"an app, in a state of tomorrow", anApp, all(lists("REMOVED"),
		func(r *said) { r.AppliedState = "ASLEEP" }), action.Initiated, 0, "ASLEEP"},
	{"settings", twoSettings, unlisted, action.Removed, 0, ""},
	{"settings, with a fault of nobody's", twoSettings, ofSetting("microphoneAccess",
		"INVALID_VALUE"), action.Removed, 0, ""},
	{"settings, by the version before", twoSettings,
		func(r *said) { r.AppliedPolicyVersion-- }, action.Initiated, 0, "waiting"},
	{"a VPN", aVPN, lists("INSTALLED"), action.Removed, 0, ""},
}

var restorationRows = []evidenceRow{
	{"an app that is there", anApp, lists("INSTALLED"), action.Succeeded, 0, ""},
	{"an app that is there and on its way", anApp, all(lists("INSTALLED"), ofApp("PENDING"),
		ofApp("APP_NOT_INSTALLED")), action.Succeeded, 0, ""},
	{"an app that is not listed", anApp, unlisted, action.InProgress, 0, "does not list"},
	{"an app that was removed", anApp, lists("REMOVED"), action.InProgress, 0, "does not list"},
	{"an app that is too old", anApp, all(lists("INSTALLED"), ofApp("APP_NOT_UPDATED")),
		action.InProgress, 0, "APP_NOT_UPDATED"},
	{"an app that does not fit", anApp, all(lists("INSTALLED"), ofApp("APP_INCOMPATIBLE")),
		action.Error, 1009, "APP_INCOMPATIBLE"},
	{"an app without a licence", anApp, all(unlisted, says(androidmanagement.NonComplianceDetail{
		SettingName: "applications", PackageName: exampleApp,
		NonComplianceReason:       "APP_NOT_INSTALLED",
		InstallationFailureReason: "NO_LICENSES_REMAINING"})),
		action.Error, 2008, "NO_LICENSES_REMAINING"},
	{"an app, by the version before", anApp, all(lists("INSTALLED"),
		func(r *said) { r.AppliedPolicyVersion-- }), action.Initiated, 0, "waiting"},
	{"a VPN", aVPN, lists("INSTALLED"), action.Succeeded, 0, ""},
	{"a VPN without its app", aVPN, unlisted, action.InProgress, 0, exampleApp},
	{"settings", twoSettings, unlisted, action.Succeeded, 0, ""},
	{"settings that are expected shortly", twoSettings, ofSetting("cameraAccess", "PENDING"),
		action.InProgress, 0, "PENDING"},
	{"settings of which one is expected shortly and one is wrong", twoSettings,
		all(ofSetting("cameraAccess", "PENDING"), ofSetting("screenCaptureDisabled",
			"INVALID_VALUE")), action.Error, 1004, "INVALID_VALUE"},
	{"settings of which this device cannot do a part", twoSettings,
		ofSetting("cameraAccess", "API_LEVEL"), action.Succeeded, 0, "API_LEVEL"},
	{"settings of which this device can do nothing", twoSettings,
		all(ofSetting("cameraAccess", "API_LEVEL"), ofSetting("screenCaptureDisabled",
			"MANAGEMENT_MODE")), action.Error, 0, ""},
}

// What one report proves, and what it does not, after the device took what was asked of it.
func TestWhatOneReportProves(t *testing.T) { checkRows(t, removalRows, restorationRows) }

func checkRows(t *testing.T, removals, restorations []evidenceRow) {
	for kind, rows := range map[string][]evidenceRow{"removal": removals,
		"restoration": restorations} {
		for _, row := range rows {
			t.Run(kind+"/"+row.name, func(t *testing.T) {
				t.Parallel()
				row.check(newWorld(t), kind == "restoration")
			})
		}
	}
}

func (row *evidenceRow) check(w *world, restored bool) {
	p := row.make(w)
	d, id := w.enroll("S", simulator.DeviceOptions{SystemApps: []string{"com.android.settings"}})
	w.steady(id)
	w.call(id, p)
	if restored {
		w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })
		w.call(id)
	}
	w.served()
	w.clock.Advance(time.Second)
	w.must(d.Sync())
	r := w.read(d)
	r.NonComplianceDetails = nil
	row.edit(r)
	w.take(r, w.clock.Now())
	w.take(r, w.clock.Now()) // the same report once more is no other one
	got := w.result(id, p)
	if got.Status != row.want || row.code != 0 && int64(got.Code) != row.code ||
		!strings.Contains(got.Detail, row.detail) {
		w.Errorf("the result is %+v", got)
	}
}

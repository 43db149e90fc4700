package simulator_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
)

func reportBody(device string) map[string]any {
	return map[string]any{"select": []string{"PolicyId", "PolicyName", "PolicyBaseTypeName",
		"PolicyStatus", "UPN"}, "skip": 0, "top": 50, "filter": "((PolicyBaseTypeName eq " +
		"'Microsoft.Management.Services.Api.DeviceConfiguration') or (PolicyBaseTypeName eq " +
		"'DeviceManagementConfigurationPolicy')) and (IntuneDeviceId eq '" + device + "')"}
}

// report returns the rows by column, and the order of the columns.
func (w *world) report(body map[string]any) (rows []map[string]any, columns []string, r reply) {
	w.Helper()
	r = w.call(http.MethodPost,
		"deviceManagement/reports/getConfigurationPoliciesReportForDevice", body)
	if r.status != http.StatusOK {
		w.Fatalf("%d %s", r.status, r.text)
	}
	for _, one := range r.body["Schema"].([]any) {
		columns = append(columns, one.(map[string]any)["Column"].(string))
	}
	for _, values := range r.body["Values"].([]any) {
		row := make(map[string]any)
		for i, value := range values.([]any) {
			row[columns[i]] = value
		}
		rows = append(rows, row)
	}
	return rows, columns, r
}

func TestPolicyReport(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	user := w.tenant.AddUser("uma")
	d := w.tenant.Enroll(simulator.DeviceOptions{User: user})
	p := w.policies("a", "b")
	wifi := w.tenant.AddItem(simulator.ItemOptions{Name: "wifi",
		Type: simulator.DeviceConfiguration})
	w.tenant.AddItem(simulator.ItemOptions{Name: "not assigned", Type: simulator.ConfigurationPolicy})
	wifi.AssignUsers(user)
	body := reportBody(d.ID)
	rows, columns, r := w.report(body)
	if len(rows) != 3 || r.body["TotalRowCount"] != float64(3) ||
		!slices.Equal(columns, body["select"].([]string)) ||
		rows[2]["PolicyBaseTypeName"] != "Microsoft.Management.Services.Api.DeviceConfiguration" ||
		rows[2]["PolicyId"] != wifi.ID || rows[0]["UPN"] != user.UPN {
		t.Errorf("%s", r.text)
	}
	body["skip"], body["top"] = 1, 1
	if rows, _, r := w.report(body); len(rows) != 1 || rows[0]["PolicyName"] != "b" ||
		r.body["TotalRowCount"] != float64(3) {
		t.Errorf("%s", r.text)
	}
	w.mustAct(d, p[0])
	d.CheckIn()
	if rows, _, r := w.report(reportBody(d.ID)); len(rows) != 2 {
		t.Errorf("what is off is in the report: %s", r.text)
	}
	for name, bad := range map[string]any{"no device": map[string]any{"filter": ""},
		"column":     map[string]any{"select": []string{"x"}, "filter": "IntuneDeviceId eq 'x'"},
		"filter":     map[string]any{"filter": "IntuneDeviceId eq"},
		"other":      map[string]any{"filter": "Colour eq 'x'"},
		"a property": map[string]any{"colour": 1}} {
		if r := w.call(http.MethodPost, "deviceManagement/reports/"+
			"getConfigurationPoliciesReportForDevice", bad); r.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, r.status, r.text)
		}
	}
}

func TestReportFaults(t *testing.T) {
	w := newWorld(t, simulator.Options{Faults: simulator.Faults{PermuteColumns: true,
		OctetStream: true, RowsPerUser: true, ReportAge: 2 * time.Hour}})
	d := w.tenant.Enroll(simulator.DeviceOptions{User: w.tenant.AddUser("uma")})
	p := w.policies("a")
	rows, _, r := w.report(reportBody(d.ID))
	if len(rows) != 2 || r.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("%v %s", r.header, r.text)
	}
	orders := make(map[string]bool)
	for range 10 {
		_, columns, _ := w.report(reportBody(d.ID))
		orders[fmt.Sprint(columns)] = true
	}
	if len(orders) < 2 {
		t.Error("the columns always have the same order")
	}
	w.mustAct(d, p...)
	d.CheckIn()
	if rows, _, _ := w.report(reportBody(d.ID)); len(rows) != 2 {
		t.Error("the report is not stale")
	}
	w.advance(2 * time.Hour)
	if rows, _, _ := w.report(reportBody(d.ID)); len(rows) != 0 {
		t.Error("the report is stale for ever")
	}
}

// Apps that are assigned to the device are under the user of only zeros.
func TestAppStates(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	user := w.tenant.AddUser("uma")
	d := w.tenant.Enroll(simulator.DeviceOptions{User: user})
	app := func(name string) *simulator.Item {
		return w.tenant.AddItem(simulator.ItemOptions{Name: name, Type: simulator.Application,
			Intent: "available"})
	}
	mail, maps, both := app("mail"), app("maps"), app("both")
	mail.AssignUsers(user)
	maps.AssignDevices(d)
	both.AssignDevices(d)
	both.AssignUsers(user)
	listed := func(user string) string {
		r := w.must("users('" + user + "')/mobileAppIntentAndStates('" + d.ID + "')")
		var names string
		for _, one := range r.body["mobileAppList"].([]any) {
			a := one.(map[string]any)
			names += a["displayName"].(string) + ":" + a["installState"].(string) + ":" +
				a["mobileAppIntent"].(string) + " "
		}
		return names
	}
	const nobody = "00000000-0000-0000-0000-000000000000"
	check := func(user, want string) {
		t.Helper()
		if got := listed(user); got != want {
			t.Errorf("%s has %q, want %q", user, got, want)
		}
	}
	check(user.ID, "mail:installed:available both:installed:available ")
	check(nobody, "maps:installed:available both:installed:available ")
	check(w.tenant.AddUser("other").ID, "")
	w.mustAct(d, maps)
	d.CheckIn()
	check(nobody, "both:installed:available ")
	w.site.SetReadings(simulator.Readings{AppsStayListed: true})
	check(nobody, "maps:notInstalled:available both:installed:available ")
	if r := w.get("users/x/mobileAppIntentAndStates/" + d.ID); r.status != http.StatusNotFound {
		t.Error(r.status)
	}
}

func TestConfigurationStates(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	d := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.AndroidFullyManaged})
	add := func(kind simulator.ItemType) *simulator.Item {
		return w.tenant.AddItem(simulator.ItemOptions{Name: "x", Type: kind, AllDevices: true,
			Platform: simulator.Android})
	}
	add(simulator.ConfigurationPolicy)
	want := map[string]*simulator.Item{
		"managedDeviceMobileAppConfigurationStates": add(simulator.AppConfiguration),
		"deviceConfigurationStates":                 add(simulator.DeviceConfiguration)}
	for name, item := range want {
		path := managedDevices + "/" + d.ID + "/" + name
		w.site.SetReadings(simulator.Readings{})
		if got, _ := w.all(path); !slices.Equal(got, []string{item.ID}) {
			t.Errorf("%s: %v", name, got)
		}
		w.site.SetReadings(simulator.Readings{CompositeIDs: true})
		if got, _ := w.all(path); !slices.Equal(got, []string{item.ID + "_" + d.ID +
			"_00000000-0000-0000-0000-000000000000"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

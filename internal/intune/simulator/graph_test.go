package simulator_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
)

// Each address needs its permission, and without it says which.
func TestPermissions(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	p := w.policies("a")
	one := managedDevices + "/" + d.ID
	const devices, configuration, apps, operate, organization = 0, 1, 2, 3, 4
	for _, test := range []struct {
		method, path string
		body         any
		roles        []int
	}{
		{"GET", managedDevices, nil, []int{devices}},
		{"GET", "deviceManagement/comanagedDevices", nil, []int{devices}},
		{"GET", one, nil, []int{devices}},
		{"GET", "deviceManagement/remoteActionAudits", nil, []int{devices}},
		{"GET", one + "/managedDeviceMobileAppConfigurationStates", nil, []int{devices}},
		{"GET", one + "/deviceConfigurationStates", nil, []int{configuration}},
		{"GET", "deviceManagement/deviceConfigurations", nil, []int{configuration}},
		{"GET", "deviceManagement/configurationPolicies", nil, []int{configuration}},
		{"GET", "deviceManagement/configurationPolicies/" + p[0].ID, nil, []int{configuration}},
		{"GET", "deviceAppManagement/mobileApps", nil, []int{apps}},
		{"GET", "deviceAppManagement/mobileAppConfigurations", nil, []int{apps}},
		{"GET", "organization", nil, []int{organization}},
		{"POST", one + "/changeAssignments", set(p...), []int{operate}},
		{"POST", one + "/microsoft.graph.syncDevice", nil, []int{operate}},
		{"POST", "deviceManagement/reports/getConfigurationPoliciesReportForDevice",
			reportBody(d.ID), []int{devices, configuration}},
	} {
		var needed []string
		for _, i := range test.roles {
			needed = append(needed, allRoles[i])
		}
		w.app.Grant(needed...)
		w.token = w.signIn(w.app, w.secret)
		if r := w.call(test.method, test.path, test.body); r.status >= 300 {
			t.Errorf("%s %s with %v: %d %s", test.method, test.path, needed, r.status, r.text)
		}
		for _, without := range needed {
			w.app.Grant(slices.DeleteFunc(slices.Clone(allRoles), func(r string) bool {
				return r == without
			})...)
			w.token = w.signIn(w.app, w.secret)
			r := w.call(test.method, test.path, test.body)
			if r.status != http.StatusForbidden || !strings.Contains(string(r.text), without) {
				t.Errorf("%s %s without %s: %d %s", test.method, test.path, without, r.status, r.text)
			}
		}
	}
}

// What is not on the list of what a client may call is remembered.
func TestUnexpectedAndForbidden(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	one := managedDevices + "/" + d.ID
	w.must(one)
	if len(w.site.Unexpected())+len(w.site.Forbidden()) != 0 {
		t.Error("a good request is remembered as a bad one")
	}
	for _, path := range []string{one + "/detectedApps", "users", "deviceManagement/managedDevices/",
		w.url + "/v1.0/deviceManagement/managedDevices", w.url + "/beta/$batch"} {
		if r := w.get(path); r.status < 400 {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	for _, method := range []string{"POST " + one + "/wipe", "POST " + one + "/retire",
		"DELETE " + one, "PATCH " + one, "POST " + one + "/resetPasscode",
		"POST deviceManagement/managedDevices/executeAction"} {
		verb, path, _ := strings.Cut(method, " ")
		if r := w.call(verb, path, map[string]any{}); r.status != http.StatusForbidden {
			t.Errorf("%s: %d", method, r.status)
		}
	}
	w.token = "nobody's"
	w.call("POST", one+"/wipe", nil)
	batch := map[string]any{"requests": []map[string]any{
		{"id": "1", "method": "POST", "url": "/" + one + "/retire"}}}
	w.token = w.signIn(w.app, w.secret)
	w.call("POST", w.url+"/beta/$batch", batch)
	if got := len(w.site.Unexpected()); got != 5 {
		t.Errorf("%d are unexpected: %v", got, w.site.Unexpected())
	}
	if got := len(w.site.Forbidden()); got != 8 {
		t.Errorf("%d are forbidden: %v", got, w.site.Forbidden())
	}
	if d.Gone() {
		t.Error("the device is gone")
	}
}

// all follows nextLinks, and returns the ids and how many pages there were.
func (w *world) all(path string) (ids []string, pages int) {
	w.Helper()
	for path != "" {
		r := w.must(path)
		pages++
		for _, one := range r.list() {
			ids = append(ids, one["id"].(string))
		}
		path, _ = r.body["@odata.nextLink"].(string)
	}
	return ids, pages
}

func TestPages(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	var want []string
	for i := range 25 {
		want = append(want, w.tenant.Enroll(simulator.DeviceOptions{Name: fmt.Sprint(i)}).ID)
	}
	path := query(managedDevices, "$top", "10", "$select", "id")
	if got, pages := w.all(path); !slices.Equal(got, want) || pages != 3 {
		t.Errorf("%d in %d pages", len(got), pages)
	}
	w.site.SetFaults(simulator.Faults{PageSizes: true})
	if got, pages := w.all(path); !slices.Equal(got, want) || pages < 3 {
		t.Errorf("%d in %d pages", len(got), pages)
	}
	w.site.SetFaults(simulator.Faults{ShiftPages: true})
	different := false
	for range 20 {
		got, _ := w.all(path)
		different = different || !slices.Equal(got, want)
	}
	if !different {
		t.Error("no page has shifted")
	}
	own := w.must(path).body["@odata.nextLink"].(string)
	for _, other := range []string{"comanagedDevices", "remoteActionAudits"} {
		if r := w.get(strings.Replace(own, "managedDevices", other, 1)); r.status != 400 {
			t.Errorf("the link to a next page of devices leads to one of %s: %d", other, r.status)
		}
	}
	elsewhere := strings.Replace(own, "127.0.0.1", "localhost", 1)
	if r := w.get(elsewhere); r.status != http.StatusUnauthorized {
		t.Errorf("a token for one address is taken at another: %d", r.status)
	}
	w.site.SetFaults(simulator.Faults{ForeignNextLink: "https://graph.example.net"})
	next := w.must(path).body["@odata.nextLink"].(string)
	if !strings.HasPrefix(next, "https://graph.example.net/beta/"+managedDevices+"?$skiptoken=") {
		t.Error(next)
	}
	for _, bad := range []string{query(managedDevices, "$skiptoken", "x"),
		query(managedDevices, "$top", "0"), query(managedDevices, "$select", "id,colour"),
		query(managedDevices, "$filter", "id eq")} {
		if r := w.get(bad); r.status != http.StatusBadRequest || r.code() != "BadRequest" {
			t.Errorf("%s: %d", bad, r.status)
		}
	}
}

func TestFilters(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	old := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.AndroidDedicated})
	w.clock.Advance(time.Minute)
	young := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.IPad})
	both := []string{old.ID, young.ID}
	for _, test := range []struct {
		filter string
		inUse  bool
		want   []string
	}{
		{"lastSyncDateTime gt 2026-03-02T08:00:30Z", false, both[1:]},
		{"enrolledDateTime lt 2026-03-02T08:00:30Z", false, both[:1]},
		{"lastSyncDateTime gt 2026-03-02T08:01:00Z", false, nil},
		{"lastSyncDateTime ge 2026-03-02T08:01:00Z", false, both}, // no effect
		{"lastSyncDateTime ge 2026-03-02T08:01:00Z", true, both[1:]},
		{"operatingSystem eq 'iPadOS'", false, both},
		{"operatingSystem eq 'iPadOS'", true, both[1:]},
		{"not (operatingSystem eq 'iPadOS')", true, both[:1]},
		{"deviceEnrollmentType eq 'x' and enrolledDateTime lt 2026-03-02T08:00:30Z", true, both},
		{"startswith(deviceName,'a')", true, both},
		{"operatingSystem eq 'iPadOS' or lastSyncDateTime lt 2030-01-01T00:00:00Z", true, both},
	} {
		w.site.SetReadings(simulator.Readings{FiltersInUse: test.inUse})
		got, _ := w.all(query(managedDevices, "$filter", test.filter))
		if !slices.Equal(got, test.want) {
			t.Errorf("%s (%v): %v", test.filter, test.inUse, got)
		}
	}
}

func TestDevicesComeAndGo(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	ada := w.tenant.AddAdmin("ada")
	p := w.policies("a")
	pc := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.WindowsPC, Comanaged: true})
	d := w.tenant.Enroll(simulator.DeviceOptions{User: ada})
	if got, _ := w.all("deviceManagement/comanagedDevices"); !slices.Equal(got, []string{pc.ID}) {
		t.Error(got)
	}
	w.mustAct(d, p...)
	if err := ada.Retire(d); err != nil {
		t.Fatal(err)
	}
	if got := w.must(managedDevices + "/" + d.ID).body["managementState"]; got != "retirePending" {
		t.Error(got)
	}
	if r := w.act(d); r.status != http.StatusBadRequest {
		t.Errorf("%d %s", r.status, r.text)
	}
	d.CheckIn()
	if r := w.get(managedDevices + "/" + d.ID); r.status != http.StatusNotFound || !d.Gone() {
		t.Errorf("%d", r.status)
	}
	d = w.tenant.Enroll(simulator.DeviceOptions{User: ada})
	p[0].AssignDevices(d)
	again := d.Reenroll()
	old, now := w.get(managedDevices+"/"+d.ID), w.must(managedDevices+"/"+again.ID).body
	if old.status != http.StatusNotFound || again.ID == d.ID || now["serialNumber"] != d.Serial {
		t.Error(old.status, now)
	}
	w.mustAct(again, p...)
	pc.SetOnline(false)
	if pc.CheckIn() || !again.CheckIn() {
		t.Error("who is offline checked in, or who is not did not")
	}
	if err := ada.Wipe(again); err != nil {
		t.Fatal(err)
	}
	if err := ada.CancelWipe(again); err != nil {
		t.Fatal(err)
	}
	if again.CheckIn(); again.Gone() {
		t.Error("a wipe that was canceled was done")
	}
}

// Others act in the admin center: the last set counts, and the audits say who.
func TestPortalUsers(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	ada, bob := w.tenant.AddAdmin("ada"), w.tenant.AddUser("bob")
	p := w.policies("a", "b")
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	w.mustAct(d, p[0])
	w.clock.Advance(time.Minute)
	if err := bob.ChangeAssignments(d); err == nil {
		t.Error("who has no role may act")
	}
	if err := ada.ChangeAssignments(d, p[1]); err != nil {
		t.Fatal(err)
	}
	w.saysOf(d, "pending a:restore:initiated b:remove:initiated")
	d.CheckIn()
	w.off(d, p[1])
	w.call("POST", managedDevices+"/"+d.ID+"/syncDevice", nil)
	rows := w.must(query("deviceManagement/remoteActionAudits", "$orderby", "requestDateTime desc",
		"$filter", "action eq 'changeAssignments'")).list()
	if len(rows) != 2 || rows[0]["initiatedByUserPrincipalName"] != ada.UPN ||
		rows[1]["initiatedByUserPrincipalName"] != nil || rows[0]["managedDeviceId"] != d.ID ||
		rows[0]["requestDateTime"] != "2026-03-02T08:01:00Z" {
		t.Error(rows)
	}
	w.site.SetReadings(simulator.Readings{AuditFilterIgnored: true})
	if rows := w.must(query("deviceManagement/remoteActionAudits", "$filter",
		"action eq 'wipe'")).list(); len(rows) != 3 {
		t.Error(rows)
	}
	if got := w.results(d, "syncDevice"); len(got) != 1 || got[0]["actionState"] != "pending" ||
		got[0]["@odata.type"] != "#microsoft.graph.deviceActionResult" {
		t.Error(got)
	}
}

// Microsoft's clients compress what they send.
func TestCompressedBody(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(`{"deviceAssignmentItems":[]}`)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for want, body := range map[int]string{204: packed.String(), 400: "x"} {
		request, err := http.NewRequest("POST", w.url+"/beta/"+managedDevices+"/"+d.ID+
			"/changeAssignments", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+w.token)
		request.Header.Set("Content-Encoding", "gzip")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if response.Body.Close(); response.StatusCode != want {
			t.Errorf("%d, want %d", response.StatusCode, want)
		}
	}
}

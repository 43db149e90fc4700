package simulator_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
)

func TestSetIsWhole(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	p := w.policies("a", "b", "c")
	d := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.IPad})
	w.saysOf(d, "nothing")
	w.mustAct(d, p[0], p[1])
	w.saysOf(d, "pending a:remove:initiated b:remove:initiated")
	w.off(d)
	d.CheckIn()
	w.saysOf(d, "done a:remove:removed b:remove:removed")
	w.off(d, p[0], p[1])

	w.clock.Advance(time.Minute)
	w.mustAct(d, p[1], p[2])
	w.saysOf(d, "pending a:restore:initiated b:remove:initiated c:remove:initiated")
	w.off(d, p[0], p[1])
	d.CheckIn()
	w.saysOf(d, "done a:restore:succeeded b:remove:removed c:remove:removed")
	w.off(d, p[1], p[2])

	w.mustAct(d)
	w.saysOf(d, "pending b:restore:initiated c:restore:initiated") // a is back: it is left out
	d.CheckIn()
	w.off(d)
	w.mustAct(d)
	w.saysOf(d, "done ")
}

func TestResultHasWhatTheReferenceNames(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	wifi := w.tenant.AddItem(simulator.ItemOptions{Name: "Office", AllDevices: true,
		Type: simulator.DeviceConfiguration, Subtype: "wiFi",
		ODataType: "#microsoft.graph.iosWiFiConfiguration"})
	d := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.IPhone})
	body := set(wifi)
	item := body["deviceAssignmentItems"].([]map[string]any)[0]
	item["itemId"] = strings.ToUpper(wifi.ID)
	item["@odata.type"] = "microsoft.graph.deviceAssignmentItem"
	if r := w.call(http.MethodPost, managedDevices+"('"+d.ID+"')/changeAssignments",
		body); r.status != http.StatusNoContent {
		t.Fatalf("%d %s", r.status, r.text)
	}
	d.Fail(wifi, -2016281112, "Remediation failed")
	w.clock.Advance(time.Minute)
	d.CheckIn()
	got := w.results(d, "changeAssignments")[0]
	want := map[string]any{"@odata.type": "#microsoft.graph.changeAssignmentsActionResult",
		"actionState": "failed", "startDateTime": "2026-03-02T08:00:00Z",
		"lastUpdatedDateTime": "2026-03-02T08:01:00Z"}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %v", name, got[name])
		}
	}
	first := got["deviceAssignmentItems"].([]any)[0].(map[string]any)
	for name, value := range map[string]any{"itemId": wifi.ID, "itemType": "deviceConfiguration",
		"itemSubTypeDisplayName": "wiFi", "assignmentItemActionStatus": "error",
		"errorCode": float64(-2016281112), "intentActionMessage": "Remediation failed",
		"lastActionDateTime":   "2026-03-02T08:00:00Z",
		"lastModifiedDateTime": "2026-03-02T08:01:00Z"} {
		if first[name] != value {
			t.Errorf("%s is %v", name, first[name])
		}
	}
	w.off(d)
	d.Mend(wifi)
	d.CheckIn()
	w.saysOf(d, "done Office:remove:removed")
	w.off(d, wifi)
}

func TestListsHaveNoActionResults(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	w.mustAct(d, w.policies("a")...)
	got := w.must(query(managedDevices, "$select", "id,deviceActionResults")).list()
	if len(got) != 1 || got[0]["deviceActionResults"] == nil ||
		len(got[0]["deviceActionResults"].([]any)) != 0 {
		t.Error(got)
	}
}

func TestBadActions(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	p := w.policies("a")[0]
	app := w.tenant.AddItem(simulator.ItemOptions{Name: "app", Type: simulator.Application})
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	pc := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.WindowsPC})
	aosp := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.AndroidAOSP})
	one := func(id any, kind, intent string) string {
		return fmt.Sprintf(`{"deviceAssignmentItems":[{"itemId":%q,"itemType":%q,`+
			`"assignmentItemActionIntent":%q}]}`, id, kind, intent)
	}
	good := one(p.ID, string(p.Type), "remove")
	long := strings.Repeat("a", 41)
	for name, test := range map[string]struct {
		device string
		body   string
		status int
	}{
		"good":         {d.ID, good, 204},
		"another key":  {d.ID, `{"deviceActionPayloads":[]}`, 400},
		"no body":      {d.ID, ``, 400},
		"null":         {d.ID, `{"deviceAssignmentItems":null}`, 400},
		"not an array": {d.ID, `{"deviceAssignmentItems":{}}`, 400},
		"restore":      {d.ID, one(p.ID, string(p.Type), "restore"), 400},
		"other type":   {d.ID, one(p.ID, "deviceConfiguration", "remove"), 400},
		"no type":      {d.ID, one(p.ID, "policy", "remove"), 400},
		"unassigned":   {d.ID, one(app.ID, "application", "remove"), 400},
		"unknown":      {d.ID, one("nothing", "application", "remove"), 400},
		"long id":      {d.ID, one(long, "application", "remove"), 400},
		"Windows":      {pc.ID, good, 400},
		"AOSP":         {aosp.ID, good, 400},
		"no device":    {"00000000-0000-0000-0000-000000000001", good, 404},
		"result's": {d.ID, strings.Replace(good, `"itemType"`, `"errorCode":0,"itemType"`, 1),
			400},
	} {
		t.Run(name, func(t *testing.T) {
			r := w.call(http.MethodPost, managedDevices+"/"+test.device+"/changeAssignments",
				raw(test.body))
			if r.status != test.status || test.status >= 400 && r.code() == "" {
				t.Errorf("%d %s", r.status, r.text)
			}
		})
	}
	twice := w.act(d, p, p)
	if twice.status != http.StatusBadRequest {
		t.Errorf("%d %s", twice.status, twice.text)
	}
}

// raw is a body that is sent as it is.
type raw string

func (r raw) MarshalJSON() ([]byte, error) {
	if r == "" {
		return []byte("null"), nil
	}
	return []byte(r), nil
}

func TestThirtyItems(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	var names []string
	for i := range 31 {
		names = append(names, fmt.Sprintf("p%02d", i))
	}
	p := w.policies(names...)
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	if r := w.act(d, p...); r.status != http.StatusBadRequest {
		t.Fatalf("31: %d", r.status)
	}
	w.mustAct(d, p[:30]...)
	if r := w.act(d, p[1:]...); r.status != http.StatusBadRequest {
		t.Fatalf("30 and one that comes back: %d", r.status)
	}
	d.CheckIn()
	w.off(d, p[:30]...)
}

// Each device has its own hour: between 8 and 24 hours after the first call, or after the last one
// where that begins the time anew.
func TestIntuneRestores(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		t.Run(fmt.Sprint(restarts), func(t *testing.T) {
			w := newWorld(t, simulator.Options{
				Readings: simulator.Readings{RepostRestartsClock: restarts}})
			p := w.policies("a", "b")
			var devices []*simulator.Device
			for range 20 {
				devices = append(devices, w.tenant.Enroll(simulator.DeviceOptions{}))
				w.mustAct(devices[len(devices)-1], p[0])
			}
			w.advance(8*time.Hour - time.Second)
			for _, d := range devices {
				d.CheckIn()
				w.off(d, p[0])
				w.mustAct(d, p...)
			}
			w.advance(16*time.Hour + time.Second)
			late := 0
			for _, d := range devices {
				if slices.Contains(d.ToBeOff(), p[0].ID) {
					late++
				}
			}
			if restarts != (late > 0) || late == len(devices) {
				t.Errorf("after 24 hours %d devices are to have the first off", late)
			}
			w.advance(8 * time.Hour)
			for _, d := range devices {
				d.CheckIn()
				w.off(d)
				w.saysOf(d, "done a:restore:succeeded b:restore:succeeded")
			}
		})
	}
}

func TestReadings(t *testing.T) {
	for name, test := range map[string]struct {
		readings simulator.Readings
		play     func(w *world, d *simulator.Device, p []*simulator.Item)
	}{
		"empty refused": {simulator.Readings{EmptyRefused: true}, playEmptyRefused},
		"by intent":     {simulator.Readings{RestoreByIntent: true}, playByIntent},
		"unknown fails": {simulator.Readings{UnknownItem: simulator.UnknownFails},
			playUnknownFails},
		"unknown fails all": {simulator.Readings{UnknownItem: simulator.UnknownFailsAll},
			playUnknownFailsAll},
		"kept": {simulator.Readings{KeptItemsStay: true},
			func(w *world, d *simulator.Device, p []*simulator.Item) {
				w.mustAct(d, p[:2]...)
				w.saysOf(d, "active a:remove:removed b:remove:initiated")
			}},
		"silent": {simulator.Readings{SilentRestore: true},
			func(w *world, d *simulator.Device, p []*simulator.Item) {
				w.advance(24 * time.Hour)
				w.saysOf(d, "done ")
				w.off(d, p[0])
				d.CheckIn()
				w.off(d)
				w.mustAct(d, p[0])
				d.CheckIn()
				d.CheckIn() // what it was to bring back, it has brought back
				w.off(d, p[0])
			}},
		"for people only": {simulator.Readings{AppOnlyRefused: true},
			func(w *world, d *simulator.Device, p []*simulator.Item) {
				if r := w.act(d, p[1]); r.status != http.StatusForbidden {
					w.Errorf("%d %s", r.status, r.text)
				}
			}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, simulator.Options{})
			p := w.policies("a", "b", "c")
			d := w.tenant.Enroll(simulator.DeviceOptions{})
			w.mustAct(d, p[0])
			d.CheckIn()
			w.site.SetReadings(test.readings)
			test.play(w, d, p)
		})
	}
}

func playEmptyRefused(w *world, d *simulator.Device, _ []*simulator.Item) {
	if r := w.act(d); r.status != http.StatusBadRequest {
		w.Errorf("%d %s", r.status, r.text)
	}
	w.saysOf(d, "done a:remove:removed")
}

func playByIntent(w *world, d *simulator.Device, p []*simulator.Item) {
	w.mustAct(d, p[1])
	d.CheckIn()
	w.off(d, p[0], p[1])
	body := set(p[0])
	body["deviceAssignmentItems"].([]map[string]any)[0]["assignmentItemActionIntent"] = "restore"
	r := w.call(http.MethodPost, managedDevices+"/"+d.ID+"/changeAssignments", body)
	if r.status != http.StatusNoContent {
		w.Errorf("%d %s", r.status, r.text)
	}
	d.CheckIn()
	w.off(d, p[1])
	w.saysOf(d, "done a:restore:succeeded b:remove:removed")
}

// strange names an item that there is not.
func strange(items ...*simulator.Item) map[string]any {
	body := set(items...)
	list := body["deviceAssignmentItems"].([]map[string]any)
	body["deviceAssignmentItems"] = append(list, map[string]any{"itemId": "nothing",
		"itemType": "application", "assignmentItemActionIntent": "remove"})
	return body
}

func playUnknownFails(w *world, d *simulator.Device, p []*simulator.Item) {
	r := w.call(http.MethodPost, managedDevices+"/"+d.ID+"/changeAssignments", strange(p[1]))
	if r.status != http.StatusNoContent {
		w.Fatalf("%d %s", r.status, r.text)
	}
	d.CheckIn()
	w.off(d, p[1])
	got := w.results(d, "changeAssignments")[0]
	if got["actionState"] != "failed" || len(got["deviceAssignmentItems"].([]any)) != 3 {
		w.Error(got)
	}
}

// What is off a device can still be named, though nobody assigns it any more: the set is whole.
func TestUnassignedWhileOff(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	p := w.policies("a", "b")
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	w.mustAct(d, p[0])
	d.CheckIn()
	p[0].Unassign()
	w.mustAct(d, p...)
	w.mustAct(d, p[1])
	if r := w.act(d, p...); r.status != http.StatusBadRequest {
		t.Errorf("what was put back and is not assigned is named: %d", r.status)
	}
}

// What is named with another type is not named: what it was taken for comes back.
func TestNamedAsAnotherType(t *testing.T) {
	w := newWorld(t, simulator.Options{
		Readings: simulator.Readings{UnknownItem: simulator.UnknownFails}})
	p := w.policies("a")
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	w.mustAct(d, p...)
	d.CheckIn()
	body := set(p...)
	body["deviceAssignmentItems"].([]map[string]any)[0]["itemType"] = "application"
	if r := w.call(http.MethodPost, managedDevices+"/"+d.ID+"/changeAssignments",
		body); r.status != http.StatusNoContent {
		t.Fatalf("%d %s", r.status, r.text)
	}
	d.CheckIn()
	w.off(d)
}

func playUnknownFailsAll(w *world, d *simulator.Device, p []*simulator.Item) {
	r := w.call(http.MethodPost, managedDevices+"/"+d.ID+"/changeAssignments", strange(p[1]))
	if r.status != http.StatusNoContent {
		w.Fatalf("%d %s", r.status, r.text)
	}
	d.CheckIn()
	w.off(d, p[0]) // nothing has changed
	for _, one := range w.results(d, "changeAssignments")[0]["deviceAssignmentItems"].([]any) {
		if one.(map[string]any)["assignmentItemActionStatus"] != "error" {
			w.Error(one)
		}
	}
	w.mustAct(d, p[1])
	d.CheckIn()
	w.off(d, p[1])
}

package graph_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

func TestRemoveAndRestore(t *testing.T) {
	s := newSite(t)
	wifi, mail := s.addProfile("wifi"), s.addApp("mail")
	p := s.enrollPhone()
	p.connect()
	started := s.clock.Now()
	p.sync(config(wifi), app(mail))
	checkResult(t, p.result("syncPayloads"), "pending",
		map[string]string{wifi: "remove inProgress", mail: "remove inProgress"})
	s.clock.Advance(time.Minute)
	p.connect()
	r := p.result("syncPayloads")
	checkResult(t, r, "done", map[string]string{wifi: "remove removed", mail: "remove removed"})
	if len(p.has[action.Profiles])+len(p.has[action.Apps]) != 0 {
		t.Errorf("the phone still has %v", p.has)
	}
	if r["startDateTime"] != started.Format(time.RFC3339) ||
		r["lastUpdatedDateTime"] != started.Add(time.Minute).Format(time.RFC3339) {
		t.Errorf("started %v, updated %v", r["startDateTime"], r["lastUpdatedDateTime"])
	}
	p.sync(app(mail))
	p.connect()
	checkResult(t, p.result("syncPayloads"), "done",
		map[string]string{wifi: "restore succeeded", mail: "remove removed"})
	p.sync()
	p.connect()
	checkResult(t, p.result("syncPayloads"), "done", map[string]string{mail: "restore succeeded"})
	if p.has[action.Profiles]["com.example.wifi"] == "" || len(p.has[action.Apps]) != 1 {
		t.Errorf("the phone has %v", p.has)
	}
}

// checkResult holds a result's state, and intent and status of its payloads, against what is
// wanted.
func checkResult(t *testing.T, r object, state string, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	list, _ := r["deviceActionPayloads"].([]any)
	for _, p := range list {
		got[at(p, "payloadId").(string)] = at(p, "intent").(string) + " " + at(p, "status").(string)
	}
	if r["actionState"] != state || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v %v, want %s %v", r["actionState"], got, state, want)
	}
}

func TestBothNamesActOnTheSameSet(t *testing.T) {
	s := newSite(t)
	wifi, mail := s.addProfile("wifi"), s.addApp("mail")
	p := s.enrollPhone()
	p.connect()
	for _, path := range []string{
		p.path() + "/changeAssignments",
		strings.Replace(p.path(), "managedDevices", "comanagedDevices", 1) +
			"/microsoft.graph.changeAssignments",
	} {
		s.must(http.StatusNoContent, "POST", path, object{"deviceAssignmentItems": []object{
			{"itemId": wifi, "itemType": "deviceConfiguration",
				"assignmentItemActionIntent": "remove"}}})
	}
	item := at(p.result("changeAssignments"), "deviceAssignmentItems", 0)
	if at(item, "assignmentItemActionStatus") != "initiated" {
		t.Errorf("got %v, want initiated", item)
	}
	p.connect()
	s.must(http.StatusNoContent, "POST", p.path()+"/microsoft.graph.syncPayloads",
		object{"deviceActionPayloads": []object{app(mail)}})
	p.connect()
	checkResult(t, p.result("syncPayloads"), "done",
		map[string]string{wifi: "restore succeeded", mail: "remove removed"})
	if state := p.result("changeAssignments")["actionState"]; state != "done" {
		t.Errorf("the earlier action is %v", state)
	}
}

func TestSameSetAgainChangesNothing(t *testing.T) {
	s := newSite(t)
	wifi, mail := s.addProfile("wifi"), s.addApp("mail")
	p := s.enrollPhone()
	p.sync(config(wifi), app(mail))
	before := p.result("syncPayloads")
	s.clock.Advance(time.Minute)
	p.sync(app(strings.ToUpper(mail)), config(strings.ToUpper(wifi)))
	if after := p.result("syncPayloads"); !reflect.DeepEqual(before, after) {
		t.Errorf("got %v, want %v", after, before)
	}
}

func TestIDsInAnotherCase(t *testing.T) {
	s := newSite(t)
	mail := s.addApp("mail")
	p := s.enrollPhone()
	path := devices + "/" + strings.ToUpper(string(p.id))
	s.must(http.StatusNoContent, "POST", path+"/syncPayloads",
		object{"deviceActionPayloads": []object{app(strings.ToUpper(mail))}})
	if a := s.must(http.StatusOK, "GET", path, nil); a.body["id"] != string(p.id) {
		t.Errorf("got %v", a.body["id"])
	}
	checkResult(t, p.result("syncPayloads"), "pending",
		map[string]string{mail: "remove inProgress"})
}

func TestErrorIsShownWithItsCode(t *testing.T) {
	s := newSite(t)
	wifi := s.addProfile("wifi")
	p := s.enrollPhone()
	p.connect()
	p.fail["com.example.wifi"] = action.Outcome{Verdict: action.Permanent, Code: 12024,
		Detail: strings.Repeat("ü", 1600)}
	items := object{"deviceAssignmentItems": []object{{"itemId": wifi,
		"itemType": "deviceConfiguration"}}}
	s.must(http.StatusNoContent, "POST", p.path()+"/changeAssignments", items)
	p.connect()
	r := p.result("changeAssignments")
	item := at(r, "deviceAssignmentItems", 0)
	if r["actionState"] != "failed" || at(item, "assignmentItemActionStatus") != "error" ||
		at(item, "errorCode") != json.Number("12024") ||
		at(item, "intentActionMessage") != strings.Repeat("ü", 1500) {
		t.Errorf("got %v", r)
	}
}

func TestRestoreAfter(t *testing.T) {
	s := newSite(t)
	mail := s.addApp("mail")
	p := s.enrollPhone()
	set := object{"deviceActionPayloads": []object{app(mail)}}
	for value, want := range map[string]time.Duration{
		"": 8 * time.Hour, "0": 0, "90": 90 * time.Second, "90m": 90 * time.Minute,
		"PT8H":       8 * time.Hour,
		"P1DT2H3M4S": 26*time.Hour + 184*time.Second,
		"P52W":       364 * 24 * time.Hour, "8760h": 8760 * time.Hour,
	} {
		s.must(http.StatusNoContent, "POST", p.path()+"/syncPayloads", set, "Restore-After", value)
		actions, err := s.engine.Actions(t.Context(), p.id)
		if err != nil || actions[0].RestoreAfter != want {
			t.Errorf("%q: got %s, %v; want %s", value, actions[0].RestoreAfter, err, want)
		}
	}
	before := p.result("syncPayloads")
	for _, value := range []string{"-1", "x", "P", "PT", "P1DT", "P1Y", "P1M", "PT1.5S", "8761h",
		"366d", "P366D", "1h-", "9999999999"} {
		a := s.call("POST", p.path()+"/syncPayloads", set, "Restore-After", value)
		if a.status != http.StatusBadRequest || !strings.Contains(a.message(), "Restore-After") {
			t.Errorf("%q: got %s", value, a)
		}
	}
	if after := p.result("syncPayloads"); !reflect.DeepEqual(before, after) {
		t.Error("a refused call changed the action")
	}
}

func TestSyncDevice(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	p.connect()
	if task, err := s.engine.Idle(t.Context(), p.id); err != nil || task != nil {
		t.Fatalf("the phone is not done: %v, %v", task, err)
	}
	s.must(http.StatusNoContent, "POST", p.path()+"/syncDevice", nil)
	task, err := s.engine.Idle(t.Context(), p.id)
	if err != nil || task == nil || task.Kind != action.TakeInventory {
		t.Fatalf("the phone is asked for %v, %v; want an inventory", task, err)
	}
	s.must(http.StatusNoContent, "POST", p.path()+"/microsoft.graph.syncDevice", object{})
	s.must(http.StatusBadRequest, "POST", p.path()+"/syncDevice", object{"force": true})
	s.must(http.StatusNotFound, "POST", devices+"/0b8ccbe0-5c39-4f0a-9c3c-000000000001/syncDevice",
		nil)
}

// TestSpecifiedShape holds what is served against the written source: every property, no other, and
// its JSON type.
func TestSpecifiedShape(t *testing.T) {
	s := newSite(t)
	mail := s.addApp("mail")
	p := s.enrollPhone()
	p.sync(app(mail))
	s.must(http.StatusNoContent, "POST", p.path()+"/changeAssignments",
		object{"deviceAssignmentItems": []object{{"itemId": mail, "itemType": "application"}}})
	s.clock.Advance(123456 * time.Microsecond)
	p.connect()
	result := map[string]string{"@odata.type": "string", "actionName": "string",
		"actionState":   "string",
		"startDateTime": "time", "lastUpdatedDateTime": "time"}

	payloads := p.result("syncPayloads")
	checkShape(t, payloads, result, map[string]string{"deviceActionPayloads": "collection"})
	checkShape(t, at(payloads, "deviceActionPayloads", 0),
		map[string]string{"@odata.type": "string", "@syncpayloads.step": "string",
			"payloadId":   "string",
			"payloadType": "string", "displayName": "string", "intent": "string",
			"status":    "string",
			"detail":    "string",
			"errorCode": "number", "errorCode@syncpayloads.source": "string",
			"errorCode@syncpayloads.meaning": "string", "errorCode@syncpayloads.advice": "string",
			"lastModifiedDateTime": "time"})
	items := p.result("changeAssignments")
	checkShape(t, items, result, map[string]string{"deviceAssignmentItems": "collection"})
	checkShape(t, at(items, "deviceAssignmentItems", 0),
		map[string]string{"@odata.type": "string", "@syncpayloads.step": "string",
			"itemId":   "string",
			"itemType": "string", "itemDisplayName": "string", "itemSubTypeDisplayName": "string",
			"assignmentItemActionIntent": "string",
			"assignmentItemActionStatus": "string", "intentActionMessage": "null",
			"errorCode":          "number",
			"lastActionDateTime": "time", "lastModifiedDateTime": "time"})
	for _, tt := range []struct {
		v    any
		want string
	}{
		{payloads["@odata.type"], "#microsoft.graph.syncPayloadsActionResult"},
		{at(payloads, "deviceActionPayloads", 0, "@syncpayloads.step"), "failed"}, // superseded
		{at(items, "deviceAssignmentItems", 0, "@syncpayloads.step"), "verified"},
		{at(payloads, "deviceActionPayloads", 0, "@odata.type"),
			"microsoft.graph.deviceActionPayload"},
		{items["@odata.type"], "#microsoft.graph.changeAssignmentsActionResult"},
		{at(items, "deviceAssignmentItems", 0, "@odata.type"),
			"microsoft.graph.deviceAssignmentItem"},
		{at(items, "deviceAssignmentItems", 0, "itemSubTypeDisplayName"), "application"},
		{payloads["actionState"], "canceled"},
		{items["actionState"], "done"},
	} {
		if tt.v != tt.want {
			t.Errorf("got %v, want %s", tt.v, tt.want)
		}
	}
}

func checkShape(t *testing.T, v any, wants ...map[string]string) {
	t.Helper()
	served := v.(object)
	count := 0
	for _, want := range wants {
		count += len(want)
		for name, kind := range want {
			value, ok := served[name]
			if !ok || !hasKind(value, kind) {
				t.Errorf("%s is %#v, want %s", name, value, kind)
			}
		}
	}
	if count != len(served) {
		t.Errorf("served %d properties, specified are %d: %v", len(served), count, served)
	}
}

func hasKind(v any, kind string) bool {
	switch kind {
	case "null":
		return v == nil
	case "number":
		_, ok := v.(json.Number)
		return ok
	case "collection":
		_, ok := v.([]any)
		return ok
	case "time":
		text, _ := v.(string)
		_, err := time.Parse(time.RFC3339, text)
		return err == nil && strings.HasSuffix(text, "Z")
	default:
		text, ok := v.(string)
		return ok && text != ""
	}
}

func TestNoMoreThanThirtyResults(t *testing.T) {
	s := newSite(t)
	var all []object
	for i := range 31 {
		all = append(all, app(s.addApp("app"+string(rune('a'+i%26))+string(rune('a'+i/26)))))
	}
	p := s.enrollPhone()
	p.sync(all[:30]...)
	p.connect()
	before := p.result("syncPayloads")
	if n := len(before["deviceActionPayloads"].([]any)); n != 30 {
		t.Fatalf("%d elements", n)
	}
	// The set is within the limit, but with what it restores the result is not.
	a := s.must(http.StatusBadRequest, "POST", p.path()+"/syncPayloads",
		object{"deviceActionPayloads": []object{all[30]}})
	if a.code() != "BadRequest" || !strings.Contains(a.message(), "deviceActionPayloads") ||
		!strings.Contains(a.message(), "31") {
		t.Errorf("got %s", a)
	}
	if after := p.result("syncPayloads"); !reflect.DeepEqual(before, after) {
		t.Error("a refused call changed the action")
	}
}

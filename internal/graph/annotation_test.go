package graph_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestMetadataLevels(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	wifi := s.addProfile("wifi")
	p.sync(config(wifi))
	for _, accept := range []string{"", "*/*", "application/json", "text/html",
		"application/json;odata.metadata=minimal;odata.streaming=true",
		"text/html, application/json; odata.metadata=minimal; charset=UTF-8; q=0.5"} {
		a := s.must(http.StatusOK, "GET", p.path(), nil, "Accept", accept)
		if got := a.header.Get("Content-Type"); got != "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8" {
			t.Errorf("%q: Content-Type is %q", accept, got)
		}
		if a.body["@odata.context"] == nil || a.body["@odata.id"] != nil ||
			at(a.body, "deviceActionResults", 0, "@odata.type") == nil {
			t.Errorf("%q: got %s", accept, a)
		}
	}
	for _, accept := range []string{"application/json;odata.metadata=most",
		"application/json;odata.metadata=", "application/json;IEEE754Compatible=maybe",
		"application/json;odata.streaming=1", "application/json;charset=latin1",
		"application/json;colour=red"} {
		a := s.call("GET", p.path(), nil, "Accept", accept)
		if a.status != http.StatusBadRequest || at(a.body, "error", "target") != "Accept" {
			t.Errorf("%q: got %s", accept, a)
		}
	}
	none := s.must(http.StatusOK, "GET", devices+"?$count=true&$top=1", nil, "Accept",
		"application/json;odata.metadata=none")
	if strings.Contains(strings.ReplaceAll(string(none.text), "@odata.count", ""), "@odata.") ||
		none.body["@odata.count"] == nil ||
		at(none.body, "value", 0, "deviceName") != "Anna's iPhone" ||
		!strings.Contains(none.header.Get("Content-Type"), "odata.metadata=none") {
		t.Errorf("none: %s", none)
	}
	// Our own part of the surface has one form.
	own := s.must(http.StatusOK, "GET", "/api/devices/"+string(p.id)+"/payloads", nil, "Accept",
		"application/json;odata.metadata=none")
	if own.header.Get("Content-Type") != "application/json" {
		t.Errorf("own: %v", own.header)
	}
}

func TestFullMetadata(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	wifi := s.addProfile("wifi")
	p.sync(config(wifi))
	const full = "application/json;odata.metadata=full"
	a := s.must(http.StatusOK, "GET", p.path(), nil, "Accept", full)
	for name, want := range map[string]any{
		"@odata.type": "#microsoft.graph.managedDevice", "@odata.id": s.URL + p.path(),
		"@odata.editLink":                s.URL + p.path(),
		"enrolledDateTime@odata.type":    "#DateTimeOffset",
		"managementState@odata.type":     "#microsoft.graph.managementState",
		"roleScopeTagIds@odata.type":     "#Collection(String)",
		"deviceActionResults@odata.type": "#Collection(microsoft.graph.deviceActionResult)",
		"isSupervised@odata.type":        nil, "deviceName@odata.type": nil,
		"userId@odata.type": nil,
	} {
		if a.body[name] != want {
			t.Errorf("%s is %v, want %v", name, a.body[name], want)
		}
	}
	payload := at(a.body, "deviceActionResults", 0, "deviceActionPayloads", 0)
	if at(payload, "errorCode@odata.type") != "#Int64" ||
		at(payload, "status@odata.type") != "#microsoft.graph.deviceActionPayloadStatus" ||
		at(payload, "errorCode") == nil {
		t.Errorf("payload: %v", payload)
	}
	if context := string(a.text); !strings.HasPrefix(context, `{"@odata.context":`) {
		t.Errorf("the context is not first: %.100s", a.text)
	}
	list := s.must(http.StatusOK, "GET", configurations+"?$select=id,displayName", nil, "Accept",
		full).values()
	if list[0]["@odata.type"] != "#microsoft.graph.iosCustomConfiguration" ||
		list[0]["@odata.editLink"] != s.URL+configurations+"/"+wifi ||
		list[0]["assignments@odata.navigationLink"] != s.URL+configurations+"/"+wifi+"/assignments" {
		t.Errorf("listed %v", list)
	}
	// The links lead to what they are of.
	s.must(http.StatusOK, "GET", list[0]["@odata.id"].(string), nil)
	s.must(http.StatusOK, "GET", list[0]["assignments@odata.navigationLink"].(string), nil)
	event := s.must(http.StatusOK, "GET", auditEvents+"?$top=1", nil, "Accept", full).values()[0]
	if event["@odata.editLink"] != nil || event["@odata.readLink"] != event["@odata.id"] ||
		event["sequence@odata.type"] != "#Int64" {
		t.Errorf("event %v", event)
	}
	// What is read with all annotations can be sent back.
	made := s.must(http.StatusOK, "GET", configurations+"/"+wifi, nil, "Accept", full).body
	for _, readOnly := range []string{"id", "createdDateTime", "lastModifiedDateTime", "version"} {
		made[readOnly] = nil
	}
	s.must(http.StatusOK, "PATCH", configurations+"/"+wifi, made)
}

func TestLongNumbersAsText(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	p.sync(config(s.addProfile("wifi")))
	a := s.must(http.StatusOK, "GET", p.path(), nil, "Accept",
		"application/json;IEEE754Compatible=true")
	if at(a.body, "deviceActionResults", 0, "deviceActionPayloads", 0, "errorCode") != "0" ||
		!strings.Contains(a.header.Get("Content-Type"), "IEEE754Compatible=true") {
		t.Errorf("got %s", a)
	}
}

func TestEvolvingEnumerations(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	p.sync(config(s.addProfile("wifi")))
	a := s.must(http.StatusOK, "GET", remoteActionAudits, nil)
	if a.values()[0]["action"] != "unknownFutureValue" ||
		a.values()[0]["actionState"] != "pending" {
		t.Errorf("who does not know of later members got %s", a)
	}
	for _, prefer := range []string{"include-unknown-enum-members",
		"return=minimal,  Include-Unknown-Enum-Members"} {
		a := s.must(http.StatusOK, "GET", remoteActionAudits, nil, "Prefer", prefer)
		if a.values()[0]["action"] != "syncPayloads" ||
			!slices.Contains(a.header.Values("Preference-Applied"),
				"include-unknown-enum-members") {
			t.Errorf("%s: got %v %s", prefer, a.header, a)
		}
	}
	// The action's own enumerations have nothing behind unknownFutureValue.
	if state := p.result("syncPayloads")["actionState"]; state != "pending" {
		t.Errorf("the state is %v", state)
	}
}

func TestReturnPreference(t *testing.T) {
	s := newSite(t)
	group := object{"displayName": "a"}
	a := s.must(http.StatusNoContent, "POST", groups, group, "Prefer", "return=minimal")
	at := a.header.Get("Location")
	if at == "" || a.header.Get("OData-EntityId") != at ||
		a.header.Get("Preference-Applied") != "return=minimal" || len(a.text) > 0 ||
		a.header.Get("Content-Type") != "" {
		t.Errorf("got %v %s", a.header, a)
	}
	s.must(http.StatusOK, "GET", at, nil)
	a = s.must(http.StatusCreated, "POST", groups, group, "Prefer", "return=representation")
	if a.header.Get("Preference-Applied") != "return=representation" || a.body["id"] == nil {
		t.Errorf("got %v %s", a.header, a)
	}
	wifi := s.addProfile("wifi")
	a = s.must(http.StatusNoContent, "PATCH", configurations+"/"+wifi, object{"displayName": "b"},
		"Prefer", `return="minimal"`)
	if a.header.Get("ETag") == "" {
		t.Errorf("no ETag: %v", a.header)
	}
	a = s.must(http.StatusOK, "PATCH", configurations+"/"+wifi, object{"displayName": "c"})
	if a.header.Get("Preference-Applied") != "" {
		t.Errorf("applied unasked: %v", a.header)
	}
	// What is no write, and what is refused, has its body.
	s.must(http.StatusOK, "GET", groups, nil, "Prefer", "return=minimal")
	s.must(http.StatusOK, "POST", "/beta/$batch",
		object{"requests": []object{{"id": "1", "method": "GET", "url": "/groups"}}}, "Prefer",
		"return=minimal")
	checkError(t, s.must(http.StatusBadRequest, "POST", groups, object{}, "Prefer",
		"return=minimal"))
	s.must(http.StatusBadRequest, "GET", groups, nil, "Prefer",
		"return=minimal, return=representation")
}

package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// appStates is where the states of apps are: devices have no user.
const appStates = "/beta/users/00000000-0000-0000-0000-000000000000/mobileAppIntentAndStates"

// stateOf is the payload whose state on the world's device a relationship has.
func (w *world) stateOf(states string) string {
	if states == "deviceConfigurationStates" {
		return w.payload
	}
	return w.ids["mobileAppConfigurations"]
}

// standing is how a payload stands on the phone, by the list of its kind and by itself, which must
// be the same.
func (p *phone) standing(set, id string) object {
	p.t.Helper()
	list := p.must(http.StatusOK, "GET", p.path()+"/"+set, nil).values()
	i := slices.IndexFunc(list, func(s object) bool { return s["id"] == id })
	if i < 0 {
		p.t.Fatalf("%s is not among %v", id, list)
	}
	one := p.must(http.StatusOK, "GET", p.path()+"/"+set+"/"+id, nil).body
	for name, value := range list[i] {
		if fmt.Sprint(one[name]) != fmt.Sprint(value) {
			p.t.Errorf("%s is %v in the list and %v by itself", name, value, one[name])
		}
	}
	return one
}

func (p *phone) appState(id string) object {
	p.t.Helper()
	for _, path := range []string{appStates + "/" + string(p.id),
		"/beta/users('00000000-0000-0000-0000-000000000000')/mobileAppIntentAndStates('" +
			string(p.id) + "')"} {
		a := p.must(http.StatusOK, "GET", path, nil)
		list, _ := a.body["mobileAppList"].([]any)
		i := slices.IndexFunc(list, func(v any) bool { return at(v, "applicationId") == id })
		if i < 0 || a.body["managedDeviceIdentifier"] != string(p.id) {
			p.t.Fatalf("%s has no state in %s", id, a)
		}
		if path != appStates+"/"+string(p.id) {
			return list[i].(object)
		}
	}
	return nil
}

// The states of payloads, in Graph's words, follow what the device shows, and tell what is removed
// for a while.
func TestPayloadStates(t *testing.T) {
	s := newSite(t)
	wifi, mail := s.addProfile("wifi"), s.addApp("mail")
	p := s.enrollPhone()
	check := func(when, state, install string, removed bool) {
		t.Helper()
		c, a := p.standing("deviceConfigurationStates", wifi), p.appState(mail)
		if c["state"] != state || at(c, "syncpayloads", "removed") != removed {
			t.Errorf("%s: the profile is %v", when, c)
		}
		if a["installState"] != install || at(a, "syncpayloads", "removed") != removed ||
			(a["mobileAppIntent"] == "requiredInstall") == removed {
			t.Errorf("%s: the app is %v", when, a)
		}
	}
	check("assigned", "unknown", "pendingInstall", false)
	p.connect()
	check("installed", "compliant", "installed", false)
	c := p.standing("deviceConfigurationStates", wifi)
	for name, want := range map[string]any{"displayName": "wifi", "platformType": "iOS",
		"version": "1", "settingCount": "1",
		"userId": "00000000-0000-0000-0000-000000000000", "userPrincipalName": nil} {
		if fmt.Sprint(c[name]) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", name, c[name], want)
		}
	}
	p.sync(config(wifi), app(mail))
	check("on its way off", "unknown", "installed", true)
	p.connect()
	check("off", "notAssigned", "notInstalled", true)
	c = p.standing("deviceConfigurationStates", wifi)
	if at(c, "syncpayloads",
		"restoreDateTime") != s.clock.Now().Add(8*time.Hour).Format(time.RFC3339) ||
		at(c, "syncpayloads", "removedBy") != "help desk" {
		t.Errorf("what is removed is %v", c["syncpayloads"])
	}
	p.fail["com.example.wifi"] = action.Outcome{Verdict: action.Permanent, Code: 4001, Detail: "no"}
	p.fail["com.example.mail"] = p.fail["com.example.wifi"]
	p.sync()
	p.connect()
	check("refused", "error", "failed", false)
	c = p.standing("deviceConfigurationStates", wifi)
	if fmt.Sprint(at(c, "settingStates", 0, "errorCode")) != "4001" ||
		at(c, "settingStates", 0, "state") != "error" {
		t.Errorf("the error is %v", c["settingStates"])
	}
}

// The list of states takes the options of lists, and pages in every order without loss or repeat.
func TestPayloadStateOptions(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{"Bee", "ant", "cat", "Dog", "eel"} {
		s.addProfile(name)
	}
	p := s.enrollPhone()
	p.connect()
	path := p.path() + "/deviceConfigurationStates"
	shown := func(a answer) string {
		var list []string
		for _, v := range a.values() {
			list = append(list, fmt.Sprint(v["displayName"]))
		}
		return strings.Join(list, " ")
	}
	for options, want := range map[string]string{
		"$orderby=displayName":                                                 "ant Bee cat Dog eel",
		"$orderby=displayName%20desc&$top=2":                                   "eel Dog",
		"$orderby=displayName&$skip=3":                                         "Dog eel",
		"$orderby=displayName&$filter=displayName%20lt%20'CAT'":                "ant Bee",
		"$filter=state%20eq%20'compliant'%20and%20startswith(displayName,'b')": "Bee",
		"$filter=state%20ne%20'compliant'":                                     "",
		"$filter=not(settingCount%20eq%201)":                                   "",
		"$filter=displayName%20in%20('ant','eel')&$orderby=displayName":        "ant eel",
		"$filter=displayName%20eq%20null":                                      "",
		"$filter=contains(displayName,'e')&$orderby=displayName%20desc":        "eel Bee",
		"$search=\"O\"": "Dog",
		"$filter=endswith(displayName,'T')%20and%20version%20ge%201&$orderby=displayName": "ant cat",
	} {
		a := s.call("GET", path+"?"+options, nil)
		if a.status != http.StatusOK || shown(a) != want {
			t.Errorf("%s: got %s, want %s", options, shown(a), want)
		}
	}
	for _, order := range []string{"", "&$orderby=displayName",
		"&$orderby=state,displayName%20desc", "&$orderby=version%20desc"} {
		seen := map[string]int{}
		for next := path + "?$top=2&$count=true" + order; next != ""; {
			a := s.must(http.StatusOK, "GET", next, nil)
			if fmt.Sprint(a.body["@odata.count"]) != "5" {
				t.Errorf("the count is %v", a.body["@odata.count"])
			}
			for _, v := range a.values() {
				seen[fmt.Sprint(v["displayName"])]++
			}
			next, _ = a.body["@odata.nextLink"].(string)
		}
		if len(seen) != 5 || slices.Max([]int{seen["ant"], seen["Bee"], seen["cat"], seen["Dog"],
			seen["eel"]}) > 1 {
			t.Errorf("%s: the walk saw %v", order, seen)
		}
	}
	if a := s.must(http.StatusOK, "GET", path+"/$count?$filter=startswith(displayName,'B')",
		nil); string(a.text) != "1" {
		t.Errorf("counted %s", a)
	}
	for _, options := range []string{"$filter=state%20eq%20'broken'",
		"$filter=settingStates%20eq%20null", "$orderby=settingCount", "$skiptoken=x",
		"$select=sources", "$expand=x"} {
		if a := s.call("GET", path+"?"+options, nil); a.status != http.StatusBadRequest {
			t.Errorf("%s: got %s", options, a)
		}
	}
	first := s.must(http.StatusOK, "GET", path+"?$top=2", nil).body["@odata.nextLink"].(string)
	if a := s.call("GET", first+"&$orderby=version", nil); a.status != http.StatusBadRequest {
		t.Errorf("a token of another order: got %s", a)
	}
}

// With odata.metadata=full a state has the path under its device, in each version that has it.
func TestPayloadStateLinks(t *testing.T) {
	s := newSite(t)
	wifi := s.addProfile("wifi")
	p := s.enrollPhone()
	for version, status := range map[string]int{"/beta/": http.StatusOK, "/v1.0/": http.StatusOK} {
		path := strings.Replace(p.path(), "/beta/", version, 1) + "/deviceConfigurationStates"
		a := s.must(status, "GET", path, nil, "Accept", "application/json;odata.metadata=full")
		if got := at(a.body, "value", 0, "@odata.id"); got != s.URL+path+"/"+wifi {
			t.Errorf("the state's id is %v", got)
		}
		one := s.must(status, "GET", path+"/"+wifi, nil, "Accept",
			"application/json;odata.metadata=full")
		if one.body["@odata.id"] != s.URL+path+"/"+wifi ||
			one.body["@odata.type"] != "#microsoft.graph.deviceConfigurationState" {
			t.Errorf("the state is %s", one)
		}
	}
	for _, path := range []string{"/v1.0/deviceManagement/managedDevices/" + string(p.id) +
		"/managedDeviceMobileAppConfigurationStates",
		strings.Replace(appStates, "/beta/", "/v1.0/", 1),
		strings.Replace(appStates, "00000000", "10000000", 1)} {
		if a := s.call("GET", path, nil); a.status != http.StatusNotFound {
			t.Errorf("%s: got %s", path, a)
		}
	}
}

// The history tells of each payload what kind of policy or app it is, whatever the action's name.
func TestSubTypesInHistory(t *testing.T) {
	s := newSite(t)
	wifi, mail := s.addProfile("wifi"), s.addApp("mail")
	p := s.enrollPhone()
	p.connect()
	p.fail["com.example.wifi"] = action.Outcome{Verdict: action.Permanent, Code: 1, Detail: "no"}
	p.sync(config(wifi), app(mail))
	p.connect()
	own := "/api/devices/" + string(p.id)
	last := s.must(http.StatusOK, "GET", own+"/actions", nil).values()[0]
	items := last["deviceActionPayloads"].([]any)
	kinds := map[any]any{wifi: "wiFi", mail: "application"}
	for _, item := range items {
		if at(item, "subType") != kinds[at(item, "payloadId")] {
			t.Errorf("got %v", item)
		}
	}
	if recent := at(s.must(http.StatusOK, "GET", "/api/failures", nil).body, "recent",
		0); at(recent, "subType") != "wiFi" ||
		at(recent, "payloadType") != "deviceConfiguration" || len(items) != 2 {
		t.Errorf("the failure is %v, of %d items", recent, len(items))
	}
	if _, ok := at(p.result("syncPayloads"), "deviceActionPayloads", 0).(object)["subType"]; ok {
		t.Error("Graph's deviceActionPayload has no subType")
	}
}

// Keys may stand in parentheses, as OData has it.
func TestKeysInParentheses(t *testing.T) {
	s := newSite(t)
	wifi := s.addProfile("wifi")
	p := s.enrollPhone()
	id := string(p.id)
	for path, status := range map[string]int{
		devices + "('" + id + "')": http.StatusOK,
		devices + "(%27" + id + "%27)/deviceConfigurationStates('" + wifi + "')": http.StatusOK,
		"/v1.0/deviceManagement/managedDevices('" + id + "')?$select=id":         http.StatusOK,
		"/v1.0/deviceManagement/managedDevices('" + id +
			"')?$apply=x": http.StatusBadRequest,
		devices + "('')":                      http.StatusNotFound,
		devices + "('" + id + "x')":           http.StatusNotFound,
		devices + "('" + id + "')('x')":       http.StatusNotFound,
		devices + "(" + id + ")":              http.StatusNotFound,
		devices + "('..')":                    http.StatusNotFound,
		devices + "('a%2F" + id + "')":        http.StatusNotFound,
		"/api/devices('" + id + "')/payloads": http.StatusNotFound,
	} {
		if a := s.call("GET", path, nil); a.status != status {
			t.Errorf("%s: got %s, want %d", path, a, status)
		}
	}
	a := s.must(http.StatusNoContent, "POST", devices+"('"+id+"')/syncPayloads",
		object{"deviceActionPayloads": []object{config(wifi)}})
	if a.header.Get("request-id") == "" {
		t.Errorf("got %s", a)
	}
}

// A device's coming is an event of its own, which tells of no action.
func TestStreamTellsOfMembership(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	first := (&world{site: s}).snapshot(s.token, "/api/events?after=0").body
	if first["type"] != "deviceEnrolled" || first["deviceId"] != string(p.id) ||
		first["dateTime"] == nil || len(first) != 4 {
		t.Errorf("the first event is %v", first)
	}
}

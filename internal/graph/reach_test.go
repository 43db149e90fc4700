package graph_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// limitedTo is the bearer of a Help Desk Operator who reaches what carries one scope tag.
func (s *site) limitedTo(tag string) string {
	s.t.Helper()
	_, bearer, err := s.tokens.Create(s.t.Context(),
		access.TokenInput{Name: "limited to " + tag, Role: access.HelpDeskOperator,
			Tags: []string{tag}})
	if err != nil {
		s.t.Fatal(err)
	}
	return bearer
}

func (s *site) addTag(name string) string {
	s.t.Helper()
	tag, err := s.roles.CreateTag(s.t.Context(), access.TagInput{Name: name})
	if err != nil {
		s.t.Fatal(err)
	}
	return tag.ID
}

// halves is a phone with a VPN that a limited help desk reaches and a Wi-Fi that it does not.
func halves(t *testing.T) (p *phone, vpn, wifi, bearer string) {
	t.Helper()
	s := newSite(t)
	tag := s.addTag("Help desk")
	p = s.enrollPhone()
	vpn, wifi = s.addProfile("vpn"), s.addProfile("wifi")
	s.must(http.StatusOK, "PATCH", p.path(), object{"roleScopeTagIds": []string{tag, "0"}})
	s.must(http.StatusOK, "PATCH", configurations+"/"+vpn, object{"roleScopeTagIds": []string{tag}})
	p.connect()
	return p, vpn, wifi, "Bearer " + s.limitedTo(tag)
}

func set(elements ...object) object {
	return object{"deviceActionPayloads": append([]object{}, elements...)}
}

// What somebody does not reach they can neither name nor restore by leaving it out, and do not see.
func TestSetLeavesAloneWhatIsBeyond(t *testing.T) {
	p, vpn, wifi, limited := halves(t)
	p.must(http.StatusNoContent, "POST", p.path()+"/syncPayloads", set(config(wifi)),
		"Restore-After", "1h")
	p.connect()
	p.must(http.StatusBadRequest, "POST", p.path()+"/syncPayloads", set(config(wifi)),
		"Authorization", limited)
	p.clock.Advance(30 * time.Minute)
	p.must(http.StatusNoContent, "POST", p.path()+"/syncPayloads", set(config(vpn)),
		"Authorization", limited, "Restore-After", "8h")
	p.connect()
	all := p.must(http.StatusOK, "GET", "/api/devices/"+string(p.id)+"/payloads", nil).values()
	for _, payload := range all {
		want := "2025-02-13T18:47:05Z" // eight hours after the later call
		if payload["id"] == wifi {
			want = "2025-02-13T11:17:05Z" // an hour after its own
		}
		if payload["removed"] != true || payload["presence"] != "absent" ||
			payload["restoreDateTime"] != want {
			t.Errorf("got %v, want it removed until %s", payload, want)
		}
	}
	p.must(http.StatusNoContent, "POST", p.path()+"/syncPayloads", set(), "Authorization", limited)
	p.connect()
	if r := p.result("syncPayloads"); len(r["deviceActionPayloads"].([]any)) != 2 {
		t.Errorf("an administrator sees %v", r)
	}
	number := fmt.Sprint(p.must(http.StatusOK, "GET",
		"/api/devices/"+string(p.id)+"/actions?$top=1", nil).values()[0]["number"])
	for _, path := range []string{p.path() + "?$select=deviceActionResults",
		devices + "?$select=deviceActionResults", "/api/devices/" + string(p.id) + "/payloads",
		"/api/devices/" + string(p.id) + "/actions",
		"/api/devices/" + string(p.id) + "/actions/" + number + "/events", "/api/removed",
		configurations} {
		a := p.must(http.StatusOK, "GET", path, nil, "Authorization", limited)
		if strings.Contains(string(a.text), wifi) {
			t.Errorf("%s shows what is beyond: %s", path, a)
		}
		if full := p.must(http.StatusOK, "GET", path, nil); !strings.Contains(string(full.text),
			wifi) {
			t.Errorf("%s does not show it to an administrator: %s", path, full)
		}
	}
	removed := p.must(http.StatusOK, "GET", "/api/removed", nil).values()
	if len(removed) != 1 || removed[0]["payloadId"] != wifi ||
		removed[0]["removedBy"] != "help desk" || removed[0]["deviceName"] != "Anna's iPhone" {
		t.Errorf("removed now: %v", removed)
	}
}

// A preview tells what the call then does, and changes nothing.
func TestPreview(t *testing.T) {
	p, vpn, wifi, limited := halves(t)
	app := p.addApp("notes")
	p.connect()
	p.sync(config(vpn))
	p.connect()
	before := p.must(http.StatusOK, "GET", "/api/devices/"+string(p.id)+"/payloads", nil)
	body := set(config(wifi), object{"payloadId": app, "payloadType": "deviceConfiguration"},
		config("7f1c9c1e-0000-4000-8000-000000000000"))
	got := p.must(http.StatusOK, "POST", p.path()+"/syncPayloads/preview", body).body
	for list, want := range map[string]string{"remove": wifi, "restore": vpn, "unchanged": "",
		"closed": "", "leftAlone": app} {
		items := got[list].([]any)
		if want == "" && len(items) == 0 {
			continue
		}
		if len(items) != 1 || at(items, 0, "payloadId") != want {
			t.Errorf("%s: got %v, want %s", list, items, want)
		}
	}
	if at(got, "remove", 0, "warnings", 0,
		"message") != "it carries the Wi-Fi network “Campus”, by which the device may reach the server" ||
		at(got, "remove", 0, "warnings", 0, "certain") != false {
		t.Errorf("no warning of the Wi-Fi: %v", got["remove"])
	}
	if refused := got["refused"].([]any); len(refused) != 2 || at(refused, 0, "payloadId") != app ||
		at(refused, 0, "message") != "It is of type 'application'." {
		t.Errorf("refused: %v", refused)
	}
	seen := p.must(http.StatusOK, "POST", p.path()+"/changeAssignments/preview",
		object{"deviceAssignmentItems": []object{
			{"itemId": wifi, "itemType": "deviceConfiguration"},
			{"itemId": vpn, "itemType": "deviceConfiguration"}}}, "Authorization", limited)
	if at(seen.body, "refused", 0, "itemId") != wifi ||
		at(seen.body, "unchanged", 0, "itemId") != vpn || strings.Contains(string(seen.text), app) {
		t.Errorf("the limited see %s", seen)
	}
	after := p.must(http.StatusOK, "GET", "/api/devices/"+string(p.id)+"/payloads", nil)
	if string(before.text) != string(after.text) {
		t.Errorf("the preview changed %s into %s", before, after)
	}
}

// Devices are found by the state of their latest actions.
func TestFilterByAction(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	vpn := s.addProfile("vpn")
	p.connect()
	find := func(filter string) int {
		t.Helper()
		a := s.must(http.StatusOK, "GET", devices+"?$count=true&$filter="+strings.ReplaceAll(filter,
			" ", "%20"), nil)
		return len(a.values())
	}
	none := "deviceActionResults/any()"
	if n := find(none) + find("deviceActionResults/any(a:a/actionState eq 'done')"); n != 0 {
		t.Errorf("found %d without an action", n)
	}
	p.sync(config(vpn))
	for filter, want := range map[string]int{
		none:          1,
		"not " + none: 0,
		"deviceActionResults/any(a:a/actionState eq 'pending')":                                          1,
		"deviceActionResults/any(a: a/actionState in ('done','failed'))":                                 0,
		"deviceActionResults/any(x:x/actionState ne 'pending')":                                          0,
		"deviceActionResults/any(a:a/actionState eq 'pending' and a/actionName eq 'syncPayloads')":       1,
		"deviceActionResults/any(a:a/actionState eq 'pending' and not (a/actionName eq 'syncPayloads'))": 0,
		"deviceName eq 'nobody' or deviceActionResults/any(a:a/actionName eq 'changeAssignments')":       0,
		"deviceName ne 'nobody' and deviceActionResults/any(a:a/actionName in ('syncPayloads'))":         1,
	} {
		if got := find(filter); got != want {
			t.Errorf("%s: found %d, want %d", filter, got, want)
		}
	}
	p.connect()
	if find("deviceActionResults/any(a:a/actionState eq 'done')") != 1 ||
		find("deviceActionResults/any(a:a/actionState eq 'pending')") != 0 {
		t.Error("the latest state is not the one found")
	}
	for _, filter := range []string{"deviceActionResults/any(a:actionState eq 'done')",
		"deviceActionResults/any(a:b/actionState eq 'done')",
		"deviceActionResults/any(a:a/colour eq 'done')",
		"deviceActionResults/any(a:a/actionState eq 'purple')", "deviceActionResults/any(a)",
		"deviceActionResults/any(a:a/actionState gt 'done')", "users/any(a:a/id eq 'x')",
		"deviceActionResults/all(a:a/actionState eq 'done')",
		"deviceActionResults/any(a:a/actionState eq null)",
		"deviceActionResults/any(a:a/actionState eq a/actionName)",
		"any(a:a/actionState eq 'done')"} {
		if a := s.call("GET", devices+"?$filter="+strings.ReplaceAll(filter, " ", "%20"),
			nil); a.status != http.StatusBadRequest {
			t.Errorf("%s: got %s", filter, a)
		}
	}
}

package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

func TestAuditRecord(t *testing.T) {
	s := newSite(t)
	group := s.group("Old <i>")
	s.api("DELETE", "/beta/groups/"+group, nil, nil)
	s.wifi("wifi", "com.example.wifi")
	s.signedIn(s.bearer("desk", access.HelpDeskOperator,
		0)).open("/console/tokens").has(http.StatusForbidden)
	b := s.signedIn(s.token)
	p := b.open("/console/audit").has(http.StatusOK, "syncpayloads audit verify", "Sign in",
		"List: token desk", "Refused", "Delete a group Old <i> admin",
		"Make a new group", "Assign a policy wifi")
	p.controlsHaveNames()
	if strings.Contains(p.body, "Old <i>") {
		t.Error("a name is not escaped")
	}
	if text := p.text(); strings.Index(text, "Delete a group") > strings.Index(text,
		"Make a new group") {
		t.Error("the newest is not first")
	}
	made := b.open(p.leads("Make a new group")).has(http.StatusOK, "admin", "Administrator",
		"127.0.0.1", "groups.create", "Old <i> group", "displayName nothing Old <i>",
		"Place in the record 1")
	gone := b.open(p.leads("Delete a group")).has(http.StatusOK, "displayName Old <i> nothing")
	b.open(gone.leads("groups.delete")).has(http.StatusOK,
		"Delete a group").hasNot("Make a new group")
	b.open(made.leads("all that they did")).has(http.StatusOK,
		"Make a new group").hasNot("List: token")
	refused := b.open(p.leads("List: token")).has(http.StatusOK, "no role or permission",
		"Status 403", "Help Desk Operator")
	b.open(refused.leads("all that they did")).has(http.StatusOK,
		"List: token").hasNot("Make a new group")
	b.open("/console/audit/none").has(http.StatusNotFound)
}

// What an entry is about is said in words, whatever made the entry.
func TestAuditObjects(t *testing.T) {
	s := newSite(t)
	certificate, key, topic, err := simulator.NewPushCertificate(uuid.NewString(), s.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.api("PATCH", "/beta/deviceManagement/applePushNotificationCertificate",
		map[string]any{"certificate": string(certificate), "privateKey": string(key)}, nil)
	s.enroll("phone")
	s.api("POST", "/beta/deviceAppManagement/mobileApps",
		map[string]any{"@odata.type": "#microsoft.graph.iosVppApp",
			"displayName": "Keynote", "bundleId": "com.example.keynote",
			"appStoreUrl": "https://apps.apple.com/app/id1"}, nil)
	b := s.signedIn(s.token)
	p := b.open("/console/audit")
	for activity, object := range map[string]string{"Set the push certificate": topic +
		" push certificate",
		"Make an enrollment link": "enrollment", "Enroll a device": "phone device",
		"Make a new app": "Keynote app"} {
		shown := b.open(p.leads(activity)).has(http.StatusOK)
		if !strings.Contains(strings.ReplaceAll(shown.text(), "APSP:", "com.apple.mgmt.External."),
			object) {
			t.Errorf("%s is about %q, and shows %s", activity, object, shown.text())
		}
	}
}

func TestAuditFilters(t *testing.T) {
	s := newSite(t)
	s.group("first")
	s.clock.advance(3 * time.Minute)
	s.api("DELETE", "/beta/groups/"+s.group("second"), nil, nil)
	b := s.signedIn(s.token)
	minute := func(ago time.Duration) string {
		return s.clock.Now().Add(-ago).Format("2006-01-02T15:04")
	}
	filter := func(values ...string) *page {
		form := b.open("/console/audit").form("/console/audit")
		for i := 0; i < len(values); i += 2 {
			form.set(values[i], values[i+1])
		}
		return form.submit()
	}
	filter("kind", "Delete").has(http.StatusOK, "Delete a group second").hasNot("Make a new group")
	filter("kind", "Create").has(http.StatusOK, "first", "second").hasNot("Delete a group")
	filter("from", minute(time.Minute)).has(http.StatusOK, "second").hasNot("first")
	filter("to", minute(2*time.Minute)).has(http.StatusOK, "first").hasNot("second")
	if p := filter("to", minute(0), "kind", "Create").has(http.StatusOK, "first",
		"second"); p.filled("to") != minute(0) || p.filled("kind") != "Create" {
		t.Errorf("the filter is lost: %s", p.body)
	}
	filter("result", "Failure").has(http.StatusOK, "No entry fits")
	filter("activity", "groups.create' or true").has(http.StatusOK, "No entry fits")
	if p := filter("from", "yesterday", "kind", "Create").has(http.StatusBadRequest,
		"The time from which to list is none"); p.filled("kind") != "Create" {
		t.Errorf("the filter is lost: %s", p.body)
	}
	b.open("/console/audit?page=x").has(http.StatusBadRequest, "$skiptoken")
}

func TestAuditPages(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.token) // one entry
	for range 60 {
		s.group("g")
	}
	first := b.open("/console/audit?kind=Create").has(http.StatusOK).hasNot("Newest")
	if n := len(first.all("tr")) - 1; n != 50 {
		t.Errorf("the first page has %d entries", n)
	}
	second := b.open(first.link("next")).has(http.StatusOK, "Newest")
	if n := len(second.all("tr")) - 1; n != 10 || second.link("next") != "" ||
		second.filled("kind") != "Create" {
		t.Errorf("the second page has %d entries, and leads to %q", n, second.link("next"))
	}
}

func TestRemoteActions(t *testing.T) {
	s := newSite(t)
	payload := s.wifi("wifi", "com.example.wifi")
	_, id := s.enroll("Anna's <i>Phone")
	s.api("POST", "/beta/deviceManagement/managedDevices/"+url.PathEscape(id)+"/changeAssignments",
		map[string]any{"deviceAssignmentItems": []any{map[string]any{"itemId": payload,
			"itemType": "deviceConfiguration"}}}, nil)
	b := s.signedIn(s.token)
	p := b.until(b.open("/console/audit").leads("Remote actions"), "Done").has(http.StatusOK,
		"Anna's <i>Phone changeAssignments admin")
	if strings.Contains(p.body, "<i>Phone") {
		t.Error("a name is not escaped")
	}
	b.open(p.leads("Anna's")).has(http.StatusOK, "History", "wifi")
	b.open(b.open("/console/audit").leads("Take off and put back")).has(http.StatusOK,
		"Anna's <i>Phone device", "removedPayloads []", payload)
	s.signedIn(s.bearer("desk", access.HelpDeskOperator,
		0)).open("/console/audit/actions").has(http.StatusForbidden)
}

package console_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// remove takes payloads off a device.
func (s *site) remove(device string, payloads ...string) {
	s.Helper()
	items := []any{}
	for _, id := range payloads {
		items = append(items, map[string]any{"itemId": id, "itemType": "deviceConfiguration"})
	}
	s.api("POST", "/beta/deviceManagement/managedDevices/"+device+"/changeAssignments",
		map[string]any{"deviceAssignmentItems": items}, nil)
}

// second enrolls another device than enroll does, and returns its id.
func (s *site) second(name string) string {
	s.Helper()
	d := s.fleet.Add(simulator.Config{Kind: simulator.IPad, Seed: 2, Name: name})
	var link struct{ URL string }
	s.api("POST", "/api/enrollments", map[string]any{}, &link)
	if err := d.Enroll(s.Context(), link.URL); err != nil {
		s.Fatal(err)
	}
	var list struct{ Value []struct{ ID string } }
	s.api("GET",
		"/beta/deviceManagement/managedDevices?$filter="+url.QueryEscape("udid eq '"+d.Facts().UDID+"'"), nil, &list)
	return list.Value[0].ID
}

func TestFleetShowsWhatIsRemovedAnywhere(t *testing.T) {
	s := newSite(t)
	office := s.wifi("Office <b>", "test.office")
	_, ann := s.enroll("Phone of Ann")
	bob := s.second("Phone of Bob")
	b := s.signedIn(s.token)
	p := b.open("/console/fleet").has(200, "Nothing is removed from any device",
		"Nothing failed in this time", "Every device that has ever connected did so within 7 days")
	if got, _ := attribute(p.all("body")[0], "data-stream"); got != "/console/events" {
		t.Errorf("the page follows %q", got)
	}
	s.remove(ann, office)
	p = b.until("/console/fleet", "Phone of Ann")
	for _, want := range []string{"Phone of Ann", "Office <b>", "Configuration: Wi-Fi", "admin",
		"in 7 hours", "UTC"} {
		if row := p.row("cards", "Phone of Ann"); !strings.Contains(row, want) {
			t.Errorf("%q is missing in the row %q", want, row)
		}
	}
	p.hasNot("Phone of Bob")
	s.remove(bob, office)
	b.until("/console/fleet", "Phone of Bob")
	s.remove(ann)
	// The removal may have been under way still. Then it is among the failures.
	if rows := b.open("/console/fleet").rowsOf("removed"); len(rows) != 1 ||
		!strings.Contains(rows[0], "Phone of Bob") {
		t.Errorf("after Ann's was restored, removed are %q", rows)
	}
}

func TestFleetPagesWhatIsRemoved(t *testing.T) {
	s := newSite(t)
	var payloads []string
	for i := range 26 {
		payloads = append(payloads, s.wifi(fmt.Sprintf("Net %02d", i),
			fmt.Sprintf("test.net%d", i)))
	}
	_, ann := s.enroll("Phone of Ann")
	bob := s.second("Phone of Bob")
	s.remove(ann, payloads...)
	s.remove(bob, payloads...)
	b := s.signedIn(s.token)
	first := b.open("/console/fleet?days=30").has(200, "Phone of Ann",
		"Phone of Bob").hasNot("Newest")
	if n := len(first.rowsOf("removed")); n != 50 {
		t.Errorf("the first page has %d rows", n)
	}
	second := b.open(first.link("next")).has(200, "Newest")
	if n := len(second.rowsOf("removed")); n != 2 || second.link("next") != "" {
		t.Errorf("the second page has %d rows and leads to %q", n, second.link("next"))
	}
	if second.url.Query().Get("days") != "30" {
		t.Errorf("the next page is %s: it forgot the time of the failures", second.url)
	}
	seen := map[string]bool{}
	for _, row := range append(first.rowsOf("removed"), second.rowsOf("removed")...) {
		seen[row[:len("Phone of Ann Net 00")]] = true
	}
	if len(seen) != 52 {
		t.Errorf("both pages together have %d", len(seen))
	}
}

// The list of devices, the page of the fleet and the device's own say the same of what is off, on
// its way and in error.
func TestRemovedIsCountedTheSameEverywhere(t *testing.T) {
	s := newSite(t)
	var payloads []string
	for _, name := range []string{"Gone", "Gone too", "Slow", "Stuck"} {
		payloads = append(payloads, s.wifi(name, "test."+strings.ReplaceAll(name, " ", "")))
	}
	device, id := s.enroll("Phone of Ann")
	b := s.signedIn(s.token)
	b.until("/console/devices/"+id, "Stuck Configuration: Wi-Fi On the device")
	b.until("/console/devices/"+id, "Slow Configuration: Wi-Fi On the device")
	device.AddHook(simulator.Hook{RequestType: "RemoveProfile", Identifier: "test.Slow",
		Effect: simulator.AnswerNotNow, Times: simulator.Always})
	device.AddHook(simulator.Hook{RequestType: "RemoveProfile", Identifier: "test.Stuck",
		Effect: simulator.AnswerError, Times: simulator.Always,
		Chain: []simulator.ErrorLink{{Domain: "MCMDMErrorDomain", Code: 12021,
			Description: "No."}}})
	s.remove(id, payloads...)
	fleet := b.until("/console/fleet", "2 removed, 1 being removed, 1 in error")
	states := map[string]string{"Gone": "Removed", "Gone too": "Removed", "Slow": "Being removed",
		"Stuck": "Error"}
	rows := fleet.rowsOf("removed")
	if len(rows) != len(states) {
		t.Errorf("held off are %q", rows)
	}
	page := b.open("/console/devices/" + id)
	for name, state := range states {
		if want := "Phone of Ann " + name + " Configuration: Wi-Fi " + state +
			" "; !strings.Contains(strings.Join(rows, "\n"), want) {
			t.Errorf("there is no %q in %q", want, rows)
		}
		if row := page.row("assigned", name+" Configuration"); !strings.HasPrefix(row,
			"Off "+name) && !strings.HasPrefix(row, name) || !strings.Contains(row, state) {
			t.Errorf("the device's page says of %s: %q", name, row)
		}
	}
	if row := b.open("/console/").row("cards", "Phone of Ann"); !strings.HasSuffix(row,
		" 2 and 1 being removed") {
		t.Errorf("the list of devices says %q", row)
	}
	s.remove(id)
	b.until("/console/fleet", "Nothing is removed from any device")
	if row := b.open("/console/").row("cards", "Phone of Ann"); !strings.HasSuffix(row, " 0") {
		t.Errorf("after all was restored, the list of devices says %q", row)
	}
}

// rowsOf are the texts of the rows of a section's table.
func (p *page) rowsOf(section string) []string {
	var rows []string
	for _, n := range p.all("section") {
		if id, _ := attribute(n, "id"); id != section {
			continue
		}
		for tr := range n.Descendants() {
			if _, keyed := attribute(tr, "data-key"); keyed && tr.Data == "tr" {
				rows = append(rows, text(tr))
			}
		}
	}
	return rows
}

// marked is the choice of a section that is shown as made.
func (p *page) marked(section string) string {
	for _, n := range p.all("a") {
		to, _ := attribute(n, "href")
		if _, current := attribute(n, "aria-current"); current &&
			strings.HasSuffix(to, "#"+section) {
			return text(n)
		}
	}
	return ""
}

func TestFleetShowsFailures(t *testing.T) {
	s := newSite(t)
	office, guest := s.wifi("Office", "test.office"), s.wifi("Guest", "test.guest")
	device, id := s.enroll("Phone of Ann")
	b := s.signedIn(s.token)
	b.until("/console/devices/"+id, "Office Configuration: Wi-Fi On the device")
	b.until("/console/devices/"+id, "Guest Configuration: Wi-Fi On the device")
	for identifier, code := range map[string]int{"test.office": 12021, "test.guest": 12035} {
		device.AddHook(simulator.Hook{RequestType: "RemoveProfile", Identifier: identifier,
			Effect: simulator.AnswerError, Times: simulator.Always,
			Chain: []simulator.ErrorLink{{Domain: "MCMDMErrorDomain", Code: code,
				Description: "Told <i>you</i>"}}})
	}
	s.remove(id, office, guest)
	b.until("/console/devices/"+id, "2 of 2 ended")
	for _, days := range []string{"1", "7", "30"} {
		p := b.open("/console/fleet?days="+days).has(200, "Code 12021", "Code 12035", "The numbers",
			"2 failures", "Told <i>you</i>")
		if rows := p.rowsOf("failures"); len(rows) != 2 ||
			!strings.Contains(strings.Join(rows, " "), "Phone of Ann Office just now 12021") {
			t.Errorf("the latest failures are %q", rows)
		}
		chart := p.all("svg")[0]
		if role, _ := attribute(chart, "role"); role != "img" {
			t.Error("the plot is not told to be a picture")
		}
		if text := text(chart); !strings.Contains(text, "by error code (UTC)") ||
			!strings.Contains(text, "2 failures in "+days) {
			t.Errorf("the plot has the texts %s", text)
		}
		bars := 0
		for n := range chart.Descendants() {
			if fill, _ := attribute(n, "fill"); n.Data == "rect" &&
				strings.HasPrefix(fill, "url(#pattern-") {
				bars++
			}
		}
		if bars != 2 {
			t.Errorf("%d parts of bars are drawn", bars)
		}
		if marked := p.marked("failures"); !strings.HasPrefix(marked, days+" day") {
			t.Errorf("%s days are asked for, and %q is marked", days, marked)
		}
	}
	s.clock.advance(48 * time.Hour)
	b = s.signedIn(s.token)
	b.open("/console/fleet?days=1").has(200, "Nothing failed in this time")
	b.open("/console/fleet?days=7").has(200, "2 failures in 7 days", "2 days ago")
}

func TestFleetShowsWhoIsSilent(t *testing.T) {
	s := newSite(t)
	s.enroll("Phone of Ann")
	b := s.signedIn(s.token)
	b.until("/console/", "now")
	s.clock.advance(8 * 24 * time.Hour)
	b = s.signedIn(s.token)
	p := b.open("/console/fleet?silent=7d").has(200,
		"1 device has not connected for more than 7 days", "Phone of Ann", "8 days ago")
	b.open(p.leads("among the devices")).has(200, "1 to 1 of 1 device", "Phone of Ann")
	b.open("/console/fleet?silent=30d").has(200,
		"Every device that has ever connected did so within 30 days").hasNot("Phone of Ann")
	b.open("/console/fleet?silent=nonsense&days=-3").has(200, "for more than 7 days")
}

func TestFleetIsForThoseWhoMay(t *testing.T) {
	s := newSite(t)
	var role struct{ ID string }
	s.api("POST", "/beta/deviceManagement/roleDefinitions",
		map[string]any{"displayName": "Catalog only", "rolePermissions": []any{map[string]any{
			"resourceActions": []any{map[string]any{"allowedResourceActions": []string{string(access.ReadConfigurations)}}}}}}, &role)
	b := s.browser()
	p := b.post("/console/sign-in", map[string][]string{"token": {s.bearer("clerk", role.ID, 0)}})
	if strings.Contains(p.text(), "Fleet") {
		t.Errorf("the navigation offers what is refused: %s", p)
	}
	b.open("/console/fleet").has(403, "has no role or permission")
	b.open("/console/catalog").has(200, "Policies").hasNot("Apps")
}

package console_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// picked are the groups that the page's picker shows, in its order: what stands in each row, and
// whether it is chosen.
func (p *page) picked() (names []string, chosen []bool) {
	p.Helper()
	for n := range p.document().Descendants() {
		if _, ok := attribute(n, "data-picked"); !ok {
			continue
		}
		for row := range n.ChildNodes() {
			if row.Type != html.ElementNode {
				continue
			}
			on := false
			for d := range row.Descendants() {
				_, checked := attribute(d, "checked")
				_, selected := attribute(d, "selected")
				on = on || checked || selected
			}
			name, _, _ := strings.Cut(text(row), " not by this group")
			names, chosen = append(names, name), append(chosen, on)
		}
		return names, chosen
	}
	p.Fatalf("there is no picker in %s", p)
	return nil, nil
}

// find presses the picker's button with what is filled in, as a browser without a script does.
func (p *page) find(f *form, search string) *page {
	p.Helper()
	for _, n := range p.all("button") {
		if name, _ := attribute(n, "name"); name != "find" {
			continue
		}
		method, _ := attribute(n, "formmethod")
		address, _ := attribute(n, "formaction")
		at, err := url.Parse(address)
		if err != nil || method != "get" {
			p.Fatalf("the button sends %s to %q", method, address)
		}
		values := url.Values{}
		for name, given := range f.values {
			values[name] = slices.Clone(given)
		}
		values.Set("groups", search)
		values.Set("find", "groups")
		return p.open(at.Path + "?" + values.Encode())
	}
	p.Fatalf("there is no button that finds groups in %s", p)
	return nil
}

// classes makes groups by the names Class 00 and so on, and returns their ids.
func (s *site) classes(n int) (ids []string) {
	s.Helper()
	for i := range n {
		ids = append(ids, s.group(fmt.Sprintf("Class %02d", i)))
	}
	return ids
}

func TestAssignmentsFindGroups(t *testing.T) {
	s := newSite(t)
	id, ids := s.wifi("Wi-Fi", "com.example.wifi"), s.classes(30)
	s.api("POST", policiesAPI+"/"+id+"/assign", map[string]any{"assignments": []any{map[string]any{
		"target": map[string]any{"@odata.type": "#microsoft.graph.groupAssignmentTarget",
			"groupId": ids[29]}}}}, nil)
	b := s.signedIn(s.token)
	p := b.open("/console/catalog/policies/"+id).has(200,
		"30 groups; search to find those that are not listed")
	names, chosen := p.picked()
	if len(names) != 13 || names[0] != "Class 29" || !chosen[0] || names[1] != "Class 00" ||
		slices.Contains(chosen[1:], true) {
		t.Errorf("shown are %q, chosen %v", names, chosen)
	}
	p.controlsHaveNames()

	// What is chosen meanwhile goes through a search, and through a second one.
	f := p.form("/assign").set("group", ids[29], "not:"+ids[0]).set("all", "yes")
	p = p.find(f, "cLASS 1").has(200, "10 groups fit.", "Assigned to 1 group.")
	p = p.find(p.form("/assign").set("group", ids[29], "not:"+ids[0], ids[17]), "nothing").has(200,
		"No group fits")
	if names, chosen := p.picked(); !slices.Equal(names,
		[]string{"Class 00", "Class 17", "Class 29"}) || slices.Contains(chosen, false) {
		t.Errorf("shown are %q, chosen %v", names, chosen)
	}
	if p.chosen("group-"+ids[0]) != "not:"+ids[0] || p.chosen("group-"+ids[17]) != ids[17] {
		t.Errorf("what was chosen is lost: %s", p)
	}
	f = p.form("/assign").set("group", ids[29], "not:"+ids[0], ids[17])
	f.submit().has(200, "The assignments are saved",
		"Assigned to all devices, 2 groups without 1 group")

	// A search does not hide that somebody else changed the assignments.
	p = b.open("/console/catalog/policies/" + id)
	searched := p.find(p.form("/assign"), "Class 2")
	s.api("POST", policiesAPI+"/"+id+"/assign", map[string]any{"assignments": []any{}}, nil)
	searched.find(searched.form("/assign"), "Class 1").form("/assign").submit().has(409,
		"Somebody else changed the assignments")
}

func TestFormsKeepWhatIsFilledInWhileGroupsAreFound(t *testing.T) {
	s := newSite(t)
	ids, tag := s.classes(15), s.scopeTag("Munich")
	b := s.signedIn(s.token)
	role := "/console/roles/" + access.HelpDeskOperator
	p := b.open(role + "/assignments/new")
	f := p.form("/assignments").set("name", "Desk").set("description", "d").set("members",
		"user:anna\r\nuser:ben").set("scope", "groups").
		set("group", ids[14]).set("tag", tag)
	p = p.find(f, "03").has(200, "Assign Help Desk Operator", "1 group fits.")
	if p.filled("name") != "Desk" || p.filled("description") != "d" ||
		!strings.HasPrefix(p.filled("members"), "user:anna") ||
		!slices.Equal(p.ticked("scope"), []string{"groups"}) ||
		!slices.Equal(p.ticked("tag"), []string{tag}) {
		t.Errorf("what was filled in is lost: %s", p.body)
	}
	if names, chosen := p.picked(); !slices.Equal(names, []string{"Class 14", "Class 03"}) ||
		!slices.Equal(chosen, []bool{true, false}) {
		t.Errorf("shown are %q, chosen %v", names, chosen)
	}
	f = p.form("/assignments").set("members", "user:anna").set("group", ids[14], ids[3])
	p = b.open(f.submit().has(200, "Groups Class 14, Class 03; scope tag Munich").leads("Desk"))
	f = p.form(p.path())
	f.set("name", "Other desk").set("members", "user:carl")
	p = p.find(f, "Class 1").has(200, "5 groups fit")
	if p.filled("name") != "Other desk" || p.filled("members") != "user:carl" ||
		!slices.Equal(p.ticked("group"), []string{ids[3], ids[14]}) {
		t.Errorf("what was changed is lost: %s", p.body)
	}
	b.open("/console/roles").has(200, "Desk Help Desk Operator").hasNot("Other desk")

	p = b.open("/console/tokens")
	f = p.form("/console/tokens#new").set("name", "T").set("role",
		access.HelpDeskOperator).set("lasts", "24h").set("scope", "groups").set("group", ids[7])
	p = p.find(f, "no such").has(200, "No group fits.")
	if p.filled("name") != "T" || p.chosen("role") != access.HelpDeskOperator ||
		p.chosen("lasts") != "24h" || !slices.Equal(p.ticked("group"), []string{ids[7]}) {
		t.Errorf("what was filled in is lost: %s", p.body)
	}
	p.form("/console/tokens#new").set("role", access.HelpDeskOperator).set("lasts",
		"24h").submit().has(201, "Group Class 07")
}

func TestUploadedProfilesFindGroups(t *testing.T) {
	s := newSite(t)
	ids := s.classes(15)
	b := s.signedIn(s.token)
	f := b.send("/console/catalog/policies", nil, "a.mobileconfig",
		profile("com.example.x", "1", "com.apple.vpn.managed", "")).
		has(200, "15 groups; search").form("/console/catalog/policies")
	f.set("displayName", "Changed").set("@odata.type",
		"#microsoft.graph.macOSCustomConfiguration").set("group", ids[14]).set("groups",
		"04").set("find", "groups")
	p := b.send(f.action, f.values, "", nil).has(200, "Nothing has been added yet", "1 group fits.")
	if names, _ := p.picked(); !slices.Equal(names, []string{"Class 14", "Class 04"}) ||
		p.filled("displayName") != "Changed" {
		t.Errorf("shown are %q, with the name %q", names, p.filled("displayName"))
	}
	b.open("/console/catalog/policies").has(200, "There are none yet")
	f = p.form("/console/catalog/policies").set("@odata.type",
		"#microsoft.graph.macOSCustomConfiguration").set("group", ids[14])
	b.send(f.action, f.values, "", nil).has(200, "It is in the catalog now", "Changed",
		"Assigned to 1 group.")
}

func TestGroupsFoundForTheScript(t *testing.T) {
	s := newSite(t)
	s.classes(20)
	s.group(`O'Hara "\%_` + "\t🦊")
	b := s.signedIn(s.token)
	for _, c := range []struct {
		query string
		first string
		shown int
		says  string
	}{
		{"as=tick", "Class 00", 12, "21 groups; search"},
		{"as=assign&groups=class+1", "Class 10", 10, "10 groups fit."},
		{"as=tick&groups=lass&chosen=3", "Class 00", 15, "20 groups fit; type more"},
		{"as=tick&chosen=-3&groups=+class+07+", "Class 07", 1, "1 group fits."},
		{"as=tick&chosen=99999", "Class 00", 21, "21 groups."},
		{"as=tick&groups=" + url.QueryEscape(`o'hara "\%_`), `O'Hara "\%_ 🦊`, 1, "1 group fits."},
		{"as=tick&groups=" + url.QueryEscape("🦊"), `O'Hara "\%_ 🦊`, 1, "1 group fits."},
		{"as=tick&groups=" + url.QueryEscape("') or true or ('"), "", 0, "No group fits."},
		{"as=tick&groups=%25", `O'Hara "\%_ 🦊`, 1, "1 group fits."},
		{"as=tick&groups=" + strings.Repeat("%27", 2000), "", 0, "No group fits."},
	} {
		p := b.open("/console/groups/pick?"+c.query).has(200, c.says)
		names, chosen := p.picked()
		if len(names) != c.shown || len(names) > 0 && names[0] != c.first ||
			slices.Contains(chosen, true) {
			t.Errorf("%s: shown are %q, chosen %v", c.query, names, chosen)
		}
	}
	tokens := s.bearer("tokens", s.role("Tokens", access.ReadDevices, access.ReadTokens,
		access.CreateTokens), 0)
	other := s.signedIn(tokens)
	other.open("/console/groups/pick?as=tick").has(403, "no role or permission")
	p := other.open("/console/tokens?find=groups&scope=groups&group="+s.group("Hidden")).has(200,
		"do not let you read groups").hasNot("Hidden")
	if len(p.ticked("group")) != 1 {
		t.Errorf("what was chosen is lost: %s", p)
	}
}

func TestNamesOfManyGroups(t *testing.T) {
	s := newSite(t)
	ids := s.classes(120) // more than fit into one filter
	b := s.signedIn(s.token)
	for name, part := range map[string][]string{"Low": ids[:60], "High": ids[60:]} {
		b.post("/console/roles/"+access.HelpDeskOperator+"/assignments",
			url.Values{"name": {name}, "members": {"user:anna"}, "scope": {"groups"},
				"group": part}).has(200, "The assignment is saved")
	}
	b.open("/console/roles").has(200, "Groups Class 00, Class 01", "Class 58, Class 59",
		"Groups Class 60", "Class 118, Class 119")
	if got := b.open("/console/groups").has(200, "120 of 120").rowsOfTable("Groups"); got != 120 {
		t.Errorf("%d groups are listed", got)
	}
	b.open("/console/groups?q=CLASS+5").has(200, "10 of 10", "Class 59").hasNot("Class 49")
}

// rowsOfTable is how many rows the table with a name has.
func (p *page) rowsOfTable(name string) (n int) {
	for _, table := range p.all("table") {
		if got, _ := attribute(table, "aria-label"); got != name {
			continue
		}
		for d := range table.Descendants() {
			if d.Data == "tr" && d.Parent.Data == "tbody" {
				n++
			}
		}
	}
	return n
}

package console_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// group makes a group of devices and returns its id.
func (s *site) group(name string) string {
	s.Helper()
	var made struct{ ID string }
	s.api("POST", "/beta/groups", map[string]any{"displayName": name, "mailEnabled": false,
		"mailNickname": "x", "securityEnabled": true}, &made)
	return made.ID
}

func TestAssignments(t *testing.T) {
	s := newSite(t)
	id := s.wifi("Wi-Fi", "com.example.wifi")
	sales, guests, others := s.group("Sales <b>"), s.group("Guests"), s.group("Others")
	b := s.signedIn(s.token)
	at := "/console/catalog/policies/" + id
	p := b.open(at).has(200, "Sales <b>", "Guests", "Assigned to all devices")
	p.controlsHaveNames()
	f := p.form("/assign")
	f.values.Del("all")
	f.set("group", sales, "", "not:"+guests)
	p = f.submit().has(200, "The assignments are saved", "Assigned to 1 group without 1 group")
	want := []target{{ODataType: "#microsoft.graph.groupAssignmentTarget", Group: sales},
		{ODataType: "#microsoft.graph.exclusionGroupAssignmentTarget", Group: guests}}
	if got := s.targets(policiesAPI + "/" + id); !slices.Equal(got, want) {
		t.Errorf("it is assigned to %+v, want %+v", got, want)
	}
	for group, value := range map[string]string{sales: sales, guests: "not:" + guests, others: ""} {
		if got := p.chosen("group-" + group); got != value {
			t.Errorf("the form has %q for group %s, want %q", got, group, value)
		}
	}
	p.form("/assign").submit().has(200, "Assigned to nobody")
	if got := s.targets(policiesAPI + "/" + id); len(got) != 0 {
		t.Errorf("it is assigned to %+v still", got)
	}
}

// chosen is the value of the select with an id.
func (p *page) chosen(id string) string {
	p.Helper()
	for _, n := range p.all("select") {
		if got, _ := attribute(n, "id"); got != id {
			continue
		}
		for option := range n.Descendants() {
			if _, chosen := attribute(option, "selected"); chosen {
				value, _ := attribute(option, "value")
				return value
			}
		}
		return ""
	}
	p.Fatalf("there is no select %q in %s", id, p)
	return ""
}

func TestAssignmentsToSingleDevicesStay(t *testing.T) {
	s := newSite(t)
	_, device := s.enroll("Phone of Ann")
	id := s.wifi("Wi-Fi", "com.example.wifi")
	s.api("POST", policiesAPI+"/"+id+"/assign", map[string]any{"assignments": []any{map[string]any{
		"target": map[string]any{"@odata.type": "#syncpayloads.deviceAssignmentTarget",
			"deviceId": device}}}}, nil)
	b := s.signedIn(s.token)
	p := b.open("/console/catalog/policies/"+id).has(200, "Assigned to 1 device",
		"Phone of Ann this one device")
	p.form("/assign").set("all", "yes").submit().has(200, "Assigned to all devices, 1 device")
	want := []target{{ODataType: allDevices},
		{ODataType: "#syncpayloads.deviceAssignmentTarget", Device: device}}
	if got := s.targets(policiesAPI + "/" + id); !slices.Equal(got, want) {
		t.Errorf("it is assigned to %+v, want %+v", got, want)
	}
}

func TestAssignmentsThatSomebodyElseChanged(t *testing.T) {
	s := newSite(t)
	id := s.wifi("Wi-Fi", "com.example.wifi")
	sales := s.group("Sales")
	b := s.signedIn(s.token)
	f := b.open("/console/catalog/policies/" + id).form("/assign")
	s.api("POST", policiesAPI+"/"+id+"/assign", map[string]any{"assignments": []any{}}, nil)
	f.set("group", sales)
	p := f.submit().has(409, "Somebody else changed the assignments", "which is nobody")
	if got := s.targets(policiesAPI + "/" + id); len(got) != 0 {
		t.Fatalf("their choice was overwritten: %+v", got)
	}
	if p.chosen("group-"+sales) != sales {
		t.Errorf("the choice is lost: %s", p)
	}
	p.form("/assign").set("group", sales).submit().has(200, "Assigned to all devices, 1 group")
}

func TestRefusedAssignmentsKeepTheChoice(t *testing.T) {
	s := newSite(t)
	id := s.wifi("Wi-Fi", "com.example.wifi")
	b := s.signedIn(s.token)
	const gone = "00000000-0000-0000-0000-000000000001"
	p := b.open("/console/catalog/policies/"+id).form("/assign").set("group", gone).submit().
		has(400, "there is no group "+gone, "Assigned to all devices")
	if p.chosen("group-"+gone) != gone {
		t.Errorf("the choice is lost: %s", p)
	}
	f := b.send("/console/catalog/policies", nil, "a.mobileconfig",
		profile("com.example.x", "1", "com.apple.vpn.managed", "")).
		form("/console/catalog/policies").set("@odata.type",
		"#microsoft.graph.iosCustomConfiguration").set("displayName", "VPN").set("group", gone)
	b.send(f.action, f.values, "", nil).has(400,
		"The policy is in the catalog now, but it is assigned to nobody", "there is no group",
		"VPN")
}

func TestGroups(t *testing.T) {
	s := newSite(t)
	_, phone := s.enroll("Phone of Ann")
	b := s.signedIn(s.token)
	b.open("/console/groups").has(200, "There are no groups yet")
	b.post("/console/groups", url.Values{"displayName": {""}, "description": {"Kept"}}).has(400,
		"Name is required", "New group")
	p := b.post("/console/groups", url.Values{"displayName": {"Sales <i>"},
		"description": {"Who sells"}}).
		has(200, "Sales <i>", "Who sells", "No device is in this group")
	at := p.path()
	p.controlsHaveNames()
	b.open(at+"?q=nothing").has(200, "No device fits")
	b.open(at+"?q="+strings.Repeat("x", 300)).has(200, "must be a text of 1 to 200 bytes")
	found := b.open(at+"?q=ann").has(200, "Phone of Ann", "Put in")
	found.form("/members").set("device", phone).submit().has(200, "The device is in the group now",
		"Phone of Ann", "Take out")
	b.post(at+"/members", url.Values{"device": {"nothing"}}).has(404,
		"There is no device with this id", "Phone of Ann")
	p = b.open(at).form("/remove").submit().has(200, "The device is not in the group any more",
		"No device is in this group")
	p.hasNot("Phone of Ann")
	b.open("/console/groups").has(200, "1 of 1", "Sales <i> Who sells")
	b.open("/console/groups?q=other").has(200, "No group fits")
	b.open(at+"/delete").has(200, "Delete Sales <i>?").form("/delete").submit().has(200,
		"The group was deleted", "There are no groups yet")
}

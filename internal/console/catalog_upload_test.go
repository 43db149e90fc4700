package console_test

import (
	"bytes"
	"strings"
	"testing"
)

func TestUploadShowsWhatIsInsideAndThenAdds(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.token)
	file := profile("com.example.office", "1", "com.apple.wifi.managed",
		"<key>PayloadRemovalDisallowed</key><true/>")
	b.open("/console/catalog/policies/new?type=file").has(200, "Upload a profile")
	inside := b.send("/console/catalog/policies", nil, "office <b>.mobileconfig", file).has(200,
		"com.example.office", "com.apple.wifi.managed", "The inside", "Configuration: Wi-Fi",
		"Signed No",
		"Nothing has been added yet", "office <b>.mobileconfig")
	if n := s.count(policiesAPI); n != 0 {
		t.Fatalf("%d policies exist before anybody confirmed", n)
	}
	f := inside.form("/console/catalog/policies").set("displayName",
		"Office <i>Wi-Fi</i>").set("description", "For all").
		set("@odata.type", "#microsoft.graph.iosCustomConfiguration").set("all", "yes")
	b.send(f.action, f.values, "", nil).
		has(200, "Office <i>Wi-Fi</i>", "It is in the catalog now", "Assigned to all devices",
			"com.example.office.inside")

	var list struct{ Value []struct{ ID string } }
	s.api("GET", policiesAPI, nil, &list)
	var made struct {
		DisplayName, Description, PayloadFileName string
		Payload                                   []byte
	}
	s.api("GET", policiesAPI+"/"+list.Value[0].ID, nil, &made)
	if made.DisplayName != "Office <i>Wi-Fi</i>" || made.Description != "For all" ||
		!bytes.Equal(made.Payload, file) ||
		made.PayloadFileName != "office <b>.mobileconfig" {
		t.Errorf("the catalog has %+v", made)
	}
	if got := s.targets(policiesAPI + "/" + list.Value[0].ID); len(got) != 1 ||
		got[0].ODataType != allDevices {
		t.Errorf("it is assigned to %+v", got)
	}
	b.open("/console/catalog").has(200,
		"Office <i>Wi-Fi</i> Profile for iPhone, iPad and Apple TV 1 all devices")
}

func TestUploadForMacIsRecognizedByItsScope(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.token)
	p := b.send("/console/catalog/policies", nil, "a.mobileconfig",
		profile("com.example.mac", "1", "com.apple.dock",
			"<key>PayloadScope</key><string>System</string>"+
				"<key>PayloadDisplayName</key><string>The dock</string>"))
	if got := p.filled("@odata.type"); got != "#microsoft.graph.macOSCustomConfiguration" {
		t.Errorf("the form is for %s", got)
	}
	if got := p.filled("displayName"); got != "The dock" {
		t.Errorf("it is named %q", got)
	}
}

func TestUploadRefused(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.token)
	for name, c := range map[string]struct {
		file   []byte
		name   string
		status int
		want   string
	}{
		"none":  {nil, "", 400, "Choose a file first."},
		"empty": {nil, "a.mobileconfig", 400, "That file is empty"},
		"another kind": {[]byte("hello"), "a.txt", 400,
			"This file cannot be used: not a configuration profile"},
		"an enrollment": {profile("com.example.mdm", "1", "com.apple.mdm", ""), "a.mobileconfig",
			400, "can never be a payload"},
		"too large": {bytes.Repeat([]byte(" "), 5<<20), "a.mobileconfig", 400,
			"at most 4194304 are possible"},
		"much too large": {bytes.Repeat([]byte(" "), 9<<20), "a.mobileconfig", 413,
			"That file is too large"},
	} {
		t.Run(name, func(t *testing.T) {
			p := b.send("/console/catalog/policies", nil, c.name, c.file).has(c.status, c.want)
			if !strings.Contains(p.forms(), "/console/catalog/policies") {
				t.Errorf("there is no form to try again: %s", p)
			}
		})
	}
	if n := s.count(policiesAPI); n != 0 {
		t.Errorf("%d policies exist", n)
	}
}

func TestRefusedConfirmationKeepsWhatWasTyped(t *testing.T) {
	s := newSite(t)
	long := strings.Repeat("n", 201)
	b := s.signedIn(s.token)
	f := b.send("/console/catalog/policies", nil, "a.mobileconfig",
		profile("com.example.same", "2", "com.apple.wifi.managed", "")).
		form("/console/catalog/policies").set("displayName", "The second").set("@odata.type",
		"#microsoft.graph.iosCustomConfiguration")
	f.set("displayName", long)
	p := b.send(f.action, f.values, "", nil).has(400, "Name: must have 1 to 200 characters")
	if p.filled("displayName") != long || p.filled("carried") != f.values.Get("carried") {
		t.Errorf("what was typed is lost: %s", p)
	}
	f.set("displayName", " ").set("carried", f.values.Get("carried"))
	b.send(f.action, f.values, "", nil).has(400, "Name: must have 1 to 200 characters")
	f.set("carried", "!")
	b.send(f.action, f.values, "", nil).has(400, "The file was damaged on its way")
}

func TestReplaceFile(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.token)
	f := b.send("/console/catalog/policies", nil, "a.mobileconfig",
		profile("com.example.one", "1", "com.apple.wifi.managed", "")).
		form("/console/catalog/policies").set("@odata.type",
		"#microsoft.graph.iosCustomConfiguration")
	at := b.send(f.action, f.values, "", nil).has(200).path()

	b.send(at+"/file", nil, "a.mobileconfig",
		profile("com.example.one", "1", "com.apple.wifi.managed", "")).
		has(200,
			"This is the file that the policy has already").hasNot("Nothing has been changed yet")
	b.send(at+"/file", nil, "a.txt", []byte("hello")).has(400,
		"This file cannot be used: not a configuration profile", "Replace the file")
	other := b.send(at+"/file", nil, "b.mobileconfig",
		profile("com.example.two", "2", "com.apple.wifi.managed", "")).has(200).form("/file")
	b.send(other.action, other.values, "", nil).has(400,
		"make a new configuration for another identifier")
	next := b.send(at+"/file", nil, "b.mobileconfig",
		profile("com.example.one", "2", "com.apple.vpn.managed", "")).
		has(200, "Configuration: VPN", "Nothing has been changed yet").form("/file")
	b.send(next.action, next.values, "", nil).has(200, "The new version is saved", "Version 2",
		"File b.mobileconfig", "Configuration: VPN")
}

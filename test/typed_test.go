package test

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// example is the properties of a configuration of a type, as its golden profile is made of.
func example(t *testing.T, odataType string) map[string]any {
	t.Helper()
	text, err := os.ReadFile("../internal/apple/payload/testdata/typed/" + odataType + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var properties map[string]any
	if err := json.Unmarshal(text, &properties); err != nil {
		t.Fatal(err)
	}
	properties["@odata.type"] = "#microsoft.graph." + odataType
	return properties
}

// hasTyped reports whether a device has just these of the configurations that the server compiles.
func hasTyped(d *simulator.Device, want ...payload) bool {
	var found []string
	for _, p := range d.Profiles() {
		if strings.HasPrefix(p.Identifier, "com.github.syncpayloads.configuration.") {
			found = append(found, p.Identifier)
		}
	}
	slices.Sort(found)
	return slices.Equal(found, identifiers(want))
}

// Configurations that have a property for each setting reach devices as profiles, go and come back.
func TestTypedConfigurations(t *testing.T) {
	s := newSite(t)
	for kind, types := range map[simulator.Kind][]string{
		simulator.IPhone: {"iosWiFiConfiguration", "iosTrustedRootCertificate",
			"iosVpnConfiguration", "iosDeviceFeaturesConfiguration"},
		simulator.Mac: {"macOSWiFiConfiguration", "macOSTrustedRootCertificate",
			"macOSGeneralDeviceConfiguration", "macOSDeviceFeaturesConfiguration"},
	} {
		d := s.enroll(simulator.Config{Kind: kind, Supervised: true, Seed: 7})
		var all []payload
		for _, odataType := range types {
			p := s.create(configurations, "deviceConfiguration", odataType,
				example(t, odataType))
			p.Identifier = "com.github.syncpayloads.configuration." + p.ID
			s.assign(configurations, p, map[string]any{
				"@odata.type": "#syncpayloads.deviceAssignmentTarget", "deviceId": s.ids[d]})
			all = append(all, p)
		}
		s.eventually("all of them are installed", func() bool { return hasTyped(d, all...) })
		s.sync(d, all...)
		s.ends(d, "the removal ends")
		if !hasTyped(d) {
			t.Errorf("the %s still has %v", kind, d.Profiles())
		}
		s.sync(d)
		s.ends(d, "the restoration ends")
		if !hasTyped(d, all...) {
			t.Errorf("the %s has %v", kind, d.Profiles())
		}
	}
}

// What devices get can be looked at before it is assigned, with what taking it off may cost.
func TestTypedProfileShown(t *testing.T) {
	s := newSite(t)
	p := s.create(configurations, "deviceConfiguration", "wifi",
		example(t, "iosWiFiConfiguration"))
	var shown struct {
		Identifier, Profile string
		Payloads            []struct{ Type string }
		Warnings            []struct {
			Certain bool
			Message string
		}
	}
	s.must("GET", "/api/profiles/"+p.ID, nil, &shown)
	if shown.Identifier != "com.github.syncpayloads.configuration."+p.ID ||
		len(shown.Payloads) != 1 || shown.Payloads[0].Type != "com.apple.wifi.managed" ||
		len(shown.Warnings) != 1 || !strings.Contains(shown.Warnings[0].Message, "Staff & guests") {
		t.Errorf("shown is %+v", shown)
	}
	if !strings.Contains(shown.Profile, "proxy.example.com") ||
		strings.Contains(shown.Profile, "hunter22") ||
		!strings.Contains(shown.Profile, "<string>********</string>") {
		t.Errorf("the profile is %s", shown.Profile)
	}
	var read map[string]any
	s.must("GET", configurations+"/"+p.ID, nil, &read)
	if read["ssid"] != "Staff & guests" || read["proxyManualPort"] != 8080.0 ||
		read["connectAutomatically"] != false {
		t.Errorf("read is %v", read)
	}
	// what was read can be sent back, and is the same version; another value is another
	for _, tt := range []struct {
		ssid    string
		version float64
	}{{"Staff & guests", 1}, {"Staff", 2}} {
		body := map[string]any{"@odata.type": read["@odata.type"]}
		for name, value := range read {
			if !strings.HasPrefix(name, "@") {
				body[name] = value
			}
		}
		body["ssid"] = tt.ssid
		var edited map[string]any
		s.must("PATCH", configurations+"/"+p.ID, body, &edited)
		if edited["version"] != tt.version {
			t.Errorf("%s is version %v, not %v", tt.ssid, edited["version"], tt.version)
		}
	}
}

// What the profile could not say is refused by name, and nothing is kept.
func TestTypedRefused(t *testing.T) {
	s := newSite(t)
	for property, value := range map[string]any{"wiFiSecurityType": "wpa2Enterprise",
		"preSharedKey": nil, "proxyManualPort": 70000, "ssid": "{{DeviceName}}", "nothing": 1,
		"identityCertificate@odata.bind": "https://graph.microsoft.com/beta/x"} {
		body := example(t, "iosWiFiConfiguration")
		body["displayName"] = "wrong"
		body[property] = value
		status, answer := s.call("POST", configurations, body)
		if status != http.StatusBadRequest || !strings.Contains(string(answer), property) {
			t.Errorf("%s: %d %s", property, status, answer)
		}
	}
	var list struct{ Value []map[string]any }
	s.must("GET", configurations, nil, &list)
	if slices.ContainsFunc(list.Value,
		func(o map[string]any) bool { return o["displayName"] == "wrong" }) {
		t.Error("one is kept")
	}
}

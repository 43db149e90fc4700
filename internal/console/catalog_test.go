package console_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const (
	policiesAPI       = "/beta/deviceManagement/deviceConfigurations"
	appsAPI           = "/beta/deviceAppManagement/mobileApps"
	configurationsAPI = "/beta/deviceAppManagement/mobileAppConfigurations"
	allDevices        = "#microsoft.graph.allDevicesAssignmentTarget"
)

// profile is a configuration profile with one payload.
func profile(identifier, version, payloadType, extra string) []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict>
<key>PayloadType</key><string>Configuration</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>%[1]s</string><key>PayloadUUID</key><string>%[2]s</string>%[4]s
<key>PayloadContent</key><array><dict><key>PayloadType</key><string>%[3]s</string>
<key>PayloadVersion</key><integer>1</integer><key>PayloadIdentifier</key><string>%[1]s.inside</string>
<key>PayloadDisplayName</key><string>The inside</string>
<key>PayloadUUID</key><string>%[2]s-inside</string></dict></array></dict></plist>`, identifier, version, payloadType, extra)
}

type target struct {
	ODataType string `json:"@odata.type"`
	Group     string `json:"groupId"`
	Device    string `json:"deviceId"`
}

// targets are whom something is assigned to.
func (s *site) targets(path string) []target {
	s.Helper()
	var list struct{ Value []struct{ Target target } }
	s.api("GET", path+"/assignments", nil, &list)
	var targets []target
	for _, a := range list.Value {
		targets = append(targets, a.Target)
	}
	return targets
}

func (s *site) count(path string) int {
	s.Helper()
	var list struct{ Value []struct{} }
	s.api("GET", path, nil, &list)
	return len(list.Value)
}

func TestAddApps(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.token)
	b.open("/console/catalog/apps/new").has(200, "App Store app", "Package for Mac")
	for odataType, c := range map[string]struct {
		values url.Values
		want   map[string]any
	}{
		"iosStoreApp": {url.Values{"bundleId": {"com.example.store"}, "appStoreUrl": {"https://apps.apple.com/us/app/x/id361309726"},
			"applicableDeviceType": {"iPad"}, "publisher": {"Example"}},
			map[string]any{"bundleId": "com.example.store", "publisher": "Example", "uninstallOnDeviceRemoval": false,
				"applicableDeviceType": map[string]any{"iPad": true, "iPhoneAndIPod": false}}},
		"iosVppApp": {url.Values{"bundleId": {"com.example.vpp"}, "appStoreUrl": {"https://apps.apple.com/us/app/x/id361309727"},
			"uninstallOnDeviceRemoval": {"on"}}, map[string]any{"bundleId": "com.example.vpp", "uninstallOnDeviceRemoval": true, "applicableDeviceType": nil}},
		"iosLobApp": {url.Values{"bundleId": {"com.example.lob"}, "versionNumber": {"1.2"}, "manifestUrl": {"https://example.com/a.plist"},
			"applicableDeviceType": {"both"}, "managedConfiguration": {"<plist version=\"1.0\"><dict><key>a</key>\r\n<string>b</string></dict></plist>"}},
			map[string]any{"versionNumber": "1.2", "manifestUrl": "https://example.com/a.plist",
				"managedConfiguration": "<plist version=\"1.0\"><dict><key>a</key>\n<string>b</string></dict></plist>"}},
		"macOSPkgApp": {url.Values{"primaryBundleId": {"com.example.pkg"}, "primaryBundleVersion": {"3"}, "manifestUrl": {"https://example.com/b.plist"}},
			map[string]any{"primaryBundleId": "com.example.pkg", "primaryBundleVersion": "3"}},
	} {
		t.Run(odataType, func(t *testing.T) {
			b.open("/console/catalog/apps/new?type="+odataType).has(200, "Name", "Add")
			c.values.Set("type", odataType)
			c.values.Set("displayName", "App "+odataType)
			p := b.post("/console/catalog/apps", c.values).has(200, "It is in the catalog now", "Assigned to nobody")
			var made map[string]any
			s.api("GET", appsAPI+"/"+strings.TrimPrefix(p.path(), "/console/catalog/apps/"), nil, &made)
			if made["@odata.type"] != "#microsoft.graph."+odataType || made["displayName"] != "App "+odataType {
				t.Errorf("the catalog has %v", made)
			}
			for name, want := range c.want {
				if fmt.Sprint(made[name]) != fmt.Sprint(want) {
					t.Errorf("%s is %v, want %v", name, made[name], want)
				}
			}
		})
	}
	b.open("/console/catalog/apps/new?type=nonsense").has(400, "There is no type of app")
	b.open("/console/catalog/apps?q=VPP").has(200, "1 to 1 of 1", "App iosVppApp").hasNot("App iosStoreApp")
}

func TestRefusedAppKeepsWhatWasTyped(t *testing.T) {
	s := newSite(t)
	p := s.signedIn(s.token).post("/console/catalog/apps", url.Values{"type": {"iosStoreApp"}, "displayName": {"X"}, "bundleId": {"not a bundle"},
		"appStoreUrl": {"https://apps.apple.com/us/app/x/id1"}, "applicableDeviceType": {"iPhone"}, "managedConfiguration": {"</textarea><script>"}}).
		has(400, "Bundle id: \"not a bundle\" is not a bundle id")
	for name, want := range map[string]string{"displayName": "X", "bundleId": "not a bundle", "appStoreUrl": "https://apps.apple.com/us/app/x/id1",
		"applicableDeviceType": "iPhone", "managedConfiguration": "</textarea><script>"} {
		if got := p.filled(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, n := range p.all("input") {
		name, _ := attribute(n, "name")
		if _, invalid := attribute(n, "aria-invalid"); invalid != (name == "bundleId") {
			t.Errorf("%s is invalid: %t", name, invalid)
		}
	}
	if n := s.count(appsAPI); n != 0 {
		t.Errorf("%d apps exist", n)
	}
}

func TestAppConfiguration(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.token)
	app := strings.TrimPrefix(b.post("/console/catalog/apps", url.Values{"type": {"iosStoreApp"}, "displayName": {"Mail"}, "bundleId": {"com.example.mail"},
		"appStoreUrl": {"https://apps.apple.com/us/app/x/id1"}}).path(), "/console/catalog/apps/")
	form := b.open("/console/catalog/app-configurations/new?app="+app).has(200, "Mail")
	if got := form.filled("targetedMobileApps"); got != app {
		t.Errorf("the form is for app %q", got)
	}
	settings := `<plist version="1.0"><dict><key>server</key><string>mail.example</string></dict></plist>`
	values := url.Values{"type": {"iosMobileAppConfiguration"}, "displayName": {"Mail settings"},
		"targetedMobileApps": {app}, "encodedSettingXml": {"nonsense"}}
	b.post("/console/catalog/app-configurations", values).has(400, "Settings: is not a property list", "nonsense")
	values.Set("encodedSettingXml", settings)
	p := b.post("/console/catalog/app-configurations", values).has(200, "Mail settings", "App Mail", "Version 1")
	if got := p.filled("encodedSettingXml"); got != settings {
		t.Errorf("its form has %q", got)
	}
	edited := strings.ReplaceAll(settings, "mail.example", "post.example")
	p = b.post(p.path(), url.Values{"displayName": {"Mail settings"}, "encodedSettingXml": {edited}}).has(200, "The changes are saved", "Version 2")
	if got := p.filled("encodedSettingXml"); got != edited {
		t.Errorf("its form has %q", got)
	}
	var listed struct{ ID string }
	s.api("POST", appsAPI, map[string]any{"@odata.type": "#microsoft.graph.iosStoreApp", "displayName": "Notes", "bundleId": "com.example.notes",
		"appStoreUrl": "https://apps.apple.com/us/app/x/id2"}, &listed)
	s.api("POST", configurationsAPI, map[string]any{"@odata.type": "#microsoft.graph.iosMobileAppConfiguration", "displayName": "Notes settings",
		"targetedMobileApps": []string{listed.ID}, "settings": []any{map[string]any{"appConfigKey": "colour", "appConfigKeyType": "stringType",
			"appConfigKeyValue": "green"}}}, &listed)
	at := "/console/catalog/app-configurations/" + listed.ID
	b.open(at).has(200, "What it sets", "colour green").hasNot("A property list, in XML")
	b.post(at, url.Values{"displayName": {"Renamed"}}).has(200, "The changes are saved", "Renamed", "colour green")
}

func TestEditPolicy(t *testing.T) {
	s := newSite(t)
	id := s.wifi("Wi-Fi", "com.example.wifi")
	b := s.signedIn(s.token)
	at := "/console/catalog/policies/" + id
	b.post(at, url.Values{"displayName": {"Renamed"}, "description": {"Why"}}).has(200, "The changes are saved", "Renamed", "Version 1")
	p := b.post(at, url.Values{"displayName": {strings.Repeat("x", 201)}, "description": {"Kept"}}).has(400, "Name: must have 1 to 200 characters")
	if got := p.filled("description"); strings.TrimSpace(got) != "Kept" {
		t.Errorf("the description is %q", got)
	}
	b.open("/console/catalog/policies/00000000-0000-0000-0000-000000000000").has(404, "There is no object with this id")
	b.open("/console/catalog/apps/"+id).has(404, "There is no object with this id")
	b.open("/console/catalog/nothing").has(404, "There is no such page")
}

func TestDeleteAsksFirst(t *testing.T) {
	s := newSite(t)
	id := s.wifi("Wi-Fi", "com.example.wifi")
	b := s.signedIn(s.token)
	ask := b.open("/console/catalog/policies/"+id+"/delete").has(200, "Delete Wi-Fi?", "assigned to all devices", "Devices that have it lose it")
	if n := s.count(policiesAPI); n != 1 {
		t.Fatal("asking deleted it")
	}
	ask.form("/delete").submit().has(200, "It was deleted").hasNot("Wi-Fi Profile")
	if n := s.count(policiesAPI); n != 0 {
		t.Error("it still exists")
	}
}

func TestCatalogShowsOnlyWhatItsReaderMay(t *testing.T) {
	s := newSite(t)
	id := s.wifi("Wi-Fi", "com.example.wifi")
	b := s.signedIn(s.bearer("reader", access.ReadOnlyOperator, 0))
	b.open("/console/catalog").has(200, "Wi-Fi").hasNot("Upload a profile", "Add an app")
	p := b.open("/console/catalog/policies/"+id).has(200, "Assigned to all devices", "com.apple.wifi.managed").
		hasNot("Delete", "Save", "Replace the file")
	if forms := p.forms(); forms != "/console/sign-out" {
		t.Errorf("a reader gets the forms %s", forms)
	}
	b.post("/console/catalog/policies/"+id, url.Values{"displayName": {"Taken"}}).has(403, "has no role or permission")
	b.post("/console/catalog/policies/"+id+"/delete", nil).has(403, "has no role or permission")
	assign := s.signedIn(s.token).open("/console/catalog/policies/" + id).form("/assign").set("all")
	b.post(assign.action, assign.values).has(403, "has no role or permission")
	next := base64.RawURLEncoding.EncodeToString(profile("com.example.wifi", "2", "com.apple.wifi.managed", ""))
	b.send("/console/catalog/policies/"+id+"/file", url.Values{"carried": {next}}, "", nil).has(403, "has no role or permission")
	b.post("/console/catalog/apps", url.Values{"type": {"iosStoreApp"}, "displayName": {"X"}}).has(403, "has no role or permission")
	if got := s.targets(policiesAPI + "/" + id); len(got) != 1 {
		t.Errorf("it is assigned to %+v now", got)
	}
}

func TestCatalogPages(t *testing.T) {
	s := newSite(t)
	for i := range 60 {
		s.api("POST", appsAPI, map[string]any{"@odata.type": "#microsoft.graph.iosStoreApp", "displayName": fmt.Sprintf("App %02d", i),
			"bundleId": fmt.Sprintf("com.example.app%d", i), "appStoreUrl": fmt.Sprintf("https://apps.apple.com/us/app/x/id%d", i+1)}, nil)
	}
	b := s.signedIn(s.token)
	b.open("/console/catalog").has(200, "Apps 60", "App 09", "All 60").hasNot("App 10")
	first := b.open("/console/catalog/apps").has(200, "1 to 50 of 60", "App 00", "App 49", "Next").hasNot("App 50", "Previous")
	b.open(first.leads("Next")).has(200, "51 to 60 of 60", "App 59", "Previous").hasNot("App 49", "Next")
	b.open("/console/catalog/apps?page=9").has(200, "Previous").hasNot("App 00")
	b.open("/console/catalog/apps?q=nothing").has(200, "None fits")
}

func TestControlsHaveNames(t *testing.T) {
	s := newSite(t)
	s.group("Sales")
	id := s.wifi("Wi-Fi", "com.example.wifi")
	b := s.signedIn(s.token)
	for _, path := range []string{"/console/fleet", "/console/catalog", "/console/catalog/policies", "/console/catalog/policies/new",
		"/console/catalog/policies/" + id, "/console/catalog/apps/new", "/console/catalog/apps/new?type=iosLobApp",
		"/console/catalog/app-configurations/new", "/console/groups", "/console/enrollment"} {
		b.open(path).has(200).controlsHaveNames()
	}
	b.send("/console/catalog/policies", nil, "a.mobileconfig", profile("com.example.x", "1", "com.apple.vpn.managed", "")).controlsHaveNames()
}

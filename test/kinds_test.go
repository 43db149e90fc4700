package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// manifests serves the manifests of enterprise apps: /com.example.app is the one of that bundle id
// (Apple, "Distributing apps with a manifest").
func manifests(t *testing.T) *httptest.Server {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict><key>items</key><array><dict>
			<key>assets</key><array><dict><key>kind</key><string>software-package</string><key>url</key>
			<string>https://localhost/app</string></dict></array><key>metadata</key><dict><key>kind</key><string>software</string>
			<key>bundle-identifier</key><string>%s</string><key>bundle-version</key><string>1</string>
			<key>title</key><string>App</string></dict></dict></array></dict></plist>`, strings.TrimPrefix(r.URL.Path, "/"))
	}))
	t.Cleanup(s.Close)
	return s
}

// create makes an entry of a catalog collection.
func (s *site) create(collection, typ, identifier string, properties map[string]any) payload {
	s.Helper()
	p := payload{Type: typ, Identifier: identifier}
	properties["displayName"] = identifier
	s.must("POST", collection, properties, &p)
	return p
}

const (
	configurations = "/beta/deviceManagement/deviceConfigurations"
	apps           = "/beta/deviceAppManagement/mobileApps"
	appSettings    = "/beta/deviceAppManagement/mobileAppConfigurations"
)

func (s *site) assign(collection string, p payload, targets ...map[string]any) {
	s.Helper()
	body := map[string]any{}
	list := []any{}
	for _, target := range targets {
		if collection == apps {
			list = append(list, map[string]any{"intent": "required", "target": target})
		} else {
			list = append(list, map[string]any{"target": target})
		}
	}
	body[map[string]string{configurations: "assignments", apps: "mobileAppAssignments",
		appSettings: "assignments"}[collection]] = list
	s.must("POST", collection+"/"+p.ID+"/assign", body, nil)
}

func profileOf(odataType, identifier string) map[string]any {
	return map[string]any{"@odata.type": "#microsoft.graph." + odataType,
		"payloadFileName": "p.mobileconfig",
		"payloadName":     identifier, "payload": mobileconfig(identifier, uuid.NewString())}
}

// Every kind of payload on every platform goes and comes back, under the later name, which knows
// all kinds.
func TestEveryKind(t *testing.T) {
	server := manifests(t)
	s := newSiteTrusting(t, server.Certificate())
	manifest := func(bundle string) string { return server.URL + "/" + bundle }

	ios := []payload{
		s.create(configurations, "deviceConfiguration", "com.example.ios",
			profileOf("iosCustomConfiguration", "com.example.ios")),
		s.create(apps, "application", appStore[1000],
			map[string]any{"@odata.type": "#microsoft.graph.iosStoreApp",
				"bundleId": appStore[1000], "appStoreUrl": "https://apps.apple.com/app/id1000"}),
		s.create(apps, "application", appStore[1001],
			map[string]any{"@odata.type": "#microsoft.graph.iosVppApp",
				"bundleId": appStore[1001], "appStoreUrl": "https://apps.apple.com/app/id1001"}),
		s.create(apps, "application", "com.example.lob",
			map[string]any{"@odata.type": "#microsoft.graph.iosLobApp",
				"bundleId": "com.example.lob", "versionNumber": "1.0",
				"manifestUrl": manifest("com.example.lob")}),
	}
	mac := []payload{
		s.create(configurations, "deviceConfiguration", "com.example.mac",
			profileOf("macOSCustomConfiguration", "com.example.mac")),
		s.create(apps, "application", "com.example.pkg",
			map[string]any{"@odata.type": "#microsoft.graph.macOSPkgApp",
				"primaryBundleId": "com.example.pkg", "primaryBundleVersion": "1.0",
				"manifestUrl": manifest("com.example.pkg")}),
	}
	settings := s.create(appSettings, "mobileAppConfiguration", appStore[1000], map[string]any{
		"@odata.type":        "#microsoft.graph.iosMobileAppConfiguration",
		"targetedMobileApps": []string{ios[1].ID},
		"settings": []any{map[string]any{"appConfigKey": "server", "appConfigKeyType": "stringType",
			"appConfigKeyValue": "mail.example.com"}}})

	for _, p := range append(slices.Clone(ios), mac...) {
		collection := apps
		if p.Type == "deviceConfiguration" {
			collection = configurations
		}
		s.assign(collection, p, allDevices)
	}
	s.assign(appSettings, settings, allDevices)

	for i, c := range []struct {
		kind simulator.Kind
		has  []payload
	}{
		{simulator.IPhone, ios}, {simulator.IPad, ios}, {simulator.Mac, mac},
		{simulator.AppleTV, ios[:3]},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			s := s.in(t)
			d := s.enroll(simulator.Config{Kind: c.kind, Supervised: true, Seed: uint64(i)})
			all := slices.Clone(c.has)
			configured := func() bool { return len(d.Configurations()[appStore[1000]]) > 0 }
			wanted := c.kind != simulator.Mac
			if wanted {
				all = append(all, settings)
			}
			s.eventually("everything assigned is installed",
				func() bool { return has(d, c.has...) && configured() == wanted && s.due(d) == 0 })

			s.change(d, all)
			s.eventually("everything is removed", func() bool { return s.changed(d) == "done" })
			if !has(d) || configured() {
				t.Fatalf("the device has %v, configured %v", inventory(d), configured())
			}
			s.change(d, nil)
			s.eventually("everything is restored", func() bool { return s.changed(d) == "done" })
			if !has(d, c.has...) || configured() != wanted {
				t.Fatalf("the device has %v, configured %v", inventory(d), configured())
			}
		})
	}
}

// change calls changeAssignments.
func (s *site) change(d *simulator.Device, set []payload) {
	s.Helper()
	items := []any{}
	for _, p := range set {
		items = append(items, map[string]string{"itemId": strings.ToUpper(p.ID),
			"itemType": p.Type})
	}
	s.must("POST", "/beta/deviceManagement/comanagedDevices/"+s.ids[d]+"/changeAssignments",
		map[string]any{"deviceAssignmentItems": items}, nil)
}

// changed is the state of the device's latest changeAssignments, with what is in error.
func (s *site) changed(d *simulator.Device) string {
	s.Helper()
	var device struct {
		DeviceActionResults []struct {
			ActionName, ActionState string
			DeviceAssignmentItems   []struct {
				ItemDisplayName, AssignmentItemActionStatus, IntentActionMessage string
			}
		}
	}
	s.must("GET",
		"/beta/deviceManagement/comanagedDevices/"+s.ids[d]+"?$select=deviceActionResults", nil,
		&device)
	r := device.DeviceActionResults[0]
	if r.ActionName != "changeAssignments" {
		s.Fatalf("shown as %s", r.ActionName)
	}
	for _, item := range r.DeviceAssignmentItems {
		if item.AssignmentItemActionStatus == "error" {
			s.Fatalf("%+v", item)
		}
	}
	return r.ActionState
}

// A new assignment reaches the devices it names, an ended one leaves them, and an edit brings the
// new version.
func TestAssignments(t *testing.T) {
	s := newSite(t)
	first, second := s.enroll(simulator.Config{Kind: simulator.IPhone, Seed: 1}),
		s.enroll(simulator.Config{Kind: simulator.IPhone, Seed: 2})
	var group struct{ ID string }
	s.must("POST", "/beta/groups", map[string]any{"displayName": "Reception", "mailEnabled": false,
		"mailNickname": "r", "securityEnabled": true}, &group)
	s.must("POST", "/beta/groups/"+group.ID+"/members/$ref",
		map[string]any{"@odata.id": s.url + "/beta/directoryObjects/" + s.ids[first]}, nil)
	p := s.create(configurations, "deviceConfiguration", "com.example.wifi",
		profileOf("iosCustomConfiguration", "com.example.wifi"))

	toGroup := map[string]any{"@odata.type": "#microsoft.graph.groupAssignmentTarget",
		"groupId": group.ID}
	toSecond := map[string]any{"@odata.type": "#syncpayloads.deviceAssignmentTarget",
		"deviceId": s.ids[second]}
	notGroup := map[string]any{"@odata.type": "#microsoft.graph.exclusionGroupAssignmentTarget",
		"groupId": group.ID}
	for _, step := range []struct {
		what          string
		targets       []map[string]any
		first, second bool
	}{
		{"a group", []map[string]any{toGroup}, true, false},
		{"one device", []map[string]any{toSecond}, false, true},
		{"all devices", []map[string]any{allDevices}, true, true},
		{"all but a group", []map[string]any{allDevices, notGroup}, false, true},
		{"nobody", nil, false, false},
		{"a group again", []map[string]any{toGroup}, true, false},
	} {
		s.assign(configurations, p, step.targets...)
		s.eventually("assigned to "+step.what, func() bool {
			return has(first, p) == step.first && has(second, p) == step.second &&
				has(first) != step.first
		})
	}

	id := func() string { return strings.ToLower(first.Profiles()[len(first.Profiles())-1].UUID) }
	old := id()
	s.must("PATCH", configurations+"/"+p.ID, profileOf("iosCustomConfiguration",
		"com.example.wifi"), nil)
	s.eventually("the edit arrives", func() bool { return has(first, p) && id() != old })

	s.must("DELETE", configurations+"/"+p.ID, nil, nil)
	s.eventually("the deleted profile leaves", func() bool { return has(first) })
}

// An edit of what is off is not pushed, and comes back as the newest version.
func TestEditWhileRemoved(t *testing.T) {
	s, phone, vpn, _ := onePhone(t)
	s.sync(phone, vpn)
	s.ends(phone, "the removal ends")
	fresh := uuid.NewString()
	s.must("PATCH", configurations+"/"+vpn.ID,
		map[string]any{"@odata.type": "#microsoft.graph.iosCustomConfiguration",
			"payload": mobileconfig(vpn.Identifier, fresh), "payloadFileName": "p.mobileconfig"},
		nil)
	s.sweep()
	s.must("POST", "/beta/deviceManagement/managedDevices/"+s.ids[phone]+"/syncDevice", nil, nil)
	s.eventually("the device has connected", func() bool { return s.due(phone) > time.Hour })
	if slices.ContainsFunc(phone.Profiles(),
		func(p simulator.Profile) bool { return p.Identifier == vpn.Identifier }) {
		t.Fatal("the edit was pushed while it is off")
	}
	s.sync(phone)
	s.ends(phone, "the restoration ends")
	if !slices.ContainsFunc(phone.Profiles(),
		func(p simulator.Profile) bool { return strings.EqualFold(p.UUID, fresh) }) {
		t.Fatalf("restored is %v", phone.Profiles())
	}
}

// A person's own device cannot do it, and every payload's detail says why.
func TestUserEnrollment(t *testing.T) {
	s := newSite(t)
	vpn := s.profile("com.example.vpn")
	phone := s.enroll(simulator.Config{Kind: simulator.IPhone, UserEnrollment: true})
	s.eventually("what is assigned is installed", func() bool { return has(phone, vpn) })
	s.sync(phone, vpn)
	r := s.result(phone)
	if r.ActionState != "notSupported" || r.of(vpn) != "remove/error" ||
		r.DeviceActionPayloads[0].Detail == "" {
		t.Fatalf("shown is %+v", r)
	}
	if !has(phone, vpn) {
		t.Fatal("it was removed all the same")
	}
}

// A device that leaves ends its action.
func TestCheckOut(t *testing.T) {
	s, phone, vpn, _ := onePhone(t)
	phone.SetLocked(true)
	s.sync(phone, vpn)
	if err := phone.Unenroll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := s.result(phone); r.ActionState != "canceled" || r.of(vpn) != "remove/error" {
		t.Fatalf("shown is %+v", r)
	}
	s.sync(phone, vpn)
	if r := s.result(phone); r.ActionState != "notSupported" ||
		!strings.Contains(r.DeviceActionPayloads[0].Detail, "not enrolled") {
		t.Fatalf("shown is %+v", r)
	}
}

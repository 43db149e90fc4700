package test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	google "github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// android is an Android device as it is itself, with its id here.
type android struct {
	*google.Device
	id string
}

// mixedSite is a site whose devices are Apple's and Android's. Google is simulated, and its
// enterprise is set up unless the test does that itself.
type mixedSite struct {
	*site
	google *servertest.Google
}

func newMixedSite(t *testing.T, setUp bool) *mixedSite {
	t.Helper()
	s := &mixedSite{site: newSite(t)}
	s.google = servertest.StartGoogle(t, google.Options{Now: s.clock.Now})
	s.end()
	s.google.Use(&s.config)
	s.start()
	if setUp {
		s.google.SetUp(t, s.server)
	}
	return s
}

// join enrolls an Android device.
func (s *mixedSite) join(mode amapi.Mode, serial string, o google.DeviceOptions) *android {
	s.Helper()
	d := &android{Device: s.google.Join(s.T, s.server, mode, serial, o)}
	filter := "serialNumber eq '" + serial + "'"
	if o.PersonallyOwned { // of which Google tells no serial number
		filter = "ownerType eq 'personal'"
	}
	path := "/beta/deviceManagement/managedDevices?$filter=" + url.QueryEscape(filter)
	s.eventually(serial+" is known here", func() bool {
		var list struct{ Value []struct{ ID string } }
		s.must("GET", path, nil, &list)
		if len(list.Value) == 1 {
			d.id = list.Value[0].ID
		}
		return d.id != ""
	})
	return d
}

// give puts something into the catalog for all devices of its platform.
func (s *site) give(collection, kind, identifier string, body map[string]any) payload {
	s.Helper()
	p := payload{Type: kind, Identifier: identifier}
	s.must("POST", collection, body, &p)
	s.assign(collection, p, allDevices)
	return p
}

// androidPolicies are a network, restrictions and an app.
func (s *site) androidPolicies() (wifi, rules, app payload) {
	s.Helper()
	wifi = s.give(configurations, "deviceConfiguration", "Android office", map[string]any{
		"@odata.type": "#microsoft.graph.androidDeviceOwnerWiFiConfiguration",
		"displayName": "Android office Wi-Fi", "networkName": "Office", "ssid": "Android office",
		"wiFiSecurityType": "wpaPersonal", "preSharedKey": "correct horse battery staple"})
	rules = s.give(configurations, "deviceConfiguration", "screenCaptureDisabled", map[string]any{
		"@odata.type": "#microsoft.graph.androidDeviceOwnerGeneralDeviceConfiguration",
		"displayName": "Android restrictions", "screenCaptureBlocked": true})
	app = s.give(apps, "application", "com.example.timesheets", map[string]any{
		"@odata.type": "#microsoft.graph.androidManagedStoreApp", "displayName": "Timesheets",
		"packageId": "com.example.timesheets"})
	return wifi, rules, app
}

func (d *android) hasWiFi(p payload) bool {
	for _, network := range d.Networks() {
		if network.SSID == p.Identifier {
			return true
		}
	}
	return false
}

func (d *android) hasSetting(p payload) bool { return d.Settings()[p.Identifier] == true }

// act declares what is to be off an Android device, and waits until that has ended.
func (s *mixedSite) act(d *android, set ...payload) result {
	s.Helper()
	items := []any{}
	for _, p := range set {
		items = append(items, map[string]string{"payloadId": p.ID, "payloadType": p.Type})
	}
	path := "/beta/deviceManagement/managedDevices/" + d.id
	s.must("POST", path+"/syncPayloads", map[string]any{"deviceActionPayloads": items}, nil)
	var device struct{ DeviceActionResults []result }
	s.eventually("the action on "+d.Serial()+" ends", func() bool {
		s.must("GET", path+"?$select=deviceActionResults", nil, &device)
		return len(device.DeviceActionResults) == 1 && device.DeviceActionResults[0].final()
	})
	return device.DeviceActionResults[0]
}

// One server, one catalog, phones of both makers: what is taken off and put back is off and on each
// device itself, and is shown so over Graph, in the stream and in the fleet's report.
func TestMixedFleet(t *testing.T) {
	s := newMixedSite(t, true)
	appleWiFi, appleApp := s.profile("com.example.wifi"), s.app(1)
	wifi, rules, app := s.androidPolicies()
	iphone := s.enroll(simulator.Config{Kind: simulator.IPhone, Name: "Anna-iPhone"})
	pixel := s.join(amapi.FullyManaged, "PIXEL1", google.DeviceOptions{Model: "Pixel 9"})
	tablet := s.join(amapi.Dedicated, "TAB1", google.DeviceOptions{Model: "Galaxy Tab"})
	s.eventually("each device has what is its platform's", func() bool {
		return has(iphone, appleWiFi, appleApp) && pixel.hasWiFi(wifi) && pixel.hasSetting(rules) &&
			pixel.Has(app.Identifier) && tablet.hasWiFi(wifi) && tablet.Has(app.Identifier) &&
			s.installed(pixel) && s.installed(tablet)
	})
	events, _ := s.listen(t.Context(), "/api/events",
		map[string]string{"Accept": "application/x-ndjson"})

	s.sync(iphone, appleWiFi)
	r := s.act(pixel, wifi, rules, app)
	if r.ActionState != "done" || r.of(wifi) != "remove/removed" ||
		r.of(rules) != "remove/removed" || r.of(app) != "remove/removed" {
		t.Errorf("the Android phone's result is %+v", r)
	}
	if pixel.hasWiFi(wifi) || pixel.hasSetting(rules) || pixel.Has(app.Identifier) {
		t.Errorf("the phone itself has %v, %v, %v", pixel.Networks(), pixel.Settings(),
			pixel.Apps())
	}
	if !tablet.hasWiFi(wifi) || !tablet.hasSetting(rules) || !tablet.Has(app.Identifier) {
		t.Error("the tablet was touched")
	}
	s.eventually("the iPhone is done", func() bool { return s.result(iphone).final() })
	if s.result(iphone).of(appleWiFi) != "remove/removed" {
		t.Errorf("the iPhone's result is %+v", s.result(iphone))
	}
	var off struct {
		Value []struct{ DeviceID string }
	}
	s.must("GET", "/api/removed", nil, &off)
	if len(off.Value) != 4 {
		t.Errorf("the fleet's report has %+v", off)
	}

	s.sync(iphone)
	if r := s.act(pixel); r.ActionState != "done" || r.of(app) != "restore/succeeded" ||
		r.of(wifi) != "restore/succeeded" || r.of(rules) != "restore/succeeded" {
		t.Errorf("the restoration ended as %+v", r)
	}
	if !pixel.hasWiFi(wifi) || !pixel.hasSetting(rules) || !pixel.Has(app.Identifier) {
		t.Errorf("after the restoration the phone itself has %v, %v, %v", pixel.Networks(),
			pixel.Settings(), pixel.Apps())
	}
	var seen []string
	for ends := 0; ends < 2; {
		e, ok := <-events
		if !ok {
			t.Fatalf("the stream ended after %q", seen)
		}
		if e.DeviceID == pixel.id {
			seen = append(seen, e.String())
		}
		if e.DeviceID == pixel.id && ended(e) {
			ends++
		}
	}
	for _, want := range []string{"actionStarted pending", " remove removed",
		" restore succeeded"} {
		if !strings.Contains(strings.Join(seen, "\n"), want) {
			t.Errorf("the stream had no %q of the Android phone: %q", want, seen)
		}
	}
	s.readAndroid(pixel)
	// Google would erase the phone.
	for path, method := range map[string]string{"/retire": "POST", "": "DELETE"} {
		if code, body := s.call(method, "/beta/deviceManagement/managedDevices/"+pixel.id+path,
			nil); code != http.StatusConflict || !strings.Contains(string(body), "erasing all") {
			t.Errorf("%s %s: got %d %s", method, path, code, body)
		}
	}
	if !pixel.hasWiFi(wifi) || !s.installed(pixel) {
		t.Error("the phone was touched")
	}
}

// installed tells whether the server has seen on a device all that it is to have.
func (s *site) installed(d *android) bool {
	s.Helper()
	var list struct {
		Value []struct{ Presence, Work string }
	}
	s.must("GET", "/api/devices/"+d.id+"/payloads", nil, &list)
	for _, p := range list.Value {
		if p.Presence != "present" || p.Work != "idle" {
			return false
		}
	}
	return len(list.Value) == 3
}

// readAndroid has Graph's own clients read a device and its results.
func (s *site) readAndroid(d *android) {
	s.Helper()
	s.node("android.mjs", "DEVICE="+d.id, "NAME=Pixel 9 PIXEL1")
	adapter, faults := s.kiota()
	r := abstractions.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(
		abstractions.GET, "{+baseurl}/deviceManagement/managedDevices/{id}{?%24select}",
		map[string]string{"id": d.id})
	r.QueryParameters = map[string]string{"%24select": "id,deviceName,deviceActionResults"}
	got, err := adapter.Send(s.Context(), r, parse[managedDevice], faults)
	if err != nil {
		s.Fatal(err)
	}
	read := got.(*managedDevice)
	if read.name != "Pixel 9 PIXEL1" || len(read.results) != 1 ||
		read.results[0].state != "done" || len(read.results[0].payloads) != 3 {
		s.Errorf("kiota read %+v", read)
	}
	for _, p := range read.results[0].payloads {
		if p.intent != "restore" || p.status != "succeeded" || p.code != 0 {
			s.Errorf("kiota read %+v", p)
		}
	}
}

// A person's own device is shown, and the action answers that it is not supported.
func TestPersonalAndroidDevice(t *testing.T) {
	s := newMixedSite(t, true)
	s.androidPolicies()
	d := s.join(amapi.CorporateWorkProfile, "OWN1", google.DeviceOptions{Model: "Fairphone",
		PersonallyOwned: true})
	// it is listed a moment before it has enrolled
	s.eventually("the device cannot do this", func() bool {
		return s.act(d).ActionState == "notSupported"
	})
	var shown struct{ OwnerType, DeviceEnrollmentType string }
	s.must(http.MethodGet, "/beta/deviceManagement/managedDevices/"+d.id, nil, &shown)
	if shown.OwnerType != "personal" || shown.DeviceEnrollmentType != "userEnrollment" {
		t.Errorf("it is shown as %+v", shown)
	}
}

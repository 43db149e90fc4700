package client_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

func TestMain(m *testing.M) { os.Exit(servertest.Main(m)) }

// site is a real server, reached over HTTPS as its URL and CA file say.
type site struct {
	*client.Client
	config server.Config
	server *server.Server
	bearer string
	http   *http.Client
	fleet  *simulator.Fleet
}

func newSite(t *testing.T) *site {
	t.Helper()
	config := server.Config{DataDir: servertest.Folder(t), Listen: "127.0.0.1:0",
		RestoreAfter: time.Hour, Log: slog.New(slog.DiscardHandler)}
	running, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(running.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	s := &site{config: config, server: running, http: &http.Client{Transport: transport},
		fleet: simulator.NewFleet(simulator.Options{Transport: transport,
			Keys: simulator.NewKeyPool(1)})}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := s.server.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	if _, s.bearer, err = running.Tokens().Create(t.Context(),
		access.TokenInput{Name: "test", Role: access.Administrator}); err != nil {
		t.Fatal(err)
	}
	s.Client = s.client(t, running.URL())
	return s
}

// client is one more client of the site, at an address that leads there.
func (s *site) client(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{URL: url, Token: s.bearer, CAFile: s.server.CAFile()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *site) enroll(t *testing.T, seed uint64, name string) *simulator.Device {
	t.Helper()
	link, err := s.CreateEnrollment(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(link.Expires); left > time.Hour || left < 50*time.Minute {
		t.Errorf("the link expires in %s", left)
	}
	device := s.fleet.Add(simulator.Config{Kind: simulator.IPhone, Seed: seed, Name: name})
	if err := device.Enroll(t.Context(), link.URL); err != nil {
		t.Fatal(err)
	}
	return device
}

const wifi = `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
<key>PayloadType</key><string>Configuration</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>com.example.wifi</string><key>PayloadUUID</key><string>6F1F8A31-6A5E-4B0C-9E54-0A3E1D4B7C10</string>
<key>PayloadContent</key><array><dict>
<key>PayloadType</key><string>com.apple.wifi.managed</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>com.example.wifi.1</string><key>PayloadUUID</key><string>6F1F8A31-6A5E-4B0C-9E54-0A3E1D4B7C11</string>
<key>SSID_STR</key><string>Example</string></dict></array></dict></plist>`

// assignWiFi adds a profile to the catalog and assigns it to all devices.
func (s *site) assignWiFi(t *testing.T) (id string) {
	t.Helper()
	const path = "/beta/deviceManagement/deviceConfigurations"
	var created struct{ ID string }
	body := map[string]any{"@odata.type": "#microsoft.graph.iosCustomConfiguration",
		"displayName": "Wi-Fi", "payload": []byte(wifi)}
	if err := s.Do(t.Context(), http.MethodPost, path, body, &created); err != nil {
		t.Fatal(err)
	}
	all := map[string]any{"target": map[string]any{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}}
	body = map[string]any{"assignments": []any{all}}
	if err := s.Do(t.Context(), http.MethodPost, path+"/"+created.ID+"/assign", body,
		nil); err != nil {
		t.Fatal(err)
	}
	return created.ID
}

func TestDevices(t *testing.T) {
	s := newSite(t)
	for i, name := range []string{"Anna's phone", "Twin", "Twin"} {
		s.enroll(t, uint64(i), name)
	}
	var ids []string
	phones := client.DeviceOptions{OrderBy: "deviceName", PageSize: 1,
		Filter: "operatingSystem eq 'iOS'"}
	for d, err := range s.Devices(t.Context(), phones) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, d.ID)
	}
	if len(ids) != 3 {
		t.Fatalf("%d devices over pages of one", len(ids))
	}
	for range s.Devices(t.Context(), client.DeviceOptions{PageSize: 1}) {
		break // the caller may stop
	}
	for _, name := range []string{ids[0], strings.ToUpper(ids[0]), "Anna's phone", "ANNA'S PHONE"} {
		d, err := s.Device(t.Context(), name)
		if err != nil || d.ID != ids[0] || d.Name != "Anna's phone" || d.OperatingSystem != "iOS" ||
			d.Enrolled.IsZero() {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	var ambiguous *client.AmbiguousName
	if _, err := s.Device(t.Context(), "Twin"); !errors.As(err, &ambiguous) ||
		len(ambiguous.Devices) != 2 ||
		!strings.Contains(err.Error(), ids[1]) {
		t.Errorf("a name that two devices have: %v", err)
	}
	for _, name := range []string{"", "nobody", "00000000-0000-4000-8000-000000000000"} {
		var unknown *client.UnknownDevice
		if _, err := s.Device(t.Context(), name); !errors.As(err, &unknown) {
			t.Errorf("%q: %v", name, err)
		}
	}
	d, err := s.Device(t.Context(), ids[0])
	if err != nil {
		t.Fatal(err)
	}
	if text, err := json.Marshal(d); err != nil ||
		!strings.Contains(string(text), `"managementAgent":"mdm"`) {
		t.Errorf("as JSON the device lacks what has no field: %s, %v", text, err)
	}
}

// A removal and a restore as a program sees them: what can be named, what was accepted, what the
// device did.
func TestSyncPayloads(t *testing.T) {
	s := newSite(t)
	id, phone, device := s.phoneWithWiFi(t)
	s.standing(t, device.ID, "true false present idle")

	set := []client.Selection{{ID: id, Type: client.DeviceConfiguration}}
	after := 10 * time.Minute
	if err := s.SyncPayloads(t.Context(), device.ID, set,
		client.SyncOptions{RestoreAfter: &after}); err != nil {
		t.Fatal(err)
	}
	p := s.standing(t, device.ID, "true true present queued")
	if left := time.Until(p.Restore); left > after || left < after-time.Minute {
		t.Errorf("restored by itself in %s", left)
	}
	var seen []string
	for update, err := range s.Watch(t.Context(), device.ID) {
		if err != nil {
			t.Fatal(err)
		}
		latest := client.Latest(update.Results)
		if seen = append(seen, summary(latest)); len(seen) == 1 {
			s.connect(t, phone)
		}
		if latest.State.Final() {
			break
		}
	}
	if want := "pending remove inProgress,pending remove inProgress,active remove inProgress,active remove inProgress," +
		"active remove removed,done remove removed"; strings.Join(seen, ",") != want {
		t.Errorf("seen %q, want %s", seen, want)
	}
	s.standing(t, device.ID, "true true absent idle")

	// The same by its later name, whose result has other names for everything.
	path := "/beta/deviceManagement/managedDevices/" + device.ID + "/changeAssignments"
	if err := s.Do(t.Context(), http.MethodPost, path,
		map[string]any{"deviceAssignmentItems": []any{}}, nil); err != nil {
		t.Fatal(err)
	}
	s.connect(t, phone)
	results, err := s.ActionResults(t.Context(), device.ID)
	if err != nil || len(results) != 2 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	latest := client.Latest(results)
	if p := latest.Payloads[0]; latest.Name != "changeAssignments" || p.ID != id ||
		p.Intent != client.Restore ||
		p.Status != client.Succeeded || p.SubType != "wiFi" || p.DisplayName != "Wi-Fi" ||
		len(latest.Failures()) != 0 {
		t.Errorf("the result is %+v", latest)
	}
	if text, err := json.Marshal(latest); err != nil ||
		!strings.Contains(string(text), "#microsoft.graph.changeAssignmentsActionResult") {
		t.Errorf("as JSON the result is %s, %v", text, err)
	}
}

// summary is an action's state, and its payloads'.
func summary(r *client.ActionResult) string {
	text := string(r.State)
	for _, p := range r.Payloads {
		text += fmt.Sprintf(" %s %s", p.Intent, p.Status)
	}
	return text
}

// phoneWithWiFi is an enrolled phone that has what is assigned to it: the Wi-Fi profile of that id.
func (s *site) phoneWithWiFi(t *testing.T) (id string, phone *simulator.Device, device *client.Device) {
	t.Helper()
	id = s.assignWiFi(t)
	phone = s.enroll(t, 1, "Phone")
	device, err := s.Device(t.Context(), "Phone")
	if err != nil {
		t.Fatal(err)
	}
	s.connect(t, phone)
	return id, phone, device
}

func (s *site) connect(t *testing.T, device *simulator.Device) {
	t.Helper()
	if err := device.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// standing checks the only payload of a device.
func (s *site) standing(t *testing.T, device, want string) client.Payload {
	t.Helper()
	list, err := s.Payloads(t.Context(), device)
	if err != nil || len(list) != 1 {
		t.Fatalf("payloads are %+v, %v", list, err)
	}
	p := list[0]
	got := fmt.Sprintf("%t %t %s %s", p.Assigned, p.Removed, p.Presence, p.Work)
	if got != want || p.SubType != "wiFi" || p.Type != client.DeviceConfiguration {
		t.Errorf("the payload stands as %q, want %q: %+v", got, want, p)
	}
	return p
}

func TestRefusals(t *testing.T) {
	s := newSite(t)
	s.enroll(t, 1, "Phone")
	device, err := s.Device(t.Context(), "Phone")
	if err != nil {
		t.Fatal(err)
	}
	stranger := client.Selection{ID: "00000000-0000-4000-8000-000000000000",
		Type: client.Application}
	err = s.SyncPayloads(t.Context(), device.ID, []client.Selection{stranger}, client.SyncOptions{})
	var answer *client.Error
	if !errors.As(err, &answer) || answer.Status != 400 ||
		answer.Target != "deviceActionPayloads[0].payloadId" ||
		answer.RequestID == "" {
		t.Errorf("a payload that is not assigned: %#v", err)
	}
	if _, err := s.Payloads(t.Context(), stranger.ID); !client.IsNotFound(err) {
		t.Errorf("payloads of no device: %v", err)
	}
	if _, err := s.PushCertificate(t.Context()); !client.IsNotFound(err) {
		t.Errorf("no push certificate: %v", err)
	}
	certificate, key, topic,
		err := simulator.NewPushCertificate("0A0A0A0A-0000-4000-8000-000000000000",
		time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := s.SetPushCertificate(t.Context(), certificate, key); err != nil ||
		p.Topic != topic || p.Expires.IsZero() {
		t.Errorf("push certificate %+v, %v", p, err)
	}
	if _, err := s.SetPushCertificate(t.Context(), key, key); err == nil {
		t.Error("a key was taken for a certificate")
	}
	other, err := client.New(client.Config{URL: s.server.URL(), Token: s.bearer})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.SyncDevice(t.Context(), device.ID); err == nil ||
		!strings.Contains(err.Error(), "give the server's ca.pem") {
		t.Errorf("without the CA: %v", err)
	}
}

func (s *site) post(t *testing.T, device, action, body string) {
	t.Helper()
	path := "/beta/deviceManagement/managedDevices/" + device + "/" + action
	if err := s.Do(t.Context(), http.MethodPost, path, json.RawMessage(body), nil); err != nil {
		t.Fatal(err)
	}
}

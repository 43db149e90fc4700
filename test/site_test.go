// Package test runs the whole server as its users do: real HTTPS, a real database file, and simulated devices that
// speak the real protocol and keep stores of their own, against which every result is held.
package test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/simulator"
)

// clock is time that passes when a test says so.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	timers []timer
}

type timer struct {
	at   time.Time
	ring chan time.Time
}

func newClock() *clock { return &clock{now: time.Now().UTC().Truncate(time.Second)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := timer{c.now.Add(d), make(chan time.Time, 1)}
	if d <= 0 {
		t.ring <- c.now
	} else {
		c.timers = append(c.timers, t)
	}
	return t.ring
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.timers = slices.DeleteFunc(c.timers, func(t timer) bool {
		if t.at.After(c.now) {
			return false
		}
		t.ring <- c.now
		return true
	})
}

// site is one organization: a server, a push gateway and a fleet of devices.
type site struct {
	*testing.T
	clock   *clock
	server  *server.Server
	config  server.Config
	url     string
	gateway *simulator.Gateway
	fleet   *simulator.Fleet
	http    *http.Client
	token   string
	ids     map[*simulator.Device]string
}

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteTrusting(t)
}

// newSiteTrusting is a site whose devices trust further servers.
func newSiteTrusting(t *testing.T, also ...*x509.Certificate) *site {
	t.Helper()
	s := &site{T: t, clock: newClock(), ids: map[*simulator.Device]string{}}
	var err error
	if s.gateway, err = simulator.NewGateway(simulator.GatewayOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.gateway.Close() })
	s.config = server.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0", RestoreAfter: server.DefaultRestoreAfter,
		APNsURL: s.gateway.URL(), APNsCAs: pool(t, s.gateway.CA()), Clock: s.clock, Log: quiet()}
	s.start()
	certificate, key, _, err := simulator.NewPushCertificate(uuid.NewString(), s.clock.Now())
	if err == nil {
		_, err = s.server.Channel().SetPushCertificate(t.Context(), certificate, key)
	}
	if err == nil {
		_, s.token, err = s.server.Tokens().Create(t.Context(), "admin", 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	transport := s.transport()
	for _, c := range also {
		transport.TLSClientConfig.RootCAs.AddCert(c)
	}
	s.fleet = simulator.NewFleet(simulator.Options{Transport: transport, Clock: s.clock, Keys: keys, Gateway: s.gateway,
		Apps: appStore, Log: quiet()})
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() { s.fleet.Run(ctx); close(ran) }()
	t.Cleanup(func() { stop(); <-ran })
	return s
}

// in is the site in a subtest.
func (s *site) in(t *testing.T) *site {
	c := *s
	c.T = t
	return &c
}

// keys are shared by all devices of all tests.
var keys = simulator.NewKeyPool(4)

// appStore sells com.example.app0, com.example.app1, ... as 1000, 1001, ...
var appStore = func() map[int64]string {
	apps := map[int64]string{}
	for i := range int64(50) {
		apps[1000+i] = fmt.Sprintf("com.example.app%d", i)
	}
	return apps
}()

func quiet() *slog.Logger {
	if os.Getenv("SYNCPAYLOADS_TEST_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(slog.DiscardHandler)
}

func pool(t *testing.T, pem []byte) *x509.CertPool {
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(pem) {
		t.Fatal("not a certificate")
	}
	return p
}

// start starts the server, or starts it again on the same data and address.
func (s *site) start() {
	s.Helper()
	var err error
	if s.server, err = server.Start(s.Context(), s.config); err != nil {
		s.Fatal(err)
	}
	s.url = s.server.URL()
	s.config.Listen = strings.TrimPrefix(s.url, "https://")
	running := s.server
	s.Cleanup(func() { _ = running.Close(context.Background()) })
	s.http = &http.Client{Transport: s.transport()}
}

func (s *site) transport() *http.Transport {
	ca, err := os.ReadFile(filepath.Join(s.config.DataDir, "ca.pem"))
	if err != nil {
		s.Fatal(err)
	}
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool(s.T, ca)}, MaxIdleConnsPerHost: 64}
}

// call makes a request of the API and returns status and body.
func (s *site) call(method, path string, body any) (int, []byte) {
	s.Helper()
	return s.send(method, path, nil, body)
}

func (s *site) send(method, path string, header map[string]string, body any) (int, []byte) {
	s.Helper()
	var doc []byte
	if body != nil {
		var err error
		if doc, err = json.Marshal(body); err != nil {
			s.Fatal(err)
		}
	}
	r, err := http.NewRequest(method, s.url+path, bytes.NewReader(doc))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	res, err := s.http.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	return res.StatusCode, answer
}

// must makes a request that has to succeed and decodes its answer.
func (s *site) must(method, path string, body, into any) {
	s.Helper()
	status, answer := s.call(method, path, body)
	if status >= 300 {
		s.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			s.Fatalf("%s %s: %v in %s", method, path, err, answer)
		}
	}
}

// enroll adds a device and enrolls it through a one-time link.
func (s *site) enroll(c simulator.Config) *simulator.Device {
	s.Helper()
	d := s.fleet.Add(c)
	s.enrollAgain(d)
	return d
}

func (s *site) enrollAgain(d *simulator.Device) {
	s.Helper()
	var link struct{ URL string }
	s.must("POST", "/api/enrollments", map[string]any{"expiresIn": "1h"}, &link)
	if err := d.Enroll(s.Context(), link.URL); err != nil {
		s.Fatal(err)
	}
	udid := d.Facts().EnrollmentID // a user enrollment hides the hardware's
	if udid == "" {
		udid = d.Facts().UDID
	}
	var list struct{ Value []struct{ ID string } }
	s.must("GET", "/beta/deviceManagement/managedDevices?$filter=udid%20eq%20'"+udid+"'", nil, &list)
	if len(list.Value) != 1 {
		s.Fatalf("%d devices have UDID %s", len(list.Value), udid)
	}
	s.ids[d] = list.Value[0].ID
}

// payload is one policy or app of the test's catalog.
type payload struct{ ID, Type, Identifier string }

// profile makes a configuration in the catalog and assigns it to all devices.
func (s *site) profile(identifier string) payload {
	s.Helper()
	p := payload{Type: "deviceConfiguration", Identifier: identifier}
	s.must("POST", "/beta/deviceManagement/deviceConfigurations", map[string]any{
		"@odata.type": "#microsoft.graph.iosCustomConfiguration", "displayName": "Profile " + identifier,
		"payloadFileName": identifier + ".mobileconfig", "payload": mobileconfig(identifier, uuid.NewString())}, &p)
	s.must("POST", "/beta/deviceManagement/deviceConfigurations/"+p.ID+"/assign", map[string]any{
		"assignments": []any{map[string]any{"target": allDevices}}}, nil)
	return p
}

// app makes the app store's app n in the catalog and assigns it to all devices.
func (s *site) app(n int64) payload {
	s.Helper()
	store := 1000 + n
	bundle := appStore[store]
	p := payload{Type: "application", Identifier: bundle}
	s.must("POST", "/beta/deviceAppManagement/mobileApps", map[string]any{
		"@odata.type": "#microsoft.graph.iosStoreApp", "displayName": "App " + bundle, "bundleId": bundle,
		"appStoreUrl": fmt.Sprintf("https://apps.apple.com/app/id%d", store)}, &p)
	s.must("POST", "/beta/deviceAppManagement/mobileApps/"+p.ID+"/assign", map[string]any{
		"mobileAppAssignments": []any{map[string]any{"intent": "required", "target": allDevices}}}, nil)
	return p
}

var allDevices = map[string]any{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}

func mobileconfig(identifier, id string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>PayloadType</key><string>Configuration</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>` + identifier + `</string><key>PayloadUUID</key><string>` + id + `</string>
<key>PayloadDisplayName</key><string>` + identifier + `</string>
<key>PayloadContent</key><array><dict>
<key>PayloadType</key><string>com.apple.wifi.managed</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>` + identifier + `.wifi</string><key>PayloadUUID</key><string>` + uuid.NewString() + `</string>
<key>SSID_STR</key><string>` + identifier + `</string><key>EncryptionType</key><string>None</string>
</dict></array></dict></plist>`)
}

// sync declares what is to be off the device.
func (s *site) sync(d *simulator.Device, set ...payload) {
	s.Helper()
	if status, answer := s.post(d, "syncPayloads", set); status != http.StatusNoContent {
		s.Fatalf("syncPayloads: %d %s", status, answer)
	}
}

func (s *site) post(d *simulator.Device, action string, set []payload) (int, []byte) {
	s.Helper()
	return s.callWith(action, d, nil, set...)
}

// callWith calls an action with request headers.
func (s *site) callWith(action string, d *simulator.Device, header map[string]string, set ...payload) (int, []byte) {
	s.Helper()
	items := []any{}
	for _, p := range set {
		items = append(items, map[string]string{"payloadId": p.ID, "payloadType": p.Type})
	}
	path := "/beta/deviceManagement/managedDevices/" + s.ids[d] + "/" + action
	return s.send("POST", path, header, map[string]any{"deviceActionPayloads": items})
}

type result struct {
	ActionName           string
	ActionState          string
	DeviceActionPayloads []struct {
		PayloadID, Intent, Status, Detail string
		ErrorCode                         int64
	}
}

// result reads the device's latest syncPayloads result.
func (s *site) result(d *simulator.Device) result {
	s.Helper()
	var device struct{ DeviceActionResults []result }
	s.must("GET", "/beta/deviceManagement/managedDevices/"+s.ids[d]+"?$select=id,deviceActionResults", nil, &device)
	for _, r := range device.DeviceActionResults {
		if r.ActionName == string(action.SyncPayloads) {
			return r
		}
	}
	return result{}
}

func (r result) final() bool {
	return slices.Contains([]string{"done", "failed", "canceled", "notSupported"}, r.ActionState)
}

func (r result) of(p payload) string {
	for _, line := range r.DeviceActionPayloads {
		if line.PayloadID == p.ID {
			return line.Intent + "/" + line.Status
		}
	}
	return "none"
}

// eventually lets time pass until ok, a second at a time.
func (s *site) eventually(what string, ok func() bool) {
	s.Helper()
	s.within(time.Second, what, ok)
}

// within lets time pass until ok, a step of the clock at a time.
func (s *site) within(step time.Duration, what string, ok func() bool) {
	s.Helper()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			s.Fatalf("never: %s", what)
		}
		s.clock.advance(step)
		<-tick.C
	}
}

// has reports whether the device has exactly these payloads, by its own stores.
func has(d *simulator.Device, want ...payload) bool {
	return strings.Join(inventory(d), " ") == strings.Join(identifiers(want), " ")
}

func inventory(d *simulator.Device) []string {
	var found []string
	for _, p := range d.Profiles() {
		if !strings.HasPrefix(p.Identifier, "com.github.syncpayloads.") {
			found = append(found, p.Identifier)
		}
	}
	for _, a := range d.Apps() {
		if a.State == simulator.AppManaged {
			found = append(found, a.Identifier)
		}
	}
	slices.Sort(found)
	return found
}

func identifiers(list []payload) []string {
	var found []string
	for _, p := range list {
		found = append(found, p.Identifier)
	}
	slices.Sort(found)
	return found
}

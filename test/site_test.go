// Package test runs the whole server as its users do: real HTTPS, a real database file, and
// simulated devices that speak the real protocol and keep stores of their own, against which every
// result is held.
package test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(servertest.Main(m)) }

// site is one organization: a server, a push gateway and a fleet of devices.
type site struct {
	*testing.T
	clock   *clocktest.Ringing
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
	if storetest.Postgres() {
		return newSiteOn(t, server.Config{DataDir: t.TempDir(), Database: storetest.NewDatabase(t)},
			also...)
	}
	data := servertest.PushFolder(t)
	return newSiteOn(t, server.Config{DataDir: data,
		Database: filepath.Join(data, server.DatabaseFile)}, also...)
}

// newSiteOn is a site on a database, or on that of a server that has run before.
func newSiteOn(t *testing.T, database server.Config, also ...*x509.Certificate) *site {
	t.Helper()
	s := &site{T: t, clock: clocktest.NewRinging(time.Now().UTC().Truncate(time.Second)),
		ids: map[*simulator.Device]string{}}
	var err error
	if s.gateway, err = simulator.NewGateway(simulator.GatewayOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.gateway.Close() })
	s.config = server.Config{DataDir: database.DataDir, Database: database.Database,
		Store:  database.Store,
		Listen: "127.0.0.1:0", RestoreAfter: server.DefaultRestoreAfter,
		APNsURL: s.gateway.URL(), APNsCAs: pool(t, s.gateway.CA()), Clock: s.clock, Log: quiet()}
	s.start()
	if database.Store != nil || storetest.Postgres() { // it has not run before
		s.setPushCertificate()
	}
	if _, s.token, err = s.server.Tokens().Create(t.Context(),
		access.TokenInput{Name: "admin", Role: access.Administrator}); err != nil {
		t.Fatal(err)
	}
	transport := s.transport()
	for _, c := range also {
		transport.TLSClientConfig.RootCAs.AddCert(c)
	}
	s.fleet = simulator.NewFleet(simulator.Options{Transport: transport, Clock: s.clock, Keys: keys,
		Gateway: s.gateway,
		Apps:    appStore, Log: quiet()})
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() { s.fleet.Run(ctx); close(ran) }()
	t.Cleanup(func() { stop(); <-ran })
	return s
}

func (s *site) setPushCertificate() {
	s.Helper()
	certificate, key, _, err := simulator.NewPushCertificate(uuid.NewString(), s.clock.Now())
	if err == nil {
		_, err = s.server.Channel().SetPushCertificate(s.Context(), certificate, key)
	}
	if err != nil {
		s.Fatal(err)
	}
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
		return slog.New(slog.NewTextHandler(os.Stderr,
			&slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(slog.DiscardHandler)
}

func pool(t testing.TB, pem []byte) *x509.CertPool {
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
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool(s.T, ca)},
		MaxIdleConnsPerHost: 64}
}

// enroll adds a device and enrolls it through a one-time link.
func (s *site) enroll(c simulator.Config) *simulator.Device {
	s.Helper()
	d := s.fleet.Add(c)
	s.enrollBy(d, map[string]any{"expiresIn": "1h"})
	return d
}

// enrollAgain enrolls a device that is enrolled, by a link that says so.
func (s *site) enrollAgain(d *simulator.Device) {
	s.Helper()
	s.enrollBy(d, map[string]any{"expiresIn": "1h", "for": d.Facts().SerialNumber, "replace": true})
}

func (s *site) enrollBy(d *simulator.Device, terms map[string]any) {
	s.Helper()
	var link struct{ URL string }
	s.must("POST", "/api/enrollments", terms, &link)
	if err := d.Enroll(s.Context(), link.URL); err != nil {
		s.Fatal(err)
	}
	udid := d.Facts().EnrollmentID // a user enrollment hides the hardware's
	if udid == "" {
		udid = d.Facts().UDID
	}
	var list struct{ Value []struct{ ID string } }
	s.must("GET", "/beta/deviceManagement/managedDevices?$filter=udid%20eq%20'"+udid+"'", nil,
		&list)
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
		"@odata.type":     "#microsoft.graph.iosCustomConfiguration",
		"displayName":     "Profile " + identifier,
		"payloadFileName": identifier + ".mobileconfig",
		"payload":         mobileconfig(identifier, uuid.NewString())}, &p)
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
		"@odata.type": "#microsoft.graph.iosStoreApp", "displayName": "App " + bundle,
		"bundleId":    bundle,
		"appStoreUrl": fmt.Sprintf("https://apps.apple.com/app/id%d", store)}, &p)
	s.must("POST", "/beta/deviceAppManagement/mobileApps/"+p.ID+"/assign", map[string]any{
		"mobileAppAssignments": []any{map[string]any{"intent": "required", "target": allDevices}}},
		nil)
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

// eventually lets time pass until ok, a second at a time.
func (s *site) eventually(what string, ok func() bool) {
	s.Helper()
	s.within(time.Second, what, ok)
}

// within lets time pass until ok, a step of the clock at a time.
func (s *site) within(step time.Duration, what string, ok func() bool) {
	s.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			s.Fatalf("never: %s", what)
		}
		s.clock.Advance(step)
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

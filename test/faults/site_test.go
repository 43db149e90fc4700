// Package faults runs the real program, each server in a process of its own, and does to it what
// happens in the field: processes die, databases stop, disks fill, networks go silent, clocks jump,
// the push service fails. Devices and admins go on all the while. Afterwards no accepted call may
// be lost, no final state changed, no task forgotten, and every simulated device's own stores hold
// what was asked.
//
// The tests take a few minutes. With -faults.long=30m the load goes on for so long under each fault
// that repeats.
package faults

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

var long = flag.Duration("faults.long", 0, "how long faults that repeat go on; 0: a few seconds")

// lasting is how long a fault that repeats goes on.
func lasting(short time.Duration) time.Duration {
	if *long > 0 {
		return *long
	}
	return short
}

// site is an organization: servers on one database behind one address, a push service, devices and
// admins.
type site struct {
	*testing.T
	nodes    []*node
	database string // as the test reaches it
	front    *wall  // between everybody and the servers
	url, ca  string // of the servers, and the file with the certificate of their CA
	gateway  *simulator.Gateway
	fleet    *simulator.Fleet
	http     *http.Client
	token    string
	catalog  []payload
	devices  []*device
	troubles *output // why connections of devices ended early, and calls were not accepted
}

// payload is one policy or app of the catalog.
type payload struct{ ID, Type, Identifier string }

// device is a simulated device and its id as a managed one.
type device struct {
	*simulator.Device
	id string
}

const (
	profiles = 4
	apps     = 2
)

var keys = simulator.NewKeyPool(4)

var appStore = map[int64]string{1000: "com.example.app0", 1001: "com.example.app1"}

// patience is for how long devices and callers wait for an answer: on a machine with much else to
// do one may take seconds.
const patience = 15 * time.Second

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// newSite starts a server for each database, which are ways to the same one, enrolls devices and
// gives them everything in the catalog.
func newSite(t *testing.T, devices int, location string, databases ...string) *site {
	t.Helper()
	s := &site{T: t, database: location, troubles: new(output)}
	s.servers(databases)
	s.open()
	s.fleet = simulator.NewFleet(simulator.Options{Transport: s.transport(), Keys: keys,
		Gateway: s.gateway, Apps: appStore,
		PollEvery: 300 * time.Millisecond, RetryAfter: 100 * time.Millisecond, Timeout: patience,
		JournalSize: 100_000,
		Log: slog.New(slog.NewTextHandler(s.troubles,
			&slog.HandlerOptions{Level: slog.LevelDebug}))})
	for i := range devices {
		s.enroll(uint64(i))
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() { s.fleet.Run(ctx); close(ran) }()
	t.Cleanup(func() { stop(); <-ran })
	return s
}

func (s *site) servers(databases []string) {
	s.Helper()
	var err error
	if s.gateway, err = simulator.NewGateway(simulator.GatewayOptions{Log: quiet()}); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = s.gateway.Close() })
	apns := filepath.Join(s.TempDir(), "apns.pem")
	if err := os.WriteFile(apns, s.gateway.CA(), 0o644); err != nil {
		s.Fatal(err)
	}
	var addresses []string
	for range databases {
		n := newNode(s.T)
		s.nodes, addresses = append(s.nodes, n), append(addresses, n.listen)
	}
	s.front = newWall(s.T, anyOf(addresses...))
	s.url = "https://" + s.front.address()
	for i, n := range s.nodes {
		n.flags = []string{"--url", s.url, "--apns-url", s.gateway.URL(), "--apns-ca", apns,
			"--retry-base", "100ms", "--poll-base", "100ms"}
		if store.IsPostgres(databases[i]) {
			n.flags = append(n.flags, "--db", databases[i])
		}
		n.start()
	}
	for _, n := range s.nodes {
		n.up()
	}
	s.ca = filepath.Join(s.nodes[0].data, "ca.pem")
}

// open makes the admins' token, and what they need.
func (s *site) open() {
	s.Helper()
	where := []string{"token", "create", "--data", s.nodes[0].data, "admin"}
	if store.IsPostgres(s.database) {
		where = append(where, "--db", s.database)
	}
	token, err := exec.Command(s.nodes[0].path, where...).Output()
	if err != nil {
		s.Fatalf("making a token: %v", err)
	}
	s.token = strings.TrimSpace(string(token))
	s.fill()
}

// fill sets the push certificate and makes the catalog.
func (s *site) fill() {
	s.Helper()
	s.http = &http.Client{Transport: s.transport(), Timeout: patience}
	certificate, key, _, err := simulator.NewPushCertificate(uuid.NewString(),
		time.Now().AddDate(0, -2, 0))
	if err != nil {
		s.Fatal(err)
	}
	s.must("PATCH", "/beta/deviceManagement/applePushNotificationCertificate",
		map[string]any{"certificate": string(certificate), "privateKey": string(key)}, nil)
	for i := range profiles {
		s.catalog = append(s.catalog, s.profile(fmt.Sprintf("com.example.profile%d", i)))
	}
	for i := range int64(apps) {
		s.catalog = append(s.catalog, s.app(1000+i))
	}
}

// transport makes a connection for each request, so that each may be another server's.
func (s *site) transport() *http.Transport {
	ca, err := os.ReadFile(s.ca)
	if err != nil {
		s.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		s.Fatal("not a certificate")
	}
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}
}

func (s *site) enroll(seed uint64) {
	s.Helper()
	d := &device{Device: s.fleet.Add(simulator.Config{Kind: simulator.IPhone, Seed: seed})}
	var link struct{ URL string }
	s.must("POST", "/api/enrollments", map[string]any{"expiresIn": "1h"}, &link)
	if err := d.Enroll(s.Context(), link.URL); err != nil {
		s.Fatal(err)
	}
	var list struct{ Value []struct{ ID string } }
	s.must("GET", "/beta/deviceManagement/managedDevices?$filter=udid%20eq%20'"+d.Facts().UDID+"'",
		nil, &list)
	if len(list.Value) != 1 {
		s.Fatalf("%d devices have UDID %s", len(list.Value), d.Facts().UDID)
	}
	d.id = list.Value[0].ID
	s.devices = append(s.devices, d)
}

var everyDevice = map[string]any{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}

func (s *site) profile(identifier string) payload {
	s.Helper()
	p := payload{Type: "deviceConfiguration", Identifier: identifier}
	s.must("POST", "/beta/deviceManagement/deviceConfigurations", map[string]any{
		"@odata.type":     "#microsoft.graph.iosCustomConfiguration",
		"displayName":     "Profile " + identifier,
		"payloadFileName": identifier + ".mobileconfig", "payload": mobileconfig(identifier)}, &p)
	s.must("POST", "/beta/deviceManagement/deviceConfigurations/"+p.ID+"/assign", map[string]any{
		"assignments": []any{map[string]any{"target": everyDevice}}}, nil)
	return p
}

func (s *site) app(number int64) payload {
	s.Helper()
	bundle := appStore[number]
	p := payload{Type: "application", Identifier: bundle}
	s.must("POST", "/beta/deviceAppManagement/mobileApps", map[string]any{
		"@odata.type": "#microsoft.graph.iosStoreApp", "displayName": "App " + bundle,
		"bundleId":    bundle,
		"appStoreUrl": fmt.Sprintf("https://apps.apple.com/app/id%d", number)}, &p)
	s.must("POST", "/beta/deviceAppManagement/mobileApps/"+p.ID+"/assign", map[string]any{
		"mobileAppAssignments": []any{map[string]any{"intent": "required", "target": everyDevice}}},
		nil)
	return p
}

func mobileconfig(identifier string) []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>PayloadType</key><string>Configuration</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>%[1]s</string><key>PayloadUUID</key><string>%[2]s</string>
<key>PayloadDisplayName</key><string>%[1]s</string>
<key>PayloadContent</key><array><dict>
<key>PayloadType</key><string>com.apple.wifi.managed</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>%[1]s.wifi</string><key>PayloadUUID</key><string>%[3]s</string>
<key>SSID_STR</key><string>%[1]s</string><key>EncryptionType</key><string>None</string>
</dict></array></dict></plist>`, identifier, uuid.NewString(), uuid.NewString())
}

// call makes a request of the API, of whichever server. Status 0: there was no answer.
func (s *site) call(method, path string, body any) (status int, answer []byte, err error) {
	return s.send(s.url, method, path, nil, body)
}

func (s *site) send(server, method, path string, header map[string]string,
	body any) (status int, answer []byte, err error) {
	var doc []byte
	if body != nil {
		if doc, err = json.Marshal(body); err != nil {
			return 0, nil, err
		}
	}
	r, err := http.NewRequest(method, server+path, bytes.NewReader(doc))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := s.http.Do(r)
	if err != nil {
		return 0, nil, err
	}
	answer, err = io.ReadAll(res.Body)
	return res.StatusCode, answer, errors.Join(err, res.Body.Close())
}

// must makes a request that has to succeed and decodes its answer.
func (s *site) must(method, path string, body, into any) {
	s.Helper()
	status, answer, err := s.call(method, path, body)
	if err != nil || status < 200 || status > 299 {
		s.Fatalf("%s %s: %d %s %v", method, path, status, answer, err)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			s.Fatalf("%s %s: %v in %s", method, path, err, answer)
		}
	}
}

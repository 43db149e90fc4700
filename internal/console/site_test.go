package console_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// site is a running server with simulated devices.
type site struct {
	*testing.T
	server *server.Server
	clock  *clock
	token  string // of an administrator
	fleet  *simulator.Fleet
	trust  *x509.CertPool
}

// clock is the machine's clock, set forward by the test. It is none of clocktest's because timers
// must run by themselves: pages and devices wait for them in real time.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time                         { return time.Now().UTC().Add(time.Duration(c.ahead.Load())) }
func (c *clock) After(d time.Duration) <-chan time.Time { return time.After(d) }
func (c *clock) advance(d time.Duration)                { c.ahead.Add(int64(d)) }

var keys = simulator.NewKeyPool(2)

// policy lets everything end within moments.
var policy = action.Policy{MaxAttempts: 2, RetryBase: 10 * time.Millisecond,
	RetryMax: 10 * time.Millisecond,
	PollBase: 10 * time.Millisecond, PollMax: 10 * time.Millisecond, VerifyFor: time.Hour}

func TestMain(m *testing.M) { os.Exit(servertest.Main(m)) }

func newSite(t *testing.T, change ...func(*server.Config)) *site {
	t.Helper()
	s := &site{T: t, clock: &clock{}}
	gateway, err := simulator.NewGateway(simulator.GatewayOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = gateway.Close() })
	gateways := x509.NewCertPool()
	gateways.AppendCertsFromPEM(gateway.CA())
	config := server.Config{DataDir: servertest.PushFolder(t), Listen: "127.0.0.1:0",
		RestoreAfter: server.DefaultRestoreAfter, Policy: policy,
		APNsURL: gateway.URL(), APNsCAs: gateways, Clock: s.clock,
		Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&config)
	}
	if s.server, err = server.Start(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = s.server.Close(closing)
	})
	ca, err := os.ReadFile(s.server.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	s.trust = x509.NewCertPool()
	s.trust.AppendCertsFromPEM(ca)
	s.token = s.bearer("admin", access.Administrator, 0)
	s.fleet = simulator.NewFleet(simulator.Options{Transport: s.transport(), Keys: keys,
		Gateway: gateway, Log: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() { s.fleet.Run(ctx); close(ran) }()
	t.Cleanup(func() { stop(); <-ran })
	return s
}

func (s *site) transport() *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.trust}, ForceAttemptHTTP2: true}
}

// bearer makes a token.
func (s *site) bearer(name, role string, ttl time.Duration) string {
	s.Helper()
	_, bearer, err := s.server.Tokens().Create(s.Context(),
		access.TokenInput{Name: name, Role: role, TTL: ttl})
	if err != nil {
		s.Fatal(err)
	}
	return bearer
}

// api calls the API as the administrator.
func (s *site) api(method, path string, body, into any) {
	s.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.Context(), method, s.server.URL()+path,
		strings.NewReader(string(text)))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	} else {
		r.Body = nil
	}
	transport := s.transport()
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		s.Fatalf("%s %s: %s %s, %v", method, path, response.Status, answer, err)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			s.Fatalf("%v in %s", err, answer)
		}
	}
}

// enroll adds a device and returns it with its id.
func (s *site) enroll(name string) (*simulator.Device, string) {
	s.Helper()
	d := s.fleet.Add(simulator.Config{Kind: simulator.IPhone, Name: name})
	var link struct{ URL string }
	s.api("POST", "/api/enrollments", map[string]any{}, &link)
	if err := d.Enroll(s.Context(), link.URL); err != nil {
		s.Fatal(err)
	}
	var list struct{ Value []struct{ ID string } }
	s.api("GET",
		"/beta/deviceManagement/managedDevices?$filter="+url.QueryEscape("udid eq '"+d.Facts().UDID+"'"), nil, &list)
	return d, list.Value[0].ID
}

// wifi makes a Wi-Fi profile, assigns it to all devices and returns its id.
func (s *site) wifi(name, identifier string) string {
	s.Helper()
	var made struct{ ID string }
	profile := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict>
<key>PayloadType</key><string>Configuration</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>%[1]s</string><key>PayloadUUID</key><string>%[2]s</string>
<key>PayloadContent</key><array><dict><key>PayloadType</key><string>com.apple.wifi.managed</string>
<key>PayloadVersion</key><integer>1</integer><key>PayloadIdentifier</key><string>%[1]s.wifi</string>
<key>PayloadUUID</key><string>%[3]s</string><key>SSID_STR</key><string>net</string></dict></array></dict></plist>`,
		identifier, uuid.NewString(), uuid.NewString())
	const path = "/beta/deviceManagement/deviceConfigurations"
	s.api("POST", path, map[string]any{"@odata.type": "#microsoft.graph.iosCustomConfiguration",
		"displayName":     name,
		"payloadFileName": "a.mobileconfig",
		"payload":         base64.StdEncoding.EncodeToString([]byte(profile))}, &made)
	s.api("POST", path+"/"+made.ID+"/assign", map[string]any{"assignments": []any{map[string]any{
		"target": map[string]any{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}}}},
		nil)
	return made.ID
}

// store puts a device into the database that never connects.
func (s *site) store(name string) {
	s.Helper()
	_, err := s.server.Engine().Enroll(s.Context(),
		fleet.Device{Name: name, UDID: uuid.NewString(), Platform: fleet.IOS}, "")
	if err != nil {
		s.Fatal(err)
	}
}

// browser is one that has no script.
type browser struct {
	*site
	http *http.Client
}

func (s *site) browser() *browser {
	s.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	transport := s.transport()
	s.Cleanup(transport.CloseIdleConnections)
	return &browser{s, &http.Client{Transport: transport, Jar: jar}}
}

// signedIn is a browser that has signed in with a token.
func (s *site) signedIn(bearer string) *browser {
	s.Helper()
	b := s.browser()
	if p := b.post("/console/sign-in", url.Values{"token": {bearer}}); p.status != http.StatusOK ||
		p.path() != "/console/" {
		s.Fatalf("signing in led to %s", p)
	}
	return b
}

func (b *browser) do(method, path string, form url.Values, header ...string) *page {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, b.server.URL()+path,
		strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := b.http.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	return &page{b, response.StatusCode, response.Header, response.Request.URL, string(text)}
}

func (b *browser) open(path string) *page { b.Helper(); return b.do("GET", path, nil) }

func (b *browser) post(path string, form url.Values, header ...string) *page {
	b.Helper()
	return b.do("POST", path, form, header...)
}

// until opens a page again until it has a text.
func (b *browser) until(path, text string) *page {
	b.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(30 * time.Second); ; <-tick.C {
		p := b.open(path)
		if strings.Contains(p.text(), text) {
			return p
		}
		if time.Now().After(limit) {
			b.Fatalf("%s never has %q: %s", path, text, p.text())
		}
	}
}

package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/graph"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/notify"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// site is a whole server with real parts, but for what a device's channel brings: links and the
// push certificate.
type site struct {
	*httptest.Server
	t       *testing.T
	token   string // of an Administrator
	tokens  *access.Tokens
	roles   *access.Roles
	store   *store.Store
	engine  *engine.Engine
	events  *live.Log
	clock   *clocktest.Clock
	channel *channel
	log     *logBuffer

	notify   *notify.Service
	receiver *receiver // of its notifications
}

// channel stands where a device channel would: it makes links and keeps the push certificate.
type channel struct {
	mu          sync.Mutex
	clock       *clocktest.Clock
	ttl         time.Duration
	terms       access.EnrollmentTerms
	certificate *graph.PushCertificate
	unwakeable  graph.Unwakeable
	key         string
	android     *androidService
}

func (c *channel) EnrollmentLinkOn(_ context.Context, ttl time.Duration,
	terms access.EnrollmentTerms) (string, time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ttl, c.terms = ttl, terms
	return "https://mdm.example/enroll/abc", c.clock.Now().Add(ttl), nil
}

func (c *channel) PushCertificate(context.Context) (*graph.PushCertificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.certificate, nil
}

func (c *channel) Unwakeable(context.Context, fleet.Condition) (graph.Unwakeable, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unwakeable, nil
}

func (c *channel) SetPushCertificate(_ context.Context, certificate, key []byte, force bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unwakeable.Count > 0 && !force {
		return &graph.OtherTopic{Topic: "com.apple.mgmt.External.2", Devices: c.unwakeable}
	}
	if !strings.HasPrefix(string(certificate), "-----BEGIN") {
		return &invalid.Input{Property: "certificate", Reason: "is not PEM"}
	}
	c.key = string(key)
	c.certificate = &graph.PushCertificate{Topic: "com.apple.mgmt.External.1", SerialNumber: "0A",
		PEM:     string(certificate),
		Expires: c.clock.Now().Add(time.Hour)}
	return nil
}

type logBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *logBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.String()
}

// record is the recorder of refusals, and the reader of all.
type record struct {
	*audit.Recorder
	*store.Store
}

func newSite(t *testing.T, change ...func(*graph.Config)) *site {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.Location(t))
	if err != nil {
		t.Fatal(err)
	}
	c := clocktest.New(time.Date(2025, 2, 13, 10, 17, 5, 0, time.UTC))
	s := &site{t: t, store: db, clock: c, channel: &channel{clock: c, android: newAndroid(c)}, log: &logBuffer{}}
	s.events = live.NewLog(db, slog.New(slog.DiscardHandler))
	forms := catalog.MustForms(payload.Forms())
	s.engine = engine.New(engine.Config{Store: db, Risks: forms.Risks, Clock: c,
		RestoreAfter: 8 * time.Hour, Log: slog.New(slog.DiscardHandler),
		Committed: s.events.Notify})
	tokens := access.NewTokens(db, c.Now)
	s.tokens, s.roles = tokens, access.NewRoles(db, uuid.NewString)
	if _, s.token, err = tokens.Create(t.Context(),
		access.TokenInput{Name: "help desk", Role: access.Administrator}); err != nil {
		t.Fatal(err)
	}
	payloads := catalog.New(db, forms, c.Now, uuid.NewString)
	payloads.Told = func() { s.events.Notify(nil) }
	config := graph.Config{Engine: s.engine, Devices: db, Forms: forms, Kinds: kinds, Catalog: payloads,
		Enroller:         s.channel,
		PushCertificates: s.channel, Android: s.channel.android, Authenticator: &access.Gate{Tokens: tokens, Roles: s.roles},
		Roles: s.roles, Tokens: tokens, History: db,
		Audit: record{audit.NewRecorder(db, c.Now, uuid.NewString), db}, Events: s.events,
		Busy: store.Busy, Now: c.Now, Log: slog.New(slog.NewTextHandler(s.log, nil))}
	s.notify = s.newSubscriptions(config.Catalog)
	config.Subscriptions = s.notify
	if config.Tenant, err = db.Tenant(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(&config)
	}
	s.Server = httptest.NewServer(graph.New(config))
	running, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.events.Run(running) }()
	t.Cleanup(func() {
		stop()
		s.CloseClientConnections()
		s.Close()
		if err := errors.Join(<-ended, db.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

type answer struct {
	status int
	header http.Header
	text   []byte
	body   map[string]any // nil: no body
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.text) }

// code and message are those of an error body.
func (a answer) code() string    { return fmt.Sprint(at(a.body, "error", "code")) }
func (a answer) message() string { return fmt.Sprint(at(a.body, "error", "message")) }

func (a answer) values() []map[string]any {
	list, _ := a.body["value"].([]any)
	values := make([]map[string]any, len(list))
	for i := range list {
		values[i] = list[i].(map[string]any)
	}
	return values
}

// at walks into decoded JSON by names and indexes; nil if it is not there.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

// call sends a request. body is text as it is, bytes as they are, or anything else as JSON; nil is
// none. Headers are pairs of name and value; they replace those that are sent by default.
func (s *site) call(method, path string, body any, headers ...string) answer {
	s.t.Helper()
	var content io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(b)
	case []byte:
		content = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			s.t.Fatal(err)
		}
		content = bytes.NewReader(text)
	}
	target := path
	if strings.HasPrefix(path, "/") {
		target = s.URL + path
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, target, content)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := s.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	a := answer{status: response.StatusCode, header: response.Header}
	if a.text, err = io.ReadAll(response.Body); err != nil {
		s.t.Fatal(err)
	}
	if strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		d := json.NewDecoder(bytes.NewReader(a.text))
		d.UseNumber()
		if err := d.Decode(&a.body); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, a)
		}
	}
	return a
}

// must is call with the status that it must have.
func (s *site) must(status int, method, path string, body any, headers ...string) answer {
	s.t.Helper()
	a := s.call(method, path, body, headers...)
	if a.status != status {
		s.t.Fatalf("%s %s: got %s; want %d", method, path, a, status)
	}
	return a
}

type object = map[string]any

const (
	devices        = "/beta/deviceManagement/managedDevices"
	configurations = "/beta/deviceManagement/deviceConfigurations"
	apps           = "/beta/deviceAppManagement/mobileApps"
	appSettings    = "/beta/deviceAppManagement/mobileAppConfigurations"
	groups         = "/beta/groups"
)

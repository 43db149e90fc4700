package mdm_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

// recordingEngine takes note of what the channel tells it and hands out the tasks it is given.
type recordingEngine struct {
	mu         sync.Mutex
	fail       error // what Enroll returns, once
	enrolled   []fleet.Device
	reasons    []string
	unenrolled []fleet.DeviceID
	idles      int
	reports    []engine.Report
	tasks      []*engine.Task
	handed     bool // the last answer carried a task
}

func (e *recordingEngine) Enroll(_ context.Context, d fleet.Device,
	unsupported string) (fleet.DeviceID, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.fail; err != nil {
		e.fail = nil
		return "", err
	}
	e.enrolled, e.reasons = append(e.enrolled, d), append(e.reasons, unsupported)
	return fleet.DeviceID("device of " + d.UDID), nil
}

func (e *recordingEngine) Unenroll(_ context.Context, id fleet.DeviceID) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unenrolled = append(e.unenrolled, id)
	return nil
}

func (e *recordingEngine) Idle(context.Context, fleet.DeviceID) (*engine.Task, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.idles++
	return e.next(), nil
}

func (e *recordingEngine) Answer(_ context.Context, _ fleet.DeviceID,
	r engine.Report) (*engine.Task, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.Task == "" && !e.handed {
		return nil, engine.ErrNothingAsked
	}
	e.reports = append(e.reports, r)
	return e.next(), nil
}

func (e *recordingEngine) next() *engine.Task {
	if e.handed = len(e.tasks) > 0; !e.handed {
		return nil
	}
	t := e.tasks[0]
	e.tasks = e.tasks[1:]
	return t
}

func (e *recordingEngine) give(tasks ...*engine.Task) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tasks = append(e.tasks, tasks...)
}

func (e *recordingEngine) counts() (enrolled, unenrolled, contacts int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.enrolled), len(e.unenrolled), e.idles + len(e.reports)
}

func (e *recordingEngine) lastReport(t testing.TB) engine.Report {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.reports) == 0 {
		t.Fatal("the engine was told nothing")
	}
	return e.reports[len(e.reports)-1]
}

// shared are keys that are slow to make.
var shared = struct {
	ca   func() map[string]keypair.KeyPair
	keys [3]func() *rsa.PrivateKey
}{
	ca: sync.OnceValue(func() map[string]keypair.KeyPair {
		store := newMemoryStore()
		if _, err := mdm.New(context.Background(),
			mdm.Config{URL: "https://mdm.example", Store: store,
				Engine: &recordingEngine{}}); err != nil {
			panic(err)
		}
		return store.keyPairs
	}),
	keys: [3]func() *rsa.PrivateKey{makeKey(), makeKey(), makeKey()},
}

func caKey(t testing.TB) any {
	t.Helper()
	return privateKey(t, shared.ca()["apple device CA"].KeyPEM)
}

func makeKey() func() *rsa.PrivateKey {
	return sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return key
	})
}

// server is a channel behind real HTTPS.
type server struct {
	*httptest.Server
	channel *mdm.Channel
	store   *memoryStore
	engine  *recordingEngine

	mu     sync.Mutex
	offset time.Duration // how far its clock is ahead
}

func newServer(t testing.TB, change ...func(*mdm.Config)) *server {
	t.Helper()
	s := &server{store: newMemoryStore(), engine: &recordingEngine{}}
	maps.Copy(s.store.keyPairs, shared.ca())
	var handler http.Handler
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		handler.ServeHTTP(w, r)
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	s.StartTLS()
	t.Cleanup(s.Close)
	cfg := mdm.Config{URL: s.URL, Store: s.store, Engine: s.engine, Now: s.now,
		Log: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&cfg)
	}
	var err error
	if s.channel, err = mdm.New(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	handler = never401(t, s.channel.Handler())
	return s
}

func (s *server) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.offset)
}

func (s *server) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
}

// never401 fails the test if any answer is 401: a device may leave management over it.
func never401(t testing.TB, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&statusWatch{ResponseWriter: w, t: t}, r)
	})
}

type statusWatch struct {
	http.ResponseWriter
	t testing.TB
}

func (w *statusWatch) WriteHeader(status int) {
	if status == http.StatusUnauthorized {
		w.t.Error("answered 401")
	}
	w.ResponseWriter.WriteHeader(status)
}

// client is an HTTPS client, with a client certificate if one is given.
func (s *server) client(identity ...tls.Certificate) *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool,
		Certificates: identity}}}
}

// link makes an enrollment link and returns its code.
func (s *server) link(t testing.TB, ttl time.Duration) (link, code string) {
	t.Helper()
	link, _, err := s.channel.EnrollmentLink(context.Background(), ttl)
	if err != nil {
		t.Fatal(err)
	}
	return link, link[len(s.URL+"/enroll/"):]
}

func get(t testing.TB, c *http.Client, url string) (int, http.Header, []byte) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, body
}

func TestNewRefusesWhatDevicesCannotUse(t *testing.T) {
	for _, url := range []string{"", "http://mdm.example", "https://", "https://mdm.example/path",
		"mdm.example", "https://mdm.example?x=1"} {
		_, err := mdm.New(context.Background(),
			mdm.Config{URL: url, Store: newMemoryStore(), Engine: &recordingEngine{}})
		if err == nil {
			t.Errorf("URL %q was accepted", url)
		}
	}
	if _, err := mdm.New(context.Background(), mdm.Config{URL: "https://mdm.example"}); err == nil {
		t.Error("a channel without store and engine was accepted")
	}
}

func TestTwoServersOnOneStoreHaveOneCA(t *testing.T) {
	store := newMemoryStore()
	var wg sync.WaitGroup
	cas := make([]*x509.Certificate, 2)
	for i := range cas {
		wg.Go(func() {
			c, err := mdm.New(context.Background(),
				mdm.Config{URL: "https://mdm.example", Store: store, Engine: &recordingEngine{}})
			if err != nil {
				t.Error(err)
				return
			}
			cas[i] = c.DeviceCA()
		})
	}
	wg.Wait()
	if cas[0] == nil || cas[1] == nil || !cas[0].Equal(cas[1]) {
		t.Error("the servers have different CAs")
	}
}

var errBroken = errors.New("broken")

func mustPlist(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(fmt.Errorf("property list: %w", err))
	}
}

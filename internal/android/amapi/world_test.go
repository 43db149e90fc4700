package amapi_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator/discovery"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// world is an engine on a real store with the channel, and Google's services with devices behind
// them. Time passes when a test says so, and nothing happens between its steps.
type world struct {
	*testing.T
	clock   *clocktest.Clock
	store   *store.Store
	catalog *catalog.Catalog
	service *simulator.Service
	google  *httptest.Server
	roles   *access.Roles

	wrap  func(amapi.Store) amapi.Store        // what nodes have in place of the store; nil: the store
	after func(time.Duration) <-chan time.Time // what rings for nodes; nil: nothing does

	*node
	devices []*simulator.Device
	garbage bool                       // what is published is not as Google's documents say
	quiet   map[*simulator.Device]bool // it does not ask for its policy by itself
}

// node is one server.
type node struct {
	engine  *engine.Engine
	channel *amapi.Channel
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := newBareWorld(t, simulator.Options{Quota: 1_000_000})
	w.setUp(amapi.Pull)
	return w
}

// newBareWorld is a world in which nothing is set up.
func newBareWorld(t *testing.T, o simulator.Options) *world {
	t.Helper()
	w := &world{T: t, store: storetest.Open(t), quiet: map[*simulator.Device]bool{},
		clock: clocktest.New(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
	o.Now, o.RequireToken, o.Log = w.clock.Now, true, slog.New(slog.DiscardHandler)
	w.service = simulator.NewService(o)
	w.google = httptest.NewServer(discovery.Wrap(w, w.service))
	t.Cleanup(w.google.Close)
	w.catalog = catalog.New(w.store, catalog.MustForms(payload.Forms()), w.clock.Now,
		uuid.NewString)
	w.roles = access.NewRoles(w.store, uuid.NewString)
	w.node = w.newNode()
	return w
}

// newNode runs a server on what the store has.
func (w *world) newNode() *node {
	w.Helper()
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("SYNCPAYLOADS_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	n := &node{engine: engine.New(engine.Config{Store: w.store, Clock: w.clock, Log: log})}
	var err error
	var kept amapi.Store = w.store
	if w.wrap != nil {
		kept = w.wrap(kept)
	}
	after := w.clock.After
	if w.after != nil {
		after = w.after
	}
	n.channel, err = amapi.New(amapi.Config{URL: "https://mdm.example", Store: kept,
		Engine: n.engine, Roles: w.roles, Now: w.clock.Now, After: after, Log: log,
		Record: audit.NewRecorder(w.store, w.clock.Now, uuid.NewString).Record,
		Endpoints: amapi.Endpoints{API: w.google.URL + "/", PubSub: w.google.URL + "/",
			Token: w.google.URL + "/token", PushKeys: w.google.URL + "/certs"},
		PerSecond: 100_000})
	w.must(err)
	n.engine.Attach(n.channel, fleet.Android)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = n.engine.Run(ctx) })
	w.Cleanup(func() { cancel(); running.Wait() })
	return n
}

// Errorf implements discovery.Reporter.
func (w *world) Errorf(format string, args ...any) {
	if w.Helper(); !w.garbage {
		w.T.Errorf(format, args...)
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// setUp does what an admin does once.
func (w *world) setUp(d amapi.Delivery) {
	w.Helper()
	key, err := w.service.ServiceAccount(w.google.URL, "")
	w.must(err)
	_, err = w.channel.SetServiceAccount(w.Context(), key)
	w.must(err)
	_, err = w.channel.FinishSignup(w.Context(), w.signUp(), d)
	w.must(err)
}

// signUp follows the sign-up link and returns the token with which Google leads back.
func (w *world) signUp() string {
	w.Helper()
	link, err := w.channel.BeginSignup(w.Context(), "https://mdm.example/console/android")
	w.must(err)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	answer, err := client.Get(link)
	w.must(err)
	answer.Body.Close()
	back, err := url.Parse(answer.Header.Get("Location"))
	w.must(err)
	return back.Query().Get("enterpriseToken")
}

// token makes an enrollment token.
func (w *world) token(mode amapi.Mode, terms access.EnrollmentTerms) *amapi.Token {
	w.Helper()
	t, err := w.channel.CreateToken(w.Context(), amapi.TokenTerms{Mode: mode, Valid: time.Hour,
		Terms: terms})
	w.must(err)
	return t
}

// enroll adds a fully managed device and returns it with its id.
func (w *world) enroll(serial string, o simulator.DeviceOptions) (*simulator.Device,
	fleet.DeviceID) {
	w.Helper()
	d := w.enrollWith(w.token(amapi.FullyManaged, access.EnrollmentTerms{}), serial, o)
	return d, w.idOf(d)
}

func (w *world) enrollWith(t *amapi.Token, serial string,
	o simulator.DeviceOptions) *simulator.Device {
	w.Helper()
	d, err := w.service.Enroll(t.Value, serial, o)
	w.must(err)
	w.devices = append(w.devices, d)
	w.pull()
	return d
}

// pull takes all messages that are there.
func (w *world) pull() {
	w.Helper()
	for {
		n, err := w.channel.Pull(w.Context())
		w.must(err)
		if n == 0 {
			return
		}
	}
}

// step lets everybody act once: the clocks, the channel, the devices, and Google's messages.
func (w *world) step(d time.Duration) {
	w.Helper()
	w.clock.Advance(d)
	w.must(w.engine.Sweep(w.Context()))
	w.channel.ServeDue(w.Context())
	for _, d := range w.devices {
		if w.quiet[d] {
			continue
		}
		if err := d.Sync(); err != nil && !errors.Is(err, simulator.ErrNotEnrolled) &&
			!errors.Is(err, simulator.ErrOffline) {
			w.Fatal(err)
		}
	}
	if n, err := w.channel.Pull(w.Context()); err != nil && n == 0 {
		w.Logf("pull: %v", err)
	}
}

// until lets time pass until ok, a second at a time.
func (w *world) until(what string, ok func() bool) {
	w.Helper()
	w.within(time.Second, what, ok)
}

func (w *world) within(step time.Duration, what string, ok func() bool) {
	w.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			w.Fatalf("never: %s", what)
		}
		w.step(step)
	}
}

// served waits until the channel is woken, and serves; no device does anything.
func (w *world) served() {
	w.Helper()
	for deadline := time.Now().Add(10 * time.Second); w.channel.Waits() == 0; {
		if time.Now().After(deadline) {
			w.Fatal("the channel is not woken")
		}
		w.must(w.engine.Sweep(w.Context()))
	}
	w.channel.ServeDue(w.Context())
}

// reported lets a device take its policy and report, and the channel take that.
func (w *world) reported(d *simulator.Device) {
	w.Helper()
	w.clock.Advance(time.Second)
	w.must(d.Sync())
	w.pull()
}

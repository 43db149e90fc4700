package notify_test

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/notify"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

const tenant = "0b8ccbe0-5c39-4f0a-9c3c-00000000beef"

// world is a service on a real database, with real owners and devices. Time stands still unless it
// is advanced.
type world struct {
	testing.TB
	*notify.Service
	config notify.Config
	store  *store.Store
	tokens *access.Tokens
	roles  *access.Roles
	gate   *access.Gate
	engine *engine.Engine
	events *live.Log
	serial int

	mu sync.Mutex
	at time.Time
}

var loopback = netip.MustParsePrefix("127.0.0.1/32")

func newWorld(t testing.TB, change ...func(*notify.Config)) *world {
	t.Helper()
	st, err := store.Open(t.Context(), storetest.Location(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{TB: t, store: st, at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	w.tokens, w.roles = access.NewTokens(st, w.now), access.NewRoles(st, uuid.NewString)
	w.gate = &access.Gate{Tokens: w.tokens, Roles: w.roles}
	w.engine = engine.New(engine.Config{Store: st, Clock: w})
	w.events = live.NewLog(st, slog.New(slog.DiscardHandler))
	w.config = notify.Config{Store: st, Events: w.events, Access: w.gate, Devices: st,
		Payloads: catalog.New(st, catalog.MustForms(payload.Forms()), w.now, uuid.NewString),
		Tenant:   tenant, Allow: []netip.Prefix{loopback}, RootCAs: x509.NewCertPool(), Now: w.now}
	trusted := httptest.NewTLSServer(nil) // every receiver of this package has its certificate
	defer trusted.Close()
	w.config.RootCAs.AddCert(trusted.Certificate())
	for _, f := range change {
		f(&w.config)
	}
	w.restart()
	return w
}

// restart is another process on the same database.
func (w *world) restart() { w.Service = notify.New(w.config) }

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

// Now and After implement engine.Clock.
func (w *world) Now() time.Time                       { return w.now() }
func (w *world) After(time.Duration) <-chan time.Time { return nil }

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

// owner is the holder of a new token, limited to groups and tags, and the token's name.
func (w *world) owner(in access.TokenInput) (*access.Principal, string) {
	w.Helper()
	w.serial++
	in.Name = "owner " + strconv.Itoa(w.serial)
	if in.Role == "" {
		in.Role = access.ReadOnlyOperator
	}
	_, bearer, err := w.tokens.Create(w.Context(), in)
	if err != nil {
		w.Fatal(err)
	}
	who, err := w.gate.Authenticate(w.Context(), bearer)
	if err != nil {
		w.Fatal(err)
	}
	return who, in.Name
}

func (w *world) device() fleet.DeviceID {
	w.Helper()
	id, err := w.engine.Enroll(w.Context(), fleet.Device{Name: "phone", UDID: uuid.NewString(),
		Platform: fleet.IOS}, "")
	if err != nil {
		w.Fatal(err)
	}
	return id
}

// happen writes an event of each device into the log, in this order.
func (w *world) happen(devices ...fleet.DeviceID) {
	w.Helper()
	events := make([]live.Event, len(devices))
	for i, d := range devices {
		events[i] = live.Event{Device: d, At: w.now(), Kind: live.ActionChanged,
			State: action.Active}
	}
	w.append(events)
}

func (w *world) append(events []live.Event) {
	w.Helper()
	err := w.store.Update(w.Context(), events[0].Device,
		func(tx engine.Tx) error { return tx.AppendEvents(w.Context(), events) })
	if err != nil {
		w.Fatal(err)
	}
	w.events.Notify(nil)
}

func (w *world) newest() int64 {
	w.Helper()
	_, newest, err := w.store.EventRange(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return newest
}

func (w *world) input(r *receiver) notify.Input {
	return notify.Input{Resource: "deviceManagement/managedDevices", ChangeType: "updated",
		URL: r.URL + "/changes", LifecycleURL: r.URL + "/lifecycle",
		ClientState: "open sesame", Expires: w.now().Add(20 * 24 * time.Hour)}
}

func (w *world) subscribe(who *access.Principal, in notify.Input) *notify.Subscription {
	w.Helper()
	sub, err := w.Create(w.Context(), who, in)
	if err != nil {
		w.Fatal(err)
	}
	return sub
}

// sweep delivers all that is due.
func (w *world) sweep() {
	w.Helper()
	if err := w.Sweep(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// standing is how a subscription stands.
func (w *world) standing(who *access.Principal, sub *notify.Subscription) *notify.Subscription {
	w.Helper()
	found, err := w.Get(w.Context(), who, sub.ID)
	if err != nil {
		w.Fatal(err)
	}
	return found
}

// run lets the service run until the test ends.
func (w *world) run() {
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 2)
	go func() { ran <- w.Run(ctx) }()
	go func() { ran <- w.events.Run(ctx) }()
	w.Cleanup(func() {
		stop()
		if err := errors.Join(<-ran, <-ran); err != nil {
			w.Error(err)
		}
	})
}

package channel_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/intune/channel"
	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// clock is time that passes when a test says so, or when somebody waits.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	c.advance(d)
	rung := make(chan time.Time, 1)
	rung <- c.Now()
	return rung
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

var roles = []string{"DeviceManagementManagedDevices.Read.All",
	"DeviceManagementConfiguration.Read.All", "DeviceManagementApps.Read.All",
	"DeviceManagementManagedDevices.PrivilegedOperations.All"}

// world is a server's channel, engine and store, and a tenant.
type world struct {
	*testing.T
	clock   *clock
	store   *store.Store
	engine  *engine.Engine
	channel *channel.Channel
	site    *simulator.Site
	url     string
	tenant  *simulator.Tenant
	app     *simulator.App
	id      string // of the tenant here
	change  func(*http.Request)
}

// RoundTrip implements http.RoundTripper: it lets a test change requests on their way.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.change != nil {
		r = r.Clone(r.Context())
		w.change(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}

func newWorld(t *testing.T, o simulator.Options) *world {
	t.Helper()
	w := &world{T: t, store: storetest.Open(t),
		clock: &clock{at: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}}
	o.Clock = w.clock
	w.site = simulator.New(o)
	server := httptest.NewServer(w.site)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.tenant = w.site.AddTenant("Contoso")
	w.app = w.tenant.Register("syncpayloads", roles...)
	w.engine = engine.New(engine.Config{Store: w.store, Clock: w.clock})
	w.channel = w.node()
	w.id = w.connect(channel.Connection{Name: "Contoso"})
	t.Cleanup(func() {
		if bad := append(w.site.Unexpected(), w.site.Forbidden()...); len(bad) > 0 {
			t.Errorf("Intune was asked %v", bad)
		}
	})
	return w
}

// node is the channel of one server.
func (w *world) node() *channel.Channel {
	w.Helper()
	c, err := channel.New(channel.Config{Store: w.store, Engine: w.engine, Now: w.clock.Now,
		After: w.clock.After, Log: slog.New(slog.DiscardHandler), Transport: w})
	if err != nil {
		w.Fatal(err)
	}
	w.engine.AttachAuthority(channel.Authority, c, fleet.IOS, fleet.IPadOS, fleet.Android)
	return c
}

// connect connects the tenant with a certificate, and uploads that.
func (w *world) connect(in channel.Connection) string {
	w.Helper()
	in.TenantID, in.ClientID, in.Authority, in.Graph = w.tenant.ID, w.app.ID, w.url, w.url
	shown, err := w.channel.Connect(w.Context(), in)
	if err != nil {
		w.Fatal(err)
	}
	w.upload(shown.CertificatePEM)
	return shown.ID
}

func (w *world) upload(certificatePEM []byte) {
	w.Helper()
	block, _ := pem.Decode(certificatePEM)
	if block == nil {
		w.Fatalf("%q is no certificate", certificatePEM)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		w.Fatal(err)
	}
	w.app.AddCertificate(certificate)
}

// pass does what is to be done for the tenant.
func (w *world) pass() {
	w.Helper()
	if err := w.channel.Pass(w.Context(), w.id); err != nil {
		w.Fatal(err)
	}
}

// later lets time pass, and does what is to be done then.
func (w *world) later(d time.Duration) {
	w.Helper()
	w.clock.advance(d)
	w.pass()
}

func (w *world) state() *channel.Shown {
	w.Helper()
	shown, err := w.channel.Show(w.Context(), w.id)
	if err != nil {
		w.Fatal(err)
	}
	return shown
}

// device returns a device of the fleet; nil: there is none.
func (w *world) device(id string) *fleet.Device {
	w.Helper()
	d, err := w.store.Device(w.Context(), fleet.DeviceID(id))
	if errors.Is(err, fleet.ErrNotFound) {
		return nil
	}
	if err != nil {
		w.Fatal(err)
	}
	return d
}

// managed are the ids of the devices that are managed now.
func (w *world) managed() (ids []string) {
	w.Helper()
	page, err := w.store.Devices(w.Context(), query.Query{Where: query.Comparison{
		Field: fleet.ByEnrolled, Operator: query.Equal, Value: true}})
	if err != nil {
		w.Fatal(err)
	}
	for _, d := range page.Items {
		ids = append(ids, string(d.ID))
	}
	slices.Sort(ids)
	return ids
}

func (w *world) wantManaged(devices ...*simulator.Device) {
	w.Helper()
	var ids []string
	for _, d := range devices {
		ids = append(ids, d.ID)
	}
	slices.Sort(ids)
	if got := w.managed(); !slices.Equal(got, ids) {
		w.Errorf("managed are %d devices %v, want %d %v", len(got), got, len(ids), ids)
	}
}

// refresh reads what is assigned to a device, and assigned returns the names of that.
func (w *world) refresh(d *simulator.Device) {
	w.Helper()
	if err := w.channel.Refresh(w.Context(), fleet.DeviceID(d.ID), 0); err != nil {
		w.Fatal(err)
	}
}

func (w *world) payloads(d *simulator.Device) []*action.Payload {
	w.Helper()
	list, err := w.engine.Payloads(w.Context(), fleet.DeviceID(d.ID))
	if err != nil {
		w.Fatal(err)
	}
	return list
}

func (w *world) wantAssigned(d *simulator.Device, want ...string) {
	w.Helper()
	var names []string
	for _, p := range w.payloads(d) {
		if !p.Mirrored {
			w.Errorf("%s is this server's own", p.DisplayName)
		}
		names = append(names, p.DisplayName)
	}
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		w.Errorf("assigned are %s, want %s", strings.Join(names, ", "), strings.Join(want, ", "))
	}
}

func background() context.Context { return context.Background() }

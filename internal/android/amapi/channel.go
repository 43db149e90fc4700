// Package amapi speaks with Android devices through Google's Android Management API. Google keeps
// one policy for each device, which is posted whole, and tells what became of it in reports. So it
// is a channel of documents: it makes a policy of what the engine hands over (package payload
// composes it), keeps the mark of the hand-over with the version that Google gave the policy, and
// holds each report against the version that the device says it applied. It knows none of the
// rules.
//
// Begin with Channel.serve (worker.go), which makes a device's policy what is wanted, and
// Channel.take (report.go), to which each report comes, whoever asked for it: Google's messages
// (pull.go, push.go), a device that is read again, and the list of all devices (sweep.go).
// enroll.go has how devices come and go, admin.go what an admin does.
package amapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/keylock"
	"github.com/syncpayloads/syncpayloads/internal/platform"
)

// Engine is what the channel drives. *engine.Engine implements it.
type Engine interface {
	// Enroll creates or renews a managed device by its UDID and starts it clean.
	Enroll(ctx context.Context, d fleet.Device, unsupported string) (fleet.DeviceID, error)
	// Unenroll ends the management of a device.
	Unenroll(ctx context.Context, device fleet.DeviceID) error
	// HandDocument hands over all that is wanted of a device.
	HandDocument(ctx context.Context, device fleet.DeviceID) (*engine.Document, error)
	// TakeReport applies what a device made of a document.
	TakeReport(ctx context.Context, device fleet.DeviceID, r engine.DocumentReport) error
}

// Config is what a channel is made of. URL, Store and Engine are required.
type Config struct {
	URL    string // where Google's pushes reach this server: https://host[:port], without a path
	Store  Store
	Engine Engine
	// Roles tells what whoever made a token may still do; nil: tokens do not depend on it.
	Roles access.Granter
	// Record adds what is refused to the audit record; nil: it is only logged.
	Record func(context.Context, audit.Entry) error
	Now    func() time.Time
	After  func(time.Duration) <-chan time.Time
	Log    *slog.Logger

	Endpoints Endpoints
	// PerSecond is how many queries a second this process may ask Google; default 8: Google's quota
	// is 1,000 in 100 seconds for all processes of a project together.
	PerSecond float64
}

// Channel is the channel to Android devices.
type Channel struct {
	config  Config
	store   Store
	recent  *recentSetup // is the store, too
	engine  Engine
	log     *slog.Logger
	now     func() time.Time
	node    string // by which this process is known in leases
	pace    *pace
	queue   *queue
	pushes  *pushKeys
	counter counter

	mu     sync.Mutex
	google *google // with the key that was read last; nil: none was

	// reports keeps the reports of one device in order within this process.
	reports keylock.Locks
	webApps sync.Mutex // held by who has Google make a web app; see makeWebApp
}

var (
	_ platform.Channel = (*Channel)(nil)
	_ platform.Runner  = (*Channel)(nil)
)

// New makes a channel. It does not speak to Google before there is something to say.
func New(c Config) (*Channel, error) {
	if c.Store == nil || c.Engine == nil {
		return nil, errors.New("android channel: Store and Engine are required")
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.After == nil {
		c.After = time.After
	}
	recent := &recentSetup{Store: c.Store, now: c.Now}
	c.Store = recent
	c.Endpoints = c.Endpoints.withDefaults()
	for _, one := range []string{c.Endpoints.API, c.Endpoints.PubSub, c.Endpoints.Token,
		c.Endpoints.PushKeys} {
		if u, err := url.Parse(one); err != nil || u.Host == "" ||
			u.Scheme != "https" && u.Scheme != "http" {
			return nil, fmt.Errorf("android channel: %q: want the URL of a service", one)
		}
	}
	return &Channel{config: c, store: recent, recent: recent, engine: c.Engine, log: c.Log, now: c.Now,
		node: uuid.NewString(), pace: newPace(c.PerSecond, c.Now), queue: newQueue(),
		pushes: newPushKeys(c.Endpoints.PushKeys, c.Now)}, nil
}

// workers is how many devices are served at the same time.
const workers = 8

// Run serves the devices that are to be, asks for Google's messages, and from time to time lists all
// devices and has Google delete what is not needed any more, until ctx ends.
func (c *Channel) Run(ctx context.Context) error {
	c.endLeases(ctx)
	g, ctx := errgroup.WithContext(ctx)
	for range workers {
		g.Go(func() error { c.work(ctx); return nil })
	}
	g.Go(func() error { c.pullLoop(ctx); return nil })
	g.Go(func() error { c.sweepLoop(ctx); return nil })
	g.Go(func() error { c.tidyLoop(ctx); return nil })
	return g.Wait()
}

// Paths implements platform.Channel.
func (*Channel) Paths() []string { return []string{pushPath} }

// Handler implements platform.Channel.
func (c *Channel) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pushPath, c.servePush)
	return mux
}

// Shown implements platform.Channel: whose a token is takes its signature to tell.
func (*Channel) Shown(r *http.Request) platform.Shows {
	if !likely(bearer(r)) {
		return platform.ShowsNobody
	}
	return platform.ShowsSomething
}

// notReady is why no Android device can be reached.
type notReady struct{ error }

// Unwakeable implements engine.Unwakeable.
func (e notReady) Unwakeable() string { return e.Error() }

// Wake puts the device into the queue of those to be served. The error is an engine.Unwakeable
// while no enterprise is set up.
func (c *Channel) Wake(ctx context.Context, device fleet.DeviceID) error {
	setup, err := c.store.AndroidSetup(ctx)
	if err != nil {
		return err
	}
	if !setup.ready() {
		return notReady{ErrNoEnterprise}
	}
	if !c.queue.add(device, time.Time{}) {
		return errors.New("too many Android devices wait to be served already")
	}
	return nil
}

// client is Google's services with the present key, and the set-up. The error is
// ErrNoServiceAccount.
func (c *Channel) client(ctx context.Context) (*google, *Setup, error) {
	setup, err := c.store.AndroidSetup(ctx)
	if err != nil {
		return nil, nil, err
	}
	for i := range setup.Refusals {
		if r := &setup.Refusals[i]; r.Code == http.StatusTooManyRequests &&
			c.now().Sub(r.At) < pauseAtLeast {
			c.pace.pause(r.At) // another process was told
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.google != nil && c.google.keyID == setup.KeyID {
		return c.google, setup, nil
	}
	if setup.KeyID == "" {
		return nil, nil, ErrNoServiceAccount
	}
	key, err := c.store.ServiceAccount(ctx)
	if errors.Is(err, ErrNotFound) {
		return nil, nil, ErrNoServiceAccount
	}
	if err != nil {
		return nil, nil, err
	}
	g, err := c.newGoogle(key.KeyPEM)
	if err != nil {
		return nil, nil, fmt.Errorf("the stored service account: %w", err)
	}
	c.google = g
	return g, setup, nil
}

func (c *Channel) newGoogle(key []byte) (*google, error) {
	g, err := newGoogle(key, c.config.Endpoints, c.pace)
	if err == nil {
		g.refused = c.noteRefusal
	}
	return g, err
}

// readyClient is client of a set-up with which devices can be served. The error is ErrNoEnterprise,
// too.
func (c *Channel) readyClient(ctx context.Context) (*google, *Setup, error) {
	g, setup, err := c.client(ctx)
	if err == nil && !setup.ready() {
		err = ErrNoEnterprise
	}
	return g, setup, err
}

// Unretirable implements engine.Unretirable. The one call by which the service lets a device go
// erases it (devices.delete).
func (*Channel) Unretirable() string {
	return "Google lets an Android device leave management only by erasing all that is on it, which " +
		"this server never asks for. Reset the device itself: its record shows that it left within the hour."
}

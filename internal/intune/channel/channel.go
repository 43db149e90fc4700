// Package channel mirrors the devices of Intune tenants: which there are, what they run, and what
// their tenant assigns to each. It is the channel to them as well, which does not start actions
// yet: until it does, such a device answers one with the reason.
//
// Begin with Channel.Pass (pass.go), which is all that is done for one tenant at a time, on one
// server at a time: lists of devices (devices.go), names of policies and apps (names.go), and the
// slow walk over what is assigned (assigned.go), which is also read when somebody looks at a device
// (Channel.Refresh). admin.go has what an admin does. How Intune is asked knows package tenant.
//
// Nothing of a tenant is believed to be gone because it is missing somewhere: a device has left
// when a whole list lacks it and Intune says that it is not there; a policy is unassigned when two
// complete reads lack it.
package channel

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
	"github.com/syncpayloads/syncpayloads/internal/platform"
)

// Authority is Intune, as the system that manages devices.
const Authority fleet.Authority = "intune"

// Engine is what the channel drives. *engine.Engine implements it.
type Engine interface {
	// Enroll creates or renews a managed device by its UDID and starts it clean.
	Enroll(ctx context.Context, d fleet.Device, unsupported string) (fleet.DeviceID, error)
	// Unenroll ends the management of a device.
	Unenroll(ctx context.Context, device fleet.DeviceID) error
	// Payloads returns what is assigned to the device or held off it.
	Payloads(ctx context.Context, device fleet.DeviceID) ([]*action.Payload, error)
	// Mirror takes note of what is assigned to a device: all of it.
	Mirror(ctx context.Context, device fleet.DeviceID, specs []action.Spec) error
}

// Config is what a channel is made of. Store and Engine are required.
type Config struct {
	Store  Store
	Engine Engine
	Now    func() time.Time
	After  func(time.Duration) <-chan time.Time
	Log    *slog.Logger
	// Transport speaks to Microsoft; nil: one with bounds.
	Transport http.RoundTripper
}

// Channel is the channel to the devices of all tenants.
type Channel struct {
	config Config
	store  Store
	engine Engine
	log    *slog.Logger
	now    func() time.Time
	node   string // by which this process is known in leases

	mu      sync.Mutex
	clients map[string]*known // by the tenant's id
}

// known is a client with what it was made of.
type known struct {
	client *tenant.Client
	of     string
}

var (
	_ platform.Channel = (*Channel)(nil)
	_ platform.Runner  = (*Channel)(nil)
)

// New makes a channel. It does not speak to Intune before a tenant is connected.
func New(c Config) (*Channel, error) {
	if c.Store == nil || c.Engine == nil {
		return nil, errors.New("intune channel: Store and Engine are required")
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
	return &Channel{config: c, store: c.Store, engine: c.Engine, log: c.Log, now: c.Now,
		node: uuid.NewString(), clients: make(map[string]*known)}, nil
}

// Paths implements platform.Channel: no device of a tenant speaks to this server.
func (*Channel) Paths() []string { return nil }

// Handler implements platform.Channel.
func (*Channel) Handler() http.Handler { return http.NotFoundHandler() }

// Shown implements platform.Channel.
func (*Channel) Shown(*http.Request) platform.Shows { return platform.ShowsNobody }

// unwakeable is why nothing is asked of a device.
type unwakeable string

func (u unwakeable) Error() string { return string(u) }

// Unwakeable implements engine.Unwakeable.
func (u unwakeable) Unwakeable() string { return string(u) }

// Wake implements engine.Channel. The error is an engine.Unwakeable.
func (*Channel) Wake(context.Context, fleet.DeviceID) error { return unwakeable(notYet) }

// lookEvery is how often it is looked for what is to be done.
const lookEvery = 15 * time.Second

// Run tends the tenants that are connected, until ctx ends.
func (c *Channel) Run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	var mu sync.Mutex
	tended := make(map[string]bool)
	for ctx.Err() == nil {
		tenants, err := c.store.IntuneTenants(ctx)
		if err != nil && ctx.Err() == nil {
			c.log.Error("the tenants of Intune could not be read; it is tried again", "err", err)
		}
		for _, t := range tenants {
			mu.Lock()
			started := tended[t.ID]
			tended[t.ID] = true
			mu.Unlock()
			if started {
				continue
			}
			all.Go(func() {
				c.tend(ctx, t.ID)
				mu.Lock()
				defer mu.Unlock()
				delete(tended, t.ID)
			})
		}
		select {
		case <-ctx.Done():
		case <-c.config.After(lookEvery):
		}
	}
	return nil
}

// tend does what is to be done for one tenant, until it is disconnected or ctx ends.
func (c *Channel) tend(ctx context.Context, id string) {
	for ctx.Err() == nil {
		err := c.Pass(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return
		}
		if err != nil && ctx.Err() == nil {
			c.log.Warn("a tenant of Intune could not be mirrored; it is tried again",
				"tenant", id, "err", err)
		}
		select {
		case <-ctx.Done():
		case <-c.config.After(lookEvery):
		}
	}
}

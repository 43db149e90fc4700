package amapi

import (
	"context"

	"google.golang.org/api/androidmanagement/v1"
	"google.golang.org/api/pubsub/v1"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// What a lease lasts; see lease.go.
const (
	LeaseFor   = leaseFor
	RenewEvery = renewEvery
	ReliedOn   = reliedOn
	LeaseRetry = leaseRetry
)

// ChecksAtOnce is how many pushes may wait for Google's keys.
const ChecksAtOnce = checksAtOnce

// ServeDue serves every device whose time has come, as Run does, and returns how many there were.
func (c *Channel) ServeDue(ctx context.Context) (n int) {
	for {
		e, _ := c.queue.take(c.now())
		if e == nil {
			return n
		}
		c.serveEntry(ctx, e)
		n++
	}
}

// Waits is how many devices wait to be served.
func (c *Channel) Waits() int { return c.queue.length() }

// Take is what each report comes to.
func (c *Channel) Take(ctx context.Context, r *androidmanagement.Device) error {
	return c.take(ctx, r)
}

// TakeMessage is what each message comes to.
func (c *Channel) TakeMessage(ctx context.Context, m *pubsub.PubsubMessage) error {
	return c.takeMessage(ctx, m)
}

// SweepIfDue is what Run does from time to time.
func (c *Channel) SweepIfDue(ctx context.Context) error { return c.sweepIfDue(ctx) }

// Read reads a device from Google.
func (c *Channel) Read(ctx context.Context, name string) (*androidmanagement.Device, error) {
	g, _, err := c.client(ctx)
	if err != nil {
		return nil, err
	}
	return g.device(ctx, name)
}

// ReadMessage is what each message is read by.
func ReadMessage(m *pubsub.PubsubMessage) *androidmanagement.Device { return readMessage(m) }

// Judge holds a report against a version that has a payload of each kind.
func Judge(r *androidmanagement.Device) {
	m := &payload.Manifest{Entries: map[action.PayloadID]payload.Entry{},
		Fields:   map[string][]action.PayloadID{"applications[com.example.a].installType": {"app"}},
		Packages: []string{"com.example.a"}, Networks: []string{"g"}, Scopes: []string{"SCOPE_DEVICE"}}
	for _, kind := range []payload.Kind{payload.App, payload.Configuration, payload.Settings,
		payload.Network, payload.Certificate, payload.VPN} {
		for _, listing := range []payload.Listing{payload.Wanted, payload.LeftOut,
			payload.HeldOff, payload.Ended} {
			id := action.PayloadID(string(kind) + string(listing))
			m.Entries[id] = payload.Entry{Kind: kind, Listing: listing,
				Package: "com.example.a", WiFiGUID: "g", Fields: []string{"a"}}
		}
	}
	v := newEvidence(&applied{posting: &Posting{Version: 1, Manifest: m}}, r, nil)
	v.judge()
	if len(v.sightings)+len(v.outcomes) == 0 {
		panic("a report says nothing of any payload")
	}
	factsOf(r)
	deviceOf(r, nil)
	reportNumber(r)
}

// Policy reads a device's policy from Google.
func (c *Channel) Policy(ctx context.Context,
	id fleet.DeviceID) (*androidmanagement.Policy, error) {
	g, setup, err := c.client(ctx)
	if err != nil {
		return nil, err
	}
	return g.policy(ctx, policyName(setup.Enterprise, id))
}

// Tidy is what Run does from time to time.
func (c *Channel) Tidy(ctx context.Context) error { return c.tidy(ctx) }

// WebApps are those that Google has.
func (c *Channel) WebApps(ctx context.Context) ([]*androidmanagement.WebApp, error) {
	g, setup, err := c.client(ctx)
	if err != nil {
		return nil, err
	}
	list, _, err := g.webApps(ctx, setup.Enterprise, "")
	return list, err
}

// MakeWebApp makes one as somebody else does.
func (c *Channel) MakeWebApp(ctx context.Context, title,
	address string) (*androidmanagement.WebApp, error) {
	g, setup, err := c.client(ctx)
	if err != nil {
		return nil, err
	}
	return g.amapi.Enterprises.WebApps.Create(setup.Enterprise, &androidmanagement.WebApp{
		Title: title, StartUrl: address, DisplayMode: "STANDALONE",
		Icons: []*androidmanagement.WebAppIcon{{ImageData: "AAAA"}}}).Context(ctx).Do()
}

// DeleteWebApp deletes one as somebody else does.
func (c *Channel) DeleteWebApp(ctx context.Context, name string) error {
	g, _, err := c.client(ctx)
	if err == nil {
		_, err = g.amapi.Enterprises.WebApps.Delete(name).Context(ctx).Do()
	}
	return err
}

// Policies are the names of all policies that Google has.
func (c *Channel) Policies(ctx context.Context) (names []string, err error) {
	g, setup, err := c.client(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := g.amapi.Enterprises.Policies.List(setup.Enterprise).PageSize(100).
		Context(ctx).Do()
	if err != nil {
		return nil, err
	}
	for _, p := range answer.Policies {
		names = append(names, p.Name)
	}
	return names, nil
}

// Assign gives a device the policy of another one, as somebody else does.
func (c *Channel) Assign(ctx context.Context, device string, of fleet.DeviceID) error {
	g, setup, err := c.client(ctx)
	if err != nil {
		return err
	}
	return g.assign(ctx, device, policyName(setup.Enterprise, of))
}

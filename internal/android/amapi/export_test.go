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

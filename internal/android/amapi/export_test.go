package amapi

import (
	"context"

	"google.golang.org/api/androidmanagement/v1"
	"google.golang.org/api/pubsub/v1"
)

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

package amapi

import (
	"context"
	"errors"
	"net/http"
	"time"
)

const (
	// sweepEvery is how often all devices are listed: Google does not tell when a user resets a
	// device or removes a work profile, and messages can be lost.
	sweepEvery = time.Hour
	sweepLook  = 5 * time.Minute // how often it is looked whether it is time
	sweepChunk = 500             // enrollments that are read at once
	mostPages  = 10_000          // of 100 devices each, in one list
)

func (c *Channel) sweepLoop(ctx context.Context) {
	for ctx.Err() == nil {
		if err := c.sweepIfDue(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("the Android devices were not listed; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-c.config.After(sweepLook):
		}
	}
}

// sweepIfDue lists all devices if no process did within the last hour.
func (c *Channel) sweepIfDue(ctx context.Context) error {
	_, _, err := c.readyClient(ctx)
	if errors.Is(err, ErrNoServiceAccount) || errors.Is(err, ErrNoEnterprise) {
		return nil
	}
	if err != nil {
		return err
	}
	// The lease is not released, and so stands for the hour. It has no holder that could renew it.
	now := c.now()
	const name = "android/list"
	holder := c.node + " at " + now.UTC().Format(time.RFC3339Nano)
	due, err := c.store.TakeLease(ctx, name, holder, now, now.Add(sweepEvery))
	if err != nil || !due {
		return err
	}
	if err := c.Sweep(ctx); err != nil {
		return errors.Join(err, c.store.ReleaseLease(ctx, name, holder))
	}
	return nil
}

// Sweep lists all devices: those that are new are enrolled, what they report is taken, and those
// that are not there any more leave management.
func (c *Channel) Sweep(ctx context.Context) error {
	g, setup, err := c.readyClient(ctx)
	if err != nil {
		return err
	}
	began := c.now()
	listed, pages := make(map[string]bool), make(map[string]bool)
	for page := ""; ; {
		pages[page] = true
		devices, next, err := g.devices(ctx, setup.Enterprise, page)
		if err != nil {
			return err
		}
		for _, d := range devices {
			if d == nil {
				continue
			}
			listed[d.Name] = true
			if err := c.take(ctx, d); err != nil {
				var wait *paused
				if errors.As(err, &wait) || ctx.Err() != nil {
					return err
				}
				c.log.Warn("a listed Android device was not taken; it is with the next list",
					"device", d.Name, "err", err)
			}
		}
		if next == "" || pages[next] || len(pages) >= mostPages {
			break // what is not on the pages that were read is asked for below
		}
		page = next
	}
	if err := c.missing(ctx, g, listed, began); err != nil {
		return err
	}
	c.counter.mu.Lock()
	c.counter.listed = c.now().UTC()
	c.counter.mu.Unlock()
	return nil
}

// missing reads each device that is not in the list, and takes note of those that left.
func (c *Channel) missing(ctx context.Context, g *google, listed map[string]bool,
	began time.Time) error {
	for after := ""; ; {
		some, err := c.store.AndroidEnrollmentsAfter(ctx, after, sweepChunk)
		if err != nil || len(some) == 0 {
			return err
		}
		for i := range some {
			e := &some[i]
			if after = e.Name; listed[e.Name] || e.State.EnrolledAt.After(began) {
				continue
			}
			if err := c.findMissing(ctx, g, e); err != nil {
				return err
			}
		}
	}
}

// findMissing reads a device that is not in the list. One that cannot be read or taken keeps none
// of the others from it; the error is one that meets them all.
func (c *Channel) findMissing(ctx context.Context, g *google, e *Enrollment) error {
	r, err := g.device(ctx, e.Name)
	var refused *Refused
	switch {
	case isCode(err, http.StatusNotFound):
		err = c.depart(ctx, e)
	case err == nil:
		err = c.take(ctx, r)
	case errors.As(err, &refused) && refused.Code != http.StatusBadRequest &&
		refused.Code != http.StatusForbidden:
		return err
	}
	var wait *paused
	if errors.As(err, &wait) || ctx.Err() != nil {
		return err
	}
	if err != nil {
		c.log.Warn("an Android device that is not in the list was not read; it is with the next one",
			"device", e.Device, "err", err)
	}
	return nil
}

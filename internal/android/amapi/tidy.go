package amapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/backoff"
)

const (
	tidyEvery = 5 * time.Minute
	tidyChunk = 100
	tidyBase  = 10 * time.Minute // after Google refused to delete something; doubles
	tidyMost  = 24 * time.Hour
)

func (c *Channel) tidyLoop(ctx context.Context) {
	for ctx.Err() == nil {
		if err := c.tidy(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("what is not needed any more is still at Google; it is tried again", "err",
				err)
		}
		select {
		case <-ctx.Done():
		case <-c.config.After(tidyEvery):
		}
	}
}

// tidy has Google delete the policies of devices that left, and the web apps that are nobody's any
// more.
func (c *Channel) tidy(ctx context.Context) error {
	g, setup, err := c.readyClient(ctx)
	if errors.Is(err, ErrNoServiceAccount) || errors.Is(err, ErrNoEnterprise) {
		return nil
	}
	if err != nil {
		return err
	}
	for {
		list, err := c.store.OldAndroidPolicies(ctx, c.now(), tidyChunk)
		if err != nil {
			return err
		}
		for _, p := range list {
			if err := c.deleteOldPolicy(ctx, g, setup, p); err != nil {
				return err
			}
		}
		if len(list) < tidyChunk {
			break
		}
	}
	return c.deleteLeftWebApps(ctx, g, setup.Enterprise)
}

// deleteOldPolicy deletes the policy of a device that left, unless it is managed again. It works
// under the device's lease, so that nobody posts the policy meanwhile. Google itself refuses to
// delete what a device has. An error ends the tidying; else the policy has gone or waits.
func (c *Channel) deleteOldPolicy(ctx context.Context, g *google, setup *Setup,
	p OldPolicy) error {
	ctx, l, err := c.lease(ctx, deviceLease+string(p.Device))
	if errors.Is(err, errLeased) {
		return c.store.PutOffOldAndroidPolicy(ctx, p.Device, c.now().Add(leaseRetry))
	}
	if err != nil {
		return err
	}
	defer l.release(ctx)
	_, err = c.store.AndroidEnrollmentOf(ctx, p.Device)
	if err == nil {
		return c.store.DropOldAndroidPolicy(ctx, p.Device)
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	name := policyName(setup.Enterprise, p.Device)
	err = g.ask(ctx, "delete the policy of a device that left", func(ctx context.Context) error {
		_, err := g.amapi.Enterprises.Policies.Delete(name).Context(ctx).Do()
		return err
	})
	var r *Refused
	switch {
	case err == nil, isCode(err, http.StatusNotFound):
		return c.store.DropOldAndroidPolicy(ctx, p.Device)
	case isCode(err, http.StatusTooManyRequests), !errors.As(err, &r):
		return err
	}
	at := c.now().Add(backoff.After(tidyBase, tidyMost, 2, p.Tries+1))
	c.log.Warn("the policy of an Android device that left is still at Google; it is tried again",
		"device", p.Device, "at", at, "err", err)
	return c.store.PutOffOldAndroidPolicy(ctx, p.Device, at)
}

// deleteLeftWebApps deletes the web apps whose payload was deleted and that no device has. What was
// found at Google, and so may be somebody else's, stays there.
func (c *Channel) deleteLeftWebApps(ctx context.Context, g *google, enterprise string) error {
	c.webApps.Lock()
	defer c.webApps.Unlock()
	left, err := c.store.LeftAndroidWebApps(ctx, tidyChunk)
	if err != nil || len(left) == 0 {
		return err
	}
	ctx, l, err := c.lease(ctx, webAppsLease)
	if errors.Is(err, errLeased) {
		return nil // next time
	}
	if err != nil {
		return err
	}
	defer l.release(ctx)
	for i := range left {
		w := &left[i]
		if w.Name == "" && w.Asked != nil { // it may have been made without an answer
			there, err := c.findWebApp(ctx, g, enterprise, w.Asked)
			if err != nil {
				return err
			}
			if there != nil {
				w.Name = there.Name
			}
		}
		if !w.Found && strings.HasPrefix(w.Name, enterprise+"/webApps/") {
			err := g.ask(ctx, "delete a web app", func(ctx context.Context) error {
				_, err := g.amapi.Enterprises.WebApps.Delete(w.Name).Context(ctx).Do()
				return err
			})
			if err != nil && !isCode(err, http.StatusNotFound) {
				return err
			}
		}
		if err := c.store.DropAndroidWebApp(ctx, w.Payload); err != nil {
			return err
		}
	}
	return nil
}

package channel

import (
	"context"
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

const (
	fullEvery   = 30 * time.Minute // whole list of devices
	recentEvery = 2 * time.Minute  // list of the devices that were in contact lately
	namesEvery  = time.Hour        // lists of policies and apps
	tryAgain    = 5 * time.Minute  // after one of them failed
	// unfiltered is how long only whole lists are read after Graph left a filter unheeded.
	unfiltered = 24 * time.Hour
)

// pass is what is done for one tenant at a time, under its lease.
type pass struct {
	*Channel
	tenant *Tenant
	client *tenant.Client
	lease  *lease
	asked  bool // Intune was asked something
}

// Pass does what is to be done for a tenant now, unless another server is at it. The error is
// ErrNotFound if it is not connected any more.
func (c *Channel) Pass(ctx context.Context, id string) error {
	t, err := c.store.IntuneTenant(ctx, id)
	if err != nil {
		return err
	}
	l, err := c.lease(ctx, "intune/tenant/"+id, c.node)
	if errors.Is(err, errLeased) {
		return nil
	}
	if err != nil {
		return err
	}
	defer l.release(ctx)
	p := &pass{Channel: c, tenant: t, lease: l}
	if t.Settings.Leaving {
		return p.dismiss(ctx)
	}
	if p.client, err = c.client(ctx, t); err != nil {
		return err
	}
	err = p.run(ctx)
	if ctx.Err() != nil || errors.Is(err, errLeased) {
		return nil
	}
	return errors.Join(err, p.note(ctx, err))
}

// run does each thing whose time has come; one that fails does not keep the others.
func (p *pass) run(ctx context.Context) error {
	s, now := &p.tenant.State, p.now()
	var failed []error
	switch {
	case due(now, s.FullAt, fullEvery) && due(now, s.FullTried, tryAgain):
		failed = append(failed, p.full(ctx))
	case !s.NewestAt.IsZero() && due(now, s.RecentAt, recentEvery) &&
		due(now, s.FilterIgnored, unfiltered):
		failed = append(failed, p.recent(ctx))
	}
	if due(now, s.NamesAt, namesEvery) && due(now, s.NamesTried, tryAgain) {
		failed = append(failed, p.names(ctx))
	}
	return errors.Join(append(failed, p.sweep(ctx))...)
}

// due reports whether a time has passed since something was done. A time to come is a wrong
// clock's.
func due(now, done time.Time, every time.Duration) bool {
	return done.IsZero() || done.After(now) || now.Sub(done) >= every
}

// mostFault is how many characters are kept of why a tenant is not reached.
const mostFault = 2000

// note keeps whether the tenant answers.
func (p *pass) note(ctx context.Context, failure error) error {
	if !p.asked {
		return nil
	}
	var throttled *tenant.Throttled
	now := p.now().UTC()
	return p.store.UpdateIntuneState(ctx, p.tenant.ID, func(s *State) {
		if s.PausedUntil = (time.Time{}); errors.As(failure, &throttled) {
			s.PausedUntil = throttled.Until.UTC()
			return
		}
		if failure == nil {
			s.UnreachableSince, s.Fault, s.AnsweredAt = time.Time{}, "", now
			return
		}
		s.Fault = plaintext.Cut(plaintext.OneLine(failure.Error()), mostFault)
		if s.UnreachableSince.IsZero() {
			s.UnreachableSince = now
		}
	})
}

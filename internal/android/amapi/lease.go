package amapi

import (
	"context"
	"errors"
	"time"
)

// A lease is short, so that a process that ends without giving it back holds nobody up for long,
// and is renewed as long as its holder works. A holder that cannot renew it stops before it ends:
// Google has no way to refuse what comes from somebody whose lease has ended.
const (
	leaseFor   = 20 * time.Second
	renewEvery = 5 * time.Second
	// reliedOn is how long after it was taken or renewed the holder of a lease goes on. What is
	// left of leaseFor is for a request that is on its way then, and for servers' clocks that
	// differ.
	reliedOn = 10 * time.Second
)

// What the names of leases begin with.
const (
	deviceLease     = "android/device/"
	enrollmentLease = "android/enroll/"
)

// errLeased says that another process is at work on the same device.
var errLeased = errors.New("another server is at work on this device")

// errUnrenewed says that a lease could not be renewed, so that another process may be at work.
var errUnrenewed = errors.New("the right to work on this device alone could not be renewed")

// lease is the right to do something alone among all processes.
type lease struct {
	channel *Channel
	name    string
	cancel  context.CancelCauseFunc // of what is done under it
	kept    chan struct{}           // closed when nothing renews it any more
}

// lease takes a lease, and keeps it until it is released. What is done under it is done with the
// context, which ends when the lease is lost; its cause says why. The error is errLeased if
// somebody else has it.
func (c *Channel) lease(ctx context.Context, name string) (context.Context, *lease, error) {
	now := c.now()
	taken, err := c.store.TakeLease(ctx, name, c.node, now, now.Add(leaseFor))
	if err == nil && !taken {
		err = errLeased
	}
	if err != nil {
		return ctx, nil, err
	}
	l := &lease{channel: c, name: name, kept: make(chan struct{})}
	under, cancel := context.WithCancelCause(ctx)
	l.cancel = cancel
	go l.keep(under)
	return under, l, nil
}

// keep renews the lease until ctx ends, and ends it when the lease is lost.
func (l *lease) keep(ctx context.Context) {
	defer close(l.kept)
	after := l.channel.config.After
	due, over := after(renewEvery), after(reliedOn)
	for {
		select {
		case <-ctx.Done():
			return
		case <-over:
			l.cancel(errUnrenewed)
			return
		case <-due:
		}
		begun := after(reliedOn)
		err := l.renew(ctx)
		if errors.Is(err, errLeased) {
			l.cancel(err)
			return
		}
		if err == nil {
			over = begun
		}
		due = after(renewEvery)
	}
}

// renew makes the lease last longer; errLeased if it was lost, also to somebody who gave it back
// since: what was read under it may be old.
func (l *lease) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, renewEvery) // so that keep sees in time that it is over
	defer cancel()
	kept, err := l.channel.store.RenewLease(ctx, l.name, l.channel.node,
		l.channel.now().Add(leaseFor))
	if err == nil && !kept {
		err = errLeased
	}
	return err
}

// why is what ended the work under the lease, if the lease did.
func (l *lease) why(under context.Context, err error) error {
	if cause := context.Cause(under); err != nil && (errors.Is(cause, errLeased) ||
		errors.Is(cause, errUnrenewed)) {
		return cause
	}
	return err
}

func (l *lease) release(ctx context.Context) {
	l.cancel(nil)
	<-l.kept // nothing renews it once it is given back
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := l.channel.store.ReleaseLease(ctx, l.name, l.channel.node); err != nil {
		l.channel.log.Warn("a lease stays until it ends by itself", "lease", l.name, "err", err)
	}
}

// endLeases ends what an earlier process on the same database left, where there is no other one.
func (c *Channel) endLeases(ctx context.Context) {
	err := errors.Join(c.store.EndLeases(ctx, deviceLease),
		c.store.EndLeases(ctx, enrollmentLease), c.store.EndLeases(ctx, webAppsLease))
	if err != nil && ctx.Err() == nil {
		c.log.Warn("the leases of an earlier process stay until they end by themselves", "err", err)
	}
}

package amapi

import (
	"context"
	"errors"
	"time"
)

// leaseFor is longer than the longest request to Google takes, which is begun only under a lease
// that was just renewed: Google has no way to refuse what comes from somebody whose lease has ended.
const leaseFor = 4 * callTimeout

// errLeased says that another process is at work on the same device.
var errLeased = errors.New("another server is at work on this device")

// lease is the right to do something alone among all processes.
type lease struct {
	channel *Channel
	name    string
}

// lease takes a lease; errLeased if somebody else has it.
func (c *Channel) lease(ctx context.Context, name string) (*lease, error) {
	l := &lease{c, name}
	return l, l.renew(ctx)
}

// renew takes the lease anew from now on; errLeased if somebody else has it.
func (l *lease) renew(ctx context.Context) error {
	now := l.channel.now()
	taken, err := l.channel.store.TakeLease(ctx, l.name, l.channel.node, now, now.Add(leaseFor))
	if err == nil && !taken {
		err = errLeased
	}
	return err
}

func (l *lease) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := l.channel.store.ReleaseLease(ctx, l.name, l.channel.node); err != nil {
		l.channel.log.Warn("a lease stays until it ends by itself", "lease", l.name, "err", err)
	}
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

const (
	wakeQueue    = 4096             // wake-ups that may wait; more are tried again by the clock
	wakers       = 16               // wake-ups under way at once
	sweepBatch   = 256              // devices looked at in one go
	sweepers     = 32               // of them at once, so that their writes share commits
	pollEvery    = time.Second      // how soon a catalog change written by another process is seen
	contactsKept = 30 * time.Second // how long a last contact is kept in memory
	// how often it is looked for what another server's clock misdated, or this one's before a
	// restart
	correctEvery = time.Hour
	// wait before it is looked again after that failed, or after the clock was set back
	correctAgain = time.Minute
)

// Run keeps the clocks until ctx ends: it spreads catalog changes, restores what has expired, wakes
// devices that have work, and writes last contacts. Several processes may run it on one database.
func (e *Engine) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for range wakers {
		g.Go(func() error { e.wakeLoop(ctx); return nil })
	}
	g.Go(func() error {
		for ctx.Err() == nil {
			if err := e.Sweep(ctx); err != nil && ctx.Err() == nil {
				e.config.Log.Error("the clocks could not run; they are tried again", "err", err)
			}
			select {
			case <-ctx.Done():
			case <-e.config.Clock.After(pollEvery):
			}
		}
		return nil
	})
	err := g.Wait()
	return errors.Join(err, e.flush(context.WithoutCancel(ctx), 0))
}

// Sweep does once what Run does all the time, for everything that is due now.
func (e *Engine) Sweep(ctx context.Context) error {
	return errors.Join(e.sweep(ctx), e.correct(ctx))
}

func (e *Engine) sweep(ctx context.Context) error {
	for {
		n, err := e.config.Store.SpreadChanges(ctx, e.config.Clock.Now(), sweepBatch)
		if err != nil {
			return fmt.Errorf("spreading catalog changes: %w", err)
		}
		if n == 0 {
			break
		}
	}
	for {
		due, err := e.config.Store.Due(ctx, e.config.Clock.Now(), sweepBatch)
		if err != nil {
			return fmt.Errorf("looking for what is due: %w", err)
		}
		// A device that fails must not keep the clocks from the others; it stays due.
		if err := each(due,
			func(id fleet.DeviceID) error { return e.sweepDevice(ctx, id) }); err != nil {
			return err
		}
		if len(due) < sweepBatch {
			break
		}
	}
	return e.flush(ctx, contactsKept)
}

// each does something to many devices, some at a time, and to all of them, whichever fail.
func each(devices []fleet.DeviceID, do func(fleet.DeviceID) error) error {
	var g errgroup.Group
	g.SetLimit(sweepers)
	failed := make([]error, len(devices))
	for i, id := range devices {
		g.Go(func() error {
			failed[i] = do(id)
			return nil
		})
	}
	_ = g.Wait() // each has its own error
	return errors.Join(failed...)
}

func (e *Engine) sweepDevice(ctx context.Context, id fleet.DeviceID) error {
	err := e.transact(ctx, id, nobodyConnected, func(_ Tx, l *Ledger, env action.Env) error {
		l.Device.RestoreExpired(env, action.ActionID(e.config.NewID()))
		return nil
	})
	if err != nil {
		return fmt.Errorf("device %s: %w", id, err)
	}
	return nil
}

// correct looks for devices whose time to be looked at was set by a clock that was ahead: they would
// be left alone for as long as that clock was ahead.
func (e *Engine) correct(ctx context.Context) error {
	now := e.config.Clock.Now()
	dueAfter, look := e.corrections.begin(now)
	if !look {
		return nil
	}
	ahead, err := e.config.Store.Ahead(ctx, dueAfter)
	if err != nil {
		err = fmt.Errorf("looking for what a wrong clock misdated: %w", err)
	} else {
		err = each(ahead, func(id fleet.DeviceID) error { return e.correctDevice(ctx, id) })
	}
	e.corrections.end(now, err == nil)
	return err
}

func (e *Engine) correctDevice(ctx context.Context, id fleet.DeviceID) error {
	misdated := false
	err := e.config.Store.Look(ctx, func(tx Tx) error {
		l, err := tx.Ledger(ctx, id)
		misdated = err == nil && l.misdated(e.newEnv())
		return err
	})
	if err != nil || !misdated {
		return err
	}
	return e.sweepDevice(ctx, id)
}

// corrections is when to look for what a clock that was ahead misdated.
type corrections struct {
	mu sync.Mutex
	// newest is the latest time that the machine's clock showed: if it shows an earlier one, it was
	// set back.
	newest time.Time
	// wholeSearches is how many times to look at all devices, because the clock was set back.
	wholeSearches int
	next          time.Time // when to look; zero: at once
}

// noteTime takes note of a time by which something is dated.
func (c *corrections) noteTime(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if set := now.Round(0); set.After(c.newest) { // without the monotonic clock, which nobody sets
		c.newest = set
	}
}

// begin says whether to look now, and for devices that are due after which time. Ordinarily that is
// later than any ordinary wake-up. When the clock is known to have been set back it is now, and all
// is searched twice, because steps that took their time from the old clock may still be under way.
func (c *corrections) begin(now time.Time) (dueAfter time.Time, look bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	set := now.Round(0)
	if set.Add(clockSkew).Before(c.newest) {
		c.wholeSearches, c.next = 2, time.Time{}
	}
	c.newest, dueAfter = set, now
	if c.wholeSearches == 0 {
		dueAfter = now.Add(wakeMost + clockSkew)
	}
	return dueAfter, !now.Before(c.next)
}

func (c *corrections) end(now time.Time, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if done && c.wholeSearches > 0 {
		c.wholeSearches--
	}
	if c.next = now.Add(correctEvery); !done || c.wholeSearches > 0 {
		c.next = now.Add(correctAgain)
	}
}

// wake asks for a wake-up without waiting. One that finds the queue full is lost, and the clock
// makes up for it.
func (e *Engine) wake(id fleet.DeviceID) {
	select {
	case e.wakes <- id:
	default:
	}
}

func (e *Engine) wakeLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-e.wakes:
			err := e.wakeDevice(ctx, id)
			if err != nil && ctx.Err() == nil {
				e.config.Log.Warn("device not woken; its work waits until it connects or is woken again",
					"device", id, "err", err)
			}
			if err := e.tellUnwakeable(ctx, id, err); err != nil && ctx.Err() == nil {
				e.config.Log.Error("it is not told that a device cannot be woken", "device", id,
					"err",
					err)
			}
		}
	}
}

func (e *Engine) wakeDevice(ctx context.Context, id fleet.DeviceID) error {
	var d *fleet.Device
	err := e.config.Store.Look(ctx, func(tx Tx) (err error) {
		d, err = tx.Device(ctx, id)
		return err
	})
	if err != nil {
		return err
	}
	ch, ok := e.channels[served{d.Authority, d.Platform}]
	if !ok && d.Authority != fleet.ThisServer {
		return fmt.Errorf("no channel serves platform %s of %s", d.Platform, d.Authority)
	}
	if !ok {
		return fmt.Errorf("no channel serves platform %s", d.Platform)
	}
	return ch.Wake(ctx, id)
}

// contacts holds devices' last contacts until they are written, many at once: a write for each
// check-in would be the largest load of all.
type contacts struct {
	mu      sync.Mutex
	seen    map[fleet.DeviceID]time.Time
	flushed time.Time
}

func (c *contacts) add(id fleet.DeviceID, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = make(map[fleet.DeviceID]time.Time)
	}
	if at.After(c.seen[id]) { // a report tells of a time that may be long past
		c.seen[id] = at
	}
}

// take returns the contacts to be written now, unless some were taken a shorter while ago.
func (c *contacts) take(now time.Time, atMostEvery time.Duration) map[fleet.DeviceID]time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.flushed) < atMostEvery {
		return nil
	}
	seen := c.seen
	c.seen, c.flushed = nil, now
	return seen
}

// flush writes last contacts, unless that was done a shorter while ago.
func (e *Engine) flush(ctx context.Context, atMostEvery time.Duration) error {
	seen := e.contacts.take(e.config.Clock.Now(), atMostEvery)
	if len(seen) == 0 {
		return nil
	}
	if err := e.config.Store.Touch(ctx, seen); err != nil {
		return fmt.Errorf("writing last contacts: %w", err)
	}
	return nil
}

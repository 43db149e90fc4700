package live

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

const (
	// the newest events are kept in memory; readers that keep up never cause a read from the store
	memoryEvents = 8192
	memoryBytes  = 32 << 20 // upper bound for the events in memory, in bytes
	batch        = 512      // events read from the store at once
	// bytes of stored events that one reader holds while it sends them (at least one event)
	batchBytes = 256 << 10
	pollEvery  = time.Second // how often to look for events that another process wrote
	// shortest pause between two reads of the store
	minPollInterval = 10 * time.Millisecond
	// longest pause, even if the store is slow
	maxPollInterval = 250 * time.Millisecond
	// After one reader has read from the store, no other may for this many times as long, so that
	// readers that have fallen behind take at most a fifth of the store's time.
	storeRestFactor = 4
)

// ErrGone is returned to a reader that asks for events that have been deleted. It has to start over
// from the present state (Log.Standing).
var ErrGone = errors.New("the events that follow are not kept any more")

// Store keeps the log.
type Store interface {
	// Events lists up to limit events after a position, in order: of one device or, if device is
	// empty, of all devices.
	Events(ctx context.Context, device fleet.DeviceID, after int64, limit int) ([]Event, error)
	// EventRange returns the position of the oldest event that is still kept, and the newest
	// position that was ever given out. For an empty log, oldest is newest+1.
	EventRange(ctx context.Context) (oldest, newest int64, err error)
	// Standing returns the present state of actions and the position of the newest event, both read
	// from one snapshot of the database. For one device these are the latest action of each name
	// (fleet.ErrNotFound if there is no such device); if device is empty, they are all actions that
	// have not ended.
	Standing(ctx context.Context, device fleet.DeviceID) (list []Standing, newest int64, err error)
	// DropEvents deletes up to limit of the oldest events from before a time, and returns how many
	// it deleted.
	DropEvents(ctx context.Context, before time.Time, limit int) (int, error)
}

// Log publishes events to any number of readers. Each reader takes its events at its own pace: the
// log never waits for a reader and keeps no queue for one, so a slow reader costs nothing.
type Log struct {
	// Encode makes Event.Served once, for all readers. nil: events have no Served. Set it before
	// Run.
	Encode func(*Event) ([]byte, error)

	store     Store
	log       *slog.Logger
	announced announcements
	// whether the last catchUp waited for a gap in the announced events to close; only Run uses it
	waitedForGap bool
	// holds a value while a reader may not read from the store: another is reading, or rests
	storeReads chan struct{}

	mu     sync.Mutex
	recent recent // the newest events, up to position newest
	newest int64  // readers are shown nothing newer than this position
	turns  turns
	ended  chan struct{} // closed when Run ends, so that readers stop waiting
}

// NewLog returns a log. Its readers see new events only while Run is running.
func NewLog(store Store, log *slog.Logger) *Log {
	return &Log{store: store, log: log, announced: announcements{wake: make(chan struct{}, 1)},
		storeReads: make(chan struct{}, 1), ended: make(chan struct{}),
		recent: recent{newest: make(map[fleet.DeviceID]int)},
		turns:  turns{waiting: make(map[fleet.DeviceID][]*Reader), due: make(chan struct{}, 1)}}
}

// Standing returns the present state of actions, and the position after which to follow events. A
// new reader begins with it.
func (l *Log) Standing(ctx context.Context,
	device fleet.DeviceID) (list []Standing, newest int64, err error) {
	return l.store.Standing(ctx, device)
}

// Notify announces that events were committed. events may be nil if it is not known which; the log
// then reads them from the store. It never blocks.
func (l *Log) Notify(events []Event) { l.announced.add(events) }

// Run publishes committed events to readers until ctx ends, and then releases all readers.
func (l *Log) Run(ctx context.Context) error {
	defer close(l.ended)
	_, newest, err := l.store.EventRange(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("finding the end of the event log: %w", err)
	}
	l.mu.Lock()
	l.newest = newest
	l.turns.wakeBehind(newest)
	l.mu.Unlock()
	var turnsGiven sync.WaitGroup
	defer turnsGiven.Wait()
	turnsGiven.Go(func() { l.giveTurns(ctx) })
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		began := time.Now()
		if err := l.catchUp(ctx); err != nil && ctx.Err() == nil {
			l.log.Error("the event log could not be read; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		// A slow store is busy serving devices, so it is asked less often.
		case <-time.After(min(max(minPollInterval, 10*time.Since(began)), maxPollInterval)):
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.announced.wake:
		case <-tick.C:
		}
	}
}

// catchUp publishes the events that were committed since the last time.
//
// Announced events that follow the newest one without a gap need not be read from the store. If
// some are ahead of a gap, the missing ones are probably about to be announced: steps that share a
// commit announce their events in any order. So a gap may stay open until the next call. If it is
// still there then, the events are read from the store; another process may have written the
// missing ones.
func (l *Log) catchUp(ctx context.Context) error {
	events, ahead := l.announced.takeAfter(l.newest)
	l.waitedForGap = len(ahead) > 0 && (len(events) > 0 || !l.waitedForGap)
	if l.waitedForGap {
		l.announced.add(ahead)
	}
	if len(events) > 0 {
		return l.publish(events)
	}
	if l.waitedForGap {
		return nil
	}
	for {
		events, err := l.store.Events(ctx, "", l.newest, batch)
		if err == nil && len(events) > 0 {
			err = l.publish(events)
		}
		if err != nil || len(events) < batch {
			return err
		}
	}
}

func (l *Log) publish(events []Event) error {
	if err := l.encode(events); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range events {
		l.recent.add(&events[i])
	}
	l.recent.trim(memoryEvents, memoryBytes)
	l.turns.wakeWaiting("", l.newest)
	for i := range events {
		l.turns.wakeWaiting(events[i].Device, l.newest)
	}
	l.newest = events[len(events)-1].Position
	return nil
}

func (l *Log) encode(events []Event) (err error) {
	for i := range events {
		if l.Encode == nil {
			break
		}
		if events[i].Served, err = l.Encode(&events[i]); err != nil {
			return err
		}
	}
	return nil
}

// Follow yields the events after a position, in order and without a gap, and then each new event as
// it comes: of one device or, if device is empty, of all devices. It stops when ctx or the log ends
// or the caller breaks off. An error ends it, too; the caller can follow again after the last event
// it has seen. ErrGone means that some events are missing.
func (l *Log) Follow(ctx context.Context, device fleet.DeviceID, after int64) iter.Seq2[Event,
	error] {
	return func(yield func(Event, error) bool) {
		r, err := l.Reader(ctx, device, after)
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer r.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case <-l.ended:
				return
			case <-r.Turn():
			}
			events, err := r.Next(ctx)
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, e := range events {
				if !yield(*e, nil) {
					return
				}
			}
			r.Done()
		}
	}
}

// Drop deletes the events from before a time, in batches, so that nobody waits long for the
// database.
func (l *Log) Drop(ctx context.Context, before time.Time) error {
	for {
		n, err := l.store.DropEvents(ctx, before, batch)
		if err != nil {
			return fmt.Errorf("dropping old events: %w", err)
		}
		if n < batch {
			return nil
		}
	}
}

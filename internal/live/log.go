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
	// newest events in memory, from which readers that keep up are served
	memoryEvents = 8192
	memoryBytes  = 32 << 20 // but no more than these together
	batch        = 512      // events read from the store in one go
	// bytes of them that a reader holds while it sends them, or one event
	batchHeld = 256 << 10
	pollEvery = time.Second // how soon an event that another process wrote is seen
	// the store is not asked for events more often than this
	minPollInterval = 10 * time.Millisecond
	// nor, when it is slow, less often, if there may be some
	maxPollInterval = 250 * time.Millisecond
	// times as long as a reader read from the store, no other does
	storeRest = 4
)

// ErrGone is returned to a reader that asks for events which are not kept any more: it has to begin
// anew.
var ErrGone = errors.New("the events that follow are not kept any more")

// Store is where the log is kept.
type Store interface {
	// Events lists the events behind a position, of one device or, if device is empty, of all, in
	// order, at most limit.
	Events(ctx context.Context, device fleet.DeviceID, after int64, limit int) ([]Event, error)
	// EventRange returns the position of the oldest event that is kept, and the newest position
	// that was ever given. An empty log's oldest is the one behind its newest.
	EventRange(ctx context.Context) (oldest, newest int64, err error)
	// Standing returns how actions stand and the newest event, by one snapshot of the database: of
	// one device the latest action of each name (fleet.ErrNotFound if there is no such device), or,
	// if device is empty, every action that has not ended.
	Standing(ctx context.Context, device fleet.DeviceID) (list []Standing, newest int64, err error)
	// DropEvents deletes the oldest events from before a time, at most limit, and returns how many
	// it deleted.
	DropEvents(ctx context.Context, before time.Time, limit int) (int, error)
}

// Log lets any number of readers follow the events. A reader takes its events when it likes: nobody
// waits for it, and nothing is kept for it.
type Log struct {
	// Encode makes an event's Served, once for all readers; nil: nobody does. Set it before Run.
	Encode func(*Event) ([]byte, error)

	store   Store
	log     *slog.Logger
	told    announced
	waited  bool          // the last time for a gap in what was told to close; only Run's
	reading chan struct{} // has something while a reader reads from the store

	mu     sync.Mutex
	recent recent // up to newest
	newest int64  // position up to which readers are served from recent
	turns  turns
	ended  chan struct{} // closed when Run ends: readers are let go
}

// NewLog returns a log. Its readers see what is committed once Run runs.
func NewLog(store Store, log *slog.Logger) *Log {
	return &Log{store: store, log: log, told: announced{poke: make(chan struct{}, 1)},
		reading: make(chan struct{}, 1), ended: make(chan struct{}),
		recent: recent{newest: make(map[fleet.DeviceID]int)},
		turns:  turns{waiting: make(map[fleet.DeviceID][]*Reader), due: make(chan struct{}, 1)}}
}

// Standing is where a reader begins: how things stand, and the position behind which to follow what
// comes.
func (l *Log) Standing(ctx context.Context,
	device fleet.DeviceID) (list []Standing, newest int64, err error) {
	return l.store.Standing(ctx, device)
}

// Notify tells that events were committed, and which, if that is known. It never waits.
func (l *Log) Notify(events []Event) { l.told.add(events) }

// Run makes committed events known to the readers until ctx ends, and then lets them go.
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
	l.turns.begin(newest)
	l.mu.Unlock()
	var governed sync.WaitGroup
	defer governed.Wait()
	governed.Go(func() { l.govern(ctx) })
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
		// a slow store has devices to serve
		case <-time.After(min(max(minPollInterval, 10*time.Since(began)), maxPollInterval)):
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.told.poke:
		case <-tick.C:
		}
	}
}

// catchUp publishes what was committed. What follows without a gap on what is known need not be
// read; steps that were committed together tell of it in any order, so a gap has until the next
// time to close.
func (l *Log) catchUp(ctx context.Context) error {
	events, ahead := l.told.takeAfter(l.newest)
	l.waited = len(ahead) > 0 && (len(events) > 0 || !l.waited)
	if l.waited {
		l.told.add(ahead)
	}
	if len(events) > 0 {
		return l.publish(events)
	}
	if l.waited {
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
	l.turns.changed("", l.newest)
	for i := range events {
		l.turns.changed(events[i].Device, l.newest)
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

// Follow yields the events behind a position, of one device or, if device is empty, of all, in
// order and without a gap, and then each new one, until ctx ends, the log does, or the reader
// stops. An error ends it; the reader can follow again behind the last event it has seen. ErrGone
// tells that events are missing.
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

// Drop deletes the events from before a time, a piece at a time so that nobody waits long for the
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

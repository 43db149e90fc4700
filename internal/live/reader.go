package live

import (
	"context"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Reader follows the log. Its owner waits for Turn, calls Next until it has sent those events, and
// then calls Done. A reader keeps nothing but its position. It is for one goroutine.
type Reader struct {
	log    *Log
	device fleet.DeviceID
	after  int64
	turn   chan struct{}

	// The log's lock guards these.
	state readerState
	index int    // in turns.waiting[device], while the state is waiting
	group *group // the readers that have their turn together, while the state is active
}

type readerState int

const (
	idle    readerState = iota
	waiting             // for an event of its device
	queued              // in the queue, for its turn
	active
)

// Reader returns a reader of the events after a position: of one device or, if device is empty, of
// all devices. The caller must Close it. The error is ErrGone if some of these events are missing.
func (l *Log) Reader(ctx context.Context, device fleet.DeviceID, after int64) (*Reader, error) {
	r := &Reader{log: l, device: device, after: after, turn: make(chan struct{}, 1)}
	if err := r.check(ctx); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queueOrWait(r)
	return r, nil
}

// check returns ErrGone if events after the reader's position have been deleted, or if the position
// was never given out: then it comes from another database, or from a time that restoring a backup
// has undone.
func (r *Reader) check(ctx context.Context) error {
	oldest, newest, err := r.log.store.EventRange(ctx)
	if err == nil && (r.after < oldest-1 || r.after > newest) {
		err = ErrGone
	}
	return err
}

func (l *Log) queueOrWait(r *Reader) {
	if r.after < l.newest {
		l.turns.enqueue(r)
	} else {
		l.turns.wait(r)
	}
}

// Turn receives a value when it is the reader's turn.
func (r *Reader) Turn() <-chan struct{} { return r.turn }

// Ended is closed when the log has ended: no turn comes after that.
func (r *Reader) Ended() <-chan struct{} { return r.log.ended }

// Next returns the next events, in order and without a gap. There may be none, and if there are
// many, the rest comes at the next turn. The events are shared with other readers: do not change
// them. The error is ErrGone if some events are missing.
func (r *Reader) Next(ctx context.Context) ([]*Event, error) {
	events, reach, ok := r.log.readMemory(r.device, r.after)
	if !ok {
		list, err := r.readStore(ctx)
		if err != nil {
			return nil, err
		}
		held := 0
		for i := range list {
			if held += list[i].size(); held > batchBytes && i > 0 {
				break
			}
			event := list[i] // a copy, so that the rest of the list can be freed
			events = append(events, &event)
		}
		switch n := len(events); {
		case n == batch, n < len(list):
			reach = events[n-1].Position
		case n > 0:
			reach = max(reach, events[n-1].Position)
		}
	}
	r.after = reach
	return events, nil
}

// readStore reads the next events from the store. That costs much more than reading memory, so only
// one reader at a time may do it, and afterwards none may for a while (storeRestFactor).
func (r *Reader) readStore(ctx context.Context) ([]Event, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r.log.storeReads <- struct{}{}:
	}
	began := time.Now()
	defer func() { time.AfterFunc(storeRestFactor*time.Since(began), func() { <-r.log.storeReads }) }()
	list, err := r.log.store.Events(ctx, r.device, r.after, batch)
	if err == nil {
		// checked after the read, to notice events that were deleted just before it
		err = r.check(ctx)
	}
	if err == nil {
		err = r.log.encode(list)
	}
	return list, err
}

// readMemory returns the events in memory after a position, and the position up to which they are
// complete. ok is false if some of them are no longer in memory.
func (l *Log) readMemory(device fleet.DeviceID,
	after int64) (events []*Event, reach int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if after >= l.newest {
		return nil, after, true
	}
	events, ok = l.recent.eventsAfter(device, after)
	return events, l.newest, ok
}

// Done ends the reader's turn, and lines it up for the next one.
func (r *Reader) Done() {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	r.group.leave()
	r.group = nil
	r.log.queueOrWait(r)
}

// Close ends the reader. Nothing else may be called after it.
func (r *Reader) Close() {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	switch r.state {
	case waiting:
		r.log.turns.remove(r)
	case active:
		r.group.leave()
	}
	r.state, r.group = idle, nil
}

package live

import (
	"context"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Reader follows the log. It waits for its Turn, takes what is Next, and says when it is Done with
// that. Nothing is kept for it but its position. It is for one goroutine.
type Reader struct {
	log    *Log
	device fleet.DeviceID
	after  int64
	turn   chan struct{}

	// Under the log's lock.
	place place
	index int    // in the list of those who wait for the device
	group *group // with which it has its turn
}

type place int

const (
	nowhere place = iota
	waits         // for an event
	inQueue       // for its turn
	onTurn
)

// Reader returns a reader of the events behind a position, of one device or, if device is empty, of
// all. It is to be closed. The error is ErrGone if events are missing.
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

// check returns ErrGone if events behind the reader's position are not kept any more, or the
// position was never given: it comes from another database, or from before a backup was put back.
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

// Turn receives when it is the reader's turn.
func (r *Reader) Turn() <-chan struct{} { return r.turn }

// Ended is closed when the log has ended: there is no other turn.
func (r *Reader) Ended() <-chan struct{} { return r.log.ended }

// Next returns events that follow, in order and without a gap; there may be none, and more at the
// next turn. They are shared with other readers. The error is ErrGone if events are missing.
func (r *Reader) Next(ctx context.Context) ([]*Event, error) {
	events, reach, ok := r.log.since(r.device, r.after)
	if !ok {
		list, err := r.stored(ctx)
		if err != nil {
			return nil, err
		}
		held := 0
		for i := range list {
			if held += list[i].size(); held > batchHeld && i > 0 {
				break
			}
			event := list[i] // the rest of the list need not stay
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

// stored reads events from the store. That costs much more than those in memory, so it is for one
// reader at a time, with rests.
func (r *Reader) stored(ctx context.Context) ([]Event, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r.log.reading <- struct{}{}:
	}
	began := time.Now()
	defer func() { time.AfterFunc(storeRest*time.Since(began), func() { <-r.log.reading }) }()
	list, err := r.log.store.Events(ctx, r.device, r.after, batch)
	if err == nil {
		err = r.check(ctx) // afterwards: what was dropped before they were read is seen now
	}
	if err == nil {
		err = r.log.encode(list)
	}
	return list, err
}

// since returns the events in memory behind a position and the position up to which they reach;
// false if some of them are not in memory any more.
func (l *Log) since(device fleet.DeviceID, after int64) (events []*Event, reach int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if after >= l.newest {
		return nil, after, true
	}
	events, ok = l.recent.eventsAfter(device, after)
	return events, l.newest, ok
}

// Done ends the reader's turn.
func (r *Reader) Done() {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	r.group.leave()
	r.group = nil
	r.log.queueOrWait(r)
}

// Close lets the reader go.
func (r *Reader) Close() {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	switch r.place {
	case waits:
		r.log.turns.remove(r)
	case onTurn:
		r.group.leave()
	}
	r.place, r.group = nowhere, nil
}

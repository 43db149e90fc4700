package amapi

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// mostQueued bounds the devices that wait to be served. The engine's clock wakes again whom there is
// no room for.
const mostQueued = 100_000

// queue has the devices that are to be served, each once, in the order of when.
type queue struct {
	mu      sync.Mutex
	waiting waiting
	known   map[fleet.DeviceID]*entry
	changed chan struct{} // has something when there may be something earlier to do
}

// entry is a device in the queue, or being served.
type entry struct {
	id       fleet.DeviceID
	at       time.Time // not before
	place    int       // in waiting; -1: it is being served
	again    bool      // it is to be served once more
	failures int       // in a row
}

func newQueue() *queue {
	return &queue{known: make(map[fleet.DeviceID]*entry), changed: make(chan struct{}, 1)}
}

// add has a device served, not before a time, and reports whether there was room for it. One that is
// being served is served once more, at once.
func (q *queue) add(id fleet.DeviceID, at time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	e := q.known[id]
	switch {
	case e == nil && len(q.known) >= mostQueued:
		return false
	case e == nil:
		e = &entry{id: id, at: at}
		q.known[id] = e
		heap.Push(&q.waiting, e)
	case e.place < 0:
		e.again = true
	case at.Before(e.at):
		e.at = at
		heap.Fix(&q.waiting, e.place)
	}
	q.tell()
	return true
}

func (q *queue) tell() {
	select {
	case q.changed <- struct{}{}:
	default:
	}
}

// take returns a device whose time has come, to be given back with done; nil: there is none yet.
// wait is how long until there may be one; 0: nobody waits.
func (q *queue) take(now time.Time) (e *entry, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return nil, 0
	}
	if first := q.waiting[0]; first.at.After(now) {
		return nil, first.at.Sub(now)
	}
	return heap.Pop(&q.waiting).(*entry), 0
}

// done ends the turn of a device that was taken. With a time it has another one.
func (q *queue) done(e *entry, at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if at.IsZero() && !e.again {
		delete(q.known, e.id)
		return
	}
	if e.again && e.failures == 0 {
		at = time.Time{}
	}
	e.again, e.at = false, at
	heap.Push(&q.waiting, e)
	q.tell()
}

// length is how many devices wait or are being served.
func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.known)
}

// next waits for a device whose time has come; nil: ctx ended.
func (q *queue) next(ctx context.Context, now func() time.Time,
	after func(time.Duration) <-chan time.Time) *entry {
	for {
		e, wait := q.take(now())
		if e != nil {
			q.tell() // there may be one for somebody else, too
			return e
		}
		var due <-chan time.Time
		if wait > 0 {
			due = after(wait)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-q.changed:
		case <-due:
			q.tell()
		}
	}
}

// waiting is a heap of entries, the earliest first.
type waiting []*entry

func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(i, j int) bool { return w[i].at.Before(w[j].at) }

func (w waiting) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].place, w[j].place = i, j
}

// Push implements heap.Interface.
func (w *waiting) Push(x any) {
	e := x.(*entry)
	e.place = len(*w)
	*w = append(*w, e)
}

// Pop implements heap.Interface.
func (w *waiting) Pop() any {
	last := len(*w) - 1
	e := (*w)[last]
	e.place = -1
	(*w)[last] = nil
	*w = (*w)[:last]
	return e
}

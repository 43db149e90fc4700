// Package lane limits how many may do something at the same time, and shares the places fairly
// among those who wait for one. It is used for requests, handshakes and bytes held in memory, but
// it knows nothing of them, and imports no other package of this project.
//
// Begin with Lane: Enter and Leave take and give back places. queue.go decides whose turn it is.
// Place is one place that a request holds; it can be left while the request waits for something
// else.
package lane

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrFull says that no place is free, and that too many are already waiting for one.
var ErrFull = errors.New("too many wait for a place already")

// Client says who wants a place. Places are shared fairly among owners, such as the network that a
// request comes from, and within an owner among its connections.
type Client struct{ Owner, Connection string }

// Lane has a number of places, and a bounded queue of those who wait for one. Its methods may be
// called from many goroutines.
//
// A place that becomes free goes to each owner in turn, and within an owner to each connection in
// turn. So an owner may have everything that nobody else wants (think of a school whose thousands
// of devices come from one address), but as soon as others come, each gets the same.
//
// When too many wait, the owner with most waiters loses its newest one, taken from its connection
// with most waiters. So a newcomer is turned away only if nobody has more waiters than it would
// have. A fixed limit for each owner would not do: to keep a few owners from filling the queue it
// would have to be small, and would then keep out the school.
type Lane struct {
	// Reclaim, if set, takes n places back, for an owner, from whoever holds more, and reports
	// whether it did. It is called for each waiter when it begins to wait, and every reclaimEvery
	// from then on. It gives the places back with Leave. Set it before use.
	Reclaim func(owner string, n int64) bool

	mu         sync.Mutex
	total      int64
	free       int64
	maxWaiting int // the most that may wait
	queue      node
}

// New returns a lane with a number of places, for which at most so many may wait.
func New(places int64, waiting int) *Lane {
	return &Lane{total: places, free: places, maxWaiting: waiting}
}

// waiter waits for n places.
type waiter struct {
	n      int64
	result chan bool // receives once: true if it got the places, false if it was turned away
	leaf   *node     // the connection that it waits in; nil: it no longer waits
}

// Enter takes n places, and waits for them until ctx ends. The error is ErrFull or the context's.
func (l *Lane) Enter(ctx context.Context, c Client, n int64) error {
	l.mu.Lock()
	if l.queue.waiting == 0 && l.free >= n {
		l.free -= n
		l.mu.Unlock()
		return nil
	}
	if n > l.total || l.maxWaiting == 0 {
		l.mu.Unlock()
		return ErrFull
	}
	w := &waiter{n: n, result: make(chan bool, 1)}
	l.queue.add(w, c.Owner, c.Connection)
	if l.queue.waiting > l.maxWaiting {
		l.answer(l.queue.newestOfLargest(), false)
		l.grant() // the waiter that was turned away may have blocked smaller ones behind it
	}
	owners := len(l.queue.children)
	l.mu.Unlock()
	return l.wait(ctx, w, c.Owner, owners)
}

// reclaimEvery is how often Reclaim is tried again for a waiter.
const reclaimEvery = 500 * time.Millisecond

// wait waits until the waiter has a result, or ctx ends. owners is how many owners wait, including
// this one. Each of them may be served before it, so Reclaim is called up to that many times.
func (l *Lane) wait(ctx context.Context, w *waiter, owner string, owners int) error {
	var again <-chan time.Time
	if l.Reclaim != nil {
		tick := time.NewTicker(reclaimEvery)
		defer tick.Stop()
		again = tick.C
		for ; owners > 0 && l.waits(w) && l.Reclaim(owner, w.n); owners-- {
		}
	}
	for {
		select {
		case got := <-w.result:
			return full(got)
		case <-again:
			l.Reclaim(owner, w.n)
			continue
		case <-ctx.Done():
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if w.leaf != nil {
			w.remove()
			l.grant()
			return ctx.Err()
		}
		return full(<-w.result)
	}
}

func (l *Lane) waits(w *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return w.leaf != nil
}

func full(got bool) error {
	if !got {
		return ErrFull
	}
	return nil
}

// TryEnter takes n places if they are free, even if others wait.
func (l *Lane) TryEnter(n int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.free < n {
		return false
	}
	l.free -= n
	return true
}

// Leave gives n places back.
func (l *Lane) Leave(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free += n
	if l.queue.waiting > 0 {
		l.grant()
	}
}

// Taken returns how many places are taken.
func (l *Lane) Taken() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total - l.free
}

// Waiting returns how many wait for places.
func (l *Lane) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue.waiting
}

// grant gives free places to those whose turn it is. A waiter that needs more than are free is not
// skipped, because it might wait for ever: all wait behind it.
func (l *Lane) grant() {
	for l.queue.waiting > 0 {
		w := l.queue.next()
		if w.n > l.free {
			return
		}
		l.free -= w.n
		w.leaf.rotate()
		l.answer(w, true)
	}
}

func (l *Lane) answer(w *waiter, got bool) {
	w.remove()
	w.result <- got
}

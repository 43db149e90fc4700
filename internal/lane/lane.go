// Package lane lets only so many do something at the same time, and shares the places fairly among
// those who wait. It knows nothing of requests and imports no other package of this project. Begin
// with Lane and its method Take.
package lane

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrFull says that there is no place, and that too many wait for one already.
var ErrFull = errors.New("too many wait for a place already")

// Guest is who wants a place: a party, such as the network that a request comes from, and which of
// its connections.
type Guest struct{ Party, Connection string }

// Lane has places, and a bounded queue of those who wait for one. Its methods may be called from
// many goroutines.
//
// A place that becomes free goes to the parties in turn, and within one to its connections in turn.
// So a party may have everything that nobody else wants, such as a school whose thousands of
// devices come from one address, and as soon as others come each gets the same. When too many wait,
// the party that most wait for loses its last one, and within the party the connection: a newcomer
// is turned away only if nobody has more in the queue than it would have. Bounds for each party
// would have to be small, to keep a few from filling the queue, and would then keep the school out.
type Lane struct {
	// Press, if there is one, takes n places back for a party from who has more, and tells whether
	// it did. It is called for those who wait, when they begin to and from time to time. What is
	// taken back is given with Leave. Set it before use.
	Press func(party string, n int64) bool

	mu    sync.Mutex
	total int64
	free  int64
	most  int // that may wait
	queue group
}

// New returns a lane with so many places, for which so many may wait.
func New(places int64, waiting int) *Lane {
	return &Lane{total: places, free: places, most: waiting}
}

// waiter is one that waits for n places.
type waiter struct {
	n    int64
	told chan bool // whether it has got them; it is told once
	leaf *group    // that it waits in; nil: it waits no more
}

// Enter takes n places, and waits for them until ctx ends. The error is ErrFull or the context's.
func (l *Lane) Enter(ctx context.Context, g Guest, n int64) error {
	l.mu.Lock()
	if l.queue.waiting == 0 && l.free >= n {
		l.free -= n
		l.mu.Unlock()
		return nil
	}
	if n > l.total || l.most == 0 {
		l.mu.Unlock()
		return ErrFull
	}
	w := &waiter{n: n, told: make(chan bool, 1)}
	l.queue.push(w, g.Party, g.Connection)
	if l.queue.waiting > l.most {
		l.answer(l.queue.newestOfMost(), false)
		l.grant() // what is gone may have been what others had to wait behind
	}
	parties := len(l.queue.members)
	l.mu.Unlock()
	return l.wait(ctx, w, g.Party, parties)
}

// pressEvery is how often it is looked again whether who waits can be given what others have.
const pressEvery = 500 * time.Millisecond

// wait waits until the waiter is told, or ctx ends. So many parties wait, itself included: each may
// have its turn before.
func (l *Lane) wait(ctx context.Context, w *waiter, party string, parties int) error {
	var again <-chan time.Time
	if l.Press != nil {
		tick := time.NewTicker(pressEvery)
		defer tick.Stop()
		again = tick.C
		for ; parties > 0 && l.waits(w) && l.Press(party, w.n); parties-- {
		}
	}
	for {
		select {
		case got := <-w.told:
			return full(got)
		case <-again:
			l.Press(party, w.n)
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
		return full(<-w.told)
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

// TryEnter takes n places if they are free, whoever waits.
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

// Taken is how many places are.
func (l *Lane) Taken() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total - l.free
}

// Waiting is how many wait.
func (l *Lane) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue.waiting
}

// grant gives the free places to those whose turn it is. Who needs more than are free is not passed
// over.
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
	w.told <- got
}

package live

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Devices' reports come before the readers. With thousands of readers, to write to all of them at
// each event takes more of the processor than the reports do. So readers have something to read
// only when it is their turn: few at a time, in the order in which they fell behind, and then there
// is a rest in proportion to how long that took. Meanwhile events gather, and the next turn takes
// them in one piece. Who waits for a device that does not change is not woken.
const (
	// readers whose turn it is at the same time; more if a round took longer than spread otherwise
	readersAtOnce = 8
	cpuShare      = 20 // readers take one part in so many of the time
	// but so much at once, after a rest: to tell a thousand of one event
	burstBudget = 50 * time.Millisecond
	// who takes longer, for example because the other end does not read, is not waited for
	stalled = 10 * time.Millisecond
	// within that all who are in the queue get their turn, however little rest remains
	maxRound = time.Second
)

// turns is who waits for what. It is under the log's lock, but for the channels.
type turns struct {
	waiting map[fleet.DeviceID][]*Reader // for an event of the device, or of any
	queue   []*Reader                    // for their turn
	due     chan struct{}                // the queue is not empty
}

// group is readers whose turn it is.
type group struct {
	left atomic.Int32
	done chan struct{}
}

func (g *group) leave() {
	if g.left.Add(-1) == 0 {
		close(g.done)
	}
}

// changed puts those into the queue who wait for a device. Up to position reach it had no event
// that they have not seen.
func (t *turns) changed(device fleet.DeviceID, reach int64) {
	for _, r := range t.waiting[device] {
		r.after = max(r.after, reach)
		t.enqueue(r)
	}
	delete(t.waiting, device)
}

// begin puts those who wait, and are not at the newest event, into the queue: they came before it
// was known which that is.
func (t *turns) begin(newest int64) {
	waiting := t.waiting
	t.waiting = make(map[fleet.DeviceID][]*Reader)
	for _, readers := range waiting {
		for _, r := range readers {
			if r.after < newest {
				t.enqueue(r)
			} else {
				t.wait(r)
			}
		}
	}
}

func (t *turns) enqueue(r *Reader) {
	r.place = inQueue
	t.queue = append(t.queue, r)
	select {
	case t.due <- struct{}{}:
	default:
	}
}

func (t *turns) wait(r *Reader) {
	r.place, r.index = waits, len(t.waiting[r.device])
	t.waiting[r.device] = append(t.waiting[r.device], r)
}

// remove takes out a reader that waits.
func (t *turns) remove(r *Reader) {
	list := t.waiting[r.device]
	last := len(list) - 1
	list[r.index], list[last].index = list[last], r.index
	list[last] = nil
	if t.waiting[r.device] = list[:last]; last == 0 {
		delete(t.waiting, r.device)
	}
}

// next gives the first of the queue their turn, more of them the longer the group before was ago,
// and returns how many they are and how many others wait.
func (t *turns) next(ago time.Duration) (g *group, n, others int) {
	size := max(readersAtOnce, int(min(ago, maxRound)*time.Duration(len(t.queue))/maxRound))
	g = &group{done: make(chan struct{})}
	var list []*Reader
	for len(t.queue) > 0 && len(list) < size {
		r := t.queue[0]
		t.queue[0] = nil
		if t.queue = t.queue[1:]; r.place == inQueue {
			list = append(list, r)
		}
	}
	if len(t.queue) == 0 {
		t.queue = nil
	}
	g.left.Store(int32(len(list)))
	for _, r := range list {
		r.place, r.group = onTurn, g
		r.turn <- struct{}{}
	}
	return g, len(list), len(t.queue)
}

// govern gives readers their turns until ctx ends.
func (l *Log) govern(ctx context.Context) {
	spare, then, last := burstBudget, time.Now(), time.Now()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for ctx.Err() == nil {
		l.mu.Lock()
		g, n, others := l.turns.next(time.Since(last))
		l.mu.Unlock()
		if n == 0 {
			select {
			case <-ctx.Done():
			case <-l.turns.due:
			}
			last = time.Now()
			continue
		}
		began, limit := time.Now(), maxRound*time.Duration(n)/time.Duration(n+others)
		pause.Reset(min(stalled, limit))
		select {
		case <-g.done:
		case <-pause.C:
		}
		last = began
		now := time.Now()
		took := now.Sub(began)
		spare = min(burstBudget, spare+now.Sub(then)/cpuShare) - took
		if then = now; spare >= 0 {
			continue
		}
		pause.Reset(min(-spare*cpuShare, limit-took))
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		spare, then = 0, time.Now()
	}
}

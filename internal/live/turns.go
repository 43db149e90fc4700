package live

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Devices' reports matter more than readers. With thousands of readers, writing every event to each
// of them at once would take more processor time than the reports themselves. So readers take
// turns:
//
//   - A few readers at a time may read, in the order in which they fell behind.
//   - After each such group, all readers rest in proportion to how long the group took, so that
//     they take 1/cpuShare of the time. A short burst (burstBudget) needs no rest.
//   - Meanwhile events gather, and the next turn takes them all at once. So the busier the log,
//     the fewer and larger the writes.
//   - A reader whose device does not change is never woken.
const (
	// readers in a group; a group is larger if the queue would otherwise take longer than maxRound
	readersAtOnce = 8
	cpuShare      = 20 // readers take 1/cpuShare of the time
	// but after a rest, this much at once: enough to tell a thousand readers of one event
	burstBudget = 50 * time.Millisecond
	// a group is not waited for longer than this: a reader may be blocked by a peer that does not
	// read
	stallAfter = 10 * time.Millisecond
	// every reader in the queue gets its turn within this time, however little rest is left then
	maxRound = time.Second
)

// turns says which readers wait for an event, and which for their turn. The log's lock guards it,
// except the channel.
type turns struct {
	waiting map[fleet.DeviceID][]*Reader // for an event of this device; "": of any device
	queue   []*Reader                    // for their turn
	due     chan struct{}                // has a value when the queue has got a reader
}

// group is the readers that have their turn at the same time.
type group struct {
	left atomic.Int32
	done chan struct{}
}

func (g *group) leave() {
	if g.left.Add(-1) == 0 {
		close(g.done)
	}
}

// wakeWaiting moves the readers that wait for an event of a device into the queue. The device had
// no event up to position reach that they have not seen, so they can skip to there.
func (t *turns) wakeWaiting(device fleet.DeviceID, reach int64) {
	for _, r := range t.waiting[device] {
		r.after = max(r.after, reach)
		t.enqueue(r)
	}
	delete(t.waiting, device)
}

// wakeBehind moves the waiting readers that are not at the newest event into the queue. They came
// before the log knew its newest event.
func (t *turns) wakeBehind(newest int64) {
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
	r.state = queued
	t.queue = append(t.queue, r)
	select {
	case t.due <- struct{}{}:
	default:
	}
}

func (t *turns) wait(r *Reader) {
	r.state, r.index = waiting, len(t.waiting[r.device])
	t.waiting[r.device] = append(t.waiting[r.device], r)
}

// remove takes out a waiting reader. The last of the list takes its place.
func (t *turns) remove(r *Reader) {
	list := t.waiting[r.device]
	last := len(list) - 1
	list[r.index], list[last].index = list[last], r.index
	list[last] = nil
	if t.waiting[r.device] = list[:last]; last == 0 {
		delete(t.waiting, r.device)
	}
}

// startGroup gives the first readers of the queue their turn, and returns them as a group, how many
// they are, and how many others remain in the queue. The longer ago the last group started (ago),
// the larger the group.
func (t *turns) startGroup(ago time.Duration) (g *group, n, others int) {
	size := max(readersAtOnce, int(min(ago, maxRound)*time.Duration(len(t.queue))/maxRound))
	g = &group{done: make(chan struct{})}
	var list []*Reader
	for len(t.queue) > 0 && len(list) < size {
		r := t.queue[0]
		t.queue[0] = nil
		if t.queue = t.queue[1:]; r.state == queued {
			list = append(list, r)
		}
	}
	if len(t.queue) == 0 {
		t.queue = nil
	}
	g.left.Store(int32(len(list)))
	for _, r := range list {
		r.state, r.group = active, g
		r.turn <- struct{}{}
	}
	return g, len(list), len(t.queue)
}

// giveTurns gives readers their turns until ctx ends.
//
// spare is how much time readers may still use without a rest. It grows by 1/cpuShare of the time
// that passes, up to burstBudget, and each group uses up the time that it took. When it is
// negative, all readers rest until it would be zero again, but no longer than the group's part of
// maxRound.
func (l *Log) giveTurns(ctx context.Context) {
	spare, updated, last := burstBudget, time.Now(), time.Now()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for ctx.Err() == nil {
		l.mu.Lock()
		g, n, others := l.turns.startGroup(time.Since(last))
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
		pause.Reset(min(stallAfter, limit))
		select {
		case <-g.done:
		case <-pause.C:
		}
		last = began
		now := time.Now()
		took := now.Sub(began)
		spare = min(burstBudget, spare+now.Sub(updated)/cpuShare) - took
		if updated = now; spare >= 0 {
			continue
		}
		pause.Reset(min(-spare*cpuShare, limit-took))
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		spare, updated = 0, time.Now()
	}
}

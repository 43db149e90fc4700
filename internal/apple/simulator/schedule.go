package simulator

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// runState is where a device stands in the schedule.
type runState uint8

const (
	resting runState = iota
	waiting
	connected
	connectedAgainWanted // woken during a connection: has to make another one
)

// schedule hands woken devices to the workers, first come first served, each to one worker at a
// time.
type schedule struct {
	mu     sync.Mutex
	filled sync.Cond
	queue  []*Device
	taken  int // devices that are connected
	timers timerHeap
	nudge  chan struct{} // the earliest timer changed
	closed bool
}

func (s *schedule) init() {
	s.filled.L = &s.mu
	s.nudge = make(chan struct{}, 1)
}

func (s *schedule) wake(d *Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enqueue(d)
}

// enqueue drops the device's timer, as the connection that follows serves its purpose; mu is held.
func (s *schedule) enqueue(d *Device) {
	if d.timer != nil {
		heap.Remove(&s.timers, d.timer.position)
	}
	switch d.run {
	case resting:
		d.run = waiting
		s.queue = append(s.queue, d)
		s.filled.Signal()
	case connected:
		d.run = connectedAgainWanted
	}
}

// take waits for a woken device; false means that the fleet stops.
func (s *schedule) take() (*Device, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) == 0 && !s.closed {
		s.filled.Wait()
	}
	if s.closed {
		return nil, false
	}
	d := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	d.run = connected
	s.taken++
	return d, true
}

func (s *schedule) finish(d *Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	again := d.run == connectedAgainWanted
	d.run = resting
	s.taken--
	if again {
		s.enqueue(d)
	}
}

func (s *schedule) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken == 0 && len(s.queue) == 0
}

func (s *schedule) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.filled.Broadcast()
}

// wakeAt wakes a device at a time, unless it will be woken before.
func (s *schedule) wakeAt(d *Device, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case d.timer == nil:
		heap.Push(&s.timers, &timerEntry{at: at, device: d})
	case at.Before(d.timer.at):
		d.timer.at = at
		heap.Fix(&s.timers, d.timer.position)
	}
	if s.timers[0].device == d {
		select {
		case s.nudge <- struct{}{}:
		default:
		}
	}
}

// watch wakes the devices whose time has come.
func (s *schedule) watch(ctx context.Context, clock Clock) {
	for {
		var due <-chan time.Time
		if next, any := s.wakeDue(clock.Now()); any {
			due = clock.After(next.Sub(clock.Now()))
			if !clock.Now().Before(next) { // the clock moved while the timer was set
				continue
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-due:
		case <-s.nudge:
		}
	}
}

// wakeDue wakes all devices due and returns the time of the next one.
func (s *schedule) wakeDue(now time.Time) (next time.Time, any bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.timers) > 0 && !now.Before(s.timers[0].at) {
		s.enqueue(s.timers[0].device)
	}
	if len(s.timers) == 0 {
		return time.Time{}, false
	}
	return s.timers[0].at, true
}

type timerEntry struct {
	at       time.Time
	device   *Device
	position int
}

// timerHeap is a heap of at most one timer a device, the earliest first.
type timerHeap []*timerEntry

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].position, h[j].position = i, j
}

func (h *timerHeap) Push(entry any) {
	added := entry.(*timerEntry)
	added.position = len(*h)
	added.device.timer = added
	*h = append(*h, added)
}

func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	removed := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	removed.device.timer = nil
	return removed
}

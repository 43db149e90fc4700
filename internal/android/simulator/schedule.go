package simulator

import (
	"container/heap"
	"context"
	"time"
)

// schedule is a heap of devices by the time at which they act by themselves.
type schedule []*Device

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].due.Before(s[j].due) }
func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].place, s[j].place = i, j
}

// Push and Pop are for package heap.
func (s *schedule) Push(d any) {
	d.(*Device).place = len(*s)
	*s = append(*s, d.(*Device))
}

func (s *schedule) Pop() any {
	last := len(*s) - 1
	d := (*s)[last]
	(*s)[last] = nil
	*s, d.place = (*s)[:last], -1
	return d
}

// actLater has a device act by itself when the service's Delay is over; mu is held.
func (s *Service) actLater(d *Device) {
	delay := s.options.Delay
	if delay > 0 {
		delay += time.Duration(s.random.Int64N(int64(delay)/2 + 1))
	}
	s.actAt(d, s.options.Now().Add(delay))
}

// actAt has a device act at a time, unless it does so before; mu is held.
func (s *Service) actAt(d *Device, at time.Time) {
	switch {
	case d.gone:
	case d.place < 0:
		d.due = at
		heap.Push(&s.schedule, d)
	case at.Before(d.due):
		d.due = at
		heap.Fix(&s.schedule, d.place)
	}
}

// Step lets every device whose time has come act by itself once: take its policy, install, report.
// It returns how many did. Devices that are offline come back with SetOnline.
func (s *Service) Step() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	s.advance(now)
	var acting []*Device
	for len(s.schedule) > 0 && !now.Before(s.schedule[0].due) {
		acting = append(acting, heap.Pop(&s.schedule).(*Device))
	}
	for _, d := range acting {
		if s.sync(d, now) == nil && !d.gone {
			s.actAt(d, d.next(now, s.options.Delay))
		}
	}
	return len(acting)
}

// next is when a device acts again: when an app may be ready, else after a day.
func (d *Device) next(now time.Time, delay time.Duration) time.Time {
	next := now.Add(reportsEvery)
	for name, a := range d.apps {
		switch {
		case a.State == Installing && !d.blocked(name),
			a.unreported && a.looks <= d.faults.AppLate:
			at := now.Add(max(delay, time.Second))
			if a.readyAt.After(at) {
				at = a.readyAt
			}
			if at.Before(next) {
				next = at
			}
		}
	}
	return next
}

// runsEvery is how often Run looks whether there is something to do, in real time.
const runsEvery = 20 * time.Millisecond

// Run lets the devices act by themselves, as Step does, and pushes what is to be pushed, until ctx
// ends.
func (s *Service) Run(ctx context.Context) {
	ticker := time.NewTicker(runsEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.Step()
			s.Push(ctx)
		}
	}
}

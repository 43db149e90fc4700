package simulator

import (
	"container/heap"
	"time"
)

// agenda is what happens in tenants by itself, at times of the site's clock: check-ins, Intune's
// own restores, states that change. Nothing runs by itself: what is due happens, in order, before
// the next request is served or the next method looks.
type agenda struct {
	events eventHeap
	count  int
}

type event struct {
	at    time.Time
	order int // of events of the same moment
	do    func(at time.Time)
}

// add puts something on the agenda.
func (a *agenda) add(at time.Time, do func(at time.Time)) {
	a.count++
	heap.Push(&a.events, event{at: at, order: a.count, do: do})
}

// run lets everything happen that is due. What happens may put more on the agenda.
func (a *agenda) run(now time.Time) {
	for len(a.events) > 0 && !a.events[0].at.After(now) {
		e := heap.Pop(&a.events).(event)
		e.do(e.at)
	}
}

type eventHeap []event

func (h eventHeap) Len() int      { return len(h) }
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(e any)   { *h = append(*h, e.(event)) }

func (h eventHeap) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].order < h[j].order
	}
	return h[i].at.Before(h[j].at)
}

func (h *eventHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = event{}
	*h = old[:len(old)-1]
	return last
}

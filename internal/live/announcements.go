package live

import (
	"cmp"
	"slices"
	"sync"
)

// announcements are the events that Log.Notify was given and that have not been published yet.
// Steps that share a commit announce theirs in any order.
type announcements struct {
	wake chan struct{}

	mu     sync.Mutex
	events []Event
	bytes  int // total size of events
}

func (a *announcements) add(events []Event) {
	a.mu.Lock()
	// The log does not keep up. Forget what is here: it reads the same events from the store.
	if len(a.events) > memoryEvents || a.bytes > memoryBytes {
		a.events, a.bytes = nil, 0
	}
	a.events = append(a.events, events...)
	for i := range events {
		a.bytes += events[i].size()
	}
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// takeAfter empties the announcements. events are those that follow a position without a gap, and
// ahead those that come after a gap: the missing ones are about to be announced, or another process
// wrote them.
func (a *announcements) takeAfter(position int64) (events, ahead []Event) {
	a.mu.Lock()
	events = a.events
	a.events, a.bytes = nil, 0
	a.mu.Unlock()
	slices.SortFunc(events, func(x, y Event) int { return cmp.Compare(x.Position, y.Position) })
	known, _ := slices.BinarySearchFunc(events, position+1,
		func(e Event, p int64) int { return cmp.Compare(e.Position, p) })
	events = events[known:]
	n := 0
	for n < len(events) && events[n].Position == position+1+int64(n) {
		n++
	}
	return events[:n], events[n:]
}

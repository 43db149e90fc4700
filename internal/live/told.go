package live

import (
	"cmp"
	"slices"
	"sync"
)

// announced is what the log was announced of, and has not published yet. Several steps that share a
// commit tell of it in any order.
type announced struct {
	poke chan struct{}

	mu     sync.Mutex
	events []Event
	bytes  int // of events
}

func (t *announced) add(events []Event) {
	t.mu.Lock()
	// the log does not keep up: it reads as many as it can at a time
	if len(t.events) > memoryEvents || t.bytes > memoryBytes {
		t.events, t.bytes = nil, 0
	}
	t.events = append(t.events, events...)
	for i := range events {
		t.bytes += events[i].size()
	}
	t.mu.Unlock()
	select {
	case t.poke <- struct{}{}:
	default:
	}
}

// takeAfter takes what was told: the events that follow a position without one missing, and those
// ahead of a missing one. Its step is about to tell of it, or another process has written it.
func (t *announced) takeAfter(position int64) (events, ahead []Event) {
	t.mu.Lock()
	events = t.events
	t.events, t.bytes = nil, 0
	t.mu.Unlock()
	slices.SortFunc(events, func(a, b Event) int { return cmp.Compare(a.Position, b.Position) })
	known, _ := slices.BinarySearchFunc(events, position+1,
		func(e Event, p int64) int { return cmp.Compare(e.Position, p) })
	events = events[known:]
	n := 0
	for n < len(events) && events[n].Position == position+1+int64(n) {
		n++
	}
	return events[:n], events[n:]
}

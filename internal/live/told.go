package live

import (
	"cmp"
	"slices"
	"sync"
)

// told is what the log was told of, and has not published yet. Several steps that share a commit tell of it in any order.
type told struct {
	poke chan struct{}

	mu     sync.Mutex
	events []Event
}

func (t *told) add(events []Event) {
	t.mu.Lock()
	if len(t.events) > kept { // the log does not keep up: it reads as many as it can at a time
		t.events = nil
	}
	t.events = append(t.events, events...)
	t.mu.Unlock()
	select {
	case t.poke <- struct{}{}:
	default:
	}
}

// behind takes the events behind a position. There are none if one is missing among them: another process may have written
// it, or its step is about to tell of it.
func (t *told) behind(position int64) []Event {
	t.mu.Lock()
	events := t.events
	t.events = nil
	t.mu.Unlock()
	slices.SortFunc(events, func(a, b Event) int { return cmp.Compare(a.Position, b.Position) })
	known, _ := slices.BinarySearchFunc(events, position+1, func(e Event, p int64) int { return cmp.Compare(e.Position, p) })
	events = events[known:]
	for i := range events {
		if events[i].Position != position+1+int64(i) {
			return nil
		}
	}
	return events
}

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
	t.again()
}

// again lets the log look once more.
func (t *told) again() {
	select {
	case t.poke <- struct{}{}:
	default:
	}
}

// behind takes the events that follow a position without one missing, and keeps those behind a missing one: its step is about
// to tell of it, or another process has written it.
func (t *told) behind(position int64) (events []Event, missing bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.events
	slices.SortFunc(all, func(a, b Event) int { return cmp.Compare(a.Position, b.Position) })
	known, _ := slices.BinarySearchFunc(all, position+1, func(e Event, p int64) int { return cmp.Compare(e.Position, p) })
	all = all[known:]
	n := 0
	for n < len(all) && all[n].Position == position+1+int64(n) {
		n++
	}
	t.events = slices.Clone(all[n:])
	return all[:n], n < len(all)
}

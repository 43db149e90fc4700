package console

import (
	"sync"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/origin"
)

// Whoever fails to sign in failureLimit times within failureWindow has to wait until it is over.
const (
	failureLimit  = 10
	failureWindow = 5 * time.Minute
	throttleSize  = 10_000 // addresses that are remembered at most
	sampleSize    = 32
)

// throttle counts what went wrong by address.
type throttle struct {
	now func() time.Time

	mu    sync.Mutex
	since map[string]*failureCount
}

type failureCount struct {
	began time.Time
	n     int
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, since: make(map[string]*failureCount)}
}

// wait returns how long an address must wait before it may try again; 0: not at all.
func (t *throttle) wait(address string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.since[origin.Network(address)]
	if c == nil || c.n < failureLimit {
		return 0
	}
	return max(0, c.began.Add(failureWindow).Sub(t.now()))
}

// failed counts a failure.
func (t *throttle) failed(address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, key := t.now(), origin.Network(address)
	c := t.since[key]
	if c == nil || now.Sub(c.began) >= failureWindow {
		if c == nil && len(t.since) >= throttleSize {
			t.makeRoom(now)
		}
		c = &failureCount{began: now}
		t.since[key] = c
	}
	c.n++
}

// makeRoom forgets one address of a few: one whose time is over, or else the one that failed least.
// To look at all would let a flood of failures keep the server busy.
func (t *throttle) makeRoom(now time.Time) {
	least, seen := "", 0
	for key, c := range t.since { // in an order that nobody knows
		if now.Sub(c.began) >= failureWindow {
			least = key
			break
		}
		if least == "" || c.n < t.since[least].n {
			least = key
		}
		if seen++; seen == sampleSize {
			break
		}
	}
	delete(t.since, least)
}

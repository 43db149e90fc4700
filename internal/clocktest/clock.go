// Package clocktest has the clock that tests of the server move. It imports nothing of ours.
package clocktest

import (
	"sync"
	"time"
)

// Clock is time that passes when a test says so. No timer rings: a test does by itself what a timer
// would do. It is for many goroutines.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// New returns a clock that shows a time.
func New(at time.Time) *Clock { return &Clock{at: at} }

// Now is the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// After never rings.
func (c *Clock) After(time.Duration) <-chan time.Time { return nil }

// Advance moves the clock, forward or, like one that is put right, backward.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

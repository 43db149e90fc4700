// Package clocktest has clocks that tests move by hand. It imports no other package of this
// project. Use Clock where the code under test only asks for the time, and Ringing where it waits
// for timers.
package clocktest

import (
	"sync"
	"time"
)

// Clock is a clock that shows a time that the test sets. Its timers never ring: the test itself
// does what a timer would do. It is for many goroutines.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// New returns a clock that shows a time.
func New(at time.Time) *Clock { return &Clock{at: at} }

// Now returns the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// After returns a channel that never receives.
func (c *Clock) After(time.Duration) <-chan time.Time { return nil }

// Advance sets the clock forward or, if d is negative, backward.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

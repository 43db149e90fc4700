package clocktest

import (
	"slices"
	"sync"
	"time"
)

// Ringing is a clock whose timers ring when a test lets time pass. Its time can also be adjusted, as
// an administrator may set the clock of a machine; that does not change how long timers run. It is
// for many goroutines.
type Ringing struct {
	mu       sync.Mutex
	begin    time.Time
	passed   time.Duration
	adjusted time.Duration // how far the clock was set forward, all in all
	timers   []timer
}

type timer struct {
	due  time.Duration // in passed
	ring chan time.Time
}

// NewRinging returns a ringing clock that shows a time.
func NewRinging(at time.Time) *Ringing { return &Ringing{begin: at} }

// Now returns the time that the clock shows.
func (c *Ringing) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Ringing) now() time.Time { return c.begin.Add(c.passed + c.adjusted) }

// After returns a channel that receives the time once d has passed; at once if d is not positive.
func (c *Ringing) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := timer{c.passed + d, make(chan time.Time, 1)}
	if d <= 0 {
		t.ring <- c.now()
	} else {
		c.timers = append(c.timers, t)
	}
	return t.ring
}

// Advance lets time pass, and rings the timers that are due then.
func (c *Ringing) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed += d
	c.timers = slices.DeleteFunc(c.timers, func(t timer) bool {
		if t.due > c.passed {
			return false
		}
		t.ring <- c.now()
		return true
	})
}

// Adjust sets the clock forward or, if d is negative, backward, without letting time pass.
func (c *Ringing) Adjust(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.adjusted += d
}

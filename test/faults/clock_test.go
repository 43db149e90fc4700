package faults

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/server"
)

// clock is time that passes when a test says so, and that somebody sets. As with a machine's, to set it does not change how
// long a timer runs.
type clock struct {
	mu     sync.Mutex
	begin  time.Time
	passed time.Duration
	set    time.Duration // by how much it was set forward, all in all
	timers []timer
}

type timer struct {
	at   time.Duration // in passed
	ring chan time.Time
}

func newClock() *clock { return &clock{begin: time.Now().UTC().Truncate(time.Second)} }

// Now implements engine.Clock.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *clock) now() time.Time { return c.begin.Add(c.passed + c.set) }

// After implements engine.Clock.
func (c *clock) After(d time.Duration) <-chan time.Time {
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

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed += d
	c.timers = slices.DeleteFunc(c.timers, func(t timer) bool {
		if t.at > c.passed {
			return false
		}
		t.ring <- c.now()
		return true
	})
}

// jump sets the clock, forward or backward.
func (c *clock) jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set += d
}

// eventually lets time pass until ok, so much of it at a time, and at most.
func (c *clock) eventually(t *testing.T, what string, step, most time.Duration, ok func() bool) {
	t.Helper()
	for passed := time.Duration(0); !ok(); passed += step {
		if passed > most {
			t.Fatalf("not within %s: %s", most, what)
		}
		c.advance(step)
		time.Sleep(5 * time.Millisecond) // in which what is due now can happen
	}
}

// What the server was to do at a time it does when its clock says so, also if somebody had set it wrong meanwhile; nothing is
// done before its time, and what has no time is done at once.
func TestClockJumps(t *testing.T) {
	const wrong = 72 * time.Hour
	for name, by := range map[string]time.Duration{"ahead, and back": wrong, "behind, and back": -30 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTimed(t)
			d, p := s.devices[0], s.catalog[0]
			s.remove(d, "8h", p)
			s.clock.jump(by)
			if by > 8*time.Hour {
				s.eventually("what was removed for 8 hours is back three days later", time.Second, 10*time.Minute, func() bool { return s.shows(d, p, "restore/succeeded") })
			}
			// Called while the clock was wrong; done after it was put right.
			d.SetOnline(false)
			s.mustDeclare(d, "0", s.catalog[1])
			s.clock.advance(2 * time.Minute)
			s.clock.jump(-by)
			d.SetOnline(true)
			s.eventually("the call is carried out", time.Second, 10*time.Minute, func() bool { return s.shows(d, s.catalog[1], "remove/removed") })
			// By the right clock, the time for which it is removed is what was asked.
			s.remove(d, "8h", p, s.catalog[1])
			s.clock.advance(7 * time.Hour)
			s.settle()
			if !s.shows(d, p, "remove/removed") {
				t.Error("restored before its time")
			}
			s.eventually("what was removed for 8 hours is back", time.Minute, 2*time.Hour, func() bool { return s.shows(d, p, "restore/succeeded") })
		})
	}
}

// Events are kept by position: those that a clock dated days ahead or back neither vanish before their time nor stop a reader
// who comes back.
func TestEventsOfAWrongClock(t *testing.T) {
	t.Parallel()
	s := newTimed(t)
	d := s.devices[0]
	s.remove(d, "0", s.catalog[0])
	middle := s.events()
	s.clock.jump(20 * 24 * time.Hour)
	s.remove(d, "0", s.catalog[1])
	s.clock.jump(-20 * 24 * time.Hour)
	s.remove(d, "0", s.catalog[2])
	s.clock.advance(2 * time.Hour) // old events are dropped each hour
	all := s.events()
	if all[0].Position != middle[0].Position || len(all) < len(middle)+6 {
		t.Errorf("of %d events %d are left, from %d on", len(middle), len(all), all[0].Position)
	}
	f := &follower{site: s.site, server: s.url}
	last := all[len(all)-1].Position
	for after := middle[len(middle)/2].Position; after < last; {
		after = f.read(t.Context(), after, 3, func() int64 { return last })
	}
	if want := len(all) - len(middle)/2 - 1; len(f.seen) != want {
		t.Errorf("resumed with %d events, want %d", len(f.seen), want)
	}
	s.clock.advance(server.DefaultKeepEvents + 21*24*time.Hour)
	s.eventually("all are dropped in the end", time.Minute, 3*time.Hour, func() bool { return len(s.events()) == 0 })
}

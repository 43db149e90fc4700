package clocktest_test

import (
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/clocktest"
)

// A timer rings once, when its time has passed, whatever the clock was set to meanwhile.
func TestRinging(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := clocktest.NewRinging(start)
	rung := func(timer <-chan time.Time) bool {
		select {
		case <-timer:
			return true
		default:
			return false
		}
	}
	if !rung(c.After(0)) {
		t.Error("a timer of no time did not ring at once")
	}
	timer := c.After(time.Minute)
	c.Adjust(time.Hour)
	if got := c.Now(); !got.Equal(start.Add(time.Hour)) || rung(timer) {
		t.Errorf("after it was set an hour forward, the clock shows %s, or rang", got)
	}
	c.Advance(59 * time.Second)
	if rung(timer) {
		t.Error("the timer rang before its time")
	}
	c.Adjust(-time.Hour)
	c.Advance(time.Second)
	if got := c.Now(); !got.Equal(start.Add(time.Minute)) || !rung(timer) {
		t.Errorf("after a minute the clock shows %s, or the timer did not ring", got)
	}
	c.Advance(time.Hour)
	if rung(timer) {
		t.Error("the timer rang twice")
	}
}

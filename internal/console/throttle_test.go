package console

import (
	"fmt"
	"testing"
	"time"
)

func TestThrottle(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	th := newThrottle(func() time.Time { return now })
	for range failureLimit {
		if th.wait("2001:db8::1") != 0 {
			t.Fatal("waits too early")
		}
		th.failed("2001:db8::1")
	}
	now = now.Add(time.Minute)
	for address, want := range map[string]time.Duration{"2001:db8::1": 4 * time.Minute,
		"2001:db8::ffff:2": 4 * time.Minute,
		"2001:db8:0:1::1":  0, "192.0.2.1": 0, "no address": 0} {
		if got := th.wait(address); got != want {
			t.Errorf("%s waits %s, want %s", address, got, want)
		}
	}
	// Others cannot make the server forget who failed most, nor fill its memory.
	for n := range 3 * throttleSize {
		th.failed(fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255))
	}
	if len(th.since) > throttleSize || th.wait("2001:db8::1") == 0 {
		t.Errorf("%d addresses, and the first waits %s", len(th.since), th.wait("2001:db8::1"))
	}
	now = now.Add(failureWindow)
	if th.wait("2001:db8::1") != 0 {
		t.Error("waits for ever")
	}
}

package faults

import (
	"net/http"
	"testing"
	"time"
)

// Whatever the push service does, calls are accepted and kept, and the device is woken when it
// works again. Who is not woken does its work when it connects by itself.
func TestPushServiceFails(t *testing.T) {
	for name, c := range map[string]struct {
		fails func(*timed)
		comes bool // the device has to come by itself: its token is gone
	}{
		"down":   {func(s *timed) { s.wall.refuse() }, false},
		"silent": {func(s *timed) { s.wall.silence() }, false},
		"slow":   {func(s *timed) { s.wall.slow(2 * time.Second) }, false},
		"overloaded": {func(s *timed) {
			s.apns.answers(http.StatusServiceUnavailable, "ServiceUnavailable")
		}, false},
		"too many requests": {func(s *timed) {
			s.apns.answers(http.StatusTooManyRequests, "TooManyRequests")
		}, false},
		"wrong certificate": {func(s *timed) {
			s.apns.answers(http.StatusForbidden, "BadCertificate")
		}, false},
		"wrong topic": {func(s *timed) {
			s.apns.answers(http.StatusBadRequest, "DeviceTokenNotForTopic")
		}, false},
		"token gone": {func(s *timed) { s.apns.answers(http.StatusGone, "Unregistered") },
			true},
		"bad token": {func(s *timed) {
			s.apns.answers(http.StatusBadRequest, "BadDeviceToken")
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTimed(t)
			d, p := s.devices[0], s.catalog[0]
			c.fails(s)
			s.mustDeclare(d, "0", p)
			s.clock.Advance(10 * time.Minute)
			if name != "slow" {
				s.settle()
				if r, _ := s.result(d); r.ActionState != "pending" {
					t.Fatalf("nobody woke the device, and the action is %+v", r)
				}
			}
			s.wall.heal()
			s.apns.answers(0, "")
			if c.comes {
				s.clock.Advance(24 * time.Hour)
				s.settle()
				if n := s.apns.count(); n > 0 {
					t.Errorf("a token that is gone was pushed to %d times", n)
				}
				s.fleet.Wake(d.Device)
			}
			s.eventually("the payload is removed", time.Minute, 24*time.Hour,
				func() bool { return s.shows(d, p, "remove/removed") })
			s.log()
		})
	}
}

package faults

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

// What the server was to do at a time it does when its clock says so, also if somebody had set it
// wrong meanwhile; nothing is done before its time, and what has no time is done at once.
func TestClockJumps(t *testing.T) {
	const wrong = 72 * time.Hour
	for name, by := range map[string]time.Duration{"ahead, and back": wrong,
		"behind, and back": -30 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTimed(t)
			d, p := s.devices[0], s.catalog[0]
			s.remove(d, "8h", p)
			s.clock.Adjust(by)
			if by > 8*time.Hour {
				s.eventually("what was removed for 8 hours is back three days later", time.Second,
					10*time.Minute, func() bool { return s.shows(d, p, "restore/succeeded") })
			}
			// Called while the clock was wrong; done after it was put right.
			d.SetOnline(false)
			s.mustDeclare(d, "0", s.catalog[1])
			s.clock.Advance(2 * time.Minute)
			s.clock.Adjust(-by)
			d.SetOnline(true)
			s.eventually("the call is carried out", time.Second, 10*time.Minute,
				func() bool { return s.shows(d, s.catalog[1], "remove/removed") })
			// By the right clock, the time for which it is removed is what was asked.
			s.remove(d, "8h", p, s.catalog[1])
			s.clock.Advance(7 * time.Hour)
			s.settle()
			if !s.shows(d, p, "remove/removed") {
				t.Error("restored before its time")
			}
			s.eventually("what was removed for 8 hours is back", time.Minute, 2*time.Hour,
				func() bool { return s.shows(d, p, "restore/succeeded") })
		})
	}
}

// What was put off while the clock was ahead is not put off for days when it has been put right:
// who was not reached is woken, and what failed is tried again, as soon as ever.
func TestClockPutRight(t *testing.T) {
	const wrong = 72 * time.Hour
	timedOut := simulator.Hook{RequestType: "RemoveProfile", Effect: simulator.AnswerError}
	notNow := simulator.Hook{RequestType: "RemoveProfile", Effect: simulator.AnswerNotNow}
	pushFails := func(s *timed,
		_ *device) {
		s.apns.answers(http.StatusServiceUnavailable, "ServiceUnavailable")
	}
	for name, c := range map[string]struct {
		restoreAfter string
		begin        func(*timed, *device)
		detail       string // how what is shown then begins; empty: the device does not come
	}{
		"a push failed":                          {"0", pushFails, ""},
		"a push failed, and the restore is near": {"8m", pushFails, ""},
		"a command failed": {"0",
			func(_ *timed, d *device) { d.AddHook(timedOut) }, "attempt 1 of 5 failed"},
		"the device said not now": {"0", func(_ *timed, d *device) {
			d.SetFaults(simulator.Faults{Busy: 1000 * time.Hour}) // it does not come by itself
			d.AddHook(notNow)
		}, "the device said not now"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTimed(t)
			d, p := s.devices[0], s.catalog[0]
			s.clock.Adjust(wrong)
			c.begin(s, d)
			s.mustDeclare(d, c.restoreAfter, p)
			declared := s.clock.Now()
			s.eventually("it is put off", time.Second, 10*time.Minute, func() bool {
				r, _ := s.result(d)
				// by then it was tried to wake the device three times
				return c.detail == "" && s.clock.Now().Sub(declared) > 6*time.Minute ||
					len(r.DeviceActionPayloads) == 1 && c.detail != "" &&
						strings.HasPrefix(r.DeviceActionPayloads[0].Detail, c.detail)
			})
			if !slices.Contains(inventory(d.Device), p.Identifier) {
				t.Fatal("it was done while the clock was ahead")
			}
			s.clock.Adjust(-wrong)
			s.apns.answers(0, "")
			s.eventually("what was put off is done", time.Second, 10*time.Minute,
				func() bool { return s.shows(d, p, "remove/removed") })
			s.log()
		})
	}
}

// Events are kept by position: those that a clock dated days ahead or back neither vanish before
// their time nor stop a reader who comes back.
func TestEventsOfAWrongClock(t *testing.T) {
	t.Parallel()
	s := newTimed(t)
	d := s.devices[0]
	s.remove(d, "0", s.catalog[0])
	middle := s.events()
	s.clock.Adjust(20 * 24 * time.Hour)
	s.remove(d, "0", s.catalog[1])
	s.clock.Adjust(-20 * 24 * time.Hour)
	s.remove(d, "0", s.catalog[2])
	s.clock.Advance(2 * time.Hour) // old events are dropped each hour
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
	s.clock.Advance(server.DefaultKeepEvents + 21*24*time.Hour)
	s.eventually("all are dropped in the end", time.Minute, 3*time.Hour,
		func() bool { return len(s.events()) == 0 })
}

package engine

import (
	"strconv"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// ledgerOf is the ledger of a device that has something ready, or something it postponed, or
// nothing to do.
func ledgerOf(t *testing.T, now time.Time, work string) *Ledger {
	t.Helper()
	ids := 0
	env := action.Env{Now: now, Policy: action.DefaultPolicy,
		NewID: func() string { ids++; return strconv.Itoa(ids) }}
	l := new(Ledger)
	l.Device.Enroll(env, "")
	for {
		task, ok := l.Device.Next(env)
		if !ok {
			break
		}
		l.Device.Answer(env, task.ID, action.Outcome{})
	}
	if work == "nothing" {
		return l
	}
	l.Device.Assign(env, []action.Spec{{ID: "p", Identifier: "p", Version: 1}})
	if work == "postponed" {
		task, _ := l.Device.Next(env)
		l.Device.Answer(env, task.ID, action.Outcome{Verdict: action.NotNow})
	}
	return l
}

// When a device is woken next, by what it has to do, who is in touch, and how often it did not
// come.
func TestSchedule(t *testing.T) {
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	const minute, never = time.Minute, -1
	for _, tt := range []struct {
		work  string
		with  contact
		tries int
		at    time.Duration // of the wake-up that was planned, from now; never: none was

		wake      bool
		wantTries int
		wantAt    time.Duration
	}{
		{"nothing", nobodyConnected, 3, 5 * minute, false, 0, never},
		{"nothing", deviceConnected, 3, 5 * minute, false, 0, never},
		{"nothing", channelHasDocument, 3, 5 * minute, false, 0, never},

		{"ready", nobodyConnected, 0, never, true, 1, minute},
		{"ready", nobodyConnected, 1, 0, true, 2, 4 * minute},
		{"ready", nobodyConnected, 2, 0, true, 3, 16 * minute},
		{"ready", nobodyConnected, 9, 0, true, 10, wakeMost},
		{"ready", deviceConnected, 0, never, false, 0, minute},
		{"ready", deviceConnected, 9, 6 * time.Hour, false, 0, minute},
		{"ready", channelHasDocument, 0, never, false, 1, minute},
		{"ready", channelHasDocument, 1, minute, false, 1, minute},
		{"ready", channelHasDocument, 2, 4 * minute, false, 2, 4 * minute},
		{"ready", channelHasDocument, 9, 0, false, 9, wakeMost},

		{"postponed", deviceConnected, 4, 0, false, 0, notNowWait},
		{"postponed", nobodyConnected, 0, 7 * minute, false, 0, 7 * minute},
		{"postponed", nobodyConnected, 0, notNowWait, false, 0, notNowWait},
		{"postponed", nobodyConnected, 0, 0, true, 0, notNowWait},
		{"postponed", nobodyConnected, 0, -minute, true, 0, notNowWait},
		{"postponed", nobodyConnected, 0, notNowWait + clockSkew, false, 0, notNowWait + clockSkew},
		{"postponed", nobodyConnected, 0, 72 * time.Hour, true, 0, notNowWait}, // by a clock that was ahead
	} {
		l := ledgerOf(t, now, tt.work)
		l.Wake.Tries = tt.tries
		if tt.at != never {
			l.Wake.At = now.Add(tt.at)
		}
		wake := l.schedule(now, tt.with)
		at := time.Duration(never)
		if !l.Wake.At.IsZero() {
			at = l.Wake.At.Sub(now)
		}
		if wake != tt.wake || l.Wake.Tries != tt.wantTries || at != tt.wantAt {
			t.Errorf("%s, contact %d, %d tries, planned in %s: woken %v, %d tries, next in %s; want %v, %d, %s",
				tt.work, tt.with, tt.tries, tt.at, wake, l.Wake.Tries, at, tt.wake, tt.wantTries,
				tt.wantAt)
		}
		if due := l.DueAt; !due.Equal(l.Wake.At) {
			t.Errorf("%s: the clock looks at it at %s, and wakes it at %s", tt.work, due, l.Wake.At)
		}
	}
}

// The clock looks at a device for what the rules wait for, if that comes before the next wake-up.
func TestScheduleOfRestore(t *testing.T) {
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	l := ledgerOf(t, now, "ready")
	env := action.Env{Now: now, Policy: action.DefaultPolicy, NewID: func() string { return "t" }}
	set := []action.Selection{{ID: "p"}}
	if _, _, err := l.Device.Start(env, action.Request{ID: "a", Set: set,
		RestoreAfter: 30 * time.Second}); err != nil {
		t.Fatal(err)
	}
	l.schedule(now, nobodyConnected)
	if got := l.DueAt.Sub(now); got != 30*time.Second {
		t.Errorf("the clock looks at it in %s, want at the restore in 30 s", got)
	}
	l.Device.Payloads[0].RestoreAt = now.Add(time.Hour)
	l.Wake = Wake{}
	l.schedule(now, nobodyConnected)
	if got := l.DueAt.Sub(now); got != time.Minute {
		t.Errorf("the clock looks at it in %s, want at the next wake-up in a minute", got)
	}
}

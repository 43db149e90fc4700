package simulator_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
)

// hold is what the model knows of an item that the last set names.
type hold struct {
	since time.Time // of the call from which Intune's 8 hours count
	// latest is the call from which its 24 hours count: a later one than since, if Intune may have
	// restored it between the two without the device's knowing.
	latest time.Time
	gone   bool // Intune has been seen to restore it
}

// model is what a device must be like, by the reference's words alone.
type model struct {
	restarts bool
	last     map[string]hold
}

// call is a call with a whole set, whoever makes it.
func (m *model) call(now time.Time, set []*simulator.Item) {
	before := m.last
	m.last = make(map[string]hold)
	for _, i := range set {
		h, held := before[i.ID]
		if !held || h.gone || m.restarts {
			h = hold{since: now, latest: now}
		} else if now.Sub(h.since) >= 8*time.Hour {
			h.latest = now
		}
		m.last[i.ID] = h
	}
}

// check compares what is off a device after a check-in with what the model allows: what the last
// call named is off for 8 hours and back after 24, once back it stays, and nothing else is off.
func (m *model) check(t *rapid.T, now time.Time, off []string) {
	for id, h := range m.last {
		is, age := slices.Contains(off, id), now.Sub(h.since)
		switch {
		case age < 8*time.Hour && !is && !h.gone:
			t.Fatalf("%s is not off %v after it was named", id, age)
		case now.Sub(h.latest) >= 24*time.Hour && is:
			t.Fatalf("%s is still off %v after it was named", id, age)
		case h.gone && is:
			t.Fatalf("%s is off again, though Intune had restored it", id)
		case !is:
			h.gone = true
			m.last[id] = h
		}
	}
	for _, id := range off {
		if _, named := m.last[id]; !named {
			t.Fatalf("%s is off, and the last set does not name it", id)
		}
	}
}

// In any history of calls by people and applications, check-ins, times offline and Intune's own
// restores, what is off a device after its check-in is what the last set says.
func TestHistories(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	ada := w.tenant.AddAdmin("ada")
	items := w.policies("a", "b", "c", "d")
	rapid.Check(t, func(t *rapid.T) {
		readings := simulator.Readings{RepostRestartsClock: rapid.Bool().Draw(t, "restarts"),
			KeptItemsStay: rapid.Bool().Draw(t, "kept"),
			SilentRestore: rapid.Bool().Draw(t, "silent")}
		w.site.SetReadings(readings)
		d := w.tenant.Enroll(simulator.DeviceOptions{})
		defer d.Leave()
		m := &model{restarts: readings.RepostRestartsClock}
		online := true
		for range rapid.IntRange(5, 40).Draw(t, "steps") {
			step := rapid.IntRange(0, 9).Draw(t, "step")
			switch step {
			case 0, 1:
				set := rapid.SliceOfNDistinct(rapid.SampledFrom(items), 0, 4,
					func(i *simulator.Item) string { return i.ID }).Draw(t, "set")
				if step == 0 {
					if err := ada.ChangeAssignments(d, set...); err != nil {
						t.Fatal(err)
					}
				} else {
					w.advance(0)
					w.mustAct(d, set...)
				}
				m.call(w.clock.Now(), set)
			case 2:
				online = !online
				d.SetOnline(online)
			case 3, 4, 5:
				w.clock.Advance(time.Duration(rapid.IntRange(1, 600).Draw(t, "minutes")) * time.Minute)
			default:
				before := d.Off()
				if d.CheckIn() != online {
					t.Fatal("a device that is offline checked in, or one that is not did not")
				}
				if off := d.Off(); online {
					m.check(t, w.clock.Now(), off)
				} else if !slices.Equal(off, before) {
					t.Fatal("a device that is offline has changed")
				}
			}
		}
	})
}

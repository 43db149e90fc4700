package action_test

import (
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// mac is a device that lists what is installed, and apart from that what of it is managed, with one
// app that is assigned to it.
type mac struct {
	*bench
	app action.Spec
}

func newMac(t *testing.T) *mac {
	m := &mac{newBench(t, 0), spec(pid(0), action.Application, 1)}
	m.d.Assign(m.step(), []action.Spec{m.app})
	return m
}

// list answers both lists of an inventory: whether the app is managed, and what is said of it being
// installed; nil: it is not listed.
func (m *mac) list(managed bool, installed *action.Sighting) {
	m.Helper()
	first := action.Outcome{List: action.Managed}
	if managed {
		first.Sightings = []action.Sighting{{Identifier: m.app.Identifier, Present: true}}
	}
	second := action.Outcome{Unlisted: true}
	if installed != nil {
		installed.Identifier = m.app.Identifier
		second.Sightings = []action.Sighting{*installed}
	}
	for _, o := range []action.Outcome{first, second} {
		task := m.next()
		if task.Kind != action.TakeInventory || task.Class != action.Apps {
			m.Fatalf("the device is sent %+v", task)
		}
		m.answer(task, o)
	}
}

// command lets the device take its next command.
func (m *mac) command(kind action.TaskKind, o action.Outcome) {
	m.Helper()
	task := m.next()
	if task.Kind != kind {
		m.Fatalf("the device is sent %+v", task)
	}
	m.answer(task, o)
}

func (m *mac) installed() { m.command(action.Install, action.Outcome{}); m.list(true, nil) }

func (m *mac) call(ids ...int) {
	m.Helper()
	var set []action.Selection
	for _, i := range ids {
		set = append(set, action.Selection{ID: pid(i), Type: action.Application})
	}
	m.ids++
	if _, _, err := m.d.Start(m.step(), action.Request{ID: action.ActionID("a" + m.step().NewID()),
		Set: set}); err != nil {
		m.Fatal(err)
	}
}

// removed is a Mac from which an action removed the app.
func (m *mac) removed() {
	m.Helper()
	m.installed()
	m.call(0)
	m.command(action.Uninstall, action.Outcome{})
	m.list(false, nil)
	m.expectState(action.Done)
}

// sync asks the device for all that it has, and lets it come as far as its apps.
func (m *mac) sync() {
	m.Helper()
	m.d.WantInventory()
	m.command(action.TakeInventory, action.Outcome{}) // facts
	m.command(action.TakeInventory, action.Outcome{}) // profiles
}

func (m *mac) stands(phase action.Phase, presence action.Presence, unmanaged bool) {
	m.Helper()
	if p := m.d.Find(pid(0)); p.Work.Phase != phase || p.Presence != presence ||
		p.Unmanaged != unmanaged {
		m.Errorf("the app stands as %+v", p)
	}
}

// doubt is a command of work that was given up, answered late: an installation that an action took
// back, or a removal that one withdrew.
func (m *mac) doubt(first ...int) {
	m.Helper()
	m.call(first...)
	late := m.next()
	if len(first) > 0 {
		m.call()
		m.command(action.Install, action.Outcome{})
		m.list(true, nil)
	} else {
		m.call(0)
		m.command(action.Uninstall, action.Outcome{})
		m.list(false, nil)
	}
	m.answer(late, action.Outcome{Verdict: action.Permanent})
}

func unmanaged() *action.Sighting { return &action.Sighting{Present: true} }

// Whose an app is that a device has and does not manage: that of its user, unless it came by a
// command.
func TestAppThatIsNotManaged(t *testing.T) {
	for name, tt := range map[string]struct {
		do   func(*mac)
		want func(*mac)
	}{
		"installed by the server": {func(m *mac) {
			m.removed()
			m.call()
			m.command(action.Install, action.Outcome{})
		}, func(m *mac) {
			m.stands(action.Idle, action.Present, true)
			m.expect(0, "1 4 0 the device has it, and does not manage it")
		}},
		"removed by the server, and still there": {func(m *mac) {
			m.installed()
			m.call(0)
			m.command(action.Uninstall, action.Outcome{})
		}, func(m *mac) {
			m.stands(action.Queued, action.Present, false)
			m.expect(0, "0 1 0 attempt 1 of 5 failed: removal acknowledged, but the device still")
		}},
		"not the server's to remove": {func(m *mac) {
			m.installed()
			m.call(0)
			m.command(action.Uninstall, action.Outcome{Verdict: action.NotFound})
		}, func(m *mac) {
			m.stands(action.Idle, action.Absent, false)
			m.expect(0,
				"0 2 0 the device did not have it; the device keeps a copy that it does not manage")
		}},
		"installed by its user after the removal": {func(m *mac) {
			m.removed()
			m.sync()
		}, func(m *mac) {
			m.stands(action.Idle, action.Absent, false)
			m.expect(0, "0 2 0")
		}},
		"made its own by its user": {func(m *mac) {
			m.installed()
			m.sync()
		}, func(m *mac) { m.stands(action.Queued, action.Absent, false) }},
		"doubtful, and wanted": {func(m *mac) {
			m.installed()
			m.doubt(0)
		}, func(m *mac) { m.stands(action.Queued, action.Absent, false) }},
		"doubtful, and not wanted": {func(m *mac) {
			m.removed()
			m.doubt()
		}, func(m *mac) { m.stands(action.Idle, action.Absent, false) }},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMac(t)
			m.T = t
			tt.do(m)
			m.list(false, unmanaged())
			tt.want(m)
		})
	}
}

// An app that the server installed and that is not managed stays the server's while it is updated,
// fails, or becomes managed; only when it is gone is it forgotten.
func TestAppThatNeverBecomesManaged(t *testing.T) {
	for name, tt := range map[string]struct {
		managed bool
		seen    *action.Sighting
		ours    bool
	}{
		"at it":   {false, &action.Sighting{Working: true}, true},
		"failed":  {false, &action.Sighting{Failed: true}, true},
		"managed": {true, nil, true},
		"gone":    {false, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMac(t)
			m.command(action.Install, action.Outcome{})
			m.list(false, unmanaged())
			m.stands(action.Idle, action.Present, true)
			m.sync()
			m.list(tt.managed, tt.seen)
			if got := m.d.Find(pid(0)).Unmanaged; got != tt.ours {
				t.Errorf("it is the server's: %t, want %t", got, tt.ours)
			}
		})
	}
}

// What a list does not show yet may be on its way to the device, if it was sent there: what is
// wanted until it is given up, and what is not wanted any more for as long.
func TestAppThatIsNotListedYet(t *testing.T) {
	wait := action.DefaultPolicy.VerifyFor
	for name, tt := range map[string]struct {
		do       func(*mac)
		phase    action.Phase
		presence action.Presence
	}{
		"sent": {func(m *mac) { m.command(action.Install, action.Outcome{}) },
			action.Verifying, action.Unknown},
		"was there": {func(m *mac) {
			m.installed()
			m.sync()
		}, action.Queued, action.Absent},
		"doubtful": {func(m *mac) {
			m.installed()
			m.doubt(0)
		}, action.Queued, action.Absent},
		"sent, and removed at once": {func(m *mac) {
			m.command(action.Install, action.Outcome{})
			m.call(0)
			m.command(action.Uninstall, action.Outcome{})
		}, action.Verifying, action.Unknown},
		"sent, and removed in time": {func(m *mac) {
			m.command(action.Install, action.Outcome{})
			m.now = m.now.Add(wait - 1)
			m.call(0)
			m.command(action.Uninstall, action.Outcome{})
		}, action.Verifying, action.Unknown},
		"sent long ago, and removed": {func(m *mac) {
			m.command(action.Install, action.Outcome{})
			m.now = m.now.Add(wait)
			m.call(0)
			m.command(action.Uninstall, action.Outcome{})
		}, action.Idle, action.Absent},
		"there, and removed": {func(m *mac) {
			m.installed()
			m.call(0)
			m.command(action.Uninstall, action.Outcome{})
		}, action.Idle, action.Absent},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMac(t)
			tt.do(m)
			m.list(false, nil)
			m.stands(tt.phase, tt.presence, false)
		})
	}
}

// Of what a device manages only what is asked for is kept until its other list is here.
func TestManagedListIsShort(t *testing.T) {
	m := newMac(t)
	profile := spec("profile", action.DeviceConfiguration, 1)
	m.d.Assign(m.step(), []action.Spec{m.app, profile})
	m.command(action.Install, action.Outcome{})
	m.command(action.Install, action.Outcome{})
	m.answer(m.next(), action.Outcome{Sightings: []action.Sighting{{Identifier: profile.Identifier,
		Present: true}}})
	m.answer(m.next(), action.Outcome{List: action.Managed, Sightings: []action.Sighting{
		{Identifier: "com.example.other", Present: true},
		{Identifier: profile.Identifier, Present: true},
		{Identifier: m.app.Identifier, Present: true},
	}})
	kept := m.d.Inventories[action.Apps].Managed
	if len(kept) != 1 || kept[0].Identifier != m.app.Identifier {
		t.Errorf("kept is %+v", kept)
	}
	m.answer(m.next(), action.Outcome{Sightings: []action.Sighting{{Identifier: m.app.Identifier,
		Present: true, Detail: "of its list"}}})
	m.stands(action.Idle, action.Present, false)
	m.now = m.now.Add(time.Hour)
	if m.d.Ready(m.now) {
		t.Error("there is something left to do")
	}
}

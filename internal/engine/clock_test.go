package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// misdatings are what a clock that is ahead may put off for as long as it is ahead.
var misdatings = map[string]func(n *node, id fleet.DeviceID, a action.PayloadID){
	"wake-up": func(n *node, id fleet.DeviceID, a action.PayloadID) {
		n.start(id, 0, a)
		n.wakes(id)
		n.clock.Advance(time.Minute)
		n.sweep()
		n.wakes(id)
	},
	"wake-up behind a restore": func(n *node, id fleet.DeviceID, a action.PayloadID) {
		n.start(id, 2*time.Minute, a)
		n.wakes(id)
		n.clock.Advance(time.Minute)
		n.sweep()
		n.wakes(id)
	},
	"next try": func(n *node, id fleet.DeviceID, a action.PayloadID) {
		n.start(id, 0, a)
		n.wakes(id)
		n.answer(id, n.next(id), action.Outcome{Verdict: action.Retriable, Code: 1, Detail: "busy"})
	},
	"next look": func(n *node, id fleet.DeviceID, a action.PayloadID) {
		n.start(id, 0, a)
		n.wakes(id)
		look := n.answer(id, n.next(id), action.Outcome{})
		n.answer(id, look, action.Outcome{Sightings: []action.Sighting{{Identifier: appA,
			Working: true}}})
	},
	"not now": func(n *node, id fleet.DeviceID, a action.PayloadID) {
		n.start(id, 0, a)
		n.wakes(id)
		n.answer(id, n.next(id), action.Outcome{Verdict: action.NotNow})
	},
	"broken connection": func(n *node, id fleet.DeviceID, a action.PayloadID) {
		n.start(id, 0, a)
		n.wakes(id)
		n.next(id)
	},
	"change of the catalog": func(n *node, id fleet.DeviceID, _ action.PayloadID) {
		n.sweep()
		assign(n.T, n.store.Store, n.clock, appB)
		if _, err := n.store.SpreadChanges(n.Context(), n.clock.Now(), 10); err != nil {
			n.Fatal(err)
		}
	},
}

const wrong = 72 * time.Hour

// What a clock put off that was ahead is done when it has been put right: at once when the server
// sees it go back, or starts anew; and within the hour when it was another server's clock.
func TestClockPutRight(t *testing.T) {
	for name, misdate := range misdatings {
		for how, right := range map[string]func(n, other *node) *node{
			"seen": func(n, _ *node) *node {
				n.clock.Advance(-wrong)
				n.sweep()
				return n
			},
			"started anew": func(n, _ *node) *node {
				n.stop()
				n.clock.Advance(-wrong)
				return newNode(n.T, n.store.Store, n.clock)
			},
			"another server's": func(n, other *node) *node {
				n.stop()
				other.sweep()
				select {
				case id := <-other.woken:
					n.Errorf("device %s is woken before anybody looked", id)
				default:
				}
				other.clock.Advance(time.Hour)
				other.sweep()
				return other
			},
		} {
			t.Run(name+"/"+how, func(t *testing.T) {
				db := storetest.Open(t)
				c := clocktest.New(time.Date(2025, 2, 13, 10, 0, 0, 0, time.UTC))
				a := assign(t, db, c, appA)
				other := newNode(t, db, clocktest.New(c.Now()))
				n := newNode(t, db, c)
				id := n.enroll("1")
				n.serve(id, appA)
				c.Advance(wrong)
				misdate(n, id, a)
				n = right(n, other)
				n.wakes(id)
				if left := n.due(id).Sub(n.clock.Now()); left <= 0 || left > 6*time.Hour {
					t.Errorf("if it does not come, it is woken again after %s", left)
				}
				n.next(id)
			})
		}
	}
}

// When a clock is put right, the ledgers of devices are left alone whose payloads are restored
// later, as asked.
func TestClockPutRightTouchesNoRestore(t *testing.T) {
	db := storetest.Open(t)
	c := clocktest.New(time.Date(2025, 2, 13, 10, 0, 0, 0, time.UTC))
	a := assign(t, db, c, appA)
	n := newNode(t, db, c)
	const month = 30 * 24 * time.Hour
	restores := map[fleet.DeviceID]time.Time{}
	var last fleet.DeviceID
	for i := range 20 {
		id := n.enroll(fmt.Sprint(i))
		n.serve(id, appA)
		if i == 10 {
			c.Advance(wrong) // half of the calls are made by the wrong clock
			n.sweep()
		}
		n.start(id, month, a)
		n.wakes(id)
		if last = id; i < 19 {
			n.serve(id)
			restores[id] = c.Now().Add(month)
		}
	}
	c.Advance(-wrong)
	looks, updates := n.store.looks.Load(), n.store.updates.Load()
	n.sweep()
	n.wakes(last) // which takes one look
	if l, u := n.store.looks.Load()-looks, n.store.updates.Load()-updates; l != 2 || u != 1 {
		t.Errorf("%d ledgers were read and %d written for one device that is late", l-1, u)
	}
	for id, at := range restores {
		if due := n.due(id); !due.Equal(at) {
			t.Errorf("device %s is due at %s, want %s", id, due, at)
		}
	}
	c.Advance(4 * time.Minute)
	n.sweep() // it is looked once more, for what was under way
	n.wakes(last)
	looks, updates = n.store.looks.Load(), n.store.updates.Load()
	for range 10 {
		c.Advance(-30 * time.Second) // a clock that is put right little by little
		n.sweep()
		c.Advance(35 * time.Second)
		n.sweep()
	}
	if l, u := n.store.looks.Load()-looks, n.store.updates.Load()-updates; l != 0 || u != 0 {
		t.Errorf("with nothing to correct, %d ledgers were read and %d written", l, u)
	}
}

package action_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// bench is one device with example payloads, driven step by step.
type bench struct {
	*testing.T
	d   *action.Device
	now time.Time
	ids int
}

// newBench returns a device that has n assigned configurations p0, p1, ... installed and seen.
func newBench(t *testing.T, n int) *bench {
	b := &bench{T: t, d: &action.Device{}, now: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)}
	b.d.Enroll(b.step(), "")
	b.assign(1, n)
	b.serve(n)
	return b
}

func (b *bench) step() action.Env {
	return action.Env{Now: b.now, Policy: action.DefaultPolicy,
		NewID: func() string { b.ids++; return "t" + strconv.Itoa(b.ids) }}
}

func (b *bench) assign(version int64, n int) {
	var specs []action.Spec
	for i := range n {
		specs = append(specs, spec(pid(i), action.DeviceConfiguration, version))
	}
	b.d.Assign(b.step(), specs)
}

func pid(i int) action.PayloadID { return action.PayloadID("p" + strconv.Itoa(i)) }

func selection(ids ...int) (set []action.Selection) {
	for _, i := range ids {
		set = append(set, action.Selection{ID: pid(i), Type: action.DeviceConfiguration})
	}
	return set
}

func (b *bench) start(name action.Name, after time.Duration, ids ...int) error {
	b.Helper()
	b.ids++
	_, _, err := b.d.Start(b.step(), action.Request{ID: action.ActionID("a" + strconv.Itoa(b.ids)),
		Name: name, Actor: "admin",
		Set: selection(ids...), RestoreAfter: after})
	return err
}

func (b *bench) next() action.Task {
	b.Helper()
	task, ok := b.d.Next(b.step())
	if !ok {
		b.Fatal("no task for the device")
	}
	return task
}

func (b *bench) answer(t action.Task, o action.Outcome) { b.d.Answer(b.step(), t.ID, o) }

// list is the inventory of a device that has these payloads in this version.
func list(version int64, ids ...int) action.Outcome {
	var o action.Outcome
	for _, i := range ids {
		s := spec(pid(i), action.DeviceConfiguration, version)
		o.Sightings = append(o.Sightings, action.Sighting{Identifier: s.Identifier,
			Revision: s.Revision, Present: true})
	}
	return o
}

// serve lets the device do all it is asked, where its profiles afterwards are p0 to p(n-1).
func (b *bench) serve(n int) {
	var ids []int
	for i := range n {
		ids = append(ids, i)
	}
	for {
		task, ok := b.d.Next(b.step())
		if !ok {
			return
		}
		o := action.Outcome{}
		if n > 0 && task.Kind == action.TakeInventory && task.Class == action.Profiles {
			o = list(b.d.Payloads[0].Version, ids...)
		}
		b.answer(task, o)
	}
}

// shown is one payload's result as "intent status code detail", and the action's state.
func (b *bench) shown(i int) string {
	for _, r := range b.d.Action.Results {
		if r.Payload == pid(i) {
			return fmt.Sprintf("%d %d %d %s", r.Intent, r.Status, r.Code, r.Detail)
		}
	}
	return "none"
}

func (b *bench) expect(i int, want string) {
	b.Helper()
	if got := b.shown(i); !strings.HasPrefix(got, want) {
		b.Fatalf("payload %d shows %q, want %q", i, got, want)
	}
}

func (b *bench) expectState(want action.State) {
	b.Helper()
	if got := b.d.Action.State; got != want {
		b.Fatalf("action state is %d, want %d", got, want)
	}
}

func (b *bench) serveWithout(gone int) {
	for {
		task, ok := b.d.Next(b.step())
		if !ok {
			return
		}
		o := action.Outcome{}
		if task.Kind == action.TakeInventory {
			for i, p := range b.d.Payloads {
				if i != gone {
					o.Sightings = append(o.Sightings,
						action.Sighting{Identifier: p.Identifier, Revision: p.Revision,
							Present: true})
				}
			}
		}
		b.answer(task, o)
	}
}

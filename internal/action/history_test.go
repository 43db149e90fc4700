package action_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// phone is the device at the other end: what it has, and the answer it could not deliver.
type phone struct {
	has    map[string]string // identifier to revision
	slow   map[string]int    // identifier to the looks it is still being installed for
	held   []action.Task     // commands it was handed and will carry out whenever it likes
	flight []answer          // answers on their way, to arrive whenever the network likes
	old    []answer          // answers that arrived; they may be repeated at any time
}

type answer struct {
	task    action.TaskID
	outcome action.Outcome
}

func (ph *phone) execute(t action.Task) answer {
	a := answer{task: t.ID}
	switch t.Kind {
	case action.Install:
		ph.has[t.Payload.Identifier] = t.Payload.Revision
	case action.Uninstall:
		if _, ok := ph.has[t.Payload.Identifier]; !ok {
			a.outcome.Verdict = action.NotFound
		}
		delete(ph.has, t.Payload.Identifier)
	case action.TakeInventory:
		for id, rev := range ph.has {
			g := action.Sighting{Identifier: id, Revision: rev, Present: ph.slow[id] == 0, Working: ph.slow[id] > 0}
			ph.slow[id] = max(0, ph.slow[id]-1)
			a.outcome.Sightings = append(a.outcome.Sightings, g)
		}
	}
	return a
}

// world is one random history of a device, its admins, its catalog and its network.
type world struct {
	t        *rapid.T
	now      time.Time
	ids      int
	d        *action.Device
	ph       phone
	catalog  map[action.PayloadID]action.Spec
	assigned map[action.PayloadID]bool
	ended    map[action.ActionID]action.Action                      // final actions as they ended
	seen     map[action.ActionID]map[action.PayloadID]action.Result // results as they ended
	all      map[action.ActionID]*action.Action
	answered map[action.TaskID]bool
}

func newWorld(t *rapid.T, size int) *world {
	w := &world{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), d: &action.Device{},
		ph: phone{has: map[string]string{}, slow: map[string]int{}}, catalog: map[action.PayloadID]action.Spec{},
		assigned: map[action.PayloadID]bool{}, ended: map[action.ActionID]action.Action{},
		seen: map[action.ActionID]map[action.PayloadID]action.Result{},
		all:  map[action.ActionID]*action.Action{}, answered: map[action.TaskID]bool{}}
	for i := range size {
		id := action.PayloadID("p" + strconv.Itoa(i))
		w.catalog[id] = spec(id, action.PayloadType(i%4), 1)
		w.assigned[id] = i < size*5/6
	}
	w.d.Enroll(w.step(), "")
	w.assign()
	return w
}

func spec(id action.PayloadID, typ action.PayloadType, version int64) action.Spec {
	return action.Spec{ID: id, Type: typ, Identifier: "com.example." + string(id),
		Revision: fmt.Sprintf("%s-%d", id, version), Version: version}
}

func (w *world) step() action.Step {
	return action.Step{Now: w.now, Policy: action.DefaultPolicy, NewID: func() string { w.ids++; return strconv.Itoa(w.ids) }}
}

func (w *world) assign() {
	var specs []action.Spec
	for _, id := range slices.Sorted(maps.Keys(w.catalog)) {
		if w.assigned[id] {
			specs = append(specs, w.catalog[id])
		}
	}
	w.d.Assign(w.step(), specs)
	w.checkTruth()
}

// call is an admin's POST of a random set, sometimes one that must be refused.
func (w *world) call(t *rapid.T) {
	var set []action.Selection
	for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(w.catalog)-1), 0, min(33, len(w.catalog))).Draw(t, "set") {
		id := action.PayloadID("p" + strconv.Itoa(i))
		set = append(set, action.Selection{ID: id, Type: w.catalog[id].Type})
	}
	before := w.snapshot()
	after := rapid.SampledFrom([]time.Duration{0, time.Hour, 8 * time.Hour}).Draw(t, "restoreAfter")
	w.ids++
	req := action.Request{ID: action.ActionID("a" + strconv.Itoa(w.ids)), Name: action.SyncPayloads, Set: set, RestoreAfter: after}
	_, started, err := w.d.Start(w.step(), req)
	switch {
	case err != nil && w.snapshot() != before:
		t.Fatalf("a refused call changed the device: %v", err)
	case err == nil && started:
		w.all[req.ID] = w.d.Action
		w.checkTruth()
		for _, sel := range set {
			if p := w.d.Find(sel.ID); !p.Away || p.Intent != action.Remove {
				t.Fatalf("%s was asked to be removed and is not held off the device", sel.ID)
			}
		}
	case err == nil && w.snapshot() != before:
		t.Fatal("a repeated call changed the device")
	}
}

func (w *world) edit(t *rapid.T) {
	id := action.PayloadID("p" + strconv.Itoa(rapid.IntRange(0, len(w.catalog)-1).Draw(t, "payload")))
	switch rapid.IntRange(0, 2).Draw(t, "edit") {
	case 0:
		w.assigned[id] = true
	case 1:
		w.assigned[id] = false
	default:
		s := w.catalog[id]
		w.catalog[id] = spec(id, s.Type, s.Version+1)
	}
	w.assign()
}

func (w *world) pass(t *rapid.T) {
	w.now = w.now.Add(time.Duration(rapid.IntRange(1, 5*3600).Draw(t, "seconds")) * time.Second)
	w.restoreExpired()
}

func (w *world) restoreExpired() {
	w.ids++
	id := action.ActionID("a" + strconv.Itoa(w.ids))
	if _, started := w.d.RestoreExpired(w.step(), id); started {
		w.all[id] = w.d.Action
		w.checkTruth()
	}
}

// connect lets the device connect over a bad network until it has nothing to do or the connection breaks.
func (w *world) connect(t *rapid.T) {
	w.d.Contact()
	for {
		task, ok := w.d.Next(w.step())
		if !ok {
			return
		}
		if w.answered[task.ID] {
			t.Fatalf("task %s was answered and is handed out again", task.ID)
		}
		what := rapid.SampledFrom([]string{"do", "do", "do", "do", "not now", "busy", "never", "lost", "hold", "answer late",
			"twice", "lie", "slow"}).Draw(t, "device")
		if task.Kind == action.TakeInventory && (what == "lie" || what == "hold") {
			what = "do" // an inventory is what the device has when it answers, by definition
		}
		switch what {
		case "do":
			w.answer(w.ph.execute(task))
		case "twice":
			a := w.ph.execute(task)
			w.answer(a)
			w.answer(a)
		case "lie":
			w.answer(answer{task: task.ID})
		case "slow":
			w.ph.slow[task.Payload.Identifier] = 3
			w.answer(w.ph.execute(task))
		case "not now":
			w.d.Answer(w.step(), task.ID, action.Outcome{Verdict: action.NotNow})
		case "busy":
			w.answer(answer{task.ID, action.Outcome{Verdict: action.Retriable, Code: 1, Detail: "busy"}})
		case "never":
			w.answer(answer{task.ID, action.Outcome{Verdict: action.Permanent, Code: 2, Detail: "never"}})
		case "lost":
			return
		case "hold":
			w.ph.held = append(w.ph.held, task)
			return
		case "answer late":
			a := w.ph.execute(task)
			w.ph.held = slices.DeleteFunc(w.ph.held, func(h action.Task) bool { return h.ID == a.task })
			w.ph.flight = append(w.ph.flight, a)
			return
		}
	}
}

// late lets the device carry out what it held, or the network deliver what was on its way.
func (w *world) late(t *rapid.T) {
	switch {
	case len(w.ph.held) > 0 && rapid.Bool().Draw(t, "held"):
		w.answer(w.ph.execute(w.ph.held[0]))
	case len(w.ph.flight) > 0:
		i := rapid.IntRange(0, len(w.ph.flight)-1).Draw(t, "which")
		a := w.ph.flight[i]
		w.ph.flight = slices.Delete(w.ph.flight, i, i+1)
		w.answer(a)
	}
}

func (w *world) answer(a answer) {
	known := w.d.Answer(w.step(), a.task, a.outcome)
	if known && w.answered[a.task] {
		w.t.Fatalf("the second answer to task %s counted", a.task)
	}
	w.answered[a.task] = true
	// A device that was handed a command twice is done with it when it has answered it.
	w.ph.held = slices.DeleteFunc(w.ph.held, func(h action.Task) bool { return h.ID == a.task })
	w.ph.old = append(w.ph.old, a)
	w.checkTruth()
}

// checkTruth holds every result that has just ended well against what the device really has. Ended results stay.
func (w *world) checkTruth() {
	if w.d.Action == nil {
		return
	}
	seen := w.seen[w.d.Action.ID]
	if seen == nil {
		seen = map[action.PayloadID]action.Result{}
		w.seen[w.d.Action.ID] = seen
	}
	for _, r := range w.d.Action.Results {
		if old, ok := seen[r.Payload]; ok && old != r {
			w.t.Fatalf("a result changed after its end:\n%+v\n%+v", old, r)
		} else if ok || !r.Status.Final() {
			continue
		}
		seen[r.Payload] = r
		id := w.catalog[r.Payload].Identifier
		switch _, has := w.ph.has[id]; {
		case r.Status == action.Removed && has:
			w.t.Fatalf("%s is reported removed and is on the device: %+v", r.Payload, r)
		case r.Status == action.Succeeded && w.ph.has[id] != w.catalog[r.Payload].Revision:
			w.t.Fatalf("%s is reported restored and the device has %q: %+v", r.Payload, w.ph.has[id], r)
		}
	}
}

// replay repeats an old answer, or sends one to a task that never was.
func (w *world) replay(t *rapid.T) {
	a := answer{task: "unknown"}
	if len(w.ph.old) > 0 {
		a = rapid.SampledFrom(w.ph.old).Draw(t, "old answer")
	}
	if w.d.Answer(w.step(), a.task, a.outcome) {
		t.Fatalf("a repeated answer to task %q counted", a.task)
	}
}

func (w *world) wipe(*rapid.T) {
	w.ph = phone{has: map[string]string{}, slow: map[string]int{}, flight: w.ph.flight, old: w.ph.old}
	w.d.Enroll(w.step(), "")
	w.assign()
}

// restart loses everything but what is stored.
func (w *world) restart(t *rapid.T) {
	var d action.Device
	roundTrip(t, w.d, &d)
	if w.d.Action != nil {
		d.Action = new(action.Action)
		roundTrip(t, w.d.Action, d.Action)
		w.all[d.Action.ID] = d.Action
	}
	w.d = &d
}

func roundTrip(t *rapid.T, from, to any) {
	doc, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(doc, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) snapshot() string {
	d, _ := json.Marshal(w.d)
	a, _ := json.Marshal(w.d.Action)
	return string(d) + string(a)
}

// check holds what must be true after every step.
func (w *world) check(t *rapid.T) {
	w.checkTruth()
	for id, a := range w.all {
		if len(a.Results) > action.MaxPayloads {
			t.Fatalf("action %s has %d results", id, len(a.Results))
		}
		open := slices.ContainsFunc(a.Results, func(r action.Result) bool { return !r.Status.Final() })
		if a.State.Final() == open {
			t.Fatalf("action %s is %d with open results: %v", id, a.State, open)
		}
		if !a.State.Final() && a != w.d.Action {
			t.Fatalf("action %s is in force beside %s", id, w.d.Action.ID)
		}
		if old, ok := w.ended[id]; ok && !reflect.DeepEqual(old, *a) {
			t.Fatalf("action %s changed after its end:\n%+v\n%+v", id, old, *a)
		}
		if a.State.Final() {
			w.ended[id] = *a.Clone()
		}
	}
}

// settle lets the network heal and time pass until the device has nothing left to do, and compares.
func (w *world) settle(t *rapid.T) {
	for len(w.ph.held) > 0 {
		w.answer(w.ph.execute(w.ph.held[0]))
	}
	for range 1000 {
		w.d.Contact()
		for {
			task, ok := w.d.Next(w.step())
			if !ok {
				break
			}
			w.answer(w.ph.execute(task))
		}
		due := w.d.NextDue(w.now)
		if due.IsZero() {
			break
		}
		w.now = due
		w.restoreExpired()
		w.check(t)
	}
	if w.d.Ready(w.now) || !w.d.NextDue(w.now).IsZero() {
		t.Fatal("a healthy device does not come to rest")
	}
	if a := w.d.Action; a != nil && !a.State.Final() {
		t.Fatalf("nothing is left to do and action %s is still open: %+v", a.ID, a)
	}
	for id, s := range w.catalog {
		p := w.d.Find(id)
		if p != nil && p.Work.Phase == action.Stuck {
			continue
		}
		want := ""
		if p != nil && p.Assigned && !p.Away {
			want = s.Revision
		}
		if got := w.ph.has[s.Identifier]; got != want {
			t.Fatalf("%s: the device has %q, asked was %q (%+v)", id, got, want, p)
		}
	}
}

func TestHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// A few payloads make commands cross; many make sets too large.
		w := newWorld(t, rapid.SampledFrom([]int{2, 3, 5, 40}).Draw(t, "payloads"))
		t.Repeat(map[string]func(*rapid.T){
			"call": w.call, "connect": w.connect, "connect again": w.connect, "edit": w.edit, "pass": w.pass,
			"late": w.late, "replay": w.replay, "wipe": w.wipe, "restart": w.restart, "": w.check,
		})
		w.settle(t)
		w.check(t)
	})
}

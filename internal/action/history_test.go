package action_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// call is an admin's POST of a random set, sometimes one that must be refused.
func (w *world) call(t *rapid.T) {
	var set []action.Selection
	for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(w.catalog)-1), 0,
		min(33, len(w.catalog))).Draw(t, "set") {
		id := action.PayloadID("p" + strconv.Itoa(i))
		set = append(set, action.Selection{ID: id, Type: w.catalog[id].Type})
	}
	// A caller who does not reach everything leaves some of what is held off the device as it is.
	var held []action.Selection
	clocks := make(map[action.PayloadID]time.Time)
	for _, p := range w.d.Payloads {
		named := slices.ContainsFunc(set, func(s action.Selection) bool { return s.ID == p.ID })
		if p.Away && p.Intent == action.Remove && !named && rapid.Bool().Draw(t, "beyond") {
			held, clocks[p.ID] = append(held, action.Selection{ID: p.ID, Type: p.Type}), p.RestoreAt
		}
	}
	before := w.snapshot()
	after := rapid.SampledFrom([]time.Duration{0, time.Hour, 8 * time.Hour}).Draw(t, "restoreAfter")
	w.ids++
	req := action.Request{ID: action.ActionID("a" + strconv.Itoa(w.ids)), Name: action.SyncPayloads,
		Set: set, Held: held, RestoreAfter: after}
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
		for id, restoreAt := range clocks {
			if p := w.d.Find(id); !p.Away || p.Intent != action.Remove ||
				!p.RestoreAt.Equal(restoreAt) {
				t.Fatalf("%s was beyond the caller, was to be restored at %s, and is now %+v", id,
					restoreAt, p)
			}
		}
	case err == nil && w.snapshot() != before:
		t.Fatal("a repeated call changed the device")
	}
}

func (w *world) edit(t *rapid.T) {
	id := action.PayloadID("p" + strconv.Itoa(rapid.IntRange(0, len(w.catalog)-1).Draw(t,
		"payload")))
	switch rapid.IntRange(0, 2).Draw(t, "edit") {
	case 0:
		w.assigned[id] = true
	case 1:
		w.assigned[id] = false
	default:
		s := w.catalog[id]
		if s.Revision == "" { // what no inventory shows
			break
		}
		s.Version++
		s.Revision = content(s)
		w.catalog[id] = s
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

// connect lets the device connect over a bad network until it has nothing to do or the connection
// breaks.
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
		what := rapid.SampledFrom([]string{"do", "do", "do", "do", "not now", "busy", "never",
			"lost", "hold", "answer late",
			"twice", "lie", "slow", "nameless", "misnamed"}).Draw(t, "device")
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
			w.ph.drop(task.ID)
		case "busy":
			w.answer(answer{task.ID, action.Outcome{Verdict: action.Retriable, Code: 1,
				Detail: "busy"}})
		case "never":
			w.answer(answer{task.ID, action.Outcome{Verdict: action.Permanent, Code: 2,
				Detail: "never"}})
		case "nameless": // an answer that does not say which command it is to
			a := w.ph.execute(task)
			known := w.d.Answer(w.step(), "", a.outcome)
			if !known {
				t.Fatalf("an answer without a name was not that to task %s", task.ID)
			}
			w.answered[task.ID] = true
			w.ph.drop(task.ID)
			w.checkTruth()
		case "misnamed": // a device that answers every command with another one's id
			for n := 0; ok; n++ {
				if n > 100 {
					t.Fatalf("task %s is handed over without end", task.ID)
				}
				if w.d.Answer(w.step(), "no such task", action.Outcome{}) {
					t.Fatal("an answer to no task counted")
				}
				w.checkTruth()
				last := task.ID
				if task, ok = w.d.Next(w.step()); task.ID != last {
					w.answered[last], n = true, 0
					w.ph.drop(last)
				}
			}
			return
		case "lost":
			return
		case "hold":
			w.ph.held = append(w.ph.held, task)
			return
		case "answer late":
			a := w.ph.execute(task)
			w.ph.drop(a.task)
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
	w.ph.drop(a.task)
	w.ph.old = append(w.ph.old, a)
	w.checkTruth()
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

// install is a Mac's user who installs an app, or takes theirs off.
func (w *world) install(t *rapid.T) {
	s := w.catalog[action.PayloadID("p"+strconv.Itoa(rapid.IntRange(0, len(w.catalog)-1).Draw(t,
		"app")))]
	if _, managed := w.ph.has[s.Identifier]; !w.ph.mac || s.Type != action.Application || managed {
		return
	}
	if w.ph.own[s.Identifier] {
		delete(w.ph.own, s.Identifier)
	} else {
		w.ph.own[s.Identifier] = true
	}
}

func (w *world) wipe(*rapid.T) {
	w.ph = phone{has: map[string]string{}, slow: map[string]int{}, own: map[string]bool{},
		mac: w.ph.mac, flight: w.ph.flight, old: w.ph.old, blind: w.ph.blind}
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

func TestHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// A few payloads make commands cross; many make sets too large.
		w := newWorld(t, rapid.SampledFrom([]int{2, 3, 5, 40}).Draw(t, "payloads"), false)
		w.ph.mac = rapid.Bool().Draw(t, "Mac")
		history(t, w)
	})
}

// Of several payloads with one identifier the oldest that is wanted comes to the device and stays
// there.
func TestHistoriesOfOneIdentifier(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.SampledFrom([]int{2, 3, 6, 8, 10, 24}).Draw(t, "payloads"), true)
		w.ph.mac = rapid.Bool().Draw(t, "Mac")
		history(t, w)
	})
}

func history(t *rapid.T, w *world) {
	t.Repeat(map[string]func(*rapid.T){
		"call": w.call, "connect": w.connect, "connect again": w.connect, "edit": w.edit,
		"pass": w.pass,
		"late": w.late, "replay": w.replay, "wipe": w.wipe, "install": w.install,
		"restart": w.restart, "jump": w.jump,
		"": func(t *rapid.T) { w.check(t); w.checkPauses(t) },
	})
	w.settle(t)
	w.check(t)
}

package action_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// phone is the device at the other end: what it has, and the answer it could not deliver.
type phone struct {
	has    map[string]string // identifier to what is there: a payload's id and version
	blind  bool              // its inventories of apps do not tell versions apart
	slow   map[string]int    // identifier to the looks it is still being installed for
	held   []action.Task     // commands it was handed and will carry out whenever it likes
	flight []answer          // answers on their way, to arrive whenever the network likes
	old    []answer          // answers that arrived; they may be repeated at any time
	// lists what it manages apart from what is installed, and nothing that is being installed
	mac bool
	own map[string]bool // of a Mac: apps that its user installed
}

type answer struct {
	task    action.TaskID
	outcome action.Outcome
}

// drop forgets what the phone held of a command: handed one twice, it is done with it when it has
// answered it.
func (ph *phone) drop(id action.TaskID) {
	ph.held = slices.DeleteFunc(ph.held, func(h action.Task) bool { return h.ID == id })
}

func (ph *phone) execute(t action.Task) answer {
	a := answer{task: t.ID}
	switch t.Kind {
	case action.Install:
		ph.has[t.Payload.Identifier] = content(t.Payload)
		delete(ph.own, t.Payload.Identifier)
	case action.Uninstall:
		if _, ok := ph.has[t.Payload.Identifier]; !ok {
			a.outcome.Verdict = action.NotFound
		}
		delete(ph.has, t.Payload.Identifier)
	case action.TakeInventory:
		if ph.mac && t.Class == action.Apps {
			a.outcome = ph.listApps(t.Second)
			break
		}
		for id, rev := range ph.has {
			if t.Class == action.Apps && ph.blind {
				rev = ""
			}
			g := action.Sighting{Identifier: id, Revision: rev, Present: ph.slow[id] == 0,
				Working: ph.slow[id] > 0}
			ph.slow[id] = max(0, ph.slow[id]-1)
			a.outcome.Sightings = append(a.outcome.Sightings, g)
		}
	}
	return a
}

// listApps is a Mac's list of what it manages, or the second one, of what is installed.
func (ph *phone) listApps(installed bool) action.Outcome {
	o := action.Outcome{List: action.Managed, Unlisted: installed}
	if installed {
		o.List = action.Everything
		for id := range ph.own {
			o.Sightings = append(o.Sightings, action.Sighting{Identifier: id, Present: true})
		}
	}
	for id, rev := range ph.has {
		if ph.slow[id] == 0 {
			o.Sightings = append(o.Sightings,
				action.Sighting{Identifier: id, Revision: rev, Present: true})
		} else if installed {
			ph.slow[id]--
		}
	}
	return o
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
	// several payloads have one identifier
	shared   bool
	ended    map[action.ActionID]action.Action                      // final actions as they ended
	seen     map[action.ActionID]map[action.PayloadID]action.Result // results as they ended
	all      map[action.ActionID]*action.Action
	answered map[action.TaskID]bool
}

func newWorld(t *rapid.T, size int, shared bool) *world {
	w := &world{t: t, shared: shared, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		d:        &action.Device{},
		ph:       phone{has: map[string]string{}, slow: map[string]int{}, own: map[string]bool{}},
		catalog:  map[action.PayloadID]action.Spec{},
		assigned: map[action.PayloadID]bool{}, ended: map[action.ActionID]action.Action{},
		seen: map[action.ActionID]map[action.PayloadID]action.Result{},
		all:  map[action.ActionID]*action.Action{}, answered: map[action.TaskID]bool{}}
	w.ph.blind = shared && rapid.Bool().Draw(t, "blind")
	for i := range size {
		id := action.PayloadID("p" + strconv.Itoa(i))
		w.catalog[id] = spec(id, action.PayloadType(i%4), 1)
		if shared {
			w.catalog[id] = w.rival(i, 1)
		}
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

// content is what a device has of a payload.
func content(s action.Spec) string { return fmt.Sprintf("%s-%d", s.ID, s.Version) }

// rival is a payload that has its identifier with others. Of those that are in one inventory the
// ages are not in the order of the ids.
func (w *world) rival(i int, version int64) action.Spec {
	types := []action.PayloadType{action.DeviceConfiguration, action.Application,
		action.ConfigurationPolicy, action.AppConfiguration}
	s := spec(action.PayloadID("p"+strconv.Itoa(i)), types[i/2%4], version)
	s.Identifier = fmt.Sprintf("com.example.%d.%d", s.Type.Class(), i/16)
	s.Created = time.Date(2025, 1, 1, 0, i*7%10, 0, 0, time.UTC)
	if s.Type == action.Application && w.ph.blind {
		s.Revision = ""
	}
	return s
}

func (w *world) step() action.Env {
	return action.Env{Now: w.now, Policy: action.DefaultPolicy,
		NewID: func() string { w.ids++; return strconv.Itoa(w.ids) }}
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

// checkTruth holds every result that has just ended well against what the device really has. Ended
// results stay.
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
		has := w.ph.has[w.catalog[r.Payload].Identifier]
		switch {
		case r.Status == action.Removed && strings.HasPrefix(has, string(r.Payload)+"-"):
			w.t.Fatalf("%s is reported removed and is on the device: %+v", r.Payload, r)
		case r.Status == action.Succeeded && has != content(w.catalog[r.Payload]) &&
			!w.ph.own[w.catalog[r.Payload].Identifier]:
			w.t.Fatalf("%s is reported restored and the device has %q: %+v", r.Payload, has, r)
		case r.Code == action.CodeInPlace && (r.InPlace == "" || r.InPlace == r.Payload):
			w.t.Fatalf("%s does not say what is in its place: %+v", r.Payload, r)
		}
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
		for _, r := range a.Results {
			checkStep(t, r)
		}
		open := slices.ContainsFunc(a.Results,
			func(r action.Result) bool { return !r.Status.Final() })
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
	w.compare(t)
}

// compare holds what the device has against what is wanted of it: of each identifier the oldest.
func (w *world) compare(t *rapid.T) {
	oldest, failed := map[string]*action.Payload{}, map[string]bool{}
	for id, s := range w.catalog {
		p := w.d.Find(id)
		if p == nil {
			continue
		}
		if p.Work.Phase == action.Stuck && p.Work.Code != action.CodeInPlace {
			failed[s.Identifier] = true
		}
		o := oldest[s.Identifier]
		if p.Assigned && !p.Away && (o == nil || s.Created.Before(o.Created) ||
			s.Created.Equal(o.Created) && id < o.ID) {
			oldest[s.Identifier] = p
		}
	}
	for id, s := range w.catalog {
		if failed[s.Identifier] {
			continue
		}
		want, p, o := "", w.d.Find(id), oldest[s.Identifier]
		if o != nil {
			want = content(w.catalog[o.ID])
		}
		if got := w.ph.has[s.Identifier]; got != want &&
			!(want != "" && o.Unmanaged && w.ph.own[s.Identifier]) {
			t.Fatalf("%s: the device has %q, asked was %q (%+v)", id, got, want, p)
		}
		behind := p != nil && p.Assigned && !p.Away && p != o
		if stuck := p != nil && p.Work.Code == action.CodeInPlace; stuck != behind ||
			behind && p.Behind != o.ID {
			t.Fatalf("%s is behind %s and stands as %+v", id, o.ID, p)
		}
	}
}

package action_test

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// service is what brings documents to the device: those that it was given, the one that the device
// has taken, and the reports that are on their way back.
type service struct {
	given  []action.Document
	taken  int // how many of them the device has taken, or passed over for a newer one
	number int64
	flight []action.DocumentReport
}

// documentWorld is a random history of a device that is handed documents. In a mirrored one its
// payloads are those of another system, which installs all that it assigns and that the document
// does not hold off.
type documentWorld struct {
	*world
	service
	mirrored bool
	wiped    int64 // mark of the last document of an earlier enrollment
}

func newDocumentWorld(t *rapid.T, size int, shared, mirrored bool) *documentWorld {
	w := &documentWorld{world: newWorld(t, size, shared), mirrored: mirrored}
	if mirrored {
		for id, s := range w.catalog {
			s.Mirrored, s.Revision = true, ""
			w.catalog[id] = s
		}
		w.d = &action.Device{}
		w.d.Enroll(w.step(), "")
		w.assign()
		w.sync(t)
	}
	return w
}

// current is the document that the device has taken; nil: none.
func (w *documentWorld) current() *action.Document {
	if w.taken == 0 {
		return nil
	}
	return &w.given[w.taken-1]
}

// hand hands a document over. A server that crashes may have given it to the service, or not.
func (w *documentWorld) hand(t *rapid.T) {
	doc := w.d.HandDocument(w.step())
	w.checkDocument(t, doc)
	if rapid.IntRange(0, 4).Draw(t, "lost") > 0 {
		w.given = append(w.given, doc)
	}
}

// checkDocument holds that a document has all that is wanted, and nothing of what an action holds
// off.
func (w *documentWorld) checkDocument(t *rapid.T, doc action.Document) {
	if last := len(w.given); last > 0 && doc.Mark <= w.given[last-1].Mark {
		t.Fatalf("document %d comes after %d", doc.Mark, w.given[last-1].Mark)
	}
	places := map[string]action.PayloadID{}
	for _, s := range doc.Wanted {
		p := w.d.Find(s.ID)
		if !p.Assigned || p.Away && p.Intent == action.Remove || p.Version != s.Version {
			t.Fatalf("%s is wanted: %+v", s.ID, p)
		}
		if w.shared && places[s.Identifier] != "" {
			t.Fatalf("%s and %s are wanted in one place", s.ID, places[s.Identifier])
		}
		places[s.Identifier] = s.ID
	}
	for _, p := range w.d.Payloads {
		held := slices.ContainsFunc(doc.HeldOff, func(s action.Spec) bool { return s.ID == p.ID })
		if held != (p.Away && p.Intent == action.Remove) {
			t.Fatalf("%s is held off: %v, and stands as %+v", p.ID, held, p)
		}
	}
	if n := len(doc.Wanted) + len(doc.HeldOff) + len(doc.Ended); n != len(w.d.Payloads) {
		t.Fatalf("the document speaks of %d of %d payloads", n, len(w.d.Payloads))
	}
}

// take lets the device take a newer document, the newest or one between.
func (w *documentWorld) take(t *rapid.T) {
	if w.taken == len(w.given) {
		return
	}
	w.taken = rapid.IntRange(w.taken+1, len(w.given)).Draw(t, "document")
	w.obey(t)
}

// obey makes the device be as its document says.
func (w *documentWorld) obey(t *rapid.T) {
	doc := w.current()
	if doc == nil || w.mirrored {
		w.sync(t)
		return
	}
	had := w.ph.has
	w.ph.has = map[string]string{}
	for _, s := range doc.Wanted {
		if s.Type == action.Application && had[s.Identifier] == "" {
			w.ph.slow[s.Identifier] = rapid.IntRange(0, 3).Draw(t, "slow")
		}
		w.ph.has[s.Identifier] = content(s)
	}
}

// sync lets the other system install and remove what it will.
func (w *documentWorld) sync(*rapid.T) {
	if !w.mirrored {
		return
	}
	w.ph.has = map[string]string{}
	for id, s := range w.catalog {
		held := w.current() != nil && slices.ContainsFunc(w.current().HeldOff,
			func(h action.Spec) bool { return h.ID == id })
		if w.assigned[id] && !held {
			w.ph.has[s.Identifier] = content(s)
		}
	}
}

// made is what the device reports at this moment.
func (w *documentWorld) made(t *rapid.T, healthy bool) action.DocumentReport {
	w.number++
	r := action.DocumentReport{Number: w.number, Outcomes: map[action.PayloadID]action.Outcome{},
		Sightings: map[action.PayloadID]action.Sighting{}}
	doc := w.current()
	if doc == nil {
		return r
	}
	r.Mark = doc.Mark
	for _, s := range slices.Concat(doc.Wanted, doc.HeldOff, doc.Ended) {
		what := "seen"
		if !healthy {
			what = rapid.SampledFrom([]string{"seen", "seen", "seen", "seen", "untold", "waiting",
				"busy", "never"}).Draw(t, "report")
		}
		g := action.Sighting{Present: w.ph.has[s.Identifier] != "",
			Revision: w.ph.has[s.Identifier]}
		if w.ph.blind && s.Type == action.Application || w.mirrored {
			g.Revision = ""
		}
		if w.ph.slow[s.Identifier] > 0 && g.Present {
			w.ph.slow[s.Identifier]--
			g = action.Sighting{Working: true, Detail: "installing"}
		}
		switch what {
		case "untold":
			continue
		case "waiting":
			r.Outcomes[s.ID] = action.Outcome{Verdict: action.Waiting, Detail: "accepted"}
		case "busy":
			r.Outcomes[s.ID] = action.Outcome{Verdict: action.Retriable, Code: 1, Detail: "busy"}
		case "never":
			r.Outcomes[s.ID] = action.Outcome{Verdict: action.Permanent, Code: 2, Detail: "never"}
		}
		r.Sightings[s.ID] = g
	}
	return r
}

func (w *documentWorld) report(t *rapid.T) { w.flight = append(w.flight, w.made(t, false)) }

// deliver brings one of the reports that are on their way, in any order, and perhaps not for the
// last time.
func (w *documentWorld) deliver(t *rapid.T) {
	if len(w.flight) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.flight)-1).Draw(t, "which")
	r := w.flight[i]
	if rapid.Bool().Draw(t, "once") {
		w.flight = slices.Delete(w.flight, i, i+1)
	}
	w.told(t, r)
}

// told applies a report, and holds that one which is of no current state changes nothing.
func (w *documentWorld) told(t *rapid.T, r action.DocumentReport) {
	before, known := w.snapshot(), w.d.Documents
	waits := map[action.PayloadID]action.Phase{}
	for _, p := range w.d.Payloads {
		waits[p.ID] = p.Work.Phase
	}
	w.d.TakeReport(w.step(), &r)
	if r.Number <= known.Reported && w.snapshot() != before {
		t.Fatalf("report %d, after %d, changed the device", r.Number, known.Reported)
	}
	for _, p := range w.d.Payloads {
		if waits[p.ID] == action.Delivered && r.Mark <= w.wiped &&
			p.Work.Phase != action.Delivered {
			t.Fatalf("a report of an earlier enrollment was taken for %s", p.ID)
		}
	}
	w.checkTruth()
}

// drift changes the device by other hands, which is reported before anything else. No report of how
// it was before is on its way.
func (w *documentWorld) drift(t *rapid.T) {
	if w.current() == nil {
		return
	}
	w.flight = nil
	defer func() { w.told(t, w.made(t, true)) }()
	id := action.PayloadID("p" + strconv.Itoa(rapid.IntRange(0, len(w.catalog)-1).Draw(t,
		"payload")))
	s := w.catalog[id]
	if w.mirrored { // the other system lets go of what it was asked to hold off
		doc := w.current()
		if i := slices.IndexFunc(doc.HeldOff,
			func(h action.Spec) bool { return h.ID == id }); i >= 0 {
			doc.Wanted = append(doc.Wanted, doc.HeldOff[i])
			doc.HeldOff = slices.Delete(doc.HeldOff, i, i+1)
		}
		w.sync(t)
		return
	}
	delete(w.ph.has, s.Identifier)
}

// elsewhere is an action that somebody begins in the other system.
func (w *documentWorld) elsewhere(t *rapid.T) {
	if !w.mirrored {
		return
	}
	var set []action.Selection
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(w.catalog)-1), 0,
		min(action.MaxPayloads, len(w.catalog)),
		rapid.ID[int]).Draw(t, "set") {
		id := action.PayloadID("p" + strconv.Itoa(i))
		if p := w.d.Find(id); p != nil && (p.Assigned || p.Away) {
			set = append(set, action.Selection{ID: id, Type: p.Type})
		}
	}
	w.ids++
	req := action.Request{ID: action.ActionID("a" + strconv.Itoa(w.ids)),
		Name: action.ChangeAssignments, Actor: "elsewhere",
		Set: set, Imported: true}
	_, started, err := w.d.Start(w.step(), req)
	if err != nil {
		t.Fatalf("what goes on elsewhere is refused: %v", err)
	}
	if started {
		w.all[req.ID] = w.d.Action
		w.given = append(w.given, w.d.HandDocument(w.step()))
	}
}

func (w *documentWorld) wipe(t *rapid.T) {
	w.wiped = w.d.Seq
	w.world.wipe(t)
	w.given, w.taken = nil, 0
	w.sync(t)
}

func (w *documentWorld) edit(t *rapid.T) {
	w.world.edit(t)
	w.sync(t)
}

// checkOwner holds that nothing is ever done about a mirrored payload but what an action asks, and
// that no clock runs for what the device has not taken.
func (w *documentWorld) checkOwner(t *rapid.T) {
	for _, p := range w.d.Payloads {
		if p.Mirrored && !p.Away && p.Work != (action.Work{}) {
			t.Fatalf("%s is its own system's, and is worked on: %+v", p.ID, p.Work)
		}
		if p.Work.Phase == action.Delivered && !p.Work.AckedAt.IsZero() {
			t.Fatalf("a clock runs for %s, which the device has not taken: %+v", p.ID, p.Work)
		}
	}
}

// settle lets everything arrive until there is nothing left to do, and compares.
func (w *documentWorld) settle(t *rapid.T) {
	w.flight = nil
	w.told(t, w.made(t, true)) // nothing may be ready, and the device changed by other hands
	for range 1000 {
		for range 20 {
			if !w.d.Ready(w.now) {
				break
			}
			w.given = append(w.given, w.d.HandDocument(w.step()))
			w.taken = len(w.given)
			w.obey(t)
			w.told(t, w.made(t, true))
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
		t.Fatalf("a healthy device does not come to rest: %s", w.snapshot())
	}
	if a := w.d.Action; a != nil && !a.State.Final() {
		t.Fatalf("nothing is left to do and action %s is still open: %+v", a.ID, a)
	}
	if !w.mirrored {
		w.compare(t)
		return
	}
	for _, id := range slices.Sorted(maps.Keys(w.catalog)) {
		p, has := w.d.Find(id), w.ph.has[w.catalog[id].Identifier] != ""
		held := p != nil && p.Away && p.Intent == action.Remove
		if stuck := p != nil && p.Work.Phase == action.Stuck; !stuck &&
			has != (w.assigned[id] && !held) {
			t.Fatalf("%s is on the device: %v, and stands as %+v", id, has, p)
		}
	}
}

// history is a random one of a device that is handed documents.
func (w *documentWorld) history(t *rapid.T) {
	t.Repeat(map[string]func(*rapid.T){
		"call": w.call, "edit": w.edit, "pass": w.pass, "wipe": w.wipe, "restart": w.restart,
		"jump": w.jump,
		"hand": w.hand, "take": w.take, "report": w.report, "deliver": w.deliver, "drift": w.drift,
		"elsewhere": w.elsewhere,
		"hand on":   func(t *rapid.T) { w.hand(t); w.take(t); w.report(t); w.deliver(t) },
		"again":     func(t *rapid.T) { w.report(t); w.deliver(t) },
		"":          func(t *rapid.T) { w.check(t); w.checkOwner(t) },
	})
	w.settle(t)
	w.check(t)
	w.checkOwner(t)
}

const day = 24 * time.Hour

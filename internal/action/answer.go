package action

import (
	"fmt"
	"slices"
)

// Verdict is what a device said of a task.
type Verdict uint8

const (
	Accepted  Verdict = iota // a command: acknowledged; an inventory: here it is
	NotFound                 // the payload to remove is not there
	NotNow                   // later; the device connects again when it can
	Retriable                // failed, and may work another time
	Permanent                // failed for good
)

// Outcome is a device's answer to a task, free of its protocol.
type Outcome struct {
	Verdict   Verdict
	Code      int64
	Source    Source // of Code
	Detail    string // the device's own words; of an inventory: what is wrong with it
	Sightings []Sighting

	List     List // of an inventory: which list the sightings are from
	Unlisted bool // of an inventory: an app that is still being installed may be missing
}

// List is which list of an inventory of apps a device was asked for. One that tells all that is installed, and not what of
// it is managed, is asked for both: first for what is managed.
type List uint8

const (
	Everything   List = iota // the only list, or the second one
	Managed                  // the first of two
	NothingKnown             // the first of two, which the device does not answer
)

// Sighting is one payload in a device's inventory. A payload without a sighting is not on the device.
type Sighting struct {
	Identifier string
	Revision   string // empty: the inventory does not tell versions apart
	Present    bool
	Working    bool // the device is still at it; Detail says how far
	Failed     bool // the device gave up; Code, which is the server's, and Detail say why
	Retriable  bool // of Failed
	Code       int64
	Detail     string
	Unmanaged  bool // Present, and not managed by the device
}

// Contact tells that the device connected without answering a task: what it postponed may be handed to it again.
func (d *Device) Contact() {
	for _, p := range d.Payloads {
		p.Work.Deferred = false
	}
	for c := range d.Inventories {
		d.Inventories[c].Deferred = false
		d.Inventories[c].restart()
	}
	d.Handed = Handed{}
}

// Answer applies the device's answer to a task and reports whether the task was known. An answer to a task that has
// been answered before, or that never was, changes nothing. Without an id it is the answer to the task that the device was
// handed last on its connection; then it proves nothing that an inventory would. A device that is handed a task again and
// again, and answers something else, has failed it: else neither would come to an end.
func (d *Device) Answer(s Step, id TaskID, o Outcome) bool {
	handed := d.Handed
	if id == "" {
		id = handed.Task
		if o.Verdict == Accepted && d.isInventory(id) {
			o = Outcome{Verdict: Retriable, Code: CodeNotVerified, Detail: "the device's answer does not say which command it answers"}
		}
	}
	if id == "" {
		return false
	}
	if d.answer(s, id, o) {
		if id == handed.Task {
			d.Handed = Handed{}
		}
		return true
	}
	if handed.Times > s.Policy.MaxAttempts {
		d.Handed = Handed{}
		d.answer(s, handed.Task, Outcome{Verdict: Retriable, Code: CodeNotVerified,
			Detail: fmt.Sprintf("handed over %d times, and answered with another command's id", handed.Times)})
	}
	return false
}

func (d *Device) isInventory(id TaskID) bool {
	return slices.ContainsFunc(d.Inventories[:], func(i Inventory) bool { return i.Task == id })
}

func (d *Device) answer(s Step, id TaskID, o Outcome) bool {
	if i := slices.IndexFunc(d.Orphans, func(o Orphan) bool { return o.Task == id }); i >= 0 {
		orphan := d.Orphans[i]
		d.Orphans = slices.Delete(d.Orphans, i, i+1)
		if o.Verdict != NotNow {
			d.doubt(s, orphan.Payload)
			d.Find(orphan.Payload.ID).InstallAt = s.Now // if it was a removal, it takes longer to be sure of it
		}
		return true
	}
	for _, p := range d.Payloads {
		if p.Work.Task == id && p.Work.Phase != Verifying {
			d.answerCommand(s, p, o)
			return true
		}
	}
	for c := range classes {
		if d.Inventories[c].Task == id {
			d.answerInventory(s, c, o)
			return true
		}
	}
	return false
}

// doubt notes that a command of abandoned work, answered late, may have changed the device just now: only a new
// inventory can tell. It touches no result of the action in force beyond that.
func (d *Device) doubt(s Step, spec Spec) {
	p := d.Find(spec.ID)
	if p == nil {
		p = &Payload{Spec: spec}
		d.Payloads = append(d.Payloads, p)
	}
	p.Presence, p.Since = Unknown, d.tick()
	d.touched(s, p)
	switch {
	case p.Work.Phase == Idle:
		p.Work = Work{Phase: Verifying, Kind: p.want(), Version: p.Version, AckedAt: s.Now}
	case p.Work.Phase == Stuck && p.Behind != "":
		d.reconcile(s, p)
	}
}

func (d *Device) answerCommand(s Step, p *Payload, o Outcome) {
	w, code := &p.Work, Code{o.Code, o.Source}
	if o.Verdict != NotNow {
		p.Presence, p.Since = Unknown, d.tick()
		d.touched(s, p)
	}
	switch o.Verdict {
	case NotNow:
		w.Phase, w.Deferred = Queued, true
		d.report(s, p.ID, InProgress, Code{}, withText("the device said not now; it is sent again when the device comes back", o.Detail))
	case Retriable:
		d.retry(s, p, code, o.Detail)
	case Permanent:
		d.fail(s, p, code, o.Detail)
	default:
		if o.Verdict == NotFound && w.Kind == Install {
			d.fail(s, p, code, o.Detail)
			return
		}
		if w.Said = o.Detail; o.Verdict == NotFound {
			w.Note = withText("the device did not have it", o.Detail)
		}
		w.Phase, w.AckedAt = Verifying, s.Now
		if w.Kind == Install {
			p.InstallAt = s.Now
		}
		d.report(s, p.ID, InProgress, Code{}, detailVerifying)
	}
}

// retry queues a new try of the work on p, or ends it when its tries are used up.
func (d *Device) retry(s Step, p *Payload, code Code, detail string) {
	attempt, most := p.Work.Attempt+1, s.Policy.MaxAttempts
	if attempt >= most {
		d.fail(s, p, code, fmt.Sprintf("gave up after %d attempts: %s", most, detail))
		return
	}
	at := s.Now.Add(backoff(s.Policy.RetryBase, s.Policy.RetryMax, attempt))
	d.enqueue(s, p)
	p.Work.Attempt, p.Work.NotBefore = attempt, at
	d.report(s, p.ID, InProgress, Code{}, fmt.Sprintf("attempt %d of %d failed: %s (code %d)%s",
		attempt, most, detail, code.Number, nextTry(at)))
}

func (d *Device) answerInventory(s Step, c Class, o Outcome) {
	i := &d.Inventories[c]
	sent := i.Sent
	i.Task = ""
	if o.Verdict == Accepted && o.List != Everything {
		d.keepManaged(c, o)
		return
	}
	managed, known := i.Managed, i.First
	i.restart()
	switch o.Verdict {
	case NotNow:
		i.Deferred = true
		d.verifying(c, func(p *Payload) {
			d.report(s, p.ID, InProgress, Code{}, "acknowledged; the device said not now when asked for its inventory")
		})
	case Accepted:
		i.Wanted, i.Attempt = false, 0
		if known {
			o.Sightings = withManaged(o.Sightings, managed)
		}
		d.observe(s, c, sent, o)
	default:
		i.Attempt++
		if i.Attempt < s.Policy.MaxAttempts {
			i.NotBefore = s.Now.Add(backoff(s.Policy.RetryBase, s.Policy.RetryMax, i.Attempt))
			return
		}
		i.Wanted, i.Attempt = false, 0
		d.verifying(c, func(p *Payload) {
			d.fail(s, p, ours(CodeNotVerified), p.beside(fmt.Sprintf("acknowledged, but the device refuses its inventory: %s (code %d)", o.Detail, o.Code)))
		})
	}
}

func (d *Device) verifying(c Class, do func(*Payload)) {
	for _, p := range d.Payloads {
		if p.Type.Class() == c && (p.Work.Phase == Verifying || d.overdue(p)) {
			do(p)
		}
	}
}

// observe holds an inventory against every payload of its class. It says nothing of a payload that the device may
// have changed after the inventory was asked for.
func (d *Device) observe(s Step, c Class, sent int64, o Outcome) {
	seen := make(map[string]Sighting, len(o.Sightings))
	for _, g := range o.Sightings {
		seen[g.Identifier] = g
	}
	for _, p := range d.Payloads {
		if p.Type.Class() != c || p.Since >= sent {
			continue
		}
		g, listed := seen[p.Identifier]
		if !listed {
			g.Detail = o.Detail
		}
		if o.Unlisted && !listed && p.mayBeInstalling(s) {
			g.Working, g.Detail = true, withText("not listed yet: the device may still be installing it", o.Detail)
		}
		d.see(s, p, g)
	}
}

func (d *Device) see(s Step, p *Payload, g Sighting) {
	if d.another(p, g) {
		g = Sighting{}
	}
	note := p.judge(&g)
	p.Presence, p.Installed = Absent, 0
	if g.Present {
		p.Presence = Present
		if g.Revision == "" || g.Revision == p.Revision {
			p.Installed = p.Version
		}
	}
	verifying := p.Work.Phase == Verifying
	switch {
	case g.Working:
		p.Presence = Unknown
		if verifying {
			d.lookAgain(s, p, g.Detail)
		}
	case p.matches():
		d.finish(s, p, withMore(p.Work.Note, note))
	case p.Work.Phase == Idle || verifying && p.Work.Task == "": // it changed without a command of this work
		d.enqueue(s, p)
	case !verifying:
	case g.Failed && p.want() == Install && g.Retriable:
		d.retry(s, p, ours(g.Code), p.beside(g.Detail))
	case g.Failed && p.want() == Install:
		d.fail(s, p, ours(g.Code), p.beside(g.Detail))
	default:
		d.retry(s, p, ours(CodeNotVerified), p.beside(withMore(p.mismatch(), note)))
	}
}

// beside puts what the device said to the command beside what was found afterwards.
func (p *Payload) beside(found string) string {
	if p.Work.Said == "" {
		return found
	}
	return found + DeviceHadSaid + p.Work.Said
}

// DeviceHadSaid stands in a detail before what the device said to the command, if the device's own inventory shows another
// thing.
const DeviceHadSaid = "; the device had said: "

func (p *Payload) mismatch() string {
	switch {
	case p.want() == Uninstall:
		return "removal acknowledged, but the device still shows it"
	case p.Presence == Present:
		return "installation acknowledged, but the device shows another version"
	default:
		return "installation acknowledged, but the device does not show it"
	}
}

// lookAgain plans another inventory for a payload that the device is still working on.
func (d *Device) lookAgain(s Step, p *Payload, progress string) {
	w := &p.Work
	if w.AckedAt.After(s.Now) { // by a clock that was ahead
		w.AckedAt = s.Now
	}
	if s.Now.Sub(w.AckedAt) >= s.Policy.VerifyFor {
		d.fail(s, p, ours(CodeNotVerified), p.beside(fmt.Sprintf("still not settled %s after the device acknowledged it: %s",
			s.Policy.VerifyFor, progress)))
		return
	}
	w.Polls++
	w.NotBefore = s.Now.Add(backoff(s.Policy.PollBase, s.Policy.PollMax, w.Polls))
	d.report(s, p.ID, InProgress, Code{}, progress)
}

func withText(ours, theirs string) string {
	if theirs == "" {
		return ours
	}
	return ours + ": " + theirs
}

func withMore(one, more string) string {
	if one == "" || more == "" {
		return one + more
	}
	return one + "; " + more
}

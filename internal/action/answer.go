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
	Code      int64  // the device's own code
	Detail    string // the device's own words
	Sightings []Sighting
}

// Sighting is one payload in a device's inventory. A payload without a sighting is not on the device.
type Sighting struct {
	Identifier string
	Revision   string // empty: the inventory does not tell versions apart
	Present    bool
	Working    bool // the device is still at it; Detail says how far
	Failed     bool // the device gave up; Code and Detail say why
	Retriable  bool // of Failed
	Code       int64
	Detail     string
}

// Contact tells that the device connected without answering a task: what it postponed may be handed to it again.
func (d *Device) Contact() {
	for _, p := range d.Payloads {
		p.Work.Deferred = false
	}
	for c := range d.Inventories {
		d.Inventories[c].Deferred = false
	}
}

// Answer applies the device's answer to a task and reports whether the task was known. An answer to a task that has
// been answered before, or that never was, changes nothing.
func (d *Device) Answer(s Step, id TaskID, o Outcome) bool {
	if id == "" {
		return false
	}
	if i := slices.IndexFunc(d.Orphans, func(o Orphan) bool { return o.Task == id }); i >= 0 {
		orphan := d.Orphans[i]
		d.Orphans = slices.Delete(d.Orphans, i, i+1)
		if o.Verdict != NotNow {
			d.doubt(s, orphan.Payload)
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
	w := &p.Work
	if o.Verdict != NotNow {
		p.Presence, p.Since = Unknown, d.tick()
		d.touched(s, p)
	}
	switch o.Verdict {
	case NotNow:
		w.Phase, w.Deferred = Queued, true
		d.report(s, p.ID, InProgress, 0, withText("the device said not now; it is sent again when the device comes back", o.Detail))
	case Retriable:
		d.retry(s, p, o.Code, o.Detail)
	case Permanent:
		d.fail(s, p, o.Code, o.Detail)
	default:
		if o.Verdict == NotFound && w.Kind == Install {
			d.fail(s, p, o.Code, o.Detail)
			return
		}
		if o.Verdict == NotFound {
			w.Note = withText("the device did not have it", o.Detail)
		}
		w.Phase, w.AckedAt = Verifying, s.Now
		d.report(s, p.ID, InProgress, 0, detailVerifying)
	}
}

// retry queues a new try of the work on p, or ends it when its tries are used up.
func (d *Device) retry(s Step, p *Payload, code int64, detail string) {
	attempt, most := p.Work.Attempt+1, s.Policy.MaxAttempts
	if attempt >= most {
		d.fail(s, p, code, fmt.Sprintf("gave up after %d attempts: %s", most, detail))
		return
	}
	at := s.Now.Add(backoff(s.Policy.RetryBase, s.Policy.RetryMax, attempt))
	d.enqueue(s, p)
	p.Work.Attempt, p.Work.NotBefore = attempt, at
	d.report(s, p.ID, InProgress, 0, fmt.Sprintf("attempt %d of %d failed: %s (code %d)%s",
		attempt, most, detail, code, nextTry(at)))
}

func (d *Device) answerInventory(s Step, c Class, o Outcome) {
	i := &d.Inventories[c]
	sent := i.Sent
	i.Task = ""
	switch o.Verdict {
	case NotNow:
		i.Deferred = true
		d.verifying(c, func(p *Payload) {
			d.report(s, p.ID, InProgress, 0, "acknowledged; the device said not now when asked for its inventory")
		})
	case Accepted:
		i.Wanted, i.Attempt = false, 0
		d.observe(s, c, sent, o.Sightings)
	default:
		i.Attempt++
		if i.Attempt < s.Policy.MaxAttempts {
			i.NotBefore = s.Now.Add(backoff(s.Policy.RetryBase, s.Policy.RetryMax, i.Attempt))
			return
		}
		i.Wanted, i.Attempt = false, 0
		d.verifying(c, func(p *Payload) {
			d.fail(s, p, CodeNotVerified, fmt.Sprintf("acknowledged, but the device refuses its inventory: %s (code %d)", o.Detail, o.Code))
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
func (d *Device) observe(s Step, c Class, sent int64, sightings []Sighting) {
	seen := make(map[string]Sighting, len(sightings))
	for _, g := range sightings {
		seen[g.Identifier] = g
	}
	for _, p := range d.Payloads {
		if p.Type.Class() == c && p.Since < sent {
			d.see(s, p, seen[p.Identifier])
		}
	}
}

func (d *Device) see(s Step, p *Payload, g Sighting) {
	if d.another(p, g) {
		g = Sighting{}
	}
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
		d.finish(s, p, p.Work.Note)
	case p.Work.Phase == Idle || verifying && p.Work.Task == "": // it changed without a command of this work
		d.enqueue(s, p)
	case !verifying:
	case g.Failed && p.want() == Install && g.Retriable:
		d.retry(s, p, g.Code, g.Detail)
	case g.Failed && p.want() == Install:
		d.fail(s, p, g.Code, g.Detail)
	default:
		d.retry(s, p, CodeNotVerified, p.mismatch())
	}
}

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
		d.fail(s, p, CodeNotVerified, fmt.Sprintf("still not settled %s after the device acknowledged it: %s", s.Policy.VerifyFor, progress))
		return
	}
	w.Polls++
	w.NotBefore = s.Now.Add(backoff(s.Policy.PollBase, s.Policy.PollMax, w.Polls))
	d.report(s, p.ID, InProgress, 0, progress)
}

func withText(ours, theirs string) string {
	if theirs == "" {
		return ours
	}
	return ours + ": " + theirs
}

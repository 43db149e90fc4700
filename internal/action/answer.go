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
	Waiting                  // of a document: the device has not answered yet, and no clock runs
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

// List is which list of an inventory of apps a device was asked for. One that tells all that is
// installed, and not what of it is managed, is asked for both: first for what is managed.
type List uint8

const (
	Everything   List = iota // the only list, or the second one
	Managed                  // the first of two
	NothingKnown             // the first of two, which the device does not answer
)

// Sighting is one payload in a device's inventory. A payload without a sighting is not on the
// device.
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

	// Note goes into the final detail: what stays as it is although the payload went, for example.
	Note string `json:",omitempty"`
}

// Contact tells that the device connected without answering a task: what it postponed may be handed
// to it again.
func (d *Device) Contact() {
	for _, p := range d.Payloads {
		p.Work.Deferred = false
	}
	d.Leave.Deferred = false
	for c := range d.Inventories {
		d.Inventories[c].Deferred = false
		d.Inventories[c].restart()
	}
	d.Handed = Handed{}
}

// Answer applies the device's answer to a task and reports whether the task was known. An answer to
// a task that has been answered before, or that never was, changes nothing. Without an id it is the
// answer to the task that the device was handed last on its connection; then it proves nothing that
// an inventory would. A device that is handed a task again and again, and answers something else,
// has failed it: else neither would come to an end.
func (d *Device) Answer(env Env, id TaskID, o Outcome) bool {
	handed := d.Handed
	if id == "" {
		id = handed.Task
		if o.Verdict == Accepted && d.isInventory(id) {
			o = Outcome{Verdict: Retriable, Code: CodeNotVerified,
				Detail: "the device's answer does not say which command it answers"}
		}
	}
	if id == "" {
		return false
	}
	if d.answer(env, id, o) {
		if id == handed.Task {
			d.Handed = Handed{}
		}
		return true
	}
	if handed.Times > env.Policy.MaxAttempts {
		d.Handed = Handed{}
		d.answer(env, handed.Task, Outcome{Verdict: Retriable, Code: CodeNotVerified,
			Detail: fmt.Sprintf("handed over %d times, and answered with another command's id",
				handed.Times)})
	}
	return false
}

func (d *Device) isInventory(id TaskID) bool {
	return slices.ContainsFunc(d.Inventories[:], func(i Inventory) bool { return i.Task == id })
}

func (d *Device) answer(env Env, id TaskID, o Outcome) bool {
	if i := slices.IndexFunc(d.Orphans, func(o Orphan) bool { return o.Task == id }); i >= 0 {
		orphan := d.Orphans[i]
		d.Orphans = slices.Delete(d.Orphans, i, i+1)
		if o.Verdict != NotNow {
			d.doubtPayload(env, orphan.Payload)
			// if it was a removal, it takes longer to be sure of it
			d.Find(orphan.Payload.ID).InstallAt = env.Now
		}
		return true
	}
	if d.Leave.Wanted && d.Leave.Task == id {
		d.answerLeave(env, o)
		return true
	}
	for _, p := range d.Payloads {
		if p.Work.Task == id && p.Work.Phase != Verifying {
			d.answerCommand(env, p, o)
			return true
		}
	}
	for c := range classes {
		if d.Inventories[c].Task == id {
			d.answerInventory(env, c, o)
			return true
		}
	}
	return false
}

// doubtPayload notes that a command of abandoned work, whose answer came late, may have changed the
// device just now: only a new inventory can tell. It changes no result of the action in force beyond
// that.
func (d *Device) doubtPayload(env Env, spec Spec) {
	p := d.Find(spec.ID)
	if p == nil {
		p = &Payload{Spec: spec}
		d.Payloads = append(d.Payloads, p)
	}
	p.Presence, p.Since = Unknown, d.nextStep()
	d.doubtRivals(env, p)
	switch {
	case p.Work.Phase == Idle:
		p.Work = Work{Phase: Verifying, Kind: p.want(), Version: p.Version, AckedAt: env.Now}
	case p.Work.Phase == Stuck && p.Behind != "":
		d.reconcile(env, p)
	}
}

func (d *Device) answerCommand(env Env, p *Payload, o Outcome) {
	w, code := &p.Work, Code{o.Code, o.Source}
	if o.Verdict != NotNow {
		p.Presence, p.Since = Unknown, d.nextStep()
		d.doubtRivals(env, p)
	}
	switch o.Verdict {
	case NotNow:
		w.Phase, w.Deferred = Queued, true
		d.reportStep(env, p.ID, StepNotNow,
			withText("the device said not now; it is sent again when the device comes back",
				o.Detail))
	case Retriable:
		d.retry(env, p, code, o.Detail)
	case Permanent:
		d.fail(env, p, code, o.Detail)
	default:
		if o.Verdict == NotFound && w.Kind == Install {
			d.fail(env, p, code, o.Detail)
			return
		}
		d.acknowledge(env, p, o)
	}
}

// acknowledge notes that the device took what the work on p asks: an inventory or a report must
// show what became of it.
func (d *Device) acknowledge(env Env, p *Payload, o Outcome) {
	w := &p.Work
	w.Phase = Verifying
	w.AckedAt = env.Now
	w.Said = o.Detail
	if o.Verdict == NotFound {
		w.Note = withText("the device did not have it", o.Detail)
	}
	if w.Kind == Install {
		p.InstallAt = env.Now
	}
	d.reportStep(env, p.ID, StepAcknowledged, detailVerifying)
}

// retry queues a new try of the work on p, or ends it when its tries are used up.
func (d *Device) retry(env Env, p *Payload, code Code, detail string) {
	attempt, most := p.Work.Attempt+1, env.Policy.MaxAttempts
	if attempt >= most {
		d.fail(env, p, code, fmt.Sprintf("gave up after %d attempts: %s", most, detail))
		return
	}
	at := env.Now.Add(backoff(env.Policy.RetryBase, env.Policy.RetryMax, attempt))
	d.enqueue(env, p)
	p.Work.Attempt = attempt
	p.Work.NotBefore = at
	p.Work.Failure = fmt.Sprintf("attempt %d of %d failed: %s (code %d)", attempt, most, detail,
		code.Number)
	d.reportStep(env, p.ID, StepFailing, p.Work.Failure+nextTry(at))
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

package action

import (
	"cmp"
	"slices"
)

// Some channels do not hand a device one command after the other. They hand over one document for
// all of its payloads, to a service that brings it to the device, and are told later, unasked, what
// the device made of it. A document has a mark, and so has a report: it is of the newest document
// that the device had taken when it was made. Reports may be lost, come twice, late, or after newer
// ones.

// Document is all that is wanted of a device at once.
type Document struct {
	// Mark names this hand-over. Each one of a device has a greater mark than those before.
	Mark    int64
	Wanted  []Spec // to be on the device
	HeldOff []Spec // to be off it because an action removed them
	// to be off it for another reason: no longer assigned, or something else has their place
	Ended []Spec
}

// Listing is where a document has a payload.
type Listing uint8

// The lists of a document.
const (
	Unlisted Listing = iota // in no document yet
	ListedWanted
	ListedHeldOff
	ListedEnded
)

// listing is where a document that is handed over now has p.
func (p *Payload) listing() Listing {
	switch {
	case p.want() == Install:
		return ListedWanted
	case p.Away && p.Intent == Remove:
		return ListedHeldOff
	default:
		return ListedEnded
	}
}

// Documents is what is known of the documents that were handed over since the device enrolled.
type Documents struct {
	First    int64 // mark of the first one; 0: none was handed over
	Last     int64 // mark of the last one
	Reported int64 // number of the newest report that counted
}

// DocumentReport is what a device made of a document, as a channel was told of it.
type DocumentReport struct {
	// Number grows with every report of the device, across enrollments. One that is not greater
	// than that of a report which counted is of an older state and counts no more. The time of the
	// report is a good number.
	Number int64
	// Mark is that of the newest document that the device had taken; 0: none of those since it
	// enrolled.
	Mark int64
	// Outcomes say of payloads how the device took them. Without one a payload of the document was
	// taken.
	Outcomes map[PayloadID]Outcome
	// Sightings show what is on the device. What has none is not told of, and not taken for absent.
	Sightings map[PayloadID]Sighting
}

const (
	detailHandedOver = "handed over; waiting for the device to take it"
	detailUntold     = "taken by the device, which does not report on it yet"
)

// HandDocument hands over all that is wanted of the device, as one document. It carries everything
// at once: an app with its configuration, and what waits for a retry with what is already in place.
// A payload whose place is still taken by another one that no report could tell from it is not
// wanted before the other is gone.
func (d *Device) HandDocument(env Env) Document {
	var doc Document
	if !d.Enrolled {
		return doc
	}
	for _, p := range d.Payloads {
		if d.handable(env, p) {
			d.handInDocument(env, p)
		}
	}
	for _, p := range d.Payloads {
		p.Listed = p.listing()
		if d.waitsForPlace(p) {
			p.Listed = ListedEnded
		}
		switch p.Listed {
		case ListedWanted:
			doc.Wanted = append(doc.Wanted, p.Spec)
		case ListedHeldOff:
			doc.HeldOff = append(doc.HeldOff, p.Spec)
		default:
			doc.Ended = append(doc.Ended, p.Spec)
		}
	}
	doc.Mark = d.nextStep()
	d.Documents.Last = doc.Mark
	if d.Documents.First == 0 {
		d.Documents.First = doc.Mark
	}
	return doc
}

// Handable reports whether a document that is handed over now would bring the device something new.
func (d *Device) Handable(env Env) bool {
	return slices.ContainsFunc(d.Payloads, func(p *Payload) bool { return d.handable(env, p) })
}

func (d *Device) handable(env Env, p *Payload) bool {
	return d.Enrolled && p.Work.Phase == Queued && !p.Work.NotBefore.After(env.Now) &&
		!d.waitsForPlace(p)
}

// waitsForPlace reports whether p can come to the device only after another payload was seen to
// have left.
func (d *Device) waitsForPlace(p *Payload) bool {
	return p.Work.Phase == Queued && p.Work.Kind == Install && d.awaitsPlace(p)
}

// handInDocument notes that what p asks is on its way. The device has not been reached by that.
func (d *Device) handInDocument(env Env, p *Payload) {
	p.Work.handOver()
	p.Presence = Unknown
	p.Since = d.nextStep()
	d.reportStep(env, p.ID, StepHandedOver, detailHandedOver)
	if r := d.Action.open(p.ID); r != nil {
		r.LastAction = env.Now
	}
	d.doubtRivals(env, p)
}

// Current reports whether a report counts: it is newer than those before, and of a document that
// was handed over.
func (d *Device) Current(r *DocumentReport) bool {
	return d.Enrolled && r.Number > d.Documents.Reported && r.Mark <= d.Documents.Last
}

// TakeReport applies what a device made of a document, and reports whether the device took
// something that was waiting for it. A report that is not Current changes nothing. It says nothing
// of what was asked after its document, nor of what an earlier enrollment was handed.
func (d *Device) TakeReport(env Env, r *DocumentReport) (taken bool) {
	if !d.Current(r) {
		return false
	}
	env.byDocument = true
	d.Documents.Reported = r.Number
	for c := range d.Inventories { // a report is all that the device can be asked for
		d.Inventories[c] = Inventory{}
	}
	if d.Documents.First == 0 || r.Mark < d.Documents.First {
		return false
	}
	d.Orphans = slices.DeleteFunc(d.Orphans, func(o Orphan) bool { return o.Sent <= r.Mark })
	for _, p := range slices.Clone(d.Payloads) {
		if p.Since > r.Mark {
			continue
		}
		delivered := p.Work.Phase == Delivered
		if d.takeOutcome(env, p, r.Outcomes[p.ID]) {
			d.takeSighting(env, p, r)
		}
		taken = taken || delivered && p.Work.Phase != Delivered
	}
	return taken
}

// takeOutcome applies how the device took p, and reports whether the report may go on to show what
// became of it.
func (d *Device) takeOutcome(env Env, p *Payload, o Outcome) bool {
	w := &p.Work
	if w.Phase != Delivered && w.Phase != Verifying {
		return true
	}
	delivered := w.Phase == Delivered
	switch {
	case o.Verdict == Waiting, o.Verdict == NotNow: // no clock runs before the device has it
		if delivered {
			d.reportStep(env, p.ID, StepHandedOver, cmp.Or(o.Detail, detailHandedOver))
		}
		return false
	case o.Verdict == Retriable, o.Verdict == Permanent, o.Verdict == NotFound && w.Kind == Install:
		d.reached(env, p)
		p.Presence = Unknown
		p.Since = d.nextStep()
		d.doubtRivals(env, p)
		code := Code{o.Code, o.Source}
		if o.Verdict == Retriable {
			d.retry(env, p, code, o.Detail)
		} else {
			d.fail(env, p, code, o.Detail)
		}
		return false
	}
	if delivered {
		d.reached(env, p)
		d.acknowledge(env, p, o)
	}
	return true
}

// takeSighting applies what the report shows of p.
func (d *Device) takeSighting(env Env, p *Payload, r *DocumentReport) {
	g, told := r.Sightings[p.ID]
	switch {
	case told && p.Work.Phase == Queued && p.Work.Order > r.Mark:
		// It was asked after the document was handed over, by which the device may still be about
		// to do the opposite. So this does not fulfill what is asked. But it can make what was
		// known of the device doubtful.
		if g.Working || g.Present != (p.Presence == Present) {
			p.Presence = Unknown
		}
	case told:
		d.applySighting(env, p, g)
	case p.Work.Phase == Verifying:
		d.lookAgain(env, p, Sighting{Detail: detailUntold})
	}
}

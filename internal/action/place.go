package action

import (
	"cmp"
	"slices"
	"time"
)

// A device has room for one payload of each identifier: a second one would replace the first. Where
// several are wanted, the oldest has the place, and the others are behind it: each ends in error
// until the place is free.

const (
	detailInPlace   = "another policy or app with the same identifier, an older one, is in its place"
	detailObstacle  = "another policy or app with the same identifier is in its place and could not be taken off"
	detailReplacing = "what comes in its place was sent to the device"
)

// spot is a place on a device.
type spot struct {
	class      Class
	identifier string
}

func (s *Spec) spot() spot { return spot{s.Type.Class(), s.Identifier} }

// older reports whether s counts before o. Every server decides alike: by the time of creation,
// then by id.
func (s *Spec) older(o *Spec) bool {
	return cmp.Or(s.Created.Compare(o.Created), cmp.Compare(s.ID, o.ID)) < 0
}

// toldApart reports whether an inventory tells the two apart.
func toldApart(p, q *Payload) bool {
	return p.Revision != "" && q.Revision != "" && p.Revision != q.Revision
}

// wanted reports whether p is assigned and not held off the device.
func (p *Payload) wanted() bool { return p.Assigned && !(p.Away && p.Intent == Remove) }

// rivals are the other payloads of p's place.
func (d *Device) rivals(p *Payload) []*Payload {
	var found []*Payload
	for _, q := range d.Payloads {
		if q != p && q.spot() == p.spot() {
			found = append(found, q)
		}
	}
	return found
}

// holders are the payloads that have a place, of those that would be wanted.
func (d *Device) holders(wanted func(*Payload) bool) map[spot]*Payload {
	found := make(map[spot]*Payload, len(d.Payloads))
	for _, p := range d.Payloads {
		if h := found[p.spot()]; wanted(p) && (h == nil || p.older(&h.Spec)) {
			found[p.spot()] = p
		}
	}
	return found
}

// holder is the payload that has p's place: p itself, another one, or nil if none is wanted there.
func (d *Device) holder(p *Payload) *Payload {
	if p.Behind != "" {
		return d.Find(p.Behind)
	}
	if p.wanted() {
		return p
	}
	for _, q := range d.rivals(p) {
		if q.wanted() && q.Behind == "" {
			return q
		}
	}
	return nil
}

// arrange gives the places anew after what is wanted changed, and returns whose standing changed.
func (d *Device) arrange() []*Payload {
	var changed []*Payload
	holders := d.holders((*Payload).wanted)
	for _, p := range d.Payloads {
		var behind PayloadID
		if h := holders[p.spot()]; p.wanted() && h != p {
			behind = h.ID
		}
		if behind != p.Behind {
			p.Behind = behind
			changed = append(changed, p)
		}
	}
	return changed
}

// yields reports whether p, behind another one, needs no command to make room: it is not there, or
// the other replaces it.
func (d *Device) yields(p *Payload) bool {
	return p.Behind != "" && (p.Presence == Absent || toldApart(p, d.Find(p.Behind)))
}

// displace ends the work on p because another one has its place. No action holds it off any more.
func (d *Device) displace(env Env, p *Payload) {
	p.Away, p.RestoreAt = false, time.Time{}
	if r := d.Action.open(p.ID); r != nil {
		r.InPlace, r.InPlaceName = p.Behind, d.Find(p.Behind).DisplayName
	}
	d.fail(env, p, ours(CodeInPlace), detailInPlace)
	if p.Presence == Absent {
		d.cleared(env, p)
	}
}

// replaced reports whether p is to leave by what comes in its place, without a command of its own:
// there is no moment without the two, which could be the network. If the other one fails, p is
// taken off.
func (d *Device) replaced(p *Payload) bool {
	if p.Work.Phase != Queued || p.Work.Kind != Uninstall || p.Behind != "" {
		return false
	}
	h := d.holder(p)
	return h != nil && toldApart(p, h) && h.Work.Phase != Stuck
}

// awaitsPlace reports whether p waits for others of its place: until it is replaced, or until they
// are off the device, where an inventory would not tell which of them is there.
func (d *Device) awaitsPlace(p *Payload) bool {
	if p.Work.Kind == Uninstall {
		return d.replaced(p)
	}
	return slices.ContainsFunc(d.rivals(p),
		func(q *Payload) bool { return !toldApart(p, q) && q.Work.underWay() })
}

// obstacle is a payload that could not be taken off p's place, so that no inventory could tell that
// p came there; nil: none.
func (d *Device) obstacle(p *Payload) *Payload {
	for _, q := range d.rivals(p) {
		if !toldApart(p, q) && q.Work.Phase == Stuck && q.Presence != Absent {
			return q
		}
	}
	return nil
}

// obstruct ends the work on p, which has the place but cannot come there.
func (d *Device) obstruct(env Env, p, by *Payload) {
	if r := d.Action.open(p.ID); r != nil {
		r.InPlace, r.InPlaceName = by.ID, by.DisplayName
	}
	p.Work = Work{Phase: Stuck, Code: CodeInPlace, Note: detailObstacle}
	d.reportEnd(env, p.ID, Error, ours(CodeInPlace), detailObstacle)
}

// obstructed ends the work on what waits for p to go, which cannot be taken off.
func (d *Device) obstructed(env Env, p *Payload) {
	if h := d.holder(p); h != nil && h != p && h.Work.Phase == Queued && d.obstacle(h) != nil {
		d.obstruct(env, h, p)
	}
}

// cleared sets what has p's place to work if p was its obstacle.
func (d *Device) cleared(env Env, p *Payload) {
	if h := d.holder(p); h != nil && h != p && h.Behind == "" && h.Work.Phase == Stuck &&
		h.Work.Code == CodeInPlace {
		d.reconcile(env, h)
	}
}

// overdue reports whether only an inventory can tell what became of p: it is to be replaced, and
// what replaces it is done.
func (d *Device) overdue(p *Payload) bool {
	return d.replaced(p) && !d.holder(p).Work.underWay()
}

// touched notes that a command for p may have changed what else of its place is on the device. What
// was off it still is.
func (d *Device) touched(env Env, p *Payload) {
	for _, q := range d.rivals(p) {
		if q.Presence == Absent {
			continue
		}
		q.Presence, q.Since = Unknown, d.tick()
		if q.Work.Phase == Idle {
			q.Work = Work{Phase: Verifying, Kind: q.want(), Version: q.Version, AckedAt: env.Now}
		}
	}
}

// replacing tells of what leaves because p was sent to the device.
func (d *Device) replacing(env Env, p *Payload) {
	for _, q := range d.rivals(p) {
		if d.replaced(q) {
			d.reportStep(env, q.ID, StepReplacing, detailReplacing)
			d.reached(env, q)
		}
	}
}

// another reports whether a sighting is of another payload of p's place. Where it does not tell,
// what was off the device and was not sent since is still off it.
func (d *Device) another(p *Payload, g Sighting) bool {
	return slices.ContainsFunc(d.rivals(p), func(q *Payload) bool {
		if g.Revision == "" || !toldApart(p, q) {
			return p.Presence == Absent
		}
		return g.Revision == q.Revision
	})
}

// Outlook is what a set would do to the places on a device, beside what it names.
type Outlook struct {
	Install []*Payload // come onto the device, because the place is free
	// leave it, or are not restored, because an older one returns to the place
	Displace []*Payload
	// by what leaves or cannot return: what is in its place afterwards
	InPlace map[PayloadID]*Payload
}

// Outlook says what a set would do to the places on the device, and changes nothing.
func (d *Device) Outlook(set []Selection) Outlook {
	o := Outlook{InPlace: make(map[PayloadID]*Payload)}
	named := func(p *Payload) bool {
		return slices.ContainsFunc(set, func(sel Selection) bool { return sel.ID == p.ID })
	}
	holders := d.holders(func(p *Payload) bool { return p.Assigned && !named(p) })
	for _, p := range d.Payloads {
		h := holders[p.spot()]
		switch {
		case h == nil:
		case h == p && p.Behind != "":
			o.Install = append(o.Install, p)
		case h == p:
		case named(p):
			o.InPlace[p.ID] = h
		case p.Assigned && (p.Behind == "" || p.Away):
			o.Displace = append(o.Displace, p)
			o.InPlace[p.ID] = h
		}
	}
	return o
}

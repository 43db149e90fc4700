package action

import (
	"cmp"
	"slices"
	"time"
)

// A device has room for one payload of each identifier: installing a second one replaces the first.
// Where several are wanted, the oldest gets the place. The others stand behind it, and each ends in
// error until the place is free.

const (
	detailInPlace   = "another policy or app with the same identifier, an older one, is in its place"
	detailObstacle  = "another policy or app with the same identifier is in its place and could not be taken off"
	detailReplacing = "what comes in its place was sent to the device"
)

// place is a slot on a device: payloads of one class with the same identifier share it.
type place struct {
	class      Class
	identifier string
}

func (s *Spec) place() place { return place{s.Type.Class(), s.Identifier} }

// older reports whether s has precedence over o: the one created first does, and of two created at
// the same time the one with the lower id, so that every server decides alike.
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
		if q != p && q.place() == p.place() {
			found = append(found, q)
		}
	}
	return found
}

// holders are the payloads that have a place, of those that would be wanted.
func (d *Device) holders(wanted func(*Payload) bool) map[place]*Payload {
	found := make(map[place]*Payload, len(d.Payloads))
	for _, p := range d.Payloads {
		if h := found[p.place()]; wanted(p) && (h == nil || p.older(&h.Spec)) {
			found[p.place()] = p
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
		if h := holders[p.place()]; p.wanted() && h != p {
			behind = h.ID
		}
		if behind != p.Behind {
			p.Behind = behind
			changed = append(changed, p)
		}
	}
	return changed
}

// makesRoom reports whether p, which stands behind another payload, needs no command to leave its
// place: it is not on the device, or installing the other one replaces it.
func (d *Device) makesRoom(p *Payload) bool {
	return p.Behind != "" && (p.Presence == Absent || toldApart(p, d.Find(p.Behind)))
}

// failDisplaced ends the work on p in error because another payload has its place. From then on no
// action holds p off the device.
func (d *Device) failDisplaced(env Env, p *Payload) {
	p.Away, p.RestoreAt = false, time.Time{}
	if r := d.Action.open(p.ID); r != nil {
		r.InPlace, r.InPlaceName = p.Behind, d.Find(p.Behind).DisplayName
	}
	d.fail(env, p, ours(CodeInPlace), detailInPlace)
	if p.Presence == Absent {
		d.retryHolder(env, p)
	}
}

// leavesByReplacement reports whether p leaves the device by being overwritten by the payload that
// gets its place, without a removal of its own. So there is no moment at which the device has
// neither of them, which would cut it off if they are the network's. If installing the other one
// fails, p is removed by a command after all.
func (d *Device) leavesByReplacement(p *Payload) bool {
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
		return d.leavesByReplacement(p)
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

// failBlocked ends the work on p in error: p has the place, but by cannot be taken off it.
func (d *Device) failBlocked(env Env, p, by *Payload) {
	if r := d.Action.open(p.ID); r != nil {
		r.InPlace, r.InPlaceName = by.ID, by.DisplayName
	}
	p.Work = Work{Phase: Stuck, Code: CodeInPlace, Note: detailObstacle}
	d.reportEnd(env, p.ID, Error, ours(CodeInPlace), detailObstacle)
}

// failBlockedHolder ends the work on the payload that waits for p's place if p cannot be removed.
func (d *Device) failBlockedHolder(env Env, p *Payload) {
	if h := d.holder(p); h != nil && h != p && h.Work.Phase == Queued && d.obstacle(h) != nil {
		d.failBlocked(env, h, p)
	}
}

// retryHolder starts the work on the payload that has p's place again, if p was what kept it away.
func (d *Device) retryHolder(env Env, p *Payload) {
	if h := d.holder(p); h != nil && h != p && h.Behind == "" && h.Work.Phase == Stuck &&
		h.Work.Code == CodeInPlace {
		d.reconcile(env, h)
	}
}

// needsInventory reports whether only an inventory can tell what became of p: it leaves by being
// replaced, and the work on its replacement is over.
func (d *Device) needsInventory(p *Payload) bool {
	return d.leavesByReplacement(p) && !d.holder(p).Work.underWay()
}

// doubtRivals notes that a command for p may have overwritten other payloads of its place: whether
// they are on the device is unknown now. Those that were off it are still off.
func (d *Device) doubtRivals(env Env, p *Payload) {
	for _, q := range d.rivals(p) {
		if q.Presence == Absent {
			continue
		}
		q.Presence, q.Since = Unknown, d.nextStep()
		if q.Work.Phase == Idle {
			q.Work = Work{Phase: Verifying, Kind: q.want(), Version: q.Version, AckedAt: env.Now}
		}
	}
}

// reportReplacements tells those who watch that payloads leave because p was sent to the device.
func (d *Device) reportReplacements(env Env, p *Payload) {
	for _, q := range d.rivals(p) {
		if d.leavesByReplacement(q) {
			d.reportStep(env, q.ID, StepReplacing, detailReplacing)
			d.reached(env, q)
		}
	}
}

// showsRival reports whether what an inventory shows under p's identifier is another payload of p's
// place. Where the inventory does not tell them apart, p cannot be what it shows if p was off the
// device and has not been sent since.
func (d *Device) showsRival(p *Payload, g Sighting) bool {
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
		h := holders[p.place()]
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

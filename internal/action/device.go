package action

import (
	"slices"
	"time"
)

// Device is all the rules know of one managed device. Every method is one step in its history; the
// caller runs them one at a time and stores the result before it tells anybody.
type Device struct {
	// Seq numbers the steps. Order comes from it, never from a clock.
	Seq         int64
	Enrolled    bool
	Unsupported string // why this device cannot do the action; empty: it can
	Payloads    []*Payload
	Inventories [classes]Inventory
	Orphans     []Orphan  `json:",omitempty"`
	Handed      Handed    `json:",omitzero"`
	Documents   Documents `json:",omitzero"`
	Leave       Leave     `json:",omitzero"`

	// Action is the latest action, in force until it is final. It is stored apart from the rest.
	Action *Action `json:"-"`
}

// Payload is one policy or app on one device: what should be, what is known, what is under way.
type Payload struct {
	Spec
	Assigned bool // an assignment includes this device

	// Behind is the payload that has this one's place on the device; empty: it has the place
	// itself, or is not wanted.
	Behind PayloadID `json:",omitempty"`

	// Away: an action removed it, or began to, and it has not been seen restored since.
	Away bool `json:",omitempty"`
	// what the latest action naming it asks; meaningful while Away
	Intent    Intent    `json:",omitempty"`
	RestoreAt time.Time `json:",omitzero"` // when the server restores it by itself; zero: never
	// when it was asked to be removed; meaningful while Away
	AwaySince time.Time `json:",omitzero"`
	AwayBy    string    `json:",omitempty"` // who asked last; meaningful while Away

	// Presence is what the newest inventory showed, and Unknown from the moment a command that may
	// change it is handed to the device.
	Presence  Presence
	Installed int64 `json:",omitempty"` // version seen on the device; 0: another than any known
	Since     int64 `json:",omitempty"` // last step at which the device may have changed it
	// installed by a command, and seen on the device without being managed
	Unmanaged bool `json:",omitempty"`
	// InstallAt is when the device took a command to install it, which has not been seen on the
	// device since.
	InstallAt time.Time `json:",omitzero"`
	// Listed is where the newest document that was handed over has it.
	Listed Listing `json:",omitempty"`

	Work Work `json:",omitzero"`
}

// Spec is the catalog's description of a payload as the rules and the channels need it.
type Spec struct {
	ID          PayloadID
	Type        PayloadType
	Identifier  string // the name by which devices know it
	Revision    string // how a device's inventory shows this version; empty: it cannot
	Version     int64  // grows with every edit
	DisplayName string
	SubType     string // wiFi, vpn, custom, application, ...
	// of several with one identifier the oldest has the place
	Created time.Time `json:",omitzero"`

	// Mirrored: the payload is another management system's, which installs it by itself. An action
	// takes it off the device and lets it come back. Nothing else is ever done about it.
	Mirrored bool `json:",omitempty"`
}

// Presence is whether a payload is on the device.
type Presence uint8

const (
	Unknown Presence = iota
	Absent
	Present
)

// Phase is how far the work on one payload is.
type Phase uint8

const (
	Idle Phase = iota
	Queued
	Delivered // in the device's hands, not answered
	Verifying // acknowledged, inventory not seen yet
	Stuck     // ended in error; waits for a new action, assignment or version
)

// TaskKind is what a device is asked to do.
type TaskKind uint8

const (
	Install TaskKind = iota
	Uninstall
	TakeInventory
	LeaveManagement
)

// Work is the current effort to make the device match what is wanted of one payload.
type Work struct {
	Phase     Phase
	Kind      TaskKind
	Task      TaskID
	Version   int64     `json:",omitempty"`
	Order     int64     // place in the device's queue
	Attempt   int       `json:",omitempty"` // tries that failed
	NotBefore time.Time `json:",omitzero"`
	Deferred  bool      `json:",omitempty"` // the device said not now: not again on this connection
	AckedAt   time.Time `json:",omitzero"`
	Polls     int       `json:",omitempty"`
	Said      string    `json:",omitempty"` // the device's words when it took the command
	Note      string    `json:",omitempty"` // goes into the final detail; of Stuck: why
	Failure   string    `json:",omitempty"` // what is said of the last try while the next one waits
	Code      int64     `json:",omitempty"` // of Stuck
	Source    Source    `json:",omitempty"` // of Code; see WhoseCode
}

// WhoseCode is why the work is stuck, and whose code that is.
func (w *Work) WhoseCode() Code { return CodeOf(w.Code, w.Source) }

// Inventory is one class of inventory of the device.
type Inventory struct {
	Wanted    bool      `json:",omitempty"` // asked for by syncDevice or enrollment
	Task      TaskID    `json:",omitempty"` // in the device's hands; empty: none
	Sent      int64     `json:",omitempty"` // step at which it was handed over
	Deferred  bool      `json:",omitempty"`
	Attempt   int       `json:",omitempty"`
	NotBefore time.Time `json:",omitzero"`

	// the first of two lists is there, and the second is asked for
	Second  bool       `json:",omitempty"`
	First   bool       `json:",omitempty"` // the device answered the first
	Managed []Sighting `json:",omitempty"` // what that told of the payloads
}

// Handed is the task that the device was handed last on its connection, and how many times without
// an answer to it.
type Handed struct {
	Task  TaskID
	Times int
}

// Orphan is a command of abandoned work that the device was handed, that cannot be called back, and
// whose answer has not come.
type Orphan struct {
	Task    TaskID
	Payload Spec
	Sent    int64 `json:",omitempty"` // step at which the device may have been handed it last
}

// maxOrphans bounds what is kept of a device that never answers; the oldest go first.
const maxOrphans = 64

// Task is what a channel turns into its protocol's command.
type Task struct {
	ID          TaskID
	Kind        TaskKind
	Class       Class    // of TakeInventory
	Payload     Spec     // of Install and Uninstall
	Identifiers []string // of TakeInventory: what to look for
	Second      bool     // of TakeInventory: the second of two lists
}

func (d *Device) nextStep() int64 {
	d.Seq++
	return d.Seq
}

// Find returns the device's record of a payload, nil if it has none.
func (d *Device) Find(id PayloadID) *Payload {
	for _, p := range d.Payloads {
		if p.ID == id {
			return p
		}
	}
	return nil
}

func (p *Payload) want() TaskKind {
	if p.wanted() && p.Behind == "" {
		return Install
	}
	return Uninstall
}

// matches reports whether the device is as is wanted of p, and will stay so: it may still take a
// document.
func (p *Payload) matches() bool {
	if p.Listed != Unlisted && p.Listed != p.listing() {
		return false
	}
	if p.want() == Install {
		return p.Presence == Present && p.Installed == p.Version
	}
	return p.Presence == Absent
}

// isDoubt reports whether this work sends no command and only waits for an inventory, because a
// command of other work may have changed what is on the device.
func (w *Work) isDoubt() bool { return w.Phase == Verifying && w.Task == "" }

func (w *Work) underWay() bool {
	return w.Phase == Queued || w.Phase == Delivered || w.Phase == Verifying
}

// reconcile starts, redirects or ends the work on p after what is wanted or known of it changed.
func (d *Device) reconcile(env Env, p *Payload) {
	if d.makesRoom(p) {
		d.abandon(p)
		d.failDisplaced(env, p)
		return
	}
	if p.Mirrored && !p.Away {
		d.leaveToOwner(p)
		return
	}
	kind := p.want()
	if p.Work.underWay() && p.Work.Kind == kind &&
		(kind == Uninstall || p.Work.Version == p.Version) {
		return
	}
	d.abandon(p)
	if p.matches() {
		d.finish(env, p, "")
		return
	}
	d.enqueue(env, p)
}

func (d *Device) enqueue(env Env, p *Payload) {
	if by := d.obstacle(p); by != nil && p.want() == Install {
		d.failBlocked(env, p, by)
		return
	}
	p.Work = Work{Phase: Queued, Kind: p.want(), Task: TaskID(env.NewID()), Version: p.Version,
		Order: d.nextStep()}
}

// abandon ends the work on p without a result. A command already in the device's hands becomes an
// orphan.
func (d *Device) abandon(p *Payload) {
	if p.Work.Phase == Delivered {
		d.Orphans = append(d.Orphans, Orphan{Task: p.Work.Task, Payload: p.Spec, Sent: p.Since})
		d.Orphans = d.Orphans[max(0, len(d.Orphans)-maxOrphans):]
	}
	p.Work = Work{}
}

// finish ends the work on p because the device was seen to have, or not to have, what is wanted.
func (d *Device) finish(env Env, p *Payload, note string) {
	if p.Behind != "" {
		d.failDisplaced(env, p)
		return
	}
	kind, asked := p.want(), p.Away
	p.Work = Work{}
	switch {
	case kind == Install:
		p.Away, p.RestoreAt = false, time.Time{}
		d.reportEnd(env, p.ID, Succeeded, Code{}, note)
	case asked && p.Intent == Restore:
		p.Away, p.RestoreAt = false, time.Time{}
		d.reportEnd(env, p.ID, Removed, Code{}, detailUnassigned)
	default:
		d.reportEnd(env, p.ID, Removed, Code{}, note)
	}
	if !p.Assigned && !p.Away {
		d.forget(p)
	}
	d.retryHolder(env, p)
}

func (d *Device) forget(p *Payload) {
	d.Payloads = slices.DeleteFunc(slices.Clone(d.Payloads),
		func(q *Payload) bool { return q == p })
}

// leaveToOwner ends all work on a mirrored payload that no action holds off the device: it is as
// its own system has it.
func (d *Device) leaveToOwner(p *Payload) {
	p.Work = Work{}
	p.Presence = Present
	p.Installed = p.Version
	if !p.Assigned {
		d.forget(p)
	}
}

// fail ends the work on p in error.
func (d *Device) fail(env Env, p *Payload, code Code, detail string) {
	p.Work = Work{Phase: Stuck, Code: code.Number, Source: code.Source, Note: detail}
	d.reportEnd(env, p.ID, Error, code, detail)
	d.failBlockedHolder(env, p)
}

// Ready reports whether the device could be handed something at this moment.
func (d *Device) Ready(now time.Time) bool {
	if !d.Enrolled || d.Leave.Wanted {
		return d.Enrolled && d.Leave.ready(now)
	}
	for _, p := range d.Payloads {
		if d.ready(p, now) {
			return true
		}
	}
	for c := range classes {
		if d.inventoryReady(c, now) {
			return true
		}
	}
	return false
}

// Deferred reports whether the device postponed something: it is handed over when the device
// connects again.
func (d *Device) Deferred() bool {
	return d.Leave.Deferred ||
		slices.ContainsFunc(d.Payloads, func(p *Payload) bool { return p.Work.Deferred }) ||
		slices.ContainsFunc(d.Inventories[:], func(i Inventory) bool { return i.Deferred })
}

// Quiet reports whether a connection of the device at this moment would change nothing and hand
// over nothing.
func (d *Device) Quiet(now time.Time) bool {
	return !d.Ready(now) && !d.Deferred()
}

// NextDue is the earliest time after now at which the clock alone changes something: a retry,
// showsRival look, an automatic restore. The zero time means never.
func (d *Device) NextDue(now time.Time) time.Time {
	var due time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (due.IsZero() || t.Before(due)) {
			due = t
		}
	}
	for _, p := range d.Payloads {
		if p.Away && p.Intent == Remove {
			sooner(p.RestoreAt)
		}
		if p.Work.underWay() && p.Work.NotBefore.After(now) {
			sooner(p.Work.NotBefore)
		}
	}
	if d.Leave.NotBefore.After(now) {
		sooner(d.Leave.NotBefore)
	}
	for _, i := range d.Inventories {
		if i.NotBefore.After(now) {
			sooner(i.NotBefore)
		}
	}
	return due
}

// WantInventory asks for a fresh inventory of every class when the device next connects.
func (d *Device) WantInventory() {
	for c := range d.Inventories {
		d.Inventories[c].Wanted = true
	}
}

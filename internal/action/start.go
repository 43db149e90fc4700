package action

import (
	"fmt"
	"slices"
	"time"
)

// Selection is one payload as a caller names it.
type Selection struct {
	ID   PayloadID
	Type PayloadType
}

// Request is one call of the action: the whole set that is to be off the device.
type Request struct {
	ID    ActionID
	Name  Name
	Actor string
	Set   []Selection
	// what stays off although the caller does not name it; its own clock goes on
	Held         []Selection
	RestoreAfter time.Duration // 0: never

	// Imported: somebody began it in the system that manages the device, and it is under way there.
	// It is not refused for the number of payloads that it restores; those beyond MaxPayloads are
	// restored without a result.
	Imported bool
}

// Reason is why a set is refused.
type Reason uint8

const (
	Duplicate   Reason = iota // a payload is named twice
	NotAssigned               // the payload is neither assigned to the device nor removed from it
	WrongType                 // the payload is of another type
	TooMany                   // more than MaxPayloads results
)

// Refusal is the error of a set that cannot be carried out. Nothing was changed.
type Refusal struct {
	Reason  Reason
	Index   int // of the payload in the set; of TooMany: how many results there would be
	Payload PayloadID
	Type    PayloadType // of WrongType: the type it really has
}

func (r *Refusal) Error() string {
	switch r.Reason {
	case Duplicate:
		return fmt.Sprintf("payload %s is named more than once", r.Payload)
	case WrongType:
		return fmt.Sprintf("payload %s is of another type", r.Payload)
	case TooMany:
		return fmt.Sprintf("the set and what it restores are %d payloads together; at most %d are possible", r.Index, MaxPayloads)
	default:
		return fmt.Sprintf("payload %s is not assigned to this device", r.Payload)
	}
}

// Plan is what a set would do to a device.
type Plan struct {
	Remove    []*Payload // to be taken off
	Unchanged []*Payload // in the set and seen to be off already
	Restore   []*Payload // off because of an earlier action, and not in the set
	Closed    []*Payload // as Restore, but their assignment has ended: they stay off
}

// Plan says what a set would do, and changes nothing. The error is a *Refusal.
func (d *Device) Plan(set []Selection) (Plan, error) {
	plan, err := d.planSet(set)
	if n := len(set) + len(plan.Restore) + len(plan.Closed); err == nil && n > MaxPayloads {
		return Plan{}, &Refusal{Reason: TooMany, Index: n}
	}
	return plan, err
}

// planSet is Plan for any number of results.
func (d *Device) planSet(set []Selection) (Plan, error) {
	var plan Plan
	for i, sel := range set {
		if slices.ContainsFunc(set[:i], func(o Selection) bool { return o.ID == sel.ID }) {
			return Plan{}, &Refusal{Reason: Duplicate, Index: i, Payload: sel.ID}
		}
		p := d.Find(sel.ID)
		switch {
		case p == nil || !p.Assigned && !p.Away:
			return Plan{}, &Refusal{Reason: NotAssigned, Index: i, Payload: sel.ID}
		case p.Type != sel.Type:
			return Plan{}, &Refusal{Reason: WrongType, Index: i, Payload: sel.ID, Type: p.Type}
		case p.Away && p.Intent == Remove && p.Presence == Absent:
			plan.Unchanged = append(plan.Unchanged, p)
		default:
			plan.Remove = append(plan.Remove, p)
		}
	}
	for _, p := range d.Payloads {
		switch {
		case !p.Away || slices.ContainsFunc(set,
			func(sel Selection) bool { return sel.ID == p.ID }):
		case p.Assigned:
			plan.Restore = append(plan.Restore, p)
		default:
			plan.Closed = append(plan.Closed, p)
		}
	}
	return plan, nil
}

// planRequest is the plan of a request. The error is a *Refusal.
func (d *Device) planRequest(req Request, set []Selection) (Plan, error) {
	if req.Imported && len(set) <= MaxPayloads {
		return d.planSet(set)
	}
	return d.Plan(set)
}

// Start makes req the action in force and returns the action it superseded, nil if none was in
// force. The same set posted again while it is in force changes nothing: then started is false. The
// error is a *Refusal.
func (d *Device) Start(env Env, req Request) (superseded *Action, started bool, err error) {
	set := slices.Concat(req.Set, req.Held)
	ids := make([]PayloadID, len(set))
	for i, sel := range set {
		ids[i] = sel.ID
	}
	plan, err := d.planRequest(req, set)
	if err != nil {
		return nil, false, err
	}
	if a := d.Action; a != nil && !a.State.Final() && a.Name == req.Name &&
		a.RestoreAfter == req.RestoreAfter && sameSet(a.Set, ids) {
		return nil, false, nil
	}
	a := &Action{ID: req.ID, Number: d.nextStep(), Name: req.Name, Actor: req.Actor, Set: ids,
		RestoreAfter: req.RestoreAfter,
		State:        Pending, Started: env.Now, Updated: env.Now}
	for _, sel := range set {
		a.add(env, d.Find(sel.ID), Remove)
	}
	if d.Unsupported != "" {
		d.Action = a
		a.end(env, NotSupported, CodeNotSupported, d.Unsupported)
		return nil, true, nil
	}
	superseded = d.supersede(env, a)
	var restoreAt time.Time
	if req.RestoreAfter > 0 {
		restoreAt = env.Now.Add(req.RestoreAfter)
	}
	for _, sel := range req.Set {
		p := d.Find(sel.ID)
		if !p.Away {
			p.AwaySince = env.Now
		}
		p.Away, p.Intent, p.RestoreAt, p.AwayBy = true, Remove, restoreAt, req.Actor
	}
	d.begin(env, a, plan)
	return superseded, true, nil
}

// RestoreExpired starts, as the system, the action that restores every payload whose time is up.
// What is removed and has time left stays so, with its own clock. It returns false when nothing has
// expired.
func (d *Device) RestoreExpired(env Env, id ActionID) (superseded *Action, started bool) {
	var keep []Selection
	expired := false
	for _, p := range d.Payloads {
		if !p.Away || p.Intent != Remove {
			continue
		}
		if !p.RestoreAt.IsZero() && !p.RestoreAt.After(env.Now) {
			expired = true
		} else {
			keep = append(keep, Selection{p.ID, p.Type})
		}
	}
	if !expired {
		return nil, false
	}
	plan, err := d.planSet(keep)
	if err != nil {
		// What is away is always nameable.
		panic(fmt.Sprintf("action: restoring what expired: %v", err))
	}
	a := &Action{ID: id, Number: d.nextStep(), Name: SyncPayloads, Actor: SystemActor, State: Pending,
		Started: env.Now, Updated: env.Now}
	if d.Action != nil {
		a.Name, a.RestoreAfter = d.Action.Name, d.Action.RestoreAfter
	}
	for _, sel := range keep {
		a.Set = append(a.Set, sel.ID)
		a.add(env, d.Find(sel.ID), Remove)
	}
	superseded = d.supersede(env, a)
	d.begin(env, a, plan)
	return superseded, true
}

func (d *Device) supersede(env Env, by *Action) *Action {
	old := d.Action
	d.Action = by
	if old == nil || old.State.Final() {
		return nil
	}
	old.end(env, Canceled, CodeSuperseded, fmt.Sprintf("superseded by a later action of %s",
		by.Actor))
	return old
}

// begin puts the plan's results into a and sets every payload to work. Commands of the earlier
// action are abandoned: their answers must not become results of this one.
func (d *Device) begin(env Env, a *Action, plan Plan) {
	for _, p := range slices.Concat(plan.Restore, plan.Closed) {
		a.add(env, p, Restore)
		p.Intent, p.RestoreAt = Restore, time.Time{}
	}
	planned := slices.Concat(plan.Remove, plan.Restore, plan.Closed)
	for _, p := range d.arrange() {
		if !slices.Contains(planned, p) && !slices.Contains(plan.Unchanged, p) {
			d.reconcile(env, p)
		}
	}
	for _, p := range plan.Unchanged {
		r := a.open(p.ID)
		r.Status = Removed
		r.Step = StepVerified
	}
	for _, p := range planned {
		if d.makesRoom(p) {
			d.reconcile(env, p)
			continue
		}
		if p.Work.Phase == Verifying && p.Work.Kind == p.want() && p.Work.Version == p.Version {
			d.reportStep(env, p.ID, StepAcknowledged, detailVerifying)
			continue
		}
		withdrawn := p.Work.Phase == Queued && p.Work.Kind == Uninstall
		d.abandon(p)
		switch {
		case !p.matches():
			d.enqueue(env, p)
		case withdrawn && p.want() == Install:
			d.finish(env, p,
				"the removal was withdrawn before the device took it; nothing to restore")
		case p.want() == Uninstall:
			d.finish(env, p, "it was not on the device")
		default:
			d.finish(env, p, "it is on the device already")
		}
	}
	a.endIfDone(env)
}

func (a *Action) add(env Env, p *Payload, intent Intent) {
	if len(a.Results) == MaxPayloads {
		return
	}
	a.Results = append(a.Results, Result{Payload: p.ID, Type: p.Type, DisplayName: p.DisplayName,
		SubType: p.SubType,
		Intent:  intent, Status: Initiated, Step: StepAsked, LastAction: env.Now,
		LastModified: env.Now})
}

func sameSet(a, b []PayloadID) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

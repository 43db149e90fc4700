package action

import "time"

func (d *Device) ready(p *Payload, now time.Time) bool {
	w := &p.Work
	return (w.Phase == Queued || w.Phase == Delivered) && !w.Deferred && !w.NotBefore.After(now) &&
		!d.awaitsApp(p) && !d.awaitsPlace(p)
}

func (d *Device) inventoryReady(c Class, now time.Time) bool {
	i := &d.Inventories[c]
	if i.Deferred || i.NotBefore.After(now) {
		return false
	}
	if i.Wanted || i.Second {
		return true
	}
	for _, p := range d.Payloads {
		if p.Type.Class() == c && (p.Work.Phase == Verifying && !p.Work.NotBefore.After(now) ||
			d.needsInventory(p)) {
			return true
		}
	}
	return false
}

// Next hands the device, which asks for work, its next task, and false when there is none. Commands
// come in the order in which they were asked for; one that the device postponed or that waits for a
// retry lets the others pass. What was handed over and never answered is handed over again under
// the same id. Inventory comes last, so that one inventory verifies many commands.
func (d *Device) Next(env Env) (Task, bool) {
	task, ok := d.next(env)
	switch {
	case !ok:
		d.Handed = Handed{}
	case d.Handed.Task == task.ID:
		d.Handed.Times++
	default:
		d.Handed = Handed{task.ID, 1}
	}
	return task, ok
}

func (d *Device) next(env Env) (Task, bool) {
	if !d.Enrolled {
		return Task{}, false
	}
	if d.Leave.Wanted {
		if !d.Leave.ready(env.Now) {
			return Task{}, false
		}
		return d.Leave.hand(env), true
	}
	if d.inventoryReady(Facts, env.Now) {
		return d.handInventory(env, Facts), true
	}
	var next *Payload
	for _, p := range d.Payloads {
		if d.ready(p, env.Now) && (next == nil || p.Work.Order < next.Work.Order) {
			next = p
		}
	}
	if next != nil {
		return d.handCommand(env, next), true
	}
	for c := Facts + 1; c < classes; c++ {
		if d.inventoryReady(c, env.Now) {
			return d.handInventory(env, c), true
		}
	}
	return Task{}, false
}

func (d *Device) handCommand(env Env, p *Payload) Task {
	w := &p.Work
	if w.Phase != Delivered {
		w.handOver()
		p.Presence, p.Since = Unknown, d.nextStep()
		d.reportStep(env, p.ID, StepSent, "sent to the device")
		if r := d.Action.open(p.ID); r != nil {
			r.LastAction = env.Now
		}
		d.reached(env, p)
		d.reportReplacements(env, p)
		d.doubtRivals(env, p)
	}
	return Task{ID: w.Task, Kind: w.Kind, Payload: p.Spec}
}

// handOver notes that what the work asks is in the device's hands, or in those that hand it to the
// device.
func (w *Work) handOver() {
	w.Phase = Delivered
	w.NotBefore = time.Time{}
	w.Failure = ""
}

func (d *Device) handInventory(env Env, c Class) Task {
	i := &d.Inventories[c]
	i.NotBefore = time.Time{}
	task := Task{Kind: TakeInventory, Class: c}
	changed := false
	for _, p := range d.Payloads {
		if p.Type.Class() == c {
			d.reached(env, p)
			changed = changed || p.Since > i.Sent
			task.Identifiers = append(task.Identifiers, p.Identifier)
		}
	}
	if changed {
		i.restart()
		i.Task = ""
	}
	if i.Task == "" {
		i.Task = TaskID(env.NewID())
		if !i.Second { // what the second list tells is as of the first
			i.Sent = d.nextStep()
		}
	}
	task.ID, task.Second = i.Task, i.Second
	return task
}

// reached makes the action active once the device took a command that concerns one of its payloads.
func (d *Device) reached(env Env, p *Payload) {
	if d.Action.open(p.ID) != nil {
		d.Action.move(env, Active)
	}
}

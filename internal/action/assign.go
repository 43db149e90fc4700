package action

import "slices"

// Assign tells the device's assignments as the catalog has them now. New ones are installed, edited
// ones brought up to date, ended ones removed; what an action holds off the device stays off. Of
// several with one identifier the oldest has the place.
func (d *Device) Assign(env Env, specs []Spec) {
	d.nextStep()
	if d.Leave.Wanted {
		return // it gets nothing more
	}
	assigned := make(map[PayloadID]Spec, len(specs))
	for _, spec := range specs {
		assigned[spec.ID] = spec
		if d.Find(spec.ID) == nil {
			p := &Payload{Spec: spec}
			if len(d.rivals(p)) > 0 { // whatever the device has there came by them
				p.Presence = Absent
			}
			d.Payloads = append(d.Payloads, p)
		}
	}
	var changed []*Payload
	for _, p := range d.Payloads {
		spec, ok := assigned[p.ID]
		if ok != p.Assigned || ok && spec.Version != p.Version {
			changed = append(changed, p)
		}
		p.Assigned = ok
		if ok {
			p.Spec = spec
		}
	}
	changed = append(changed, d.arrange()...)
	for _, p := range slices.Clone(d.Payloads) {
		if d.Enrolled && (p.Work.Phase != Stuck || slices.Contains(changed, p)) {
			d.reconcile(env, p)
		}
	}
	if !d.Enrolled {
		d.Payloads = slices.DeleteFunc(d.Payloads, func(p *Payload) bool { return !p.Assigned })
	}
}

// Enroll starts the device clean: whatever an earlier enrollment had is void, and the action in
// force ends. unsupported is why a device of this kind cannot do the action, empty if it can.
func (d *Device) Enroll(env Env, unsupported string) {
	d.clear(env, "the device was wiped or enrolled anew")
	d.Enrolled, d.Unsupported = true, unsupported
	d.WantInventory()
}

// Unenroll ends management of the device.
func (d *Device) Unenroll(env Env) {
	d.clear(env, "the device left management")
	d.Enrolled, d.Unsupported = false, "the device is not enrolled"
}

func (d *Device) clear(env Env, why string) {
	d.nextStep()
	if d.Action != nil {
		d.Action.end(env, Canceled, CodeUnenrolled, why)
	}
	d.Payloads = nil
	d.Orphans = nil
	d.Inventories = [classes]Inventory{}
	d.Handed = Handed{}
	d.Documents = Documents{}
	d.Leave = Leave{}
}

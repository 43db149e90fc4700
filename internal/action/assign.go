package action

import "slices"

// Assign tells the device's assignments as the catalog has them now. New ones are installed, edited ones brought up
// to date, ended ones removed; what an action holds off the device stays off.
func (d *Device) Assign(s Step, specs []Spec) {
	d.tick()
	assigned := make(map[PayloadID]Spec, len(specs))
	for _, spec := range specs {
		assigned[spec.ID] = spec
		if d.Find(spec.ID) == nil {
			d.Payloads = append(d.Payloads, &Payload{Spec: spec})
		}
	}
	for _, p := range slices.Clone(d.Payloads) {
		spec, ok := assigned[p.ID]
		changed := ok != p.Assigned || ok && spec.Version != p.Version
		p.Assigned = ok
		if ok {
			p.Spec = spec
		}
		if d.Enrolled && (p.Work.Phase != Stuck || changed) {
			d.reconcile(s, p)
		}
	}
	if !d.Enrolled {
		d.Payloads = slices.DeleteFunc(d.Payloads, func(p *Payload) bool { return !p.Assigned })
	}
}

// Enroll starts the device clean: whatever an earlier enrollment had is void, and the action in force ends.
// unsupported is why a device of this kind cannot do the action, empty if it can.
func (d *Device) Enroll(s Step, unsupported string) {
	d.clear(s, "the device was wiped or enrolled anew")
	d.Enrolled, d.Unsupported = true, unsupported
	d.WantInventory()
}

// Unenroll ends management of the device.
func (d *Device) Unenroll(s Step) {
	d.clear(s, "the device left management")
	d.Enrolled, d.Unsupported = false, "the device is not enrolled"
}

func (d *Device) clear(s Step, why string) {
	d.tick()
	if d.Action != nil {
		d.Action.end(s, Canceled, CodeUnenrolled, why)
	}
	d.Payloads, d.Orphans, d.Inventories, d.Handed = nil, nil, [classes]Inventory{}, Handed{}
}

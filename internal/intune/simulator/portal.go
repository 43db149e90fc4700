package simulator

import "time"

const syncDevice = "syncDevice"

// sync asks a device for a check-in.
func (d *Device) sync(now time.Time, by actor) {
	d.results = append(d.results,
		&result{name: syncDevice, state: "pending", start: now, updated: now, visible: now})
	d.trim()
	d.tenant.addAudit(now, d, by, syncDevice, d.results[len(d.results)-1])
	d.soon(now)
}

// Sync is the admin center's Sync by this person.
func (u *User) Sync(d *Device) error {
	return u.act(d, func(now time.Time) { d.sync(now, actor{user: u}) })
}

// Retire is the admin center's Retire by this person. The device leaves at its next check-in.
func (u *User) Retire(d *Device) error { return u.end(d, "removeCompanyData", "retirePending") }

// Wipe is the admin center's Wipe by this person. The device leaves at its next check-in.
func (u *User) Wipe(d *Device) error { return u.end(d, "factoryReset", "wipePending") }

// Delete is the admin center's Delete by this person. The device leaves at its next check-in.
func (u *User) Delete(d *Device) error { return u.end(d, "delete", "deletePending") }

// CancelWipe takes back a retirement or wipe that the device has not heard of.
func (u *User) CancelWipe(d *Device) error {
	return u.act(d, func(time.Time) { d.leaving, d.state = false, "managed" })
}

func (u *User) end(d *Device, action, state string) error {
	return u.act(d, func(now time.Time) {
		d.leaving, d.state = true, state
		d.tenant.addAudit(now, d, actor{user: u}, action, &result{state: "pending"})
		d.soon(now)
	})
}

func (u *User) act(d *Device, do func(now time.Time)) error {
	now := u.tenant.site.enter()
	defer u.tenant.site.mu.Unlock()
	if refused := u.may(d); refused != nil {
		return refused
	}
	do(now)
	return nil
}

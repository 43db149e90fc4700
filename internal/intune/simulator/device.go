package simulator

import (
	"fmt"
	"slices"
	"time"
)

// DeviceOptions describe a device that enrolls.
type DeviceOptions struct {
	Kind      Kind
	Name      string // empty: one that is made
	Serial    string // empty: one that is made
	User      *User  // nil: it has none
	Tags      []string
	Comanaged bool // with Configuration Manager; it is listed under comanagedDevices, too
	Personal  bool // owned by its user
	Offline   bool
}

// Device is a managed device of a tenant.
type Device struct {
	tenant *Tenant
	ID     string
	Serial string
	name   string

	kind      *kind
	agent     string
	directory string // its azureADDeviceId
	user      *User
	tags      []string
	comanaged bool
	personal  bool
	online    bool
	enrolled  time.Time
	synced    time.Time
	state     string // its managementState
	gone      bool
	leaving   bool // at the next check-in

	off     map[string]bool // item ids that are off the device in truth
	silent  map[string]bool // items that Intune brings back without a word at the next check-in
	failing map[string]failure
	results []*result // in the order of their starts
	report  *snapshot
	next    bool // a check-in is on the agenda
}

type failure struct {
	code    int64
	message string
}

// Enroll makes a device. It has what is assigned to it from the start.
func (t *Tenant) Enroll(o DeviceOptions) *Device {
	now := t.site.enter()
	defer t.site.mu.Unlock()
	return t.enroll(o, t.site.newID(), now)
}

func (t *Tenant) enroll(o DeviceOptions, directory string, now time.Time) *Device {
	k := kinds[o.Kind]
	d := &Device{tenant: t, ID: t.site.newID(), Serial: o.Serial, name: o.Name, kind: &k,
		agent: k.agent, directory: directory, user: o.User, tags: o.Tags, comanaged: o.Comanaged,
		personal: o.Personal, online: !o.Offline, enrolled: now, synced: now, state: "managed"}
	if d.Serial == "" {
		d.Serial = fmt.Sprintf("SN%010X", t.site.random.Uint64()>>24)
	}
	if d.name == "" {
		d.name = k.model + " " + d.Serial
	}
	if d.comanaged {
		d.agent = "configurationManagerClientMdm"
	}
	if len(d.tags) == 0 {
		d.tags = []string{"0"} // the default scope tag
	}
	t.devices = append(t.devices, d)
	t.byID[d.ID] = d
	if every := t.site.options.CheckInEvery; every > 0 {
		d.checkInEvery(now.Add(t.site.upTo(every)), every)
	}
	return d
}

func (d *Device) checkInEvery(at time.Time, every time.Duration) {
	d.tenant.site.agenda.add(at, func(at time.Time) {
		if d.gone {
			return
		}
		if d.online {
			d.checkIn(at)
		}
		d.checkInEvery(at.Add(every), every)
	})
}

// Reenroll has the device leave, and the same hardware come again: with a new id, and the old
// serial number and directory object.
func (d *Device) Reenroll() *Device {
	now := d.tenant.site.enter()
	defer d.tenant.site.mu.Unlock()
	d.leave()
	o := DeviceOptions{Name: d.name, Serial: d.Serial, User: d.user, Tags: d.tags,
		Comanaged: d.comanaged, Personal: d.personal, Offline: !d.online}
	for number, k := range kinds {
		if k == *d.kind {
			o.Kind = number
		}
	}
	again := d.tenant.enroll(o, d.directory, now)
	for _, i := range d.tenant.items { // groups have the directory's device, which stays
		if i.devices[d] {
			i.devices[again] = true
		}
	}
	return again
}

// Leave has the device leave, as when its user takes the management off.
func (d *Device) Leave() {
	d.tenant.site.enter()
	defer d.tenant.site.mu.Unlock()
	d.leave()
}

func (d *Device) leave() {
	if d.gone {
		return
	}
	d.gone = true
	t := d.tenant
	delete(t.byID, d.ID)
	t.devices = slices.DeleteFunc(t.devices, func(other *Device) bool { return other == d })
}

// SetOnline says whether the device can be reached. One that comes back checks in by itself, if the
// Site's devices do.
func (d *Device) SetOnline(online bool) {
	now := d.tenant.site.enter()
	defer d.tenant.site.mu.Unlock()
	d.online = online
	d.soon(now)
}

// Rename gives the device another name.
func (d *Device) Rename(name string) {
	d.tenant.site.enter()
	defer d.tenant.site.mu.Unlock()
	d.name = name
}

// Name is the device's name now.
func (d *Device) Name() string {
	d.tenant.site.enter()
	defer d.tenant.site.mu.Unlock()
	return d.name
}

// Fail has whatever is asked of the device for an item end in error until Mend is called. Each
// check-in tries again.
func (d *Device) Fail(i *Item, code int64, message string) {
	d.tenant.site.enter()
	defer d.tenant.site.mu.Unlock()
	if d.failing == nil {
		d.failing = make(map[string]failure)
	}
	d.failing[i.ID] = failure{code, message}
}

// Mend ends what Fail began.
func (d *Device) Mend(i *Item) {
	d.tenant.site.enter()
	defer d.tenant.site.mu.Unlock()
	delete(d.failing, i.ID)
}

// Gone tells whether the device has left the tenant.
func (d *Device) Gone() bool {
	d.tenant.site.enter()
	defer d.tenant.site.mu.Unlock()
	return d.gone
}

// Off is the truth: the ids of assigned items that are off the device, in order.
func (d *Device) Off() []string {
	d.tenant.site.enter()
	defer d.tenant.site.mu.Unlock()
	return d.tenant.sortedIDs(func(i *Item) bool { return i.assigned(d) && d.off[i.ID] })
}

// Present is the truth: the ids of items that are on the device, in order.
func (d *Device) Present() []string {
	d.tenant.site.enter()
	defer d.tenant.site.mu.Unlock()
	return d.tenant.sortedIDs(func(i *Item) bool { return i.assigned(d) && !d.off[i.ID] })
}

// ToBeOff is what the last call and Intune's own restores leave: the ids of items that shall be off
// the device, in order, whether it knows or not.
func (d *Device) ToBeOff() []string {
	d.tenant.site.enter()
	defer d.tenant.site.mu.Unlock()
	ids := []string{}
	if r := d.current(); r != nil {
		for _, e := range r.entries {
			if e.intent == intentRemove && e.item != nil {
				ids = append(ids, e.id)
			}
		}
	}
	slices.Sort(ids)
	return ids
}

package simulator

import (
	"slices"
	"strings"
	"time"
)

const (
	intentRemove  = "remove"
	intentRestore = "restore"

	statusInitiated  = "initiated"
	statusInProgress = "inProgress"
	statusRemoved    = "removed"
	statusError      = "error"
	statusSucceeded  = "succeeded"

	// maxItems is how many elements deviceAssignmentItems of a result can have.
	maxItems = 30
	maxID    = 40 // of itemId, in characters

	changeAssignments = "changeAssignments"
)

// reference is one deviceAssignmentItem of a call.
type reference struct {
	ID     string   `json:"itemId"`
	Type   ItemType `json:"itemType"`
	Intent string   `json:"assignmentItemActionIntent"`
}

// entry is one deviceAssignmentItem of a result.
type entry struct {
	item            *Item // nil: nobody knows it, or it is not assigned
	id              string
	kind            ItemType
	intent, status  string
	message         string
	code            int64
	acted, modified time.Time
	restoreAt       time.Time // by Intune itself
	erred           bool      // it has shown the error that it was to show first
	voided          bool      // no check-in helps
}

// ended tells whether the device has nothing to do for it.
func (e *entry) ended() bool {
	return e.voided || e.status == statusRemoved || e.status == statusSucceeded
}

// post is one call of changeAssignments, whoever made it. Nil: it is accepted.
func (d *Device) post(now time.Time, by actor, named []reference) *refusal {
	readings := d.tenant.site.readings
	if refused := d.acceptable(by, named); refused != nil {
		return refused
	}
	before := d.current()
	wanted := named
	if readings.RestoreByIntent {
		wanted = byIntent(before, named)
	}
	entries, unknown := d.entries(now, before, wanted)
	void := unknown != nil && readings.UnknownItem == UnknownFailsAll
	switch {
	case unknown != nil && readings.UnknownItem == UnknownRefused:
		return badRequest("The item %s of type %s is not assigned to the device.",
			unknown.id, unknown.kind)
	case void:
		for _, e := range entries {
			e.void(now, "The request has an item that is not assigned to the device.")
		}
	default:
		entries = append(entries, d.comingBack(now, before, entries)...)
	}
	if len(entries) > maxItems {
		return badRequest("With what earlier actions removed the action has %d items. "+
			"A device can have %d.", len(entries), maxItems)
	}
	r := &result{name: changeAssignments, start: now, updated: now, entries: entries, void: void,
		visible: now.Add(d.tenant.site.upTo(d.tenant.site.faults.ResultDelay))}
	d.results = append(d.results, r)
	r.refresh(now)
	d.trim()
	if !void {
		d.watchClocks(r)
	}
	d.tenant.addAudit(now, d, by, changeAssignments, r)
	d.soon(now)
	return nil
}

// acceptable checks a call without looking at what it names.
func (d *Device) acceptable(by actor, named []reference) *refusal {
	readings := d.tenant.site.readings
	switch {
	case by.user == nil && by.app != nil && readings.AppOnlyRefused:
		return forbidden("Application is not authorized to perform this operation.")
	case !d.kind.supported:
		return badRequest("The action changeAssignments is not supported by the device.")
	case d.state != "managed":
		return badRequest("The device is in the management state %s.", d.state)
	case len(named) > maxItems:
		return badRequest("deviceAssignmentItems has %d items. It can have %d.",
			len(named), maxItems)
	case len(named) == 0 && readings.EmptyRefused:
		return badRequest("deviceAssignmentItems must not be empty.")
	}
	seen := make(map[string]bool)
	for _, one := range named {
		id := strings.ToLower(one.ID)
		restore := one.Intent == intentRestore && readings.RestoreByIntent
		switch {
		case id == "" || len(id) > maxID:
			return badRequest("itemId must have 1 to %d characters.", maxID)
		case seen[id]:
			return badRequest("The item %s is named twice.", id)
		case one.Intent != intentRemove && !restore:
			return badRequest("assignmentItemActionIntent of the item %s must be remove.", id)
		}
		seen[id] = true
	}
	return nil
}

// byIntent makes the set of a call that says of each item what shall become of it.
func byIntent(before *result, named []reference) []reference {
	var wanted []reference
	says := make(map[string]string)
	for _, one := range named {
		says[strings.ToLower(one.ID)] = one.Intent
		if one.Intent == intentRemove {
			wanted = append(wanted, one)
		}
	}
	if before != nil {
		for _, e := range before.entries {
			if e.intent == intentRemove && says[e.id] == "" {
				wanted = append(wanted, reference{e.id, e.kind, intentRemove})
			}
		}
	}
	return wanted
}

// entries makes what is to be removed. It returns the first that cannot be named, too.
func (d *Device) entries(now time.Time, before *result, named []reference) (all []*entry,
	unknown *entry) {
	site := d.tenant.site
	restoreAt := now.Add(8*time.Hour + site.upTo(16*time.Hour))
	for _, one := range named {
		e := &entry{id: strings.ToLower(one.ID), kind: one.Type, intent: intentRemove,
			status: statusInitiated, acted: now, modified: now, restoreAt: restoreAt}
		all = append(all, e)
		earlier := before.entry(e.id)
		item := d.tenant.item(e.id)
		held := earlier != nil && earlier.item != nil && earlier.intent == intentRemove
		if item == nil || item.Type != one.Type || !item.assigned(d) && !held {
			if unknown == nil {
				unknown = e
			}
			e.void(now, "The item is not assigned to the device.")
			continue
		}
		e.item = item
		if held {
			d.keep(e, earlier)
		}
	}
	return all, unknown
}

// watchClocks has Intune restore by itself what is not restored in time.
func (d *Device) watchClocks(r *result) {
	for _, e := range r.entries {
		if e.item != nil && e.intent == intentRemove {
			d.tenant.site.agenda.add(e.restoreAt, func(at time.Time) { d.restoreByItself(at, e) })
		}
	}
}

// keep takes over what an item has from the action before.
func (d *Device) keep(e, earlier *entry) {
	readings := d.tenant.site.readings
	if !readings.RepostRestartsClock {
		e.restoreAt = earlier.restoreAt
	}
	if readings.KeptItemsStay {
		e.status, e.message, e.code = earlier.status, earlier.message, earlier.code
		e.acted, e.modified = earlier.acted, earlier.modified
	}
}

func (e *entry) void(now time.Time, message string) {
	e.status, e.message, e.code = statusError, message, -2016281112
	e.modified, e.voided, e.item = now, true, nil
}

// comingBack are the items that earlier actions were to remove, or are still bringing back, and
// that are not named now.
func (d *Device) comingBack(now time.Time, before *result, named []*entry) []*entry {
	if before == nil {
		return nil
	}
	var back []*entry
	for _, e := range before.entries {
		again := slices.ContainsFunc(named, func(n *entry) bool {
			return n.id == e.id && n.item != nil
		})
		if again || e.item == nil || e.intent == intentRestore && e.status == statusSucceeded {
			continue
		}
		back = append(back, &entry{item: e.item, id: e.id, kind: e.kind, intent: intentRestore,
			status: statusInitiated, acted: now, modified: now})
	}
	return back
}

// restoreByItself is Intune's own restore of one item, 8 to 24 hours after it was named.
func (d *Device) restoreByItself(at time.Time, e *entry) {
	r := d.current()
	if d.gone || r == nil || !slices.Contains(r.entries, e) || e.intent != intentRemove {
		return
	}
	if d.tenant.site.readings.SilentRestore {
		if d.silent == nil {
			d.silent = make(map[string]bool)
		}
		d.silent[e.id] = true
		r.entries = slices.DeleteFunc(r.entries, func(other *entry) bool { return other == e })
	} else {
		e.intent, e.status, e.message, e.code = intentRestore, statusInitiated, "", 0
		e.acted, e.modified, e.erred = at, at, false
	}
	r.refresh(at)
	d.soon(at)
}

// actor is who calls: a person, or an application.
type actor struct {
	user *User
	app  *App
}

// ChangeAssignments is the admin center's action, by this person. The items are the whole set that
// shall be off the device. The error says why Intune refuses.
func (u *User) ChangeAssignments(d *Device, items ...*Item) error {
	now := u.tenant.site.enter()
	defer u.tenant.site.mu.Unlock()
	named := []reference{}
	for _, i := range items {
		named = append(named, reference{i.ID, i.Type, intentRemove})
	}
	if refused := u.may(d); refused != nil {
		return refused
	}
	if refused := d.post(now, actor{user: u}, named); refused != nil {
		return refused
	}
	return nil
}

// may tells whether a person's role and scope tags let them act on a device.
func (u *User) may(d *Device) *refusal {
	switch {
	case d.gone || !u.sees(d):
		return notFound("Resource not found.")
	case !u.admin:
		return forbidden("User is not authorized to perform this operation.")
	}
	return nil
}

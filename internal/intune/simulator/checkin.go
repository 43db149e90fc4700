package simulator

import "time"

// CheckIn has the device connect to Intune: it takes off and puts back what the last call and
// Intune's own restores ask for, and leaves if it is to be retired, wiped or deleted. It returns
// false, and nothing happens, if the device is offline or gone.
func (d *Device) CheckIn() bool {
	now := d.tenant.site.enter()
	defer d.tenant.site.mu.Unlock()
	if d.gone || !d.online {
		return false
	}
	d.checkIn(now)
	return true
}

// soon puts a check-in on the agenda, if the Site's devices check in by themselves.
func (d *Device) soon(now time.Time) {
	after := d.tenant.site.options.CheckInAfter
	if after <= 0 || d.next || !d.online {
		return
	}
	d.next = true
	d.tenant.site.agenda.add(now.Add(after), func(at time.Time) {
		d.next = false
		if !d.gone && d.online {
			d.checkIn(at)
		}
	})
}

func (d *Device) checkIn(at time.Time) {
	d.synced = at
	if d.leaving {
		d.leave()
		return
	}
	for id := range d.silent {
		delete(d.off, id)
	}
	clear(d.silent)
	for _, r := range d.results {
		if r.name == syncDevice && r.state == "pending" {
			r.state, r.updated = "done", at
		}
	}
	r := d.current()
	if r == nil {
		return
	}
	changed := false
	for _, e := range r.entries {
		changed = d.take(at, r, e) || changed
	}
	if changed {
		r.refresh(at)
	}
}

// take does what one item asks for. What is done is done at once; that it is, shows later if items
// stay in progress for a while. It returns false if there was nothing to do.
func (d *Device) take(at time.Time, r *result, e *entry) bool {
	site := d.tenant.site
	if e.ended() || e.status == statusInProgress {
		return false
	}
	e.modified = at
	if f, ok := d.failing[e.id]; ok {
		e.status, e.code, e.message = statusError, f.code, f.message
		return true
	}
	if !e.erred && site.happens(site.faults.ErrorFirst) {
		e.erred, e.status = true, statusError
		e.code, e.message = -2016345612, "The device did not answer in time."
		d.soon(at)
		return true
	}
	e.code, e.message = 0, ""
	status := statusRemoved
	if e.intent == intentRemove {
		if d.off == nil {
			d.off = make(map[string]bool)
		}
		d.off[e.id] = true
	} else {
		delete(d.off, e.id)
		status = statusSucceeded
	}
	if site.faults.ProgressTime <= 0 {
		e.status = status
		return true
	}
	e.status, e.message = statusInProgress, "The device is processing the request."
	intent := e.intent
	site.agenda.add(at.Add(site.upTo(site.faults.ProgressTime)), func(at time.Time) {
		if e.status != statusInProgress || e.intent != intent {
			return
		}
		e.status, e.message, e.modified = status, "", at
		r.refresh(at)
	})
	return true
}

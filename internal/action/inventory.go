package action

import (
	"cmp"
	"fmt"
	"time"
)

func (d *Device) answerInventory(env Env, c Class, o Outcome) {
	i := &d.Inventories[c]
	sent := i.Sent
	i.Task = ""
	if o.Verdict == Accepted && o.List != Everything {
		d.keepManaged(c, o)
		return
	}
	managed, known := i.Managed, i.First
	i.restart()
	switch o.Verdict {
	case NotNow:
		i.Deferred = true
		d.verifying(c, func(p *Payload) {
			d.reportStep(env, p.ID, StepAcknowledged,
				"acknowledged; the device said not now when asked for its inventory")
		})
	case Accepted:
		i.Wanted, i.Attempt = false, 0
		if known {
			o.Sightings = withManaged(o.Sightings, managed)
		}
		d.applyInventory(env, c, sent, o)
	default:
		i.Attempt++
		if i.Attempt < env.Policy.MaxAttempts {
			i.NotBefore = env.Now.Add(backoff(env.Policy.RetryBase, env.Policy.RetryMax, i.Attempt))
			return
		}
		i.Wanted, i.Attempt = false, 0
		d.verifying(c, func(p *Payload) {
			d.fail(env, p, ours(CodeNotVerified),
				p.withDeviceWords(fmt.Sprintf(
					"acknowledged, but the device refuses its inventory: %s (code %d)",
					o.Detail, o.Code)))
		})
	}
}

func (d *Device) verifying(c Class, do func(*Payload)) {
	for _, p := range d.Payloads {
		if p.Type.Class() == c && (p.Work.Phase == Verifying || d.needsInventory(p)) {
			do(p)
		}
	}
}

// applyInventory compares an inventory with what is known of every payload of its class. An inventory
// proves nothing about a payload that the device may have changed after it was asked for.
func (d *Device) applyInventory(env Env, c Class, sent int64, o Outcome) {
	seen := make(map[string]Sighting, len(o.Sightings))
	for _, g := range o.Sightings {
		seen[g.Identifier] = g
	}
	for _, p := range d.Payloads {
		if p.Type.Class() != c || p.Since >= sent {
			continue
		}
		g, listed := seen[p.Identifier]
		if !listed {
			g.Detail = o.Detail
		}
		if o.Unlisted && !listed && p.mayBeInstalling(env) {
			g.Working, g.Detail = true,
				withText("not listed yet: the device may still be installing it", o.Detail)
		}
		d.applySighting(env, p, g)
	}
}

// applySighting applies what an inventory or a report shows of p.
func (d *Device) applySighting(env Env, p *Payload, g Sighting) {
	if p.Mirrored && !p.Away {
		return // its own system sees to it
	}
	if d.showsRival(p, g) {
		g = Sighting{}
	}
	note := withMore(p.judge(&g), g.Note)
	p.Presence, p.Installed = Absent, 0
	if g.Present {
		p.Presence = Present
		if g.Revision == "" || g.Revision == p.Revision {
			p.Installed = p.Version
		}
	}
	if g.Working {
		p.Presence = Unknown
		if p.Work.Phase == Verifying {
			d.lookAgain(env, p, g)
		}
		return
	}
	if p.matches() {
		d.finish(env, p, withMore(p.Work.Note, note))
		if p.want() == Install {
			d.appArrived(env, p)
		}
		return
	}
	if p.Mirrored && p.Work.Phase == Idle { // its own system brought it back, and has the last word
		p.Intent = Restore
		p.RestoreAt = time.Time{}
	}
	if p.Work.Phase == Idle || p.Work.isDoubt() { // it changed without a command of this work
		d.enqueue(env, p)
		return
	}
	if p.Work.Phase != Verifying {
		return
	}
	code, detail := ours(CodeNotVerified), p.withDeviceWords(withMore(p.mismatch(), note))
	if g.Failed && p.want() == Install {
		code, detail = ours(g.Code), p.withDeviceWords(g.Detail)
		if !g.Retriable {
			d.fail(env, p, code, detail)
			return
		}
	}
	d.retry(env, p, code, detail)
}

// withDeviceWords puts what the device said to the command beside what was found afterwards.
func (p *Payload) withDeviceWords(found string) string {
	if p.Work.Said == "" {
		return found
	}
	return found + DeviceHadSaid + p.Work.Said
}

// DeviceHadSaid stands in a detail before what the device said to the command, if the device's own
// inventory shows another thing.
const DeviceHadSaid = "; the device had said: "

func (p *Payload) mismatch() string {
	switch {
	case p.want() == Uninstall:
		return "removal acknowledged, but the device still shows it"
	case p.Presence == Present:
		return "installation acknowledged, but the device shows another version"
	default:
		return "installation acknowledged, but the device does not show it"
	}
}

// lookAgain plans another inventory for a payload that the device is still working on.
func (d *Device) lookAgain(env Env, p *Payload, g Sighting) {
	w := &p.Work
	if w.AckedAt.After(env.Now) { // by a clock that was ahead
		w.AckedAt = env.Now
	}
	if env.Now.Sub(w.AckedAt) >= env.Policy.VerifyFor {
		d.fail(env, p, ours(cmp.Or(g.Code, CodeNotVerified)),
			p.withDeviceWords(fmt.Sprintf("still not settled %s after the device acknowledged it: %s",
				env.Policy.VerifyFor, g.Detail)))
		return
	}
	w.Polls++
	w.NotBefore = env.Now.Add(backoff(env.Policy.PollBase, env.Policy.PollMax, w.Polls))
	d.reportStep(env, p.ID, StepSettling, g.Detail)
}

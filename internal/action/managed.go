package action

import (
	"slices"
	"time"
)

// Of an app that a device has it is not always plain whose it is. Some devices list what is
// installed, and in a list of its own what of it they manage. What its user installed is not the
// server's: it is in nobody's way, it is not what was to be installed, and no command removes it.
// But some apps are the server's and never become managed, however they are installed: of those it
// is remembered that they were installed by it.

// keepManaged keeps what the first list of an inventory tells of the payloads until the second one
// is here.
func (d *Device) keepManaged(c Class, o Outcome) {
	i := &d.Inventories[c]
	i.Second, i.First, i.Managed = true, o.List == Managed, nil
	for _, g := range o.Sightings {
		if slices.ContainsFunc(d.Payloads,
			func(p *Payload) bool { return p.Type.Class() == c && p.Identifier == g.Identifier }) {
			i.Managed = append(i.Managed, g)
		}
	}
}

// restart begins an inventory of two lists anew: they tell of one moment only if nothing came
// between them.
func (i *Inventory) restart() {
	if i.Second {
		i.Task = ""
	}
	i.Second, i.First, i.Managed = false, false, nil
}

// withManaged puts what is managed before what is installed.
func withManaged(installed, managed []Sighting) []Sighting {
	all := slices.Clone(managed)
	for _, g := range installed {
		if !slices.ContainsFunc(managed,
			func(m Sighting) bool { return m.Identifier == g.Identifier }) {
			g.Unmanaged = g.Present
			all = append(all, g)
		}
	}
	return all
}

// mayBeInstalling reports whether a payload that a list does not show may be on its way to the
// device, where lists show only what has arrived. What is not wanted is not gone before it can come
// no more.
func (p *Payload) mayBeInstalling(env Env) bool {
	if p.want() == Install && p.Work.Phase == Verifying && !p.Work.isDoubt() {
		return true
	}
	return p.want() == Uninstall && !p.InstallAt.IsZero() &&
		env.Now.Sub(p.InstallAt) < env.Policy.VerifyFor
}

// judge decides whose an app is that the device has and does not manage, and takes one that is not
// the server's out of the sighting. note says what there is to say of it.
func (p *Payload) judge(g *Sighting) (note string) {
	if g.Present {
		p.InstallAt = time.Time{}
	}
	if !g.Unmanaged {
		if g.Present || g.Working || g.Failed {
			return ""
		}
		p.Unmanaged = false
		return g.Detail
	}
	verifying := p.Work.Phase == Verifying && !p.Work.isDoubt()
	switch {
	case p.Unmanaged, verifying && p.want() == Install:
		p.Unmanaged = true
		return "the device has it, and does not manage it"
	// it was managed, and may be on its way
	case verifying && p.want() == Uninstall && p.Work.Note == "":
		return ""
	case p.want() == Uninstall:
		note = "the device keeps a copy that it does not manage"
	}
	*g = Sighting{Identifier: g.Identifier}
	return note
}

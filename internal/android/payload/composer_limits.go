package payload

import "slices"

// Google refuses a whole document for one thing too many (Android Management API). The younger
// payload gives way.

// maxApps is the most apps that a policy may have.
const maxApps = 3000

// keepOneKiosk keeps the oldest kiosk app: a policy with two is refused.
func (c *composer) keepOneKiosk() {
	var first *part
	kiosk := ""
	for _, p := range c.parts {
		for _, path := range sortedKeys(p.Fields) {
			if p.listing != Wanted || p.Fields[path] != "KIOSK" {
				continue
			}
			if app := appOf(path); first == nil {
				first, kiosk = p, app
			} else if app != kiosk {
				c.drop(path, p)
				p.note("the kiosk app is %s: ‘%s’ sets it", kiosk, first.name)
			}
		}
	}
}

// keepSoleScopes keeps the oldest holder of what only one app may do.
func (c *composer) keepSoleScopes() {
	for _, scope := range soleScopes {
		var first *part
		holder := ""
		for _, p := range c.parts {
			for _, path := range sortedKeys(p.Fields) {
				app := appOf(path)
				scopes := textsOf(p.Fields[path])
				if p.listing != Wanted || path != appPath(app, scopesOf) ||
					!slices.Contains(scopes, scope) {
					continue
				}
				if first == nil {
					first, holder = p, app
				} else if app != holder {
					c.withoutScope(path, p, scope)
					p.note("%s has %s: ‘%s’ sets it", holder, scope, first.name)
				}
			}
		}
	}
}

// drop takes back what a payload wants of a field.
func (c *composer) drop(path string, p *part) {
	left := slices.DeleteFunc(c.wishes[path], func(w wish) bool { return w.of == p })
	if c.wishes[path] = left; len(left) == 0 {
		delete(c.wishes, path)
	}
}

func (c *composer) withoutScope(path string, p *part, scope string) {
	for i, w := range c.wishes[path] {
		if w.of != p {
			continue
		}
		left := slices.DeleteFunc(textsOf(w.value), func(s string) bool { return s == scope })
		c.wishes[path][i].value = anyOf(left)
		if len(left) == 0 {
			c.drop(path, p)
		}
		return
	}
}

// keepAppLimit leaves out what makes more apps than a policy may have: the oldest payloads' stay,
// and those that are wanted rather than those that are blocked.
func (c *composer) keepAppLimit() {
	kept := make(map[string]bool)
	for _, listing := range []Listing{Wanted, HeldOff, Ended} {
		for _, p := range c.parts {
			for _, app := range p.apps() {
				blocks := c.blocked[app] == p
				switch {
				case p.entry.Listing != listing, kept[app], listing != Wanted && !blocks:
				case len(kept) < maxApps:
					kept[app] = true
				default:
					c.overLimit(p, app)
				}
			}
		}
	}
}

// apps are the apps that a payload names in a policy, sorted.
func (p *part) apps() []string {
	var list []string
	for path := range p.Fields {
		if app := appOf(path); app != "" {
			list = append(list, app)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (c *composer) overLimit(p *part, app string) {
	delete(c.blocked, app)
	for _, path := range sortedKeys(p.Fields) {
		if appOf(path) == app {
			c.drop(path, p)
		}
	}
	if p.Kind == Settings || p.listing != Wanted {
		p.note("%s is not in the device's policy, which has %d apps: Google allows no more", app,
			maxApps)
		return
	}
	p.leaveOut(codeTooMuch, "the device's policy has %d apps, and Google allows no more", maxApps)
}

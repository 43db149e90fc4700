package payload

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// Codes of what could not be in a document.
const (
	codeAppAway         = 1005 // APP_NOT_INSTALLED
	codeCertificateAway = 3006 // ONC_WIFI_INVALID_ENTERPRISE_CONFIG
	codeTooMuch         = 4400 // Google would refuse the whole document
	codeUnreadable      = 1004 // INVALID_VALUE
)

// part is one payload, wanted or off, with what it is made of.
type part struct {
	Item
	Fragment
	id      action.PayloadID
	name    string
	listing Listing
	entry   Entry
}

// wish is what one payload wants of one field.
type wish struct {
	of    *part
	value any
}

// composer makes a document.
type composer struct {
	parts  []*part // the oldest first
	wishes map[string][]wish
	// blocked are the apps that must not be on the device, with the payload that is off.
	blocked map[string]*part
}

// Compose makes the policy of a device of what it is to have, and of what must be off it. It is
// pure, and the order of its arguments does not matter: what is taken off and put back gives the
// same document, byte for byte. A content that it cannot read is left out, and so is what would
// make Google refuse the whole document: the younger payload then says why.
func Compose(wanted []Item, off []Off) *Composition {
	c := &composer{wishes: make(map[string][]wish), blocked: make(map[string]*part)}
	c.take(wanted, off)
	c.resolveCertificates()
	c.block()
	c.wish()
	c.keepOneKiosk()
	c.keepSoleScopes()
	c.keepAppLimit()
	return c.finish()
}

// take reads what there is, each payload once: the newest version, and rather wanted than off.
func (c *composer) take(wanted []Item, off []Off) {
	byID := make(map[action.PayloadID]*part)
	add := func(item Item, listing Listing) {
		p := &part{Item: item, id: item.Spec.ID, name: cmp.Or(item.Name, item.Spec.DisplayName),
			listing: listing}
		if old := byID[p.id]; old == nil || old.listing == listing && p.newer(old) {
			byID[p.id] = p
		}
	}
	for _, item := range wanted {
		add(item, Wanted)
	}
	for _, o := range off {
		if o.HeldOff {
			add(o.Item, HeldOff)
		}
	}
	for _, o := range off {
		if !o.HeldOff {
			add(o.Item, Ended)
		}
	}
	for _, p := range byID {
		c.parts = append(c.parts, p)
	}
	slices.SortFunc(c.parts, func(a, b *part) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.id, b.id))
	})
	for _, p := range c.parts {
		p.describe()
	}
}

// newer reports whether p is a newer version of a payload than another one. Of two that say that
// they are one version it does not matter which is taken, if it is always the same.
func (p *part) newer(old *part) bool {
	return cmp.Or(cmp.Compare(p.Spec.Version, old.Spec.Version),
		bytes.Compare(p.Content, old.Content)) > 0
}

// describe reads the content of a payload, and begins its entry.
func (p *part) describe() {
	f, err := readFragment(p.Content)
	if f.WebApp != nil {
		f.install(p.Made)
	}
	p.Fragment = f
	p.entry = Entry{Name: p.name, Version: p.Spec.Version, Revision: p.Spec.Revision,
		Identifier: p.Spec.Identifier, Class: p.Spec.Type.Class(), Kind: f.Kind,
		Listing: p.listing, Package: f.Package}
	if f.Kind == Network {
		p.entry.WiFiGUID = f.GUID
	}
	if err != nil {
		p.Fields = nil
		p.leaveOut(codeUnreadable, "the server cannot read what it had stored of it; save it again")
	}
	if f.WebApp != nil {
		p.describeWebApp()
	}
}

// leaveOut keeps a wanted payload out of the document.
func (p *part) leaveOut(code int64, format string, args ...any) {
	if p.listing == Wanted {
		p.listing = LeftOut
		p.entry.Listing, p.entry.Code, p.entry.Why = LeftOut, code, fmt.Sprintf(format, args...)
	}
}

// note tells people of something about a payload, once.
func (p *part) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(p.entry.Notes, text) {
		p.entry.Notes = append(p.entry.Notes, text)
	}
}

// resolveCertificates leaves out networks of which a certificate is away: a device refuses them.
func (c *composer) resolveCertificates() {
	byID := make(map[action.PayloadID]*part)
	for _, p := range c.parts {
		if p.Kind == Certificate {
			byID[p.id] = p
		}
	}
	for _, p := range c.parts {
		for _, id := range p.Needs {
			switch ca := byID[id]; {
			case ca == nil:
				p.leaveOut(codeCertificateAway,
					"it needs the trusted root certificate %s, which is not assigned to the device",
					id)
			case ca.listing == HeldOff:
				p.leaveOut(codeCertificateAway, "it needs ‘%s’, which is removed", ca.name)
			case ca.listing != Wanted:
				p.leaveOut(codeCertificateAway, "it needs ‘%s’, which is not on the device",
					ca.name)
			}
		}
	}
}

// block finds the apps that must not be on the device: those of apps that are off, unless another
// payload wants them there.
func (c *composer) block() {
	for _, p := range c.parts {
		if p.Kind != App || p.Package == "" || // Google has not made it: nobody has it
			p.listing != HeldOff && p.listing != Ended {
			continue
		}
		for _, q := range c.parts {
			if q.listing == Wanted && q.keeps(p.Package, p.listing) {
				p.entry.KeptBy = append(p.entry.KeptBy, q.id)
			}
		}
		if old := c.blocked[p.Package]; len(p.entry.KeptBy) == 0 &&
			(old == nil || old.listing == Ended && p.listing == HeldOff) {
			c.blocked[p.Package] = p
		}
	}
}

// keeps reports whether a wanted payload keeps an app on the device although another one, which is
// off, had brought it. A kiosk app that is not assigned any more is still the kiosk app; one that
// an action removes is not.
func (p *part) keeps(app string, off Listing) bool {
	if p.Kind == App {
		return p.Package == app
	}
	return off == Ended && p.Fields[appPath(app, installTypeOf)] == "KIOSK"
}

// wish collects what is wanted of each field.
func (c *composer) wish() {
	for _, p := range c.parts {
		if p.listing != Wanted {
			continue
		}
		for _, path := range sortedKeys(p.Fields) {
			away := c.blocked[appOf(path)]
			switch {
			case away == nil:
				c.wishes[path] = append(c.wishes[path], wish{p, p.Fields[path]})
			case p.Kind != Configuration:
				p.note("%s is not there: ‘%s’ is removed", away.Package, away.name)
			case away.listing == HeldOff:
				p.leaveOut(codeAppAway, "its app ‘%s’ is removed", away.name)
			default:
				p.leaveOut(codeAppAway, "its app ‘%s’ is not assigned any more", away.name)
			}
		}
	}
}

// hashOf is the SHA-256 of a document, in hexadecimal.
func hashOf(document []byte) string {
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}

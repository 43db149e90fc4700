package console

import (
	"encoding/json"
	"html/template"
	"slices"
)

// platformPages are the pages that one platform alone has, and what it adds to pages that are for
// all. What is nil or empty there is none of.
type platformPages struct {
	platform string // its name (platform.Description)
	routes   []route
	section  *section
	// problem says why devices should not be enrolled at the moment; empty: nothing is known to be
	// wrong.
	problem func(*visit) (string, error)
	// enrollment is another way to enroll devices than a link; empty: the visitor has none.
	enrollment func(*visit) (template.HTML, error)
	// health is how the platform stands, by what the API answered; empty: there is nothing to say.
	health func(v *visit, answer json.RawMessage) (template.HTML, error)
	// verbs are words for what operations do that only it has, as in auditVerbs.
	verbs map[string]string
}

// ownPages are the pages of all platforms that have some. This is the one place of the console where
// they are named.
func ownPages() []*platformPages { return []*platformPages{applePages(), androidPages()} }

// platformPages are those of the server's platforms, in their order.
func (c *console) platformPages() (all []*platformPages) {
	own := ownPages()
	for _, one := range c.config.Platforms {
		for _, pages := range own {
			if pages.platform == one.Name {
				all = append(all, pages)
			}
		}
	}
	return all
}

// sections are the entries of the navigation for the visitor. Those of platforms come after the one
// for new devices.
func (v *visit) sections() (shown []section) {
	all := slices.Clone(navigation)
	at := slices.IndexFunc(all, func(s section) bool { return s.Path == enrollmentPath }) + 1
	for _, pages := range v.platformPages() {
		if pages.section != nil {
			all = slices.Insert(all, at, *pages.section)
			at++
		}
	}
	for _, s := range all {
		if v.may(s.needs...) {
			shown = append(shown, s)
		}
	}
	return shown
}

// platformParts are what platforms add to a page.
func (v *visit) platformParts(
	of func(*platformPages) (template.HTML, error)) (parts []template.HTML, err error) {
	for _, pages := range v.platformPages() {
		part, err := of(pages)
		if err != nil {
			return nil, err
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// platformRoutes are the routes of all platforms.
func platformRoutes() (all []route) {
	for _, pages := range ownPages() {
		all = append(all, pages.routes...)
	}
	return all
}

// platformVerb is the word of a platform for what an operation does; empty: none has one.
func platformVerb(name string) string {
	for _, pages := range ownPages() {
		if verb := pages.verbs[name]; verb != "" {
			return verb
		}
	}
	return ""
}

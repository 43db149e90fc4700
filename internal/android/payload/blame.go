package payload

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// googleNames are what may be names of fields, packages or GUIDs in a text.
var googleNames = regexp.MustCompile(
	`[A-Za-z][A-Za-z0-9_]*(?:[.\[][A-Za-z0-9_-]+\]?)*|[0-9a-f-]{36}`)

// maxBlamed is the most characters of a text, and the most names in it, that are looked at.
const (
	maxBlamed      = 4096
	maxBlamedNames = 100
)

// Blame finds in Google's text of a refused document which payloads it is about, the youngest
// first; none: the text does not tell. Google names fields as JSON has them, or with underscores.
func (c *Composition) Blame(text string) []action.PayloadID {
	text = shortened(text, maxBlamed)
	var found []action.PayloadID
	for _, name := range googleNames.FindAllString(text, maxBlamedNames) {
		for _, id := range c.Manifest.blamed(name) {
			if !slices.Contains(found, id) {
				found = append(found, id)
			}
		}
	}
	age := func(id action.PayloadID) int { return slices.Index(c.ages, id) }
	slices.SortFunc(found, func(a, b action.PayloadID) int { return age(b) - age(a) })
	return found
}

// blamed is whose a name in a text is.
func (m *Manifest) blamed(name string) []action.PayloadID {
	if slices.Contains(m.Packages, name) {
		return m.Owners("applications", "", name, "")
	}
	for id, e := range m.Entries {
		if e.WiFiGUID == name || e.Kind == Certificate && string(id) == name {
			return []action.PayloadID{id}
		}
	}
	return m.Owners("", strings.TrimPrefix(camelCase(name), "policy."), "", "")
}

// camelCase is a name as JSON has it: installType of install_type. What is in brackets stays.
func camelCase(name string) string {
	if name != strings.ToLower(name) {
		return name
	}
	var b strings.Builder
	up := false
	for _, r := range name {
		switch {
		case r == '_':
			up = true
		case up:
			b.WriteRune(unicode.ToUpper(r))
			up = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

package payload

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// finish makes the document and its manifest of what is wished.
func (c *composer) finish() *Composition {
	m := Manifest{Entries: make(map[action.PayloadID]Entry),
		Fields: make(map[string][]action.PayloadID)}
	policy := basePolicy()
	for _, path := range sortedKeys(c.wishes) {
		put(policy, path, c.decide(path, &m))
	}
	for _, app := range sortedKeys(c.blocked) {
		path := appPath(app, installTypeOf)
		put(policy, path, "BLOCKED")
		m.Fields[path] = nil
		for _, p := range c.parts {
			if p.Kind == App && p.Package == app && p.listing != Wanted {
				m.Fields[path] = append(m.Fields[path], p.id)
			}
		}
	}
	m.Packages, m.Scopes = listed(policy, "applications"), listed(policy, "passwordPolicies")
	if wifi, ok := policy[wifiSetting].(map[string]any); ok {
		m.Networks = listed(wifi, "NetworkConfigurations")
		m.Certificates = listed(wifi, "Certificates")
		wifi["Type"] = "UnencryptedConfiguration"
	}
	for _, p := range c.parts {
		if p.listing == HeldOff || p.listing == Ended {
			p.entry.Remains = c.remains(p)
		}
		m.Entries[p.id] = p.entry
	}
	document := canonicalJSON(policy)
	made := &Composition{Document: document, Hash: hashOf(document), Manifest: m}
	for _, p := range c.parts {
		made.ages = append(made.ages, p.id)
	}
	return made
}

// decide makes one value of what is wished of a field, and notes whose it is, and who wanted
// something else.
func (c *composer) decide(path string, m *Manifest) any {
	wishes := c.wishes[path]
	values := make([]any, len(wishes))
	for i, w := range wishes {
		values[i] = w.value
		m.Fields[path] = append(m.Fields[path], w.of.id)
		w.of.entry.Fields = append(w.of.entry.Fields, path)
	}
	r := ruleOf(path)
	value := r.combine(values)
	if r.merges() {
		return value
	}
	var winner *part
	for _, w := range wishes {
		if winner == nil && same(w.value, value) {
			winner = w.of
		}
	}
	for _, w := range wishes {
		if !same(w.value, value) {
			w.of.note("%s is set by ‘%s’", inPlainWords(path), winner.name)
		}
	}
	return value
}

// merges reports whether the rule takes something of every value, so that none loses.
func (r rule) merges() bool { return r.name == "union" || r.name == "personal" }

func same(a, b any) bool { return string(canonicalJSON(a)) == string(canonicalJSON(b)) }

// inPlainWords is what people call a field: the property that sets it, as Graph names it.
func inPlainWords(path string) string {
	if f := fieldOf(path); f != nil && appOf(path) == "" && len(f.properties) > 0 {
		return f.properties[0].Name
	}
	parts := splitPath(path)
	last := parts[len(parts)-1]
	if app := appOf(path); app != "" {
		return fmt.Sprintf("%s of %s", last.name, app)
	}
	if last.key != "" {
		return last.name + " " + last.key
	}
	return last.name
}

// Bounds of what is said about one payload.
const maxTold = 5

// remains says what of a payload that is off stays on the device, because others set it too, and
// which defaults apply to the rest.
func (c *composer) remains(p *part) string {
	var stays, defaults []string
	for _, path := range sortedKeys(p.Fields) {
		wishes := c.wishes[path]
		switch f := fieldOf(path); {
		case len(wishes) > 0 && p.Kind == App:
			stays = append(stays,
				fmt.Sprintf("the app stays: ‘%s’ has it too", wishes[0].of.name))
		case len(wishes) > 0:
			stays = append(stays, fmt.Sprintf("%s stays on: ‘%s’ sets it too", inPlainWords(path),
				wishes[0].of.name))
		case p.Kind == Settings && f != nil && c.blocked[appOf(path)] == nil:
			defaults = append(defaults, f.byDefault)
		case path == vpnPath:
			defaults = append(defaults,
				"no VPN is always on; the VPN app and its configuration stay")
		case p.Kind == Configuration && path == appPath(p.Package, configurationOf):
			defaults = append(defaults, "the app goes on with the defaults of its maker")
		}
	}
	if len(defaults) > 0 {
		word := "the default applies: "
		if len(defaults) > 1 {
			word = "the defaults apply: "
		}
		stays = append(stays[:min(len(stays), maxTold)], word+some(defaults))
	}
	return some(stays)
}

// some is a list in words, cut.
func some(list []string) string {
	if more := len(list) - maxTold; more > 1 {
		return strings.Join(list[:maxTold], "; ") + fmt.Sprintf("; and %d more", more)
	}
	return strings.Join(list, "; ")
}

// Owners finds whom a non-compliance detail concerns: by the GUID of a network, else by the field,
// else by the app. Each may be empty, as in the detail. None: it concerns nothing of ours. The
// scope of a detail on passwordPolicies that has no path may be told as
// passwordPolicies[SCOPE_DEVICE], as ScopedPath does.
func (m *Manifest) Owners(settingName, fieldPath, packageName,
	wifiGUID string) []action.PayloadID {
	var owners []action.PayloadID
	for _, path := range m.concerned(settingName, fieldPath, packageName, wifiGUID) {
		for _, id := range m.Fields[path] {
			if !slices.Contains(owners, id) {
				owners = append(owners, id)
			}
		}
	}
	slices.Sort(owners)
	return owners
}

// Concerned finds which fields of a payload a non-compliance detail concerns. If all details
// together concern all of an entry's Fields, nothing of the payload was applied.
func (m *Manifest) Concerned(id action.PayloadID, settingName, fieldPath, packageName,
	wifiGUID string) []string {
	return slices.DeleteFunc(m.concerned(settingName, fieldPath, packageName, wifiGUID),
		func(path string) bool { return !slices.Contains(m.Fields[path], id) })
}

// concerned is the fields that a detail is about, sorted.
func (m *Manifest) concerned(settingName, fieldPath, packageName, wifiGUID string) []string {
	if wifiGUID != "" {
		return m.within(networkPath(wifiGUID))
	}
	path := m.canonicalPath(fieldPath)
	if path == "" || path == "applications" {
		path = settingName
		if packageName != "" && (settingName == "" || settingName == "applications") {
			path = appPath(packageName, installTypeOf)
		}
	}
	found := m.within(path)
	for parts := splitPath(path); len(found) == 0 && len(parts) > 1; {
		// what nobody set of an element that somebody set concerns whoever set the rest of it
		if parts = parts[:len(parts)-1]; parts[len(parts)-1].key != "" {
			found = m.within(pathOf(parts))
		}
	}
	return found
}

// within lists the fields that are at a path, inside of it, or around it.
func (m *Manifest) within(path string) []string {
	if path == "" {
		return nil
	}
	var found []string
	for _, field := range sortedKeys(m.Fields) {
		if field == path || inPath(field, path) || inPath(path, field) {
			found = append(found, field)
		}
	}
	return found
}

func inPath(inner, outer string) bool {
	rest, ok := strings.CutPrefix(inner, outer)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

// canonicalPath is a device's path with what elements are known by in place of their index. What
// does not stand in this version of the policy is as it was told.
func (m *Manifest) canonicalPath(path string) string {
	lists := map[string][]string{"applications": m.Packages, "passwordPolicies": m.Scopes,
		"NetworkConfigurations": m.Networks, "Certificates": m.Certificates}
	parts := splitPath(path)
	for i, p := range parts {
		index, ok := indexOf(p.key)
		if known, of := lists[p.name]; ok && of && index < len(known) {
			parts[i].key = known[index]
		}
	}
	return pathOf(parts)
}

// indexOf reads an index of a list.
func indexOf(key string) (n int, ok bool) {
	if key == "" || len(key) > 5 {
		return 0, false
	}
	for _, r := range key {
		if r < '0' || r > '9' {
			return 0, false
		}
		n = n*10 + int(r-'0')
	}
	return n, true
}

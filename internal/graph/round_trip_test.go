package graph_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// exported is all that there is of a catalog, as export tools write it down: by name, since what is
// imported has other ids.
func (w *world) exported() map[string]map[string]object {
	w.t.Helper()
	all := make(map[string]map[string]object)
	for set, path := range payloadPaths {
		all[set] = make(map[string]object)
		options := "?$expand=assignments"
		if set == "configurationPolicies" {
			options += ",settings"
		}
		// newer members of enumerations are shown to who asks for them
		for _, one := range w.must(http.StatusOK, "GET", path+options, nil, "Prefer",
			"include-unknown-enum-members").values() {
			name, _ := one["displayName"].(string)
			if policy, ok := one["name"].(string); ok {
				name = policy
			}
			all[set][name] = one
		}
	}
	return all
}

// ownOf are what each import has anew.
var ownOf = []string{"id", "createdDateTime", "lastModifiedDateTime", "@odata.etag", "version"}

// importOrder is the order in which what is referred to comes first.
var importOrder = []string{"mobileApps", "deviceConfigurations", "configurationPolicies",
	"mobileAppConfigurations"}

// TestRoundTrip exports the whole catalog, of every type that there is, with its assignments and
// groups, deletes it, imports what was exported as it is, assigns it as it was assigned, and exports
// the same again.
func TestRoundTrip(t *testing.T) {
	w := newWorld(newMixedSite(t))
	given := w.addCatalog()
	before, groupsBefore := w.exported(), w.exportedGroups()
	for name, body := range given {
		w.holds(before[body.set][name], body)
	}
	r := &reimport{world: w, ids: make(map[string]string)}
	for _, set := range slices.Backward(importOrder) {
		for _, name := range slices.Backward(inOrder(before[set])) {
			w.must(http.StatusNoContent, "DELETE",
				payloadPaths[set]+"/"+before[set][name]["id"].(string), nil)
		}
	}
	for _, one := range groupsBefore {
		w.must(http.StatusNoContent, "DELETE", groups+"/"+one["id"].(string), nil)
	}
	for _, one := range groupsBefore {
		r.group(one)
	}
	for _, set := range importOrder {
		for _, name := range inOrder(before[set]) {
			r.payload(set, before[set][name])
		}
	}
	after, groupsAfter := w.exported(), w.exportedGroups()
	for _, set := range importOrder {
		if len(before[set]) == 0 {
			t.Errorf("there were no %s", set)
		}
		r.same(set, before[set], after[set])
	}
	r.same("groups", groupsBefore, groupsAfter)
}

// inOrder are the names of things, certificates before the networks that refer to them.
func inOrder(things map[string]object) []string {
	later := func(name string) bool { return !strings.Contains(name, "Certificate") }
	names := slices.Sorted(maps.Keys(things))
	return append(slices.DeleteFunc(slices.Clone(names), later),
		slices.DeleteFunc(names, func(name string) bool { return !later(name) })...)
}

// reimport makes again what was exported.
type reimport struct {
	*world
	ids map[string]string // of what was imported, by those of what was exported
}

// renamed is a text in which ids of what was exported are those of what was imported.
func (r *reimport) renamed(text string) string {
	for old, anew := range r.ids {
		text = strings.ReplaceAll(text, old, anew)
	}
	return text
}

func (r *reimport) group(one object) {
	r.t.Helper()
	body := object{}
	for name, value := range one {
		if name != "members" {
			body[name] = value
		}
	}
	id := r.must(http.StatusCreated, "POST", groups, body).body["id"].(string)
	r.ids[one["id"].(string)] = id
	for _, member := range one["members"].([]any) {
		r.must(http.StatusNoContent, "POST", groups+"/"+id+"/members/$ref",
			object{"@odata.id": "https://graph.example/beta/directoryObjects/" +
				member.(object)["id"].(string)})
	}
}

func (r *reimport) payload(set string, one object) {
	r.t.Helper()
	body := object{}
	for name, value := range one {
		if name != "assignments" {
			body[name] = value
		}
	}
	a := r.call("POST", payloadPaths[set], r.renamed(asText(r.t, body)))
	if a.status != http.StatusCreated {
		r.t.Fatalf("%s %s as it was exported: %s", set, one["displayName"], a)
	}
	id := a.body["id"].(string)
	r.ids[one["id"].(string)] = id
	parameter := "assignments"
	if set == "mobileApps" {
		parameter = "mobileAppAssignments"
	}
	a = r.call("POST", payloadPaths[set]+"/"+id+"/assign",
		r.renamed(asText(r.t, object{parameter: one["assignments"]})))
	if a.status >= http.StatusMultipleChoices {
		r.t.Errorf("%s %s as it was assigned: %s", set, one["displayName"], a)
	}
}

// same holds what was exported again against what was exported before.
func (r *reimport) same(set string, before, after map[string]object) {
	r.t.Helper()
	if len(after) != len(before) {
		r.t.Errorf("%s: %d, and %d before", set, len(after), len(before))
	}
	for name, one := range before {
		again := after[name]
		for _, own := range ownOf {
			delete(one, own)
			delete(again, own)
		}
		if want, got := r.renamed(asText(r.t, one)), asText(r.t, again); got != want {
			r.t.Errorf("%s %s: exported again\n%s\nand before\n%s", set, name, got, want)
		}
	}
}

func asText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

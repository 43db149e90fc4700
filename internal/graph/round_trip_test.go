package graph_test

import (
	"encoding/json"
	"net/http"
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
		for _, one := range w.must(http.StatusOK, "GET", path+options, nil).values() {
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

// TestRoundTrip exports the whole catalog, deletes it, imports what was exported as it is, assigns
// it as it was assigned, and exports the same again.
func TestRoundTrip(t *testing.T) {
	w := newWorld(newSite(t))
	before := w.exported()
	ids := map[string]string{} // of what was exported, by those of what was imported
	order := []string{"mobileAppConfigurations", "configurationPolicies", "deviceConfigurations",
		"mobileApps"}
	for _, set := range order {
		for _, one := range before[set] {
			w.must(http.StatusNoContent, "DELETE", payloadPaths[set]+"/"+one["id"].(string), nil)
		}
	}
	for i := len(order) - 1; i >= 0; i-- {
		set := order[i]
		for name, one := range before[set] {
			body := object{}
			for property, value := range one {
				if property != "assignments" && property != "assignments@odata.context" {
					body[property] = value
				}
			}
			// an app's id is another one now, in what refers to it
			text, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			for old, anew := range ids {
				text = []byte(strings.ReplaceAll(string(text), old, anew))
			}
			a := w.call("POST", payloadPaths[set], string(text))
			if a.status != http.StatusCreated {
				t.Fatalf("%s %s as it was exported: %s", set, name, a)
			}
			id := a.body["id"].(string)
			ids[one["id"].(string)] = id
			parameter := "assignments"
			if set == "mobileApps" {
				parameter = "mobileAppAssignments"
			}
			a = w.call("POST", payloadPaths[set]+"/"+id+"/assign",
				object{parameter: one["assignments"]})
			if a.status >= http.StatusMultipleChoices {
				t.Errorf("%s %s as it was assigned: %s", set, name, a)
			}
		}
	}
	after := w.exported()
	for set := range payloadPaths {
		if len(after[set]) != len(before[set]) || len(before[set]) == 0 {
			t.Errorf("%s: %d, and %d before", set, len(after[set]), len(before[set]))
		}
		for name, one := range before[set] {
			again := after[set][name]
			for _, own := range ownOf {
				delete(one, own)
				delete(again, own)
			}
			want, got := asText(t, one), asText(t, again)
			for old, anew := range ids {
				want = strings.ReplaceAll(want, old, anew)
			}
			if got != want {
				t.Errorf("%s %s: exported again\n%s\nand before\n%s", set, name, got, want)
			}
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

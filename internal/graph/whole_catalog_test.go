package graph_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"

	android "github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
)

// catalogEntry is a thing of test/clients/catalog.json. What has a name can be referred to by later
// ones, as {name}.
type catalogEntry struct {
	Name, Path string
	Body       object
	set        string // the last part of the path
}

// wholeCatalog is one thing of every type: the file's, and the examples of typed configurations.
func (w *world) wholeCatalog() (all []catalogEntry) {
	w.t.Helper()
	w.readJSON("../../test/clients/catalog.json", &all)
	files, err := filepath.Glob("../apple/payload/testdata/typed/*.json")
	if err != nil || len(files) == 0 {
		w.t.Fatalf("no examples of typed configurations: %v", err)
	}
	for _, file := range files {
		e := catalogEntry{Path: configurations}
		w.readJSON(file, &e.Body)
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		e.Body["@odata.type"], e.Body["displayName"] = "#microsoft.graph."+name, name
		all = append(all, e)
	}
	there := make(map[string]bool)
	for i, e := range all {
		all[i].set = path.Base(e.Path)
		there[strings.TrimPrefix(e.Body["@odata.type"].(string), "#microsoft.graph.")] = true
	}
	for _, form := range append(payload.Forms(), android.Forms()...) {
		if form.Refused == "" && !there[form.Type] {
			w.t.Errorf("%s has no example: add one to test/clients/catalog.json", form.Type)
		}
	}
	return all
}

func (w *world) readJSON(file string, into any) {
	w.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	w.decode(text, into)
}

// decode reads JSON with its numbers as they are written.
func (w *world) decode(text []byte, into any) {
	w.t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		w.t.Fatalf("%v in %.200s", err, text)
	}
}

// addCatalog makes all of it, assigned in every way that there is, and returns the bodies by the
// names of the things.
func (w *world) addCatalog() map[string]catalogEntry {
	w.t.Helper()
	ids, given := make(map[string]string), make(map[string]catalogEntry)
	wanted, unwanted := w.newGroup(), w.newGroup()
	w.must(http.StatusNoContent, "POST", groups+"/"+wanted+"/members/$ref",
		memberReference(w.device))
	target := func(kind, group string) object {
		to := object{"@odata.type": "#microsoft.graph." + kind + "AssignmentTarget"}
		if group != "" {
			to["groupId"] = group
		}
		return object{"intent": "required", "target": to}
	}
	assigned := [][]object{
		{target("group", wanted)},
		{target("allDevices", ""), target("exclusionGroup", unwanted)},
		{target("group", wanted), target("exclusionGroup", unwanted)},
		{},
	}
	for i, e := range w.wholeCatalog() {
		text := asText(w.t, e.Body)
		for name, id := range ids {
			text = strings.ReplaceAll(text, "{"+name+"}", id)
		}
		w.decode([]byte(text), &e.Body)
		id := w.must(http.StatusCreated, "POST", e.Path, text).body["id"].(string)
		ids[e.Name] = id
		parameter, list := "assignments", assigned[i%len(assigned)]
		if e.set == "mobileApps" {
			parameter = "mobileAppAssignments"
		} else {
			plain := []object{}
			for _, one := range list {
				plain = append(plain, object{"target": one["target"]})
			}
			list = plain
		}
		if a := w.call("POST", e.Path+"/"+id+"/assign",
			object{parameter: list}); a.status >= http.StatusMultipleChoices {
			w.t.Errorf("assigning %s: %s", e.Body["@odata.type"], a)
		}
		name, _ := e.Body["displayName"].(string)
		if e.set == "configurationPolicies" {
			name, _ = e.Body["name"].(string)
		}
		given[name] = e
	}
	return given
}

// holds reports what an export lacks of the body that the thing was made of.
func (w *world) holds(exported object, made catalogEntry) {
	w.t.Helper()
	for name, value := range made.Body {
		if name == "@odata.type" && made.set == "configurationPolicies" {
			continue // there is but one type, and answers do not name it
		}
		if related, bound := strings.CutSuffix(name, "@odata.bind"); bound { // an address with the id
			address := value.(string)
			name, value = related, address[strings.LastIndexByte(address, '(')+2:len(address)-2]
		}
		if !contains(exported[name], value) {
			w.t.Errorf("%s.%s was made as %s, and is exported as %s", made.Body["@odata.type"], name,
				asText(w.t, value), asText(w.t, exported[name]))
		}
	}
}

// contains reports whether a value has all that another one has.
func contains(has, wanted any) bool {
	switch wanted := wanted.(type) {
	case object:
		of, ok := has.(object)
		for name, value := range wanted {
			ok = ok && contains(of[name], value)
		}
		return ok
	case []any:
		of, ok := has.([]any)
		ok = ok && len(of) == len(wanted)
		for i := range wanted {
			ok = ok && contains(of[i], wanted[i])
		}
		return ok
	default:
		return reflect.DeepEqual(has, wanted)
	}
}

// exportedGroups are the groups to which nothing of the site's own refers, with their members.
func (w *world) exportedGroups() map[string]object {
	w.t.Helper()
	all := make(map[string]object)
	for _, one := range w.must(http.StatusOK, "GET", groups+"?$expand=members", nil).values() {
		if id := one["id"]; id != w.group && id != w.crowd && id != w.otherGroup {
			all[one["displayName"].(string)] = one
		}
	}
	return all
}

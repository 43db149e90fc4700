package graph_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// conflict holds an answer that refuses a change because of If-Match.
func conflict(t *testing.T, a answer) {
	t.Helper()
	if a.status != http.StatusPreconditionFailed || a.code() != "PreconditionFailed" ||
		at(a.body, "error", "target") != "If-Match" {
		t.Errorf("got %s, want 412", a)
	}
	checkError(t, a)
}

// Every kind of thing of the catalog and every role has a tag, which changes with it, and guards
// its changes.
func TestEntityTags(t *testing.T) {
	w := newWorld(newSite(t))
	for set, path := range map[string]string{"deviceConfigurations": configurations,
		"mobileApps": apps, "mobileAppConfigurations": appSettings,
		"roleDefinitions": "/beta/deviceManagement/roleDefinitions",
		"roleAssignments": "/beta/deviceManagement/roleAssignments"} {
		var created answer
		switch set {
		case "roleDefinitions":
			created = w.must(http.StatusCreated, "POST", path, w.roleBody())
		case "roleAssignments":
			created = w.must(http.StatusCreated, "POST", path, w.assignmentBody())
		default:
			created = w.must(http.StatusCreated, "POST", path, w.payloadBody(set))
		}
		one, first := path+"/"+created.body["id"].(string), created.header.Get("ETag")
		read := w.must(http.StatusOK, "GET", one, nil)
		if first == "" || read.header.Get("ETag") != first {
			t.Errorf("%s: tag %q when made, %q when read", set, first, read.header.Get("ETag"))
		}
		if shown := read.body["@odata.etag"]; shown != first {
			t.Errorf("%s: @odata.etag is %v", set, shown)
		}
		name := func(n string) object { return object{"displayName": set + n} }
		// The clock stands still, and a name alone is no new version: the tag changes all the same.
		second := w.must(http.StatusOK, "PATCH", one, name("a"), "If-Match",
			first).header.Get("ETag")
		if second == first || second == "" {
			t.Errorf("%s: the tag is %q after a change, as before", set, second)
		}
		conflict(t, w.call("PATCH", one, name("b"), "If-Match", first))
		conflict(t, w.call("DELETE", one, nil, "If-Match", first))
		conflict(t, w.call("DELETE", one, nil, "If-Match", `"x", W/"y"`))
		if got := w.must(http.StatusOK, "GET", one, nil); got.body["displayName"] != set+"a" ||
			got.header.Get("ETag") != second {
			t.Errorf("%s: a refused change was made: %s", set, got)
		}
		w.must(http.StatusOK, "PATCH", one, name("c"), "If-Match",
			`"x" , `+strings.TrimPrefix(second, "W/"))
		w.must(http.StatusOK, "PATCH", one, name("d"), "If-Match", "*")
		w.must(http.StatusBadRequest, "PATCH", one, name("e"), "If-Match", "x")
		w.must(http.StatusBadRequest, "PATCH", one, name("e"), "If-Match", `"x`)
		w.must(http.StatusNoContent, "DELETE", one, nil, "If-Match",
			w.must(http.StatusOK, "GET", one, nil).header.Get("ETag"))
		w.must(http.StatusNotFound, "DELETE", one, nil, "If-Match", first)
	}
}

func TestTagsInLists(t *testing.T) {
	s := newSite(t)
	id := s.addProfile("wifi")
	tag := s.must(http.StatusOK, "GET", configurations+"/"+id+"?$select=id", nil).header.Get("ETag")
	if listed := s.must(http.StatusOK, "GET", configurations+"?$select=displayName",
		nil).values()[0]["@odata.etag"]; listed != tag || tag == "" {
		t.Errorf("listed with %v, read with %q", listed, tag)
	}
	group := s.must(http.StatusCreated, "POST", groups, object{"displayName": "a"})
	path := groups + "/" + group.body["id"].(string)
	conflict(t, s.call("DELETE", path, nil, "If-Match", tag))
	s.must(http.StatusNoContent, "DELETE", path, nil, "If-Match", group.header.Get("ETag"))
}

// Two who assign the same policy do not undo one another.
func TestTagOfAssignments(t *testing.T) {
	s := newSite(t)
	one := configurations + "/" + s.addProfile("wifi")
	list := s.must(http.StatusOK, "GET", one+"/assignments", nil).header.Get("ETag")
	whole := s.must(http.StatusOK, "GET", one, nil).header.Get("ETag")
	s.must(http.StatusOK, "POST", one+"/assign", object{"assignments": []object{}}, "If-Match",
		list)
	conflict(t, s.call("POST", one+"/assign", toAllDevices("assignments"), "If-Match", list))
	s.must(http.StatusOK, "POST", one+"/assign", toAllDevices("assignments"), "If-Match", whole)
	if a := s.must(http.StatusOK, "GET", one+"/assignments", nil); len(a.values()) != 1 {
		t.Errorf("assigned %s", a)
	}
}

func TestNotModified(t *testing.T) {
	s := newSite(t)
	one := configurations + "/" + s.addProfile("wifi")
	tag := s.must(http.StatusOK, "GET", one, nil).header.Get("ETag")
	a := s.must(http.StatusNotModified, "GET", one, nil, "If-None-Match", `"x", `+tag)
	if len(a.text) != 0 || a.header.Get("ETag") != tag {
		t.Errorf("got %v %s", a.header, a)
	}
	s.must(http.StatusOK, "GET", one, nil, "If-None-Match", `"x"`)
	s.must(http.StatusOK, "PATCH", one, object{"displayName": "x"})
	s.must(http.StatusOK, "GET", one, nil, "If-None-Match", tag)
	// The tag of a device is not that of all that is shown of it.
	p := s.enrollPhone()
	s.must(http.StatusOK, "GET", p.path(), nil, "If-None-Match",
		s.must(http.StatusOK, "GET", p.path(), nil).header.Get("ETag"))
}

func TestIfMatchElsewhere(t *testing.T) {
	s := newSite(t)
	for _, tt := range []struct{ method, path string }{{"POST", groups}, {"GET", groups},
		{"POST", configurations}, {"PATCH", devices + "/x"}} {
		a := s.call(tt.method, tt.path, object{"displayName": "x"}, "If-Match", `"x"`)
		if a.status != http.StatusBadRequest || at(a.body, "error", "target") != "If-Match" {
			t.Errorf("%s %s: got %s", tt.method, tt.path, a)
		}
	}
	s.must(http.StatusOK, "GET", groups, nil, "If-Match", "*")
}

// TestTagOfTheSet: the action can be made for the set that a caller has seen.
func TestTagOfTheSet(t *testing.T) {
	s := newSite(t)
	wifi, mail := s.addProfile("wifi"), s.addApp("mail")
	p := s.enrollPhone()
	payloads := "/api/devices/" + string(p.id) + "/payloads"
	tag := func() string {
		t.Helper()
		own, device := s.must(http.StatusOK, "GET", payloads, nil).header.Get("ETag"),
			s.must(http.StatusOK, "GET", p.path(), nil).header.Get("ETag")
		if own == "" || own != device {
			t.Errorf("the payloads have the tag %q, the device %q", own, device)
		}
		return own
	}
	post := func(ifMatch string, set ...object) answer {
		return s.call("POST", p.path()+"/syncPayloads",
			object{"deviceActionPayloads": append([]object{}, set...)}, "If-Match", ifMatch)
	}
	first := tag()
	if a := post(first, config(wifi)); a.status != http.StatusNoContent {
		t.Fatalf("got %s", a)
	}
	conflict(t, post(first, app(mail)))
	second := tag()
	p.connect()
	if now := tag(); second == first || now != second {
		t.Errorf("tags %q, then %q, and %q when the device had done it", first, second, now)
	}
	if a := post(second, config(wifi), app(mail)); a.status != http.StatusNoContent {
		t.Fatalf("got %s", a)
	}
	conflict(t, s.call("POST", p.path()+"/changeAssignments",
		object{"deviceAssignmentItems": []object{}}, "If-Match", second))
	checkResult(t, p.result("syncPayloads"), "pending",
		map[string]string{wifi: "remove removed", mail: "remove inProgress"})
	third := tag()
	s.clock.Advance(9 * 3600e9) // the server restores by itself
	if err := s.engine.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := post(third); a.status != http.StatusPreconditionFailed {
		t.Errorf("after the server restored: got %s", a)
	}
	if a := post("*"); a.status != http.StatusNoContent {
		t.Errorf("got %s", a)
	}
}

// Of many who change the same set at once, each having seen it, one wins.
func TestOneWinsTheSet(t *testing.T) {
	s := newSite(t)
	var names []string
	for i := range 8 {
		names = append(names, s.addProfile(fmt.Sprint("p", i)))
	}
	p := s.enrollPhone()
	tag := s.must(http.StatusOK, "GET", p.path(), nil).header.Get("ETag")
	statuses := make([]int, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			statuses[i] = s.call("POST", p.path()+"/syncPayloads",
				object{"deviceActionPayloads": []object{config(name)}}, "If-Match", tag).status
		})
	}
	wg.Wait()
	won := 0
	for _, status := range statuses {
		switch status {
		case http.StatusNoContent:
			won++
		case http.StatusPreconditionFailed:
		default:
			t.Errorf("statuses %v", statuses)
		}
	}
	if won != 1 {
		t.Errorf("%d won: %v", won, statuses)
	}
}

// A list shows the tag that each of its things has by itself.
func TestEntityTagsInLists(t *testing.T) {
	w := newWorld(newSite(t))
	for _, path := range []string{configurations, apps, appSettings, policiesPath, groups,
		"/beta/deviceManagement/roleDefinitions",
		"/beta/deviceManagement/roleAssignments"} {
		list := w.must(http.StatusOK, "GET", path+"?$select=id", nil).values()
		if len(list) == 0 {
			t.Errorf("%s is empty", path)
		}
		for _, one := range list {
			got := w.must(http.StatusOK, "GET", path+"/"+one["id"].(string), nil)
			if one["@odata.etag"] == nil || one["@odata.etag"] != got.header.Get("ETag") ||
				got.body["@odata.etag"] != one["@odata.etag"] {
				t.Errorf("%s: the tag is %v in the list, %q of it alone, %v in its body", path,
					one["@odata.etag"], got.header.Get("ETag"), got.body["@odata.etag"])
			}
		}
	}
}

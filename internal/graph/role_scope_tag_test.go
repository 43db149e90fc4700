package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
)

func TestScopeTags(t *testing.T) {
	s := newSite(t)
	made := s.must(http.StatusCreated, "POST", scopeTags,
		object{"@odata.type": "#microsoft.graph.roleScopeTag", "id": nil, "displayName": "Munich",
			"description": "d", "isBuiltIn": false})
	path := scopeTags + "/" + made.body["id"].(string)
	if made.header.Get("Location") != s.URL+path || made.body["isBuiltIn"] != false {
		t.Errorf("made %s", made)
	}
	if a := s.must(http.StatusOK, "PATCH", path,
		object{"displayName": "Berlin",
			"id": made.body["id"]}); a.body["displayName"] != "Berlin" ||
		a.body["description"] != "d" {
		t.Errorf("edited to %s", a)
	}
	if a := s.must(http.StatusOK, "GET", path+"?$select=displayName",
		nil); a.body["displayName"] != "Berlin" || a.body["description"] != nil {
		t.Errorf("got %s", a)
	}
	var seen []string
	for link := scopeTags + "?$top=1"; link != ""; {
		a := s.must(http.StatusOK, "GET", link, nil)
		for _, v := range a.values() {
			seen = append(seen, fmt.Sprint(v["id"], v["displayName"], v["isBuiltIn"]))
		}
		link, _ = a.body["@odata.nextLink"].(string)
	}
	if !slices.Equal(seen, []string{"0Defaulttrue", "1Berlinfalse"}) {
		t.Errorf("tags are %v", seen)
	}
	for _, body := range []object{{}, {"displayName": "berlin"}, {"displayName": "x", "colour": 1},
		{"displayName": 1}, {"displayName": "x", "@odata.type": "#microsoft.graph.group"},
		{"displayName": "x", "assignments@odata.bind": []string{}}} {
		if a := s.call("POST", scopeTags, body); a.status != http.StatusBadRequest {
			t.Errorf("%v: got %s", body, a)
		}
	}
	s.must(http.StatusConflict, "PATCH", scopeTags+"/0", object{"displayName": "x"})
	s.must(http.StatusConflict, "DELETE", scopeTags+"/0", nil)
	s.must(http.StatusNoContent, "DELETE", path, nil)
	for _, gone := range []string{path, scopeTags + "/00", scopeTags + "/x"} {
		s.must(http.StatusNotFound, "GET", gone, nil)
	}
}

// A tag that a device or an app carries stays.
func TestScopeTagInUse(t *testing.T) {
	s := newSite(t)
	tag := s.newScopeTag("Munich")
	p := s.enrollPhone()
	s.must(http.StatusOK, "PATCH", p.path(), object{"roleScopeTagIds": []string{tag}})
	if a := s.must(http.StatusConflict, "DELETE", scopeTags+"/"+tag, nil); a.code() != "Conflict" {
		t.Errorf("deleting it: %s", a)
	}
	s.must(http.StatusOK, "PATCH", p.path(), object{"roleScopeTagIds": []string{"0"}})
	s.must(http.StatusNoContent, "DELETE", scopeTags+"/"+tag, nil)
}

package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

func TestGroups(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	mac := s.enroll(fleet.Device{Name: "Mac", UDID: "m", Platform: fleet.MacOS})
	a := s.must(http.StatusCreated, "POST", groups,
		object{"displayName": "School", "description": "all", "mailEnabled": false,
			"mailNickname": "school", "securityEnabled": true})
	path := groups + "/" + a.body["id"].(string)
	if a.body["displayName"] != "School" || a.body["securityEnabled"] != true ||
		a.header.Get("Location") != s.URL+path {
		t.Errorf("created %s", a)
	}
	for _, body := range []object{{}, {"displayName": "x", "mailEnabled": true},
		{"displayName": "x", "securityEnabled": false},
		{"displayName": "x", "groupTypes": []string{"Unified"}},
		{"displayName": strings.Repeat("x", 300)}} {
		s.must(http.StatusBadRequest, "POST", groups, body)
	}
	references := path + "/members/$ref"
	for _, set := range []string{"directoryObjects", "devices", "deviceManagement/managedDevices"} {
		s.must(http.StatusNoContent, "POST", references,
			object{"@odata.id": s.URL + "/beta/" + set + "/" + strings.ToUpper(string(p.id))})
	}
	s.must(http.StatusNoContent, "POST", references,
		object{"@odata.id": "https://graph.microsoft.com/v1.0/devices/" + string(mac.id)})
	for _, body := range []object{{}, {"@odata.id": ""}, {"@odata.id": string(p.id)},
		{"@odata.id": s.URL + "/users/" + string(p.id)},
		{"@odata.id": s.URL + "/devices/"}, {"@odata.id": s.URL + "/devices/" + string(p.id),
			"id": "x"}, {"@odata.id": "%zz"}} {
		if a := s.call("POST", references, body); a.status != http.StatusBadRequest {
			t.Errorf("%v: got %s", body, a)
		}
	}
	s.must(http.StatusNotFound, "POST", references,
		object{"@odata.id": s.URL + "/devices/0b8ccbe0-5c39-4f0a-9c3c-000000000001"})
	var seen []string
	for link := path + "/members?$top=1"; link != ""; {
		a := s.must(http.StatusOK, "GET", link, nil)
		for _, v := range a.values() {
			seen = append(seen, fmt.Sprint(v["@odata.type"], v["displayName"]))
		}
		link, _ = a.body["@odata.nextLink"].(string)
	}
	slices.Sort(seen)
	if !slices.Equal(seen, []string{"#microsoft.graph.deviceAnna's iPhone",
		"#microsoft.graph.deviceMac"}) {
		t.Errorf("members are %v", seen)
	}
	s.must(http.StatusNoContent, "DELETE", path+"/members/"+string(mac.id)+"/$ref", nil)
	s.must(http.StatusNotFound, "DELETE", path+"/members/"+string(mac.id)+"/$ref", nil)
	if list := s.must(http.StatusOK, "GET", references, nil).values(); len(list) != 1 ||
		list[0]["@odata.id"] != s.URL+p.path() {
		t.Errorf("references are %v", list)
	}
	if list := s.must(http.StatusOK, "GET", groups+"?$select=displayName",
		nil).values(); len(list) != 1 || len(list[0]) != 2 {
		t.Errorf("groups are %v", list)
	}
	s.must(http.StatusNoContent, "DELETE", path, nil)
	for _, gone := range []string{path, path + "/members", references} {
		s.must(http.StatusNotFound, "GET", gone, nil)
	}
}

// $expand=members shows the first twenty members, in a list and of one group, with a link to the
// rest.
func TestExpandMembers(t *testing.T) {
	s := newSite(t)
	path := groups + "/" + s.must(http.StatusCreated, "POST", groups,
		object{"displayName": "all"}).body["id"].(string)
	empty := groups + "/" + s.must(http.StatusCreated, "POST", groups,
		object{"displayName": "none"}).body["id"].(string)
	for i := range 22 {
		p := s.enroll(fleet.Device{Name: fmt.Sprint("phone ", i), UDID: fmt.Sprint(i),
			Platform: fleet.IOS})
		s.must(http.StatusNoContent, "POST", path+"/members/$ref", memberReference(string(p.id)))
	}
	list := s.must(http.StatusOK, "GET",
		groups+"?$expand=members&$select=id&$filter=displayName%20eq%20'all'", nil).values()
	for _, g := range []object{s.must(http.StatusOK, "GET", path+"?$select=id&$expand=members",
		nil).body, list[0]} {
		shown, _ := g["members"].([]any)
		if len(shown) != 20 || at(shown, 0, "@odata.type") != "#microsoft.graph.device" ||
			g["displayName"] != nil {
			t.Fatalf("expanded %v", g)
		}
		seen := map[any]bool{}
		for _, m := range append(shown, s.must(http.StatusOK, "GET",
			g["members@odata.nextLink"].(string), nil).body["value"].([]any)...) {
			seen[at(m, "id")] = true
		}
		if len(seen) != 22 {
			t.Errorf("%d members were shown", len(seen))
		}
	}
	if g := s.must(http.StatusOK, "GET", empty+"?$expand=members",
		nil).body; len(g["members"].([]any)) != 0 || g["members@odata.nextLink"] != nil {
		t.Errorf("an empty group is %v", g)
	}
	if g := s.must(http.StatusOK, "GET", empty, nil).body; g["members"] != nil {
		t.Errorf("a group is %v", g)
	}
	s.must(http.StatusBadRequest, "GET", groups+"?$expand=owners", nil)
}

package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const (
	definitions = "/beta/deviceManagement/roleDefinitions"
	assignments = "/beta/deviceManagement/roleAssignments"
	scopeTags   = "/beta/deviceManagement/roleScopeTags"
)

// allowing is rolePermissions that allow and do not allow resource actions.
func allowing(allowed []access.Right, denied ...access.Right) []object {
	return []object{{"resourceActions": []object{{"allowedResourceActions": allowed,
		"notAllowedResourceActions": denied}}}}
}

func rightsIn(role map[string]any) []string {
	var found []string
	list, _ := at(role, "rolePermissions", 0, "resourceActions", 0,
		"allowedResourceActions").([]any)
	for _, r := range list {
		found = append(found, fmt.Sprint(r))
	}
	return found
}

func TestRoleDefinitions(t *testing.T) {
	s := newSite(t)
	for _, r := range s.must(http.StatusOK, "GET", definitions, nil).values() {
		if r["isBuiltIn"] != true || r["isBuiltInRoleDefinition"] != true ||
			len(rightsIn(r)) == 0 ||
			r["@odata.type"] != "#microsoft.graph.deviceAndAppManagementRoleDefinition" {
			t.Errorf("a role is %v", r)
		}
	}
	made := s.must(http.StatusCreated, "POST", definitions,
		object{"@odata.type": "#microsoft.graph.roleDefinition", "id": "",
			"displayName": "Night shift",
			"description": "at night", "isBuiltIn": false, "isBuiltInRoleDefinition": false,
			"roleScopeTagIds": []string{"0"},
			"rolePermissions": allowing([]access.Right{access.SyncDevices, access.ReadDevices,
				access.ReadApps}, access.ReadApps)})
	path := definitions + "/" + made.body["id"].(string)
	if made.header.Get("Location") != s.URL+path ||
		!slices.Equal(rightsIn(made.body), []string{string(access.ReadDevices),
			string(access.SyncDevices)}) {
		t.Errorf("made %s", made)
	}
	got := s.must(http.StatusOK, "GET", path, nil)
	if fmt.Sprint(got.body) != fmt.Sprint(made.body) {
		t.Errorf("got %s, made %s", got, made)
	}
	// What a client got it gives back, with one thing changed.
	echo := object{}
	for name, v := range got.body {
		echo[name] = v
	}
	echo["displayName"] = "Day shift"
	if a := s.must(http.StatusOK, "PATCH", path, echo); a.body["displayName"] != "Day shift" ||
		a.body["description"] != "at night" || len(rightsIn(a.body)) != 2 {
		t.Errorf("edited to %s", a)
	}
	// The older forms.
	for _, permissions := range []object{
		{"permissions": []object{{"actions": []access.Right{access.ReadGroups}}}},
		{"rolePermissions": []object{{"actions": []access.Right{access.ReadApps},
			"resourceActions": allowing([]access.Right{access.ReadGroups})[0]["resourceActions"]}}},
	} {
		if a := s.must(http.StatusOK, "PATCH", path, permissions); !slices.Equal(rightsIn(a.body),
			[]string{string(access.ReadGroups)}) {
			t.Errorf("%v made %s", permissions, a)
		}
	}
	if a := s.must(http.StatusOK, "PATCH", path,
		object{"rolePermissions": []object{}}); len(rightsIn(a.body)) != 0 {
		t.Errorf("without permissions: %s", a)
	}
	var names []string
	for link := definitions + "?$top=2&$select=displayName"; link != ""; {
		a := s.must(http.StatusOK, "GET", link, nil)
		for _, v := range a.values() {
			names = append(names, fmt.Sprint(v["displayName"], len(v)))
		}
		link, _ = a.body["@odata.nextLink"].(string)
	}
	slices.Sort(names)
	if want := []string{"Administrator3", "Day shift3", "Help Desk Operator3",
		"Read Only Operator3", "School Administrator3"}; !slices.Equal(names, want) {
		t.Errorf("roles are %v", names)
	}
	s.must(http.StatusNoContent, "DELETE", path, nil)
	s.must(http.StatusNotFound, "GET", path, nil)
	for _, call := range []struct {
		method string
		body   any
	}{{"PATCH", object{"displayName": "Boss"}}, {"DELETE", nil}} {
		if a := s.must(http.StatusConflict, call.method, definitions+"/"+access.Administrator,
			call.body); a.code() != "Conflict" {
			t.Errorf("%s of a built-in role: %s", call.method, a)
		}
	}
}

func TestRoleDefinitionRefuses(t *testing.T) {
	s := newSite(t)
	made := s.must(http.StatusCreated, "POST", definitions, object{"displayName": "Taken"})
	for _, tt := range []struct {
		body   object
		target string
	}{
		{object{}, "displayName"},
		{object{"displayName": "taken"}, "displayName"},
		{object{"displayName": "Administrator"}, "displayName"},
		{object{"displayName": 1}, "displayName"},
		{object{"displayName": "x", "colour": "red"}, "colour"},
		{object{"displayName": "x", "roleScopeTagIds": []string{"1"}}, "roleScopeTagIds"},
		{object{"displayName": "x", "@odata.type": "#microsoft.graph.group"}, "@odata.type"},
		{object{"displayName": "x", "roleAssignments@odata.bind": []string{}},
			"roleAssignments@odata.bind"},
		{object{"displayName": "x", "rolePermissions": "all"}, "rolePermissions"},
		{object{"displayName": "x", "rolePermissions": []object{{"actions": "all"}}},
			"rolePermissions[0].actions"},
		{object{"displayName": "x", "rolePermissions": []object{{"colour": 1}}},
			"rolePermissions[0].colour"},
		{object{"displayName": "x",
			"rolePermissions": []object{{"resourceActions": []object{{"colour": 1}}}}},
			"rolePermissions[0].resourceActions[0].colour"},
		{object{"displayName": "x", "rolePermissions": allowing([]access.Right{access.ReadApps,
			"Microsoft.Intune_RemoteTasks_Wipe"})},
			"rolePermissions[0].resourceActions[0].allowedResourceActions[1]"},
		{object{"displayName": "x", "rolePermissions": allowing(nil, "x")},
			"rolePermissions[0].resourceActions[0].notAllowedResourceActions[0]"},
		{object{"displayName": "x", "permissions": allowing([]access.Right{access.ReadApps}),
			"rolePermissions": allowing(nil)}, "rolePermissions"},
	} {
		if a := s.call("POST", definitions, tt.body); a.status != http.StatusBadRequest ||
			at(a.body, "error", "target") != tt.target {
			t.Errorf("%v: got %s, want 400 for %s", tt.body, a, tt.target)
		}
	}
	path := definitions + "/" + made.body["id"].(string)
	for _, body := range []object{{"displayName": ""}, {"displayName": nil}} {
		if a := s.call("PATCH", path, body); a.status != http.StatusBadRequest {
			t.Errorf("%v: got %s", body, a)
		}
	}
	for _, link := range []string{path + "?$expand=users", definitions + "?$expand=users",
		definitions + "?$select=colour"} {
		s.must(http.StatusBadRequest, "GET", link, nil)
	}
}

// Every right is listed with words for it.
func TestResourceOperations(t *testing.T) {
	s := newSite(t)
	var seen []string
	for link := "/beta/deviceManagement/resourceOperations?$top=20"; link != ""; {
		a := s.must(http.StatusOK, "GET", link, nil)
		for _, v := range a.values() {
			seen = append(seen, fmt.Sprint(v["id"]))
			for _, name := range []string{"resource", "resourceName", "actionName", "description"} {
				if text, _ := v[name].(string); text == "" {
					t.Errorf("%v has no %s", v["id"], name)
				}
			}
		}
		link, _ = a.body["@odata.nextLink"].(string)
	}
	var want []string
	for _, r := range access.Rights() {
		want = append(want, string(r))
	}
	slices.Sort(want)
	if !slices.Equal(seen, want) {
		t.Errorf("listed %v, want %v", seen, want)
	}
}

package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

func (s *site) newGroup(name string) string {
	s.t.Helper()
	return s.must(http.StatusCreated, "POST", groups,
		object{"displayName": name}).body["id"].(string)
}

func (s *site) newScopeTag(name string) string {
	s.t.Helper()
	return s.must(http.StatusCreated, "POST", scopeTags,
		object{"displayName": name}).body["id"].(string)
}

// boundTo is a reference to a role.
func boundTo(role string) string {
	return "https://graph.microsoft.com/beta/deviceManagement/roleDefinitions('" + role + "')"
}

func TestRoleAssignments(t *testing.T) {
	s := newSite(t)
	school, campus := s.newGroup("School"), s.newGroup("Campus")
	tag := s.newScopeTag("Munich")
	made := s.must(http.StatusCreated, "POST", assignments,
		object{"@odata.type": "#microsoft.graph.deviceAndAppManagementRoleAssignment", "id": "",
			"displayName": "Desk", "description": "of Munich",
			"members":      []string{"user:anna", "desk"},
			"scopeMembers": []string{}, "resourceScopes": []string{school},
			"roleScopeTagIds":           []string{tag},
			"roleDefinition@odata.bind": boundTo(access.HelpDeskOperator)})
	path := assignments + "/" + made.body["id"].(string)
	if made.header.Get("Location") != s.URL+path || made.body["scopeType"] != "resourceScope" ||
		fmt.Sprint(made.body["resourceScopes"]) != fmt.Sprint([]string{school}) ||
		fmt.Sprint(made.body["roleScopeTagIds"]) != fmt.Sprint([]string{tag}) ||
		fmt.Sprint(made.body["members"]) != "[user:anna desk]" {
		t.Errorf("made %s", made)
	}
	if got := s.must(http.StatusOK, "GET", path,
		nil); fmt.Sprint(got.body) != fmt.Sprint(made.body) {
		t.Errorf("got %s, made %s", got, made)
	}
	if a := s.must(http.StatusOK, "GET", path+"?$expand=roleDefinition&$select=id", nil); at(a.body,
		"roleDefinition", "displayName") != "Help Desk Operator" ||
		a.body["members"] != nil {
		t.Errorf("with its role: %s", a)
	}
	for _, tt := range []struct {
		body        object
		scope, area string
	}{
		{object{"displayName": "Desk 2"}, "resourceScope",
			fmt.Sprint([]string{school}, []string{tag})},
		{object{"resourceScopes": []string{school, campus}}, "resourceScope",
			fmt.Sprint([]string{school, campus}, []string{tag})},
		{object{"scopeType": "resourceScope", "resourceScopes": []string{}}, "resourceScope",
			fmt.Sprint([]string{school, campus}, []string{tag})},
		{object{"scopeType": "allDevices", "roleScopeTagIds": []string{}}, "allDevices", "[] []"},
		{object{"resourceScopes": []string{},
			"roleScopeTags@odata.bind": []string{"/roleScopeTags/" + tag}}, "allDevices",
			fmt.Sprint("[] ", []string{tag})},
		{object{"scopeMembers": []string{campus}}, "resourceScope",
			fmt.Sprint([]string{campus}, []string{tag})},
		{object{"scopeType": "allDevicesAndLicensedUsers"}, "allDevices",
			fmt.Sprint("[] ", []string{tag})},
	} {
		a := s.must(http.StatusOK, "PATCH", path, tt.body)
		if area := fmt.Sprint(a.body["resourceScopes"],
			a.body["roleScopeTagIds"]); a.body["scopeType"] != tt.scope || area != tt.area {
			t.Errorf("%v: got %s, want %s %s", tt.body, a, tt.scope, tt.area)
		}
	}
	got := s.must(http.StatusOK, "GET", path, nil).body
	if a := s.must(http.StatusOK, "PATCH", path, got); fmt.Sprint(a.body) != fmt.Sprint(got) {
		t.Errorf("given back it became %s", a)
	}
	s.must(http.StatusConflict, "DELETE", scopeTags+"/"+tag, nil)
	// The token with which the test calls has an assignment, too.
	for link, want := range map[string]int{assignments: 2,
		definitions + "/" + access.HelpDeskOperator + "/roleAssignments": 1,
		definitions + "/" + access.ReadOnlyOperator + "/roleAssignments": 0} {
		if list := s.must(http.StatusOK, "GET", link, nil).values(); len(list) != want {
			t.Errorf("%s has %v", link, list)
		}
	}
	var roles []string
	for link := assignments + "?$top=1&$expand=roleDefinition"; link != ""; {
		a := s.must(http.StatusOK, "GET", link, nil)
		for _, v := range a.values() {
			roles = append(roles, fmt.Sprint(at(v, "roleDefinition", "displayName")))
		}
		link, _ = a.body["@odata.nextLink"].(string)
	}
	slices.Sort(roles)
	if !slices.Equal(roles, []string{"Administrator", "Help Desk Operator"}) {
		t.Errorf("roles are %v", roles)
	}
	if a := s.must(http.StatusOK, "GET",
		definitions+"/"+access.HelpDeskOperator+"?$expand=roleAssignments", nil); at(a.body,
		"roleAssignments", 0, "displayName") != "Desk 2" {
		t.Errorf("a role with its assignments: %s", a)
	}
	s.must(http.StatusNoContent, "DELETE", path, nil)
	s.must(http.StatusNotFound, "DELETE", path, nil)
	s.must(http.StatusNotFound, "GET", definitions+"/"+uuid.NewString()+"/roleAssignments", nil)
}

// Graph's clients write a reference in these ways.
func TestRoleReferences(t *testing.T) {
	s := newSite(t)
	id := access.HelpDeskOperator
	for reference, status := range map[string]int{
		boundTo(id): http.StatusCreated,
		"https://graph.microsoft.com/beta/deviceManagement/roleDefinitions/" +
			id: http.StatusCreated,
		"/beta/deviceManagement/roleDefinitions/" +
			id: http.StatusCreated,
		"deviceManagement/roleDefinitions('" + id +
			"')": http.StatusCreated,
		"roleDefinitions('" + id +
			"')": http.StatusCreated,
		"roleDefinitions/" +
			id: http.StatusCreated,
		boundTo(uuid.NewString()): http.StatusBadRequest,
		id:                        http.StatusBadRequest,
		"":                        http.StatusBadRequest,
		"roleDefinitions/":        http.StatusBadRequest,
		"roleDefinitions('')":     http.StatusBadRequest,
		"roleDefinitions('" +
			id: http.StatusBadRequest,
		"roleScopeTags/" +
			id: http.StatusBadRequest,
		"%zz": http.StatusBadRequest,
	} {
		a := s.call("POST", assignments, object{"displayName": "x", "scopeType": "allDevices",
			"roleDefinition@odata.bind": reference})
		if a.status != status {
			t.Errorf("%q: got %s, want %d", reference, a, status)
		}
	}
}

func TestRoleAssignmentRefuses(t *testing.T) {
	s := newSite(t)
	school := s.newGroup("School")
	made := s.must(http.StatusCreated, "POST", assignments,
		object{"displayName": "x", "scopeType": "allDevices",
			"roleDefinition@odata.bind": boundTo(access.HelpDeskOperator)})
	for _, tt := range []struct {
		change object // of a body that is right; nil takes a property away
		target string
	}{
		{object{"displayName": nil}, "displayName"},
		{object{"roleDefinition@odata.bind": nil}, "roleDefinition@odata.bind"},
		{object{"roleDefinition": object{"id": access.HelpDeskOperator}}, "roleDefinition"},
		{object{"scopeMembers@odata.bind": []string{"x"}}, "scopeMembers@odata.bind"},
		{object{"colour": "red"}, "colour"},
		{object{"members": "anna"}, "members"},
		{object{"members": []any{"anna", 1}}, "members[1]"},
		{object{"members": []string{""}}, "members[0]"},
		{object{"members": []string{"token:0123456789abcdef"}}, "members[0]"},
		{object{"scopeType": nil}, "resourceScopes"},
		{object{"scopeType": "resourceScope"}, "resourceScopes"},
		{object{"scopeType": "allLicensedUsers"}, "scopeType"},
		{object{"scopeType": "someDevices"}, "scopeType"},
		{object{"resourceScopes": []string{school}}, "scopeType"},
		{object{"scopeMembers": []string{school}}, "scopeType"},
		{object{"scopeType": "resourceScope", "resourceScopes": []string{uuid.NewString()}},
			"resourceScopes[0]"},
		{object{"scopeType": "resourceScope", "resourceScopes": []string{school},
			"scopeMembers": []string{"x"}}, "scopeMembers"},
		{object{"roleScopeTagIds": []string{"7"}}, "roleScopeTagIds[0]"},
		{object{"roleScopeTagIds": "0"}, "roleScopeTagIds"},
		{object{"roleScopeTags@odata.bind": []string{"roleDefinitions/0"}},
			"roleScopeTags@odata.bind[0]"},
		{object{"roleScopeTagIds": []string{},
			"roleScopeTags@odata.bind": []string{"roleScopeTags/0"}}, "roleScopeTags@odata.bind"},
	} {
		body := object{"displayName": "x", "scopeType": "allDevices",
			"roleDefinition@odata.bind": boundTo(access.HelpDeskOperator)}
		for name, v := range tt.change {
			body[name] = v
		}
		if a := s.call("POST", assignments, body); a.status != http.StatusBadRequest ||
			at(a.body, "error", "target") != tt.target {
			t.Errorf("%v: got %s, want 400 for %s", tt.change, a, tt.target)
		}
	}
	path := assignments + "/" + made.body["id"].(string)
	for _, body := range []object{{"roleDefinition@odata.bind": boundTo(access.Administrator)},
		{"scopeType": "resourceScope"},
		{"members": nil}} {
		s.must(http.StatusBadRequest, "PATCH", path, body)
	}
}

// Nobody gives what they do not have, and is told what that is.
func TestGivingTakesRights(t *testing.T) {
	s := newSite(t)
	school, campus := s.newGroup("School"), s.newGroup("Campus")
	_, bearer, err := s.tokens.Create(t.Context(),
		access.TokenInput{Name: "head of school", Role: access.Administrator,
			Groups: []string{school}})
	if err != nil {
		t.Fatal(err)
	}
	as := []string{"Authorization", "Bearer " + bearer}
	give := func(scope ...string) object {
		return object{"displayName": "x", "members": []string{"ben"}, "resourceScopes": scope,
			"roleDefinition@odata.bind": boundTo(access.HelpDeskOperator)}
	}
	s.must(http.StatusCreated, "POST", assignments, give(school), as...)
	everywhere := give()
	everywhere["scopeType"] = "allDevices"
	for _, tt := range []struct {
		body object
		says string
	}{
		{give(campus), "on the group " + campus},
		{give(school, campus), "on the group " + campus},
		{everywhere, "on all devices"},
	} {
		a := s.must(http.StatusForbidden, "POST", assignments, tt.body, as...)
		want := fmt.Sprintf("'head of school' may not do this: it takes the right %s %s with any scope tag.", access.AssignRoles, tt.says)
		if a.code() != "Forbidden" || a.message() != want {
			t.Errorf("%v: got %s, want %s", tt.body, a, want)
		}
	}
	mine := s.must(http.StatusOK, "GET", definitions+"/"+access.Administrator+"/roleAssignments",
		nil, as...).values()
	for _, a := range mine {
		s.must(http.StatusForbidden, "PATCH", assignments+"/"+a["id"].(string),
			object{"scopeType": "allDevices"}, as...)
	}
	_, reader, err := s.tokens.Create(t.Context(),
		access.TokenInput{Name: "reader", Role: s.must(http.StatusCreated, "POST", definitions,
			object{"displayName": "Author",
				"rolePermissions": allowing([]access.Right{access.CreateRoles,
					access.ReadApps})}).body["id"].(string)})
	if err != nil {
		t.Fatal(err)
	}
	a := s.must(http.StatusForbidden, "POST", definitions,
		object{"displayName": "y", "rolePermissions": allowing([]access.Right{access.ReadApps,
			access.ReadDevices})},
		"Authorization", "Bearer "+reader)
	if want := fmt.Sprintf("'reader' may not do this: it takes the right %s somewhere.",
		access.ReadDevices); a.message() != want {
		t.Errorf("got %s, want %s", a, want)
	}
}

// What roles and their assignments relate to is shown with them.
func TestRelatedOfRoles(t *testing.T) {
	s := newSite(t)
	tag := s.newScopeTag("Munich")
	if a := s.must(http.StatusOK, "GET", scopeTags+"/hasCustomRoleScopeTag()",
		nil); a.body["value"] != true {
		t.Errorf("with a tag: %s", a)
	}
	role := s.must(http.StatusCreated, "POST", definitions,
		object{"displayName": "Desk"}).body["id"].(string)
	made := s.must(http.StatusCreated, "POST", definitions+"/"+role+"/roleAssignments",
		object{"displayName": "of Munich", "members": []string{"desk"}, "scopeType": "allDevices",
			"roleScopeTagIds": []string{tag}, "roleDefinition@odata.bind": boundTo(role)})
	id := made.body["id"].(string)
	if made.header.Get("Location") != s.URL+assignments+"/"+id {
		t.Errorf("made %s", made)
	}
	shown := s.must(http.StatusOK, "GET", assignments+"/"+id+
		"?$expand=microsoft.graph.deviceAndAppManagementRoleAssignment/roleScopeTags,roleDefinition",
		nil).body
	if at(shown["roleScopeTags"], 0, "displayName") != "Munich" ||
		at(shown, "roleDefinition", "id") != role {
		t.Errorf("shown %v", shown)
	}
	for _, r := range s.must(http.StatusOK, "GET", definitions+"?$expand=roleAssignments",
		nil).values() {
		list, shown := r["roleAssignments"].([]any)
		own := len(list) == 1 && at(list, 0, "id") == id
		if !shown || own != (r["id"] == role) || r["isBuiltIn"] == false && !own {
			t.Errorf("%v has the assignments %v", r["displayName"], list)
		}
	}
	found := s.must(http.StatusOK, "POST", scopeTags+"/getRoleScopeTagsById",
		object{"roleScopeTagIds": []string{tag, "none"}}).values()
	if len(found) != 1 || found[0]["displayName"] != "Munich" {
		t.Errorf("found %v", found)
	}
	s.must(http.StatusNotFound, "POST", definitions+"/none/roleAssignments",
		object{"displayName": "x", "members": []string{"desk"}, "scopeType": "allDevices"})
	s.must(http.StatusBadRequest, "POST", definitions+"/"+role+"/roleAssignments",
		object{"displayName": "x", "members": []string{"desk"}, "scopeType": "allDevices",
			"roleDefinition@odata.bind": boundTo("other")})
	for _, path := range []string{definitions + "?$expand=x", assignments + "?$expand=x",
		"/v1.0/deviceManagement/roleAssignments?$expand=roleScopeTags"} {
		s.must(http.StatusBadRequest, "GET", path, nil)
	}
	s.must(http.StatusNoContent, "DELETE", assignments+"/"+id, nil)
	s.must(http.StatusNoContent, "DELETE", scopeTags+"/"+tag, nil)
	if a := s.must(http.StatusOK, "GET", scopeTags+"/hasCustomRoleScopeTag()",
		nil); a.body["value"] != false {
		t.Errorf("without a tag: %s", a)
	}
}

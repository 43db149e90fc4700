package graph

import (
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// A role gets none but known rights, in order and each once, and none that the body does not allow
// by name.
func FuzzRoleEdit(f *testing.F) {
	for _, seed := range []string{
		`{"displayName":"x","rolePermissions":[{"resourceActions":[{"allowedResourceActions":["Microsoft.Intune_Roles_Read","Microsoft.Intune_Roles_Read"],"notAllowedResourceActions":["Microsoft.Intune_Audit_Read"]}]}]}`,
		`{"permissions":[{"actions":["Microsoft.Intune_Roles_Read"]}],"rolePermissions":[{"actions":["Microsoft.Intune_Roles_Read"],"resourceActions":null}]}`,
		`{"rolePermissions":[{"resourceActions":[]},{},{"actions":null}],"isBuiltIn":false,"id":""}`,
		`{"rolePermissions":[null]}`, `{"rolePermissions":[{"resourceActions":[[]]}]}`,
		`{"roleScopeTagIds":["0"],"@odata.type":"#microsoft.graph.roleDefinition"}`,
		`{"a@odata.bind":1}`, `{"@odata.type":1}`,
	} {
		f.Add(seed)
	}
	known := access.Rights()
	f.Fuzz(func(t *testing.T, text string) {
		defer cost.Input(t)()
		body, err := odata.ParseObject([]byte(text))
		if err != nil {
			return
		}
		patch, err := roleEdit(body)
		if err != nil {
			return
		}
		for i, r := range patch.Rights {
			if !slices.Contains(known, r) || i > 0 && patch.Rights[i-1] >= r {
				t.Errorf("%s gives %v", text, patch.Rights)
			}
		}
	})
}

// A new assignment is limited to groups that its body names, or its body says that it is not
// limited; and to scope tags if its body names any.
func FuzzAssignmentEdit(f *testing.F) {
	for _, seed := range []string{
		`{"scopeType":"allDevices"}`, `{"scopeType":"resourceScope","resourceScopes":["a"]}`,
		`{"scopeMembers":["a"],"resourceScopes":[]}`,
		`{"scopeType":"allDevicesAndLicensedUsers","resourceScopes":[]}`,
		`{"resourceScopes":["a"],"roleScopeTagIds":["0"]}`,
		`{"resourceScopes":["a"],"roleScopeTags@odata.bind":["roleScopeTags('1')"]}`,
		`{"scopeType":"allDevices","roleScopeTagIds":null,"roleScopeTags@odata.bind":null}`,
		`{"scopeType":null,"resourceScopes":[null]}`,
		`{"members":["a",""],"scopeType":"allDevices"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		defer cost.Input(t)()
		body, err := odata.ParseObject([]byte(text))
		if err != nil {
			return
		}
		patch, err := assignmentEdit(body, &access.RoleAssignment{Groups: []string{}},
			bindDefinition)
		if err != nil {
			return
		}
		switch {
		case patch.Groups == nil:
			t.Errorf("%s leaves open where it holds", text)
		case *patch.Groups == nil:
			if scope, _, _ := body.Text("scopeType"); !strings.HasPrefix(scope, "allDevices") {
				t.Errorf("%s holds everywhere", text)
			}
		case len(*patch.Groups) == 0:
			t.Errorf("%s holds in no group", text)
		}
		ids, _ := body.Values[tagProperty].([]any)
		references, _ := body.Values[bindTags].([]any)
		if len(ids)+len(references) > 0 && (patch.Tags == nil || len(*patch.Tags) == 0) {
			t.Errorf("%s names scope tags, and is not limited to them", text)
		}
	})
}

func FuzzRoleReference(f *testing.F) {
	for _, seed := range []string{"roleDefinitions('a')", "https://x/roleDefinitions/a",
		"/roleDefinitions/", "roleDefinitions('')", "%zz", "roleDefinitions('a",
		"//roleDefinitions//a", "roleDefinitions/a?b#c", "roleDefinitions('a/b')"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, reference string) {
		defer cost.Input(t)()
		if id, ok := referred(reference, "roleDefinitions"); ok &&
			(id == "" || strings.Contains(id, "/")) {
			t.Errorf("%q refers to %q", reference, id)
		}
	})
}

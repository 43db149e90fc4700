package graph_test

import (
	"net/http"
	"strings"
	"testing"
)

// A reference to a thing is its URL in any of OData's forms, with letters in either case.
func TestReferences(t *testing.T) {
	w := newWorld(newSite(t))
	path := groups + "/" + w.newGroup() + "/members"
	for reference, taken := range map[string]bool{
		"https://graph.example/beta/deviceManagement/managedDevices/%s":    true,
		"https://graph.example/beta/devicemanagement/manageddevices/%s":    true,
		"https://graph.example/v1.0/deviceManagement/managedDevices('%s')": true,
		"https://graph.example/v1.0/DIRECTORYOBJECTS('%s')":                true,
		"https://graph.example/v1.0/directoryObjects/%s":                   true,
		"devices/%s":                             true,
		"%s":                                     false,
		"https://graph.example/v1.0/users/%s":    false,
		"https://graph.example/v1.0/users('%s')": false,
		"https://graph.example/v1.0/devices('%s'":                                false,
		"https://graph.example/v1.0/devices('')":                                 false,
		"https://graph.example/v1.0/devices/":                                    false,
		"https://graph.example/beta/deviceManagement/managedDevices/users('%s')": false,
	} {
		for _, id := range []string{w.device, strings.ToUpper(w.device)} {
			a := w.call("POST", path+"/$ref",
				object{"@odata.id": strings.ReplaceAll(reference, "%s", id)})
			if there := len(w.must(http.StatusOK, "GET", path,
				nil).values()) == 1; there != taken || (a.status == http.StatusNoContent) != taken {
				t.Errorf("%s: got %s, and it is there: %t", reference, a, there)
			}
			if taken {
				w.must(http.StatusNoContent, "DELETE", path+"/"+id+"/$ref", nil)
			}
		}
	}
}

// A reference that a body cannot have is refused. It looks like an annotation, and would be ignored
// without a word.
func TestReferencesThatMeanNothing(t *testing.T) {
	w := newWorld(newSite(t))
	group := object{"displayName": "Staff", "mailEnabled": false, "mailNickname": "g",
		"securityEnabled":    true,
		"members@odata.bind": []string{"https://graph.example/v1.0/devices/" + w.device}}
	policy := w.payloadBody("deviceConfigurations")
	policy["roleScopeTags@odata.bind"] = []string{"https://graph.example/beta/deviceManagement/roleScopeTags/" + w.tag}
	for path, body := range map[string]object{groups: group, configurations: policy,
		devices + "/" + w.device + "/syncPayloads": {"deviceActionPayloads": []any{},
			"payloads@odata.bind": []string{"x"}}} {
		if a := w.call("POST", path, body); a.status != http.StatusBadRequest ||
			!strings.Contains(a.message(), "@odata.bind") {
			t.Errorf("%s: got %s", path, a)
		}
	}
}

// What the server shows of a group makes another one like it, and so does what Graph shows of one.
func TestGroupsAsTheyAreShown(t *testing.T) {
	w := newWorld(newSite(t))
	shown := w.must(http.StatusOK, "GET", groups+"/"+w.group+"?$expand=members", nil).body
	shown["displayName"], shown["mailNickname"] = "Another", "another"
	for _, name := range []string{"classification", "creationOptions", "isAssignableToRole",
		"membershipRule", "theme", "visibility"} {
		shown[name] = nil
	}
	shown["resourceProvisioningOptions"], shown["members"] = []any{}, []any{}
	w.must(http.StatusCreated, "POST", groups, shown)
	for name, value := range map[string]any{"groupTypes": []string{"Unified"},
		"membershipRule": "(device.x)", "members": []any{object{"id": w.device}}} {
		body := object{"displayName": "Third", "mailEnabled": false, "mailNickname": "g",
			"securityEnabled": true, name: value}
		if a := w.call("POST", groups, body); a.status != http.StatusBadRequest ||
			at(a.body, "error", "target") != name {
			t.Errorf("%s: got %s", name, a)
		}
	}
}

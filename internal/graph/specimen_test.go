package graph_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// specimen is what a right call of a route is, and what comes of it.
type specimen struct {
	// who may: A(dministrator), S(chool Administrator), H(elp Desk Operator), R(ead Only Operator)
	may  string
	ok   int                // status of the right call
	body func(w *world) any // of the right call; nil: none
	// the right path; nil: the pattern with the ids of a new or, to read, the standing things
	path func(w *world) string
	// limited is the status for who may, limited to an area that has the thing; 0: ok. beyond is
	// that for who is limited to an area that does not; 0: 404 if the path has an id, else as
	// limited.
	limited, beyond int
	// it gives rights to somebody, so that who does it must have these, too
	gives bool
	// an id that the answer has for who reaches it, and has not for who does not
	shows func(w *world) string
}

// world is a site with things of each kind: all in the area of group, crowd and tag, and nothing in
// that of otherGroup and otherTag.
type world struct {
	*site
	group, otherGroup, tag, otherTag string
	crowd                            string // a group for the devices that come and go
	// payload is a configuration that is assigned to the device
	device, payload string
	number          string // of the device's action
	ids             map[string]string
	bearers         map[string]string // by their rights
	// of the operation being walked; nil: the last one changed something
	untouched *rightCall
	serial    int
}

// rightCall is where an operation is called, and with which body. Who is refused leaves it to the
// next.
type rightCall struct {
	path string
	body any
}

func newWorld(s *site) *world {
	w := &world{site: s, ids: make(map[string]string), bearers: make(map[string]string)}
	w.group, w.crowd, w.otherGroup = w.newGroup(), w.newGroup(), w.newGroup()
	w.tag, w.otherTag = w.newTag(), w.newTag()
	w.device = w.newDevice()
	w.must(http.StatusNoContent, "POST", groups+"/"+w.group+"/members/$ref",
		memberReference(w.device))
	for _, set := range []string{"deviceConfigurations", "mobileApps", "mobileAppConfigurations",
		"configurationPolicies"} {
		w.ids[set] = w.newPayload(set)
	}
	w.payload, w.ids["configurationSettings"] = w.ids["deviceConfigurations"],
		restrictions+"_allowcamera"
	w.ids["configurationCategories"] = w.must(http.StatusOK, "GET", categoriesPath+"?$top=1",
		nil).values()[0]["id"].(string)
	w.ids["groups"], w.ids["managedDevices"], w.ids["comanagedDevices"] = w.group, w.device,
		w.device
	w.ids["roleScopeTags"] = w.tag
	w.ids["roleDefinitions"] = w.newRole()
	w.ids["roleAssignments"] = w.newAssignment()
	w.ids["subscriptions"] = w.must(http.StatusCreated, "POST", subscriptions,
		w.subscriptionBody()).body["id"].(string)
	w.must(http.StatusOK, "PATCH", "/beta/deviceManagement/applePushNotificationCertificate",
		pushCertificate)
	w.setUpAndroid()
	w.ids["androidEnrollmentTokens"] = w.newAndroidToken()
	w.must(http.StatusNoContent, "POST", devices+"/"+w.device+"/syncPayloads",
		object{"deviceActionPayloads": []object{config(w.payload)}})
	w.ids["auditEvents"] = w.must(http.StatusOK, "GET", auditEvents+"?$top=1",
		nil).values()[0]["id"].(string)
	w.number = fmt.Sprint(w.must(http.StatusOK, "GET", "/api/devices/"+w.device+"/actions",
		nil).values()[0]["number"])
	return w
}

var pushCertificate = object{"certificate": "-----BEGIN", "privateKey": "key"}

func (w *world) next() string {
	w.serial++
	return fmt.Sprint(w.serial)
}

func (w *world) newGroup() string {
	return w.must(http.StatusCreated, "POST", groups,
		object{"displayName": "group " + w.next(), "mailEnabled": false, "mailNickname": "g",
			"securityEnabled": true}).body["id"].(string)
}

func (w *world) newTag() string {
	return w.must(http.StatusCreated, "POST", "/beta/deviceManagement/roleScopeTags",
		object{"displayName": "tag " + w.next()}).body["id"].(string)
}

func (w *world) newRole() string {
	return w.must(http.StatusCreated, "POST", "/beta/deviceManagement/roleDefinitions",
		w.roleBody()).body["id"].(string)
}

func (w *world) roleBody() object {
	return object{"displayName": "role " + w.next(),
		"rolePermissions": []object{{"resourceActions": []object{{
			"allowedResourceActions": []string{string(access.ReadDevices)}}}}}}
}

func (w *world) newAssignment() string {
	return w.must(http.StatusCreated, "POST", "/beta/deviceManagement/roleAssignments",
		w.assignmentBody()).body["id"].(string)
}

func (w *world) assignmentBody() object {
	return object{"displayName": "assignment " + w.next(), "members": []string{"group-of-people"},
		"scopeType":      "resourceScope",
		"resourceScopes": []string{w.otherGroup}, "roleScopeTagIds": []string{w.otherTag},
		"roleDefinition@odata.bind": "https://graph.example/beta/deviceManagement/roleDefinitions('" + access.ReadOnlyOperator + "')"}
}

// newDevice is a device of the area, with the world's payloads assigned.
func (w *world) newDevice() string {
	id := string(w.enroll(fleet.Device{Name: "phone " + w.next(), UDID: uuid.NewString(),
		Platform: fleet.IOS}).id)
	w.must(http.StatusNoContent, "POST", groups+"/"+w.crowd+"/members/$ref", memberReference(id))
	w.must(http.StatusOK, "PATCH", devices+"/"+id, object{"roleScopeTagIds": []string{w.tag}})
	return id
}

// newAndroidToken is an enrollment token whose devices come to be in the area.
func (w *world) newAndroidToken() string {
	w.t.Helper()
	maker := w.bearer(access.SchoolAdministrator, []string{w.group}, []string{w.tag})
	a := w.callAs(maker, "POST", androidTokens, object{"mode": "dedicated"})
	if a.status != http.StatusCreated {
		w.t.Fatalf("making an enrollment token: %s", a)
	}
	return a.body["id"].(string)
}

func memberReference(device string) object {
	return object{"@odata.id": "https://graph.example/beta/deviceManagement/managedDevices/" +
		device}
}

// newPayload is a payload of the area, assigned to its groups.
func (w *world) newPayload(set string) string {
	id := w.must(http.StatusCreated, "POST", payloadPaths[set],
		w.payloadBody(set)).body["id"].(string)
	parameter := "assignments"
	if set == "mobileApps" {
		parameter = "mobileAppAssignments"
	}
	a := w.call("POST", payloadPaths[set]+"/"+id+"/assign", w.assignBody(parameter))
	if a.status >= http.StatusMultipleChoices {
		w.t.Fatalf("assigning: %s", a)
	}
	return id
}

var payloadPaths = map[string]string{"deviceConfigurations": configurations, "mobileApps": apps,
	"mobileAppConfigurations": appSettings,
	"configurationPolicies":   policiesPath}

func (w *world) assignBody(parameter string) object {
	var list []object
	for _, group := range []string{w.group, w.crowd} {
		assignment := object{"target": object{"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": group}}
		if parameter == "mobileAppAssignments" {
			assignment["intent"] = "required"
		}
		list = append(list, assignment)
	}
	return object{parameter: list}
}

func (w *world) payloadBody(set string) object {
	name := "thing" + w.next()
	body := object{"displayName": name, "roleScopeTagIds": []string{w.tag}}
	switch set {
	case "deviceConfigurations":
		body["@odata.type"], body["payloadFileName"],
			body["payload"] = "#microsoft.graph.iosCustomConfiguration", name+".mobileconfig",
			profile("com.example."+name)
	case "mobileApps":
		body["@odata.type"], body["bundleId"] = "#microsoft.graph.iosVppApp", "com.example."+name
		body["appStoreUrl"] = "https://apps.apple.com/us/app/name/id361309726"
	case "configurationPolicies":
		body = cameraPolicy(name)
		body["roleScopeTagIds"] = []string{w.tag}
	case "mobileAppConfigurations":
		body["@odata.type"],
			body["targetedMobileApps"] = "#microsoft.graph.iosMobileAppConfiguration",
			[]string{w.newPayload("mobileApps")}
		body["settings"] = []object{{"appConfigKey": "server", "appConfigKeyType": "stringType",
			"appConfigKeyValue": "x"}}
	}
	return body
}

// pathOf is the right path of an operation. What changes something gets a new thing to change.
func (w *world) pathOf(op graph.Operation) string {
	if s := specimens[op.Name]; s.path != nil {
		path := s.path(w)
		if rest, ok := strings.CutPrefix(path, "/beta/"); ok &&
			strings.HasPrefix(op.Pattern, "/v1.0/") {
			path = "/v1.0/" + rest
		}
		return path
	}
	id := w.idOf(op)
	return strings.NewReplacer("{id}", id, "{number}", w.number, "{device}",
		w.device).Replace(op.Pattern)
}

func (w *world) idOf(op graph.Operation) string {
	set := setOf(op)
	if op.Reads {
		return w.ids[set]
	}
	switch set {
	case "managedDevices", "comanagedDevices":
		return w.newDevice()
	case "roleScopeTags":
		return w.newTag()
	case "roleDefinitions":
		return w.newRole()
	case "roleAssignments":
		return w.newAssignment()
	case "deviceConfigurations", "mobileApps", "mobileAppConfigurations", "configurationPolicies":
		return w.newPayload(set)
	default:
		return w.ids[set]
	}
}

// setOf is the collection that {id} of an operation's path is in.
func setOf(op graph.Operation) string {
	before, _, ok := strings.Cut(op.Pattern, "/{id}")
	if !ok {
		return ""
	}
	set := before[strings.LastIndexByte(before, '/')+1:]
	switch set {
	case "devices":
		return "managedDevices"
	case "profiles":
		return "deviceConfigurations"
	}
	return set
}

// snapshot is the first event of a stream.
func (w *world) snapshot(bearer, path string) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), "GET", w.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Header.Set("Accept", "application/x-ndjson")
	response, err := w.Client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	line, err := bufio.NewReader(response.Body).ReadBytes('\n')
	if err != nil && response.StatusCode == http.StatusOK {
		w.t.Fatalf("%s: %v", path, err)
	}
	a := answer{status: response.StatusCode, header: response.Header, text: line}
	if err := json.Unmarshal(line, &a.body); err != nil {
		w.t.Fatalf("%s: %v in %s", path, err, line)
	}
	return a
}

func (w *world) bearer(role string, groups, tags []string) string {
	w.t.Helper()
	_, bearer, err := w.tokens.Create(w.t.Context(),
		access.TokenInput{Name: "token " + w.next(), Role: role, Groups: groups, Tags: tags})
	if err != nil {
		w.t.Fatal(err)
	}
	return bearer
}

func (w *world) roleOf(rights []access.Right) string {
	w.t.Helper()
	role, err := w.roles.CreateRole(w.t.Context(), administrator,
		access.RoleInput{Name: "rights " + w.next(), Rights: rights})
	if err != nil {
		w.t.Fatal(err)
	}
	return role.ID
}

// bearerOf is somebody with a role of just these rights, everywhere.
func (w *world) bearerOf(rights []access.Right) string {
	w.t.Helper()
	key := fmt.Sprint(rights)
	if w.bearers[key] == "" {
		w.bearers[key] = w.bearer(w.roleOf(rights), nil, nil)
	}
	return w.bearers[key]
}

// administrator may do everything.
var administrator = &access.Principal{Identity: access.Identity{ID: "token:test", Name: "test"},
	Grants: []access.Grant{{Role: "Administrator", Rights: access.Rights()}}}

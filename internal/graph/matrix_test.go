package graph_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/graph"
)

const (
	organizations = "/beta/organization"

	everybody = "ASHR"
	readers   = "ASHR"
	managers  = "AS"
)

// specimens has a row for every operation, by its name.
var specimens = func() map[string]specimen {
	const ok, created, done, forbidden = http.StatusOK, http.StatusCreated, http.StatusNoContent,
		http.StatusForbidden
	text := func(body any) func(*world) any { return func(*world) any { return body } }
	all := map[string]specimen{
		"health":   {may: everybody, ok: ok},
		"metadata": {may: everybody, ok: ok},
		"batch": {may: everybody, ok: ok,
			body: text(object{"requests": []object{{"id": "1", "method": "GET",
				"url": "/$metadata"}}})},
		"me":           {may: everybody, ok: ok},
		"serverHealth": {may: readers, ok: ok},
		"inspectProfile": {may: readers, ok: ok,
			body: text(object{"payload": profile("com.example.looked-at")})},

		"showProfile": {may: readers, ok: ok},
		"events": {may: readers, ok: ok,
			shows: func(w *world) string { return w.device }},
		"deviceEvents": {may: readers, ok: ok,
			shows: func(w *world) string { return w.payload }},
		"devicePayloads": {may: readers, ok: ok,
			shows: func(w *world) string { return w.payload }},
		"actions.list": {may: readers, ok: ok,
			shows: func(w *world) string { return w.payload }},
		"actions.events": {may: readers, ok: ok,
			shows: func(w *world) string { return w.payload }},
		"enrollments.list": {may: readers, ok: ok,
			shows: func(w *world) string { return w.device }},
		"removed.list": {may: readers, ok: ok,
			shows: func(w *world) string { return w.payload }},
		"failures.list": {may: readers, ok: ok},

		"createEnrollment":      {may: managers, ok: created, body: text(object{})},
		"getPushCertificate":    {may: readers, ok: ok},
		"updatePushCertificate": {may: "A", ok: ok, body: text(pushCertificate)},

		"androidEnterprise.get":               {may: "ASR", ok: ok},
		"androidEnterprise.setServiceAccount": {may: "A", ok: ok, body: text(serviceAccount)},
		"androidEnterprise.beginSignup":       {may: "A", ok: ok, body: text(object{})},
		"androidEnterprise.finishSignup": {may: "A", ok: ok,
			body: text(object{"enterpriseToken": "EAH1"})},
		"androidEnrollmentTokens.list": {may: "ASR", ok: ok,
			shows: func(w *world) string { return w.ids["androidEnrollmentTokens"] }},
		"androidEnrollmentTokens.create": {may: managers, ok: created,
			body: text(object{"mode": "dedicated"})},
		"androidEnrollmentTokens.delete": {may: managers, ok: done,
			path: func(w *world) string { return androidTokens + "/" + w.newAndroidToken() }},

		"configurationPolicies.replace": {may: managers, ok: done,
			body: func(w *world) any { return w.payloadBody("configurationPolicies") }},
		"configurationPolicies.listSettings": {may: readers, ok: ok},
		"configurationSettings.list":         {may: readers, ok: ok},
		"configurationSettings.get":          {may: readers, ok: ok, beyond: ok}, // everybody's

		"groups.count": {may: readers, ok: ok},
		"groups.list":  {may: readers, ok: ok, shows: func(w *world) string { return w.group }},
		// Who is limited to groups makes no others.
		"groups.create": {may: managers, ok: created, limited: forbidden, body: func(w *world) any {
			return object{"displayName": "group " + w.next(), "mailEnabled": false,
				"mailNickname": "g", "securityEnabled": true}
		}},
		"groups.get": {may: readers, ok: ok},
		"groups.listMembers": {may: readers, ok: ok,
			shows: func(w *world) string { return w.device }},
		"groups.listMemberReferences": {may: readers, ok: ok,
			shows: func(w *world) string { return w.device }},
		"groups.addMember": {may: managers, ok: done,
			body: func(w *world) any { return memberReference(w.device) }},
		"groups.removeMember": {may: managers, ok: done, path: func(w *world) string {
			return groups + "/" + w.crowd + "/members/" + w.newDevice() + "/$ref"
		}},
		// A group that somebody is limited to cannot be made anew for each caller: this one is
		// nobody's.
		"groups.delete": {may: managers, ok: done, limited: http.StatusNotFound,
			path: func(w *world) string { return groups + "/" + w.newGroup() }},

		"roleDefinitions.list":             {may: "AR", ok: ok},
		"roleDefinitions.count":            {may: "AR", ok: ok},
		"roleDefinitions.countAssignments": {may: "AR", ok: ok, beyond: ok},
		"roleDefinitions.get":              {may: "AR", ok: ok, beyond: ok},
		"roleDefinitions.create": {may: "A", gives: true, ok: created,
			body: func(w *world) any { return w.roleBody() }},
		"roleDefinitions.update": {may: "A", ok: ok, beyond: ok,
			body: func(w *world) any { return object{"displayName": "role " + w.next()} }},
		"roleDefinitions.delete":          {may: "A", ok: done, beyond: done},
		"roleDefinitions.listAssignments": {may: "AR", ok: ok, beyond: ok},
		"roleAssignments.list":            {may: "AR", ok: ok},
		"roleAssignments.count":           {may: "AR", ok: ok},
		"roleAssignments.get":             {may: "AR", ok: ok, beyond: ok},
		// What is given reaches the other area: who is limited to this one cannot give it, and who
		// is limited to that one can.
		"roleAssignments.create": {may: "A", gives: true, ok: created, limited: forbidden,
			beyond: created, body: func(w *world) any { return w.assignmentBody() }},
		"roleAssignments.update": {may: "A", gives: true, ok: ok, limited: forbidden, beyond: ok,
			body: func(w *world) any {
				return object{"displayName": "assignment " + w.next()}
			}},
		"roleAssignments.delete": {may: "A", gives: true, ok: done, limited: forbidden,
			beyond: done},
		"roleScopeTags.list":  {may: "AR", ok: ok},
		"roleScopeTags.count": {may: "AR", ok: ok},
		"roleScopeTags.get":   {may: "AR", ok: ok, beyond: ok},
		"roleScopeTags.create": {may: "A", ok: created,
			body: func(w *world) any { return object{"displayName": "tag " + w.next()} }},
		"roleScopeTags.update": {may: "A", ok: ok, beyond: ok,
			body: func(w *world) any { return object{"displayName": "tag " + w.next()} }},
		"roleScopeTags.delete":    {may: "A", ok: done, beyond: done},
		"resourceOperations.list": {may: "AR", ok: ok},

		"tokens.list": {may: "AR", ok: ok},
		// What is made and revoked holds in the other area, as with role assignments.
		"tokens.create": {may: "A", gives: true, ok: created, limited: http.StatusBadRequest,
			beyond: created, body: func(w *world) any { return w.tokenBody() }},
		"tokens.delete": {may: "A", gives: true, ok: done, limited: forbidden, beyond: done,
			path: func(w *world) string {
				return tokensPath + "/" + w.must(http.StatusCreated, "POST", tokensPath,
					w.tokenBody()).body["id"].(string)
			}},

		// Everybody has but their own, and this is nobody's of the matrix.
		"subscriptions.list": {may: readers, ok: ok},
		"subscriptions.create": {may: readers, ok: created, beyond: http.StatusNotFound,
			body: func(w *world) any { return w.subscriptionBody() }},
		"subscriptions.get": {may: readers, ok: http.StatusNotFound},
		"subscriptions.update": {may: readers, ok: http.StatusNotFound,
			body: func(w *world) any { return object{"expirationDateTime": w.inHours(1)} }},
		"subscriptions.delete":      {may: readers, ok: http.StatusNotFound},
		"subscriptions.reauthorize": {may: readers, ok: http.StatusNotFound},

		"auditEvents.list": {may: "ASR", ok: ok},
		// Who is limited sees only their own acts.
		"auditEvents.get":              {may: "ASR", ok: ok, limited: http.StatusNotFound},
		"auditEvents.count":            {may: "ASR", ok: ok},
		"auditEvents.getCategories":    {may: "ASR", ok: ok},
		"auditEvents.getActivityTypes": {may: "ASR", ok: ok},
		"remoteActionAudits.count":     {may: "ASR", ok: ok},
		"remoteActionAudits.list": {may: "ASR", ok: ok,
			shows: func(w *world) string { return w.device }},

		"mobileApps.listCategories":    {may: readers, ok: ok},
		"mobileApps.listRelationships": {may: readers, ok: ok},

		"mobileAppIntentAndStates.list": {may: readers, ok: ok,
			path:  func(*world) string { return appStates },
			shows: func(w *world) string { return w.ids["mobileApps"] }},
		"mobileAppIntentAndStates.get": {may: readers, ok: ok,
			path:  func(w *world) string { return appStates + "/" + w.device },
			shows: func(w *world) string { return w.ids["mobileApps"] }},
	}
	for _, name := range []string{"assignmentFilters", "deviceCategories", "detectedApps",
		"mobileAppCategories"} {
		all[name+".list"] = specimen{may: readers, ok: ok}
		all[name+".count"] = specimen{may: readers, ok: ok}
	}
	all["organization.list"] = specimen{may: everybody, ok: ok}
	all["organization.get"] = specimen{may: everybody, ok: ok, beyond: ok,
		path: func(w *world) string {
			return organizations + "/" + w.must(http.StatusOK, "GET", organizations,
				nil).values()[0]["id"].(string)
		}}
	// no person holds the tokens of the matrix
	all["signedIn.get"] = specimen{may: everybody, ok: http.StatusBadRequest}
	all["configurationPolicies.countSettings"] = specimen{may: readers, ok: ok}
	all["configurationPolicies.getSetting"] = specimen{may: readers, ok: ok,
		path: func(w *world) string {
			return policiesPath + "/" + w.ids["configurationPolicies"] + "/settings/0"
		}}
	all["groups.countMembers"] = specimen{may: readers, ok: ok}
	all["groups.countTransitiveMembers"] = specimen{may: readers, ok: ok}
	all["groups.listTransitiveMembers"] = specimen{may: readers, ok: ok,
		shows: func(w *world) string { return w.device }}
	all["resourceOperations.get"] = specimen{may: "AR", ok: ok, beyond: ok,
		path: func(*world) string {
			return "/beta/deviceManagement/resourceOperations/" + string(access.ReadDevices)
		}}
	all["remoteActionAudits.get"] = specimen{may: "ASR", ok: ok,
		shows: func(w *world) string { return w.device },
		path: func(w *world) string {
			return "/beta/deviceManagement/remoteActionAudits/" + w.must(http.StatusOK, "GET",
				"/beta/deviceManagement/remoteActionAudits?$filter=managedDeviceId%20eq%20'"+
					w.device+"'", nil).values()[0]["id"].(string)
		}}
	all["roleAssignments.getRole"] = specimen{may: "AR", ok: ok, beyond: ok}
	all["roleAssignments.listScopeTags"] = specimen{may: "AR", ok: ok, beyond: ok}
	all["groups.update"] = specimen{may: managers, ok: done,
		body: func(w *world) any { return object{"description": w.next()} }}
	all["configurationSettings.count"] = specimen{may: readers, ok: ok}
	all["configurationCategories.list"] = specimen{may: readers, ok: ok}
	all["configurationCategories.count"] = specimen{may: readers, ok: ok}
	all["configurationCategories.get"] = specimen{may: readers, ok: ok, beyond: ok} // everybody's
	all["configurationPolicies.createCopy"] = specimen{may: managers, ok: created,
		body: func(w *world) any { return object{"displayName": "copy " + w.next()} }}
	all["roleDefinitions.addAssignment"] = specimen{may: "A", gives: true, ok: created,
		limited: forbidden, beyond: created, path: func(*world) string {
			return definitions + "/" + access.ReadOnlyOperator + "/roleAssignments"
		}, body: func(w *world) any {
			body := w.assignmentBody()
			delete(body, "roleDefinition@odata.bind")
			return body
		}}
	all["roleScopeTags.assign"] = specimen{may: "A", ok: ok, beyond: ok,
		body: text(object{"assignments": []object{}})}
	all["roleScopeTags.listAssignments"] = specimen{may: "AR", ok: ok, beyond: ok}
	all["roleScopeTags.hasCustom"] = specimen{may: "AR", ok: ok}
	all["roleScopeTags.getByID"] = specimen{may: "AR", ok: ok,
		body: text(object{"roleScopeTagIds": []string{"0", "none"}})}
	for _, set := range []string{"managedDevices", "comanagedDevices"} {
		all[set+".listDetectedApps"] = specimen{may: readers, ok: ok}
		all[set+".listUsers"] = specimen{may: readers, ok: ok}
		all[set+".retire"] = specimen{may: managers, ok: done}
		all[set+".delete"] = specimen{may: managers, ok: done}
		all[set+".list"] = specimen{may: readers, ok: ok,
			shows: func(w *world) string { return w.device }}
		all[set+".get"] = specimen{may: readers, ok: ok,
			shows: func(w *world) string { return w.payload }}
		all[set+".count"] = specimen{may: readers, ok: ok}
		all[set+".update"] = specimen{may: managers, ok: ok,
			body: func(w *world) any { return object{"roleScopeTagIds": []string{w.tag}} }}
		all[set+".syncDevice"] = specimen{may: "ASH", ok: done}
		for kind, states := range map[string]string{"Configuration": "deviceConfigurationStates",
			"AppConfiguration": "managedDeviceMobileAppConfigurationStates"} {
			shows := func(w *world) string { return w.stateOf(states) }
			all[set+".list"+kind+"States"] = specimen{may: readers, ok: ok, shows: shows}
			all[set+".count"+kind+"States"] = specimen{may: readers, ok: ok}
			all[set+".get"+kind+"State"] = specimen{may: readers, ok: ok, shows: shows,
				path: func(w *world) string {
					return "/beta/deviceManagement/" + set + "/" + w.device + "/" + states + "/" +
						w.stateOf(states)
				}}
		}
		named := func(collection, id, kind string) func(*world) any {
			return func(w *world) any {
				return object{collection: []object{{id: w.payload, kind: "deviceConfiguration"}}}
			}
		}
		for name, body := range map[string]func(*world) any{
			"syncPayloads":      named("deviceActionPayloads", "payloadId", "payloadType"),
			"changeAssignments": named("deviceAssignmentItems", "itemId", "itemType"),
		} {
			all[set+"."+name] = specimen{may: "ASH", ok: done, body: body}
			all[set+"."+name+".preview"] = specimen{may: "ASH", ok: ok, body: body}
		}
	}
	for set := range payloadPaths {
		assigned, parameter, name := done, "assignments", "displayName"
		switch set {
		case "deviceConfigurations":
			assigned = ok
		case "configurationPolicies":
			assigned, name = ok, "name"
		case "mobileApps":
			parameter = "mobileAppAssignments"
		}
		shows := func(w *world) string { return w.ids[set] }
		assignmentOf := func(w *world) string {
			id := w.newPayload(set)
			return payloadPaths[set] + "/" + id + "/assignments/" + id + "_" + w.group
		}
		all[set+".countAssignments"] = specimen{may: readers, ok: ok}
		all[set+".getAssignment"] = specimen{may: readers, ok: ok, path: assignmentOf}
		all[set+".removeAssignment"] = specimen{may: managers, ok: done, path: assignmentOf}
		all[set+".addAssignment"] = specimen{may: managers, ok: created,
			body: func(w *world) any {
				return object{"intent": map[bool]any{true: "required"}[set == "mobileApps"],
					"target": object{"deviceId": w.device,
						"@odata.type": "#syncpayloads.deviceAssignmentTarget"}}
			}}
		all[set+".list"] = specimen{may: readers, ok: ok, shows: shows}
		all[set+".get"] = specimen{may: readers, ok: ok, shows: shows}
		all[set+".count"] = specimen{may: readers, ok: ok}
		all[set+".listAssignments"] = specimen{may: readers, ok: ok}
		// Its scope tag is not one that who is limited to another may give.
		all[set+".create"] = specimen{may: managers, ok: created, beyond: forbidden,
			body: func(w *world) any { return w.payloadBody(set) }}
		all[set+".update"] = specimen{may: managers, ok: ok,
			body: func(w *world) any { return object{name: "x"} }}
		all[set+".delete"] = specimen{may: managers, ok: done}
		all[set+".assign"] = specimen{may: managers, ok: assigned,
			body: func(w *world) any { return w.assignBody(parameter) }}
	}
	return all
}()

// TestAccessMatrix walks every operation as everybody: each built-in role, everywhere, limited to
// an area that has the things, and limited to one that has not; a role of just the rights that it
// needs; roles that lack one of them; nobody.
func TestAccessMatrix(t *testing.T) {
	w := newWorld(newSite(t))
	roles := map[byte]string{'A': access.Administrator, 'S': access.SchoolAdministrator,
		'H': access.HelpDeskOperator, 'R': access.ReadOnlyOperator}
	everywhere, inside, outside := map[byte]string{}, map[byte]string{}, map[byte]string{}
	for letter, role := range roles {
		everywhere[letter] = w.bearer(role, nil, nil)
		inside[letter] = w.bearer(role, []string{w.group, w.crowd}, []string{w.tag})
		outside[letter] = w.bearer(role, []string{w.otherGroup}, []string{w.otherTag})
	}
	walked := map[string]bool{}
	for _, op := range graph.Operations() {
		s, ok := specimens[op.Name]
		if !ok {
			t.Errorf("%s %s: a route without a row in specimens: %s", op.Method, op.Pattern,
				op.Name)
			continue
		}
		walked[op.Name] = true
		t.Run(op.Method+" "+op.Pattern, func(t *testing.T) {
			w.t, w.untouched = t, nil
			for letter := range roles {
				may := strings.IndexByte(s.may, letter) >= 0
				w.try(op, everywhere[letter], string(letter)+" everywhere", may, s.ok, true)
				w.try(op, inside[letter], string(letter)+" limited to its area", may, s.inside(),
					true)
				w.try(op, outside[letter], string(letter)+" limited to another area", may,
					s.outside(op), false)
			}
			w.tryRights(op, s)
		})
	}
	w.t = t
	for name := range specimens {
		if !walked[name] {
			t.Errorf("specimens has a row %s, and there is no such route", name)
		}
	}
}

func (s *specimen) inside() int {
	if s.limited != 0 {
		return s.limited
	}
	return s.ok
}

func (s *specimen) outside(op graph.Operation) int {
	switch {
	case s.beyond != 0:
		return s.beyond
	case strings.Contains(op.Pattern, "{id}"):
		return http.StatusNotFound
	default:
		return s.inside()
	}
}

// tryRights tries an operation with just the rights that it needs, without each of them, and
// without any bearer.
func (w *world) tryRights(op graph.Operation, s specimen) {
	w.t.Helper()
	if op.Open {
		return
	}
	if len(op.Needs) > 0 {
		w.try(op, w.bearerOf(op.Needs), "just the rights needed", true, s.justRights(), true)
	}
	for i := range op.Needs {
		others := access.Rights()
		for j, right := range others {
			if right == op.Needs[i] {
				others = append(others[:j:j], others[j+1:]...)
				break
			}
		}
		w.try(op, w.bearerOf(others), "all rights but "+string(op.Needs[i]), false, s.ok, true)
	}
	if a := w.callAs("sp_0123456789abcdef_nobody", op.Method, w.pathOf(op),
		nil); a.status != http.StatusUnauthorized {
		w.t.Errorf("with a wrong bearer: got %s, want 401", a)
	}
}

// justRights is the status for who has only the rights that the route needs. To give a role takes
// its rights, too.
func (s *specimen) justRights() int {
	if s.gives {
		return http.StatusForbidden
	}
	return s.ok
}

// try calls an operation rightly with a bearer, and holds the answer against what is expected.
func (w *world) try(op graph.Operation, bearer, who string, may bool, status int, reaches bool) {
	w.t.Helper()
	s := specimens[op.Name]
	if !may && !op.Open {
		status = http.StatusForbidden
	}
	if w.untouched == nil {
		w.untouched = &rightCall{path: w.pathOf(op)}
		if s.body != nil {
			w.untouched.body = s.body(w)
		}
		if slices.Contains(op.Options, "$top") {
			w.untouched.path += "?$top=1000"
		}
	}
	path := w.untouched.path
	a := w.callAs(bearer, op.Method, path, w.untouched.body)
	if a.status < http.StatusBadRequest {
		w.untouched = nil
	}
	if a.status != status {
		w.t.Errorf("%s: %s %s: got %s, want %d", who, op.Method, path, a, status)
		return
	}
	switch {
	case status >= http.StatusBadRequest:
		checkError(w.t, a)
	case s.shows != nil:
		if id := s.shows(w); strings.Contains(string(a.text), id) != reaches {
			w.t.Errorf("%s: %s %s: shows %s: %t, want %t: %s", who, op.Method, path, id, !reaches,
				reaches, a)
		}
	}
}

// callAs is call with another bearer. Of a stream it reads the beginning.
func (w *world) callAs(bearer, method, path string, body any) answer {
	w.t.Helper()
	if strings.HasSuffix(path, "/events") && strings.HasPrefix(path, "/api/") &&
		!strings.Contains(path, "/actions/") {
		return w.snapshot(bearer, path)
	}
	return w.call(method, path, body, "Authorization", "Bearer "+bearer)
}

package graph_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// assigned gives a role to a token by one more role assignment.
func (w *world) assigned(member, role string, groups, tags []string) {
	w.t.Helper()
	if _, err := w.roles.CreateAssignment(w.t.Context(), administrator,
		access.AssignmentInput{Name: "assignment " + w.next(), RoleID: role,
			Members: []string{member}, Groups: groups, Tags: tags}); err != nil {
		w.t.Fatal(err)
	}
}

// pair is somebody with two role assignments, each with a role of its own and limits of its own.
func (w *world) pair(first, second access.TokenInput) string {
	w.t.Helper()
	first.Name = "pair " + w.next()
	t, bearer, err := w.tokens.Create(w.t.Context(), first)
	if err != nil {
		w.t.Fatal(err)
	}
	w.assigned("token:"+t.ID, second.Role, second.Groups, second.Tags)
	return bearer
}

// Every operation that writes, by who has two areas of which neither holds what it touches: one has
// the groups and lacks the tag, the other has the tag and lacks the groups. Together they have
// both, and that gives nothing. Then by who has all its rights in an area that lacks the thing, and
// none where the thing is.
func TestPairsOfAreasNeverAddUp(t *testing.T) {
	w := newWorld(newSite(t))
	apart := w.pair(access.TokenInput{Role: access.Administrator,
		Groups: []string{w.group, w.crowd}, Tags: []string{w.otherTag}},
		access.TokenInput{Role: access.Administrator, Groups: []string{w.otherGroup},
			Tags: []string{w.tag}})
	elsewhere := w.pair(access.TokenInput{Role: access.Administrator,
		Groups: []string{w.otherGroup}, Tags: []string{w.otherTag}},
		access.TokenInput{Role: w.roleOf([]access.Right{access.ReadAudit}),
			Groups: []string{w.group, w.crowd}, Tags: []string{w.tag}})
	// What no area holds, because it is about no device or payload: who may do it anywhere may do
	// it.
	placeless := []string{"roleDefinitions", "roleAssignments", "roleScopeTags",
		"updatePushCertificate", "tokens", "subscriptions", "createEnrollment",
		"androidEnrollmentTokens.create",
		"groups.create", "batch"}
	for _, op := range graph.Operations() {
		set, _, _ := strings.Cut(op.Name, ".")
		s := specimens[op.Name]
		if op.Reads || slices.Contains(placeless, set) || slices.Contains(placeless, op.Name) ||
			!strings.Contains(op.Pattern, "{id}") && !strings.HasSuffix(op.Name, ".create") {
			continue
		}
		for who, bearer := range map[string]string{"two areas": apart,
			"rights elsewhere": elsewhere} {
			w.t, w.untouched = t, nil
			path := w.pathOf(op)
			var body any
			if s.body != nil {
				body = s.body(w)
			}
			want := []int{http.StatusNotFound, http.StatusForbidden}
			switch {
			case (strings.HasSuffix(op.Name, ".create") || op.Name == "configurationPolicies.createCopy") &&
				who == "two areas":
				// the second area has the tag, and a new payload is on no device
				want = []int{http.StatusCreated}
			case op.Name == "groups.addMember" || op.Name == "groups.removeMember":
				want = []int{http.StatusNotFound}
			case op.Name == "groups.update" && who == "two areas":
				// the first area has the group, and its name is on no device
				want = []int{http.StatusNoContent}
			case strings.HasSuffix(op.Name, ".addAssignment") && who == "two areas":
				// the second area has the payload, and not the device that is to get it
				want = []int{http.StatusBadRequest}
			}
			if a := w.callAs(bearer, op.Method, path, body); !slices.Contains(want, a.status) {
				t.Errorf("%s: %s %s: got %s, want %v", who, op.Method, path, a, want)
			}
		}
	}
}

// Berlin by one assignment and the tag Shops by another: each does what it says, and together no
// more.
func TestBerlinAndShops(t *testing.T) {
	w := newWorld(newSite(t))
	berlin, shops := w.newGroup(), w.newTag()
	phone := func(groupsOf []string, tags ...string) string {
		id := string(w.enroll(fleet.Device{Name: "phone " + w.next(), UDID: "udid " + w.next(),
			Platform: fleet.IOS}).id)
		for _, g := range groupsOf {
			w.must(http.StatusNoContent, "POST", groups+"/"+g+"/members/$ref", memberReference(id))
		}
		if tags != nil {
			w.must(http.StatusOK, "PATCH", devices+"/"+id, object{"roleScopeTagIds": tags})
		}
		return id
	}
	inBerlin, shop, hidden := phone([]string{berlin}), phone([]string{w.crowd}, shops),
		phone([]string{w.crowd})
	plain, tagged, wide := w.addProfile("plain"), w.addProfile("tagged"), w.addProfile("wide")
	for _, id := range []string{tagged, wide} {
		w.must(http.StatusOK, "PATCH", configurations+"/"+id,
			object{"roleScopeTagIds": []string{shops}})
	}
	w.must(http.StatusOK, "POST", configurations+"/"+plain+"/assign",
		object{"assignments": []object{}})
	w.must(http.StatusOK, "POST", configurations+"/"+tagged+"/assign",
		object{"assignments": []object{}})
	caller := "Bearer " + w.pair(access.TokenInput{Role: access.SchoolAdministrator,
		Groups: []string{berlin}},
		access.TokenInput{Role: access.SchoolAdministrator, Tags: []string{shops}})
	to := func(kind, property, id string) object {
		target := object{"@odata.type": kind}
		if property != "" {
			target[property] = id
		}
		return object{"assignments": []object{{"target": target}}}
	}
	group := func(id string) object {
		return to("#microsoft.graph.groupAssignmentTarget", "groupId", id)
	}
	device := func(id string) object {
		return to("#syncpayloads.deviceAssignmentTarget", "deviceId", id)
	}
	all := to("#microsoft.graph.allDevicesAssignmentTarget", "", "")
	const absent = "7f1c9c1e-0000-4000-8000-000000000000"
	for _, tt := range []struct {
		name, method, path string
		body               any
		status             int
	}{
		{"its own place", "POST", configurations + "/" + plain + "/assign", group(berlin), 200},
		{"a device there", "POST", configurations + "/" + plain + "/assign", device(inBerlin), 200},
		{"what has no tag, to a shop", "POST", configurations + "/" + plain + "/assign",
			device(shop), 403},
		{"a shop's, to a shop", "POST", configurations + "/" + tagged + "/assign", device(shop),
			200},
		{"a shop's, to Berlin", "POST", configurations + "/" + tagged + "/assign", device(inBerlin),
			403},
		{"a shop's, to a group with others", "POST", configurations + "/" + tagged + "/assign",
			group(w.crowd), 403},
		{"what has no tag, to all", "POST", configurations + "/" + plain + "/assign", all, 403},
		{"a shop's, to all", "POST", configurations + "/" + tagged + "/assign", all, 403},
		{"to what is hidden", "POST", configurations + "/" + tagged + "/assign", device(hidden),
			400},
		{"to what does not exist", "POST", configurations + "/" + tagged + "/assign",
			device(absent), 400},
		{"a policy of all devices", "PATCH", configurations + "/" + wide,
			object{"displayName": "x"}, 403},
		{"a tag of no assignment", "PATCH", devices + "/" + shop,
			object{"roleScopeTagIds": []string{shops, w.tag}}, 403},
		{"any tag, in Berlin", "PATCH", devices + "/" + inBerlin,
			object{"roleScopeTagIds": []string{"0", w.tag}}, 200},
		{"a device to Berlin's group", "POST", groups + "/" + berlin + "/members/$ref",
			memberReference(shop), 204},
		{"a hidden one", "POST", groups + "/" + berlin + "/members/$ref", memberReference(hidden),
			404},
		{"a group of others", "DELETE", groups + "/" + w.crowd, nil, 403},
	} {
		a := w.call(tt.method, tt.path, tt.body, "Authorization", caller)
		if a.status != tt.status {
			t.Errorf("%s: got %s, want %d", tt.name, a, tt.status)
		}
	}
	// A hidden device answers as none at all, whatever else is asked.
	for _, headers := range [][]string{{"Authorization", caller},
		{"Authorization", caller, "If-Match", `W/"x"`}} {
		var answers []string
		for _, id := range []string{hidden, absent} {
			a := w.call("POST", configurations+"/"+tagged+"/assign", device(id), headers...)
			answers = append(answers, strings.ReplaceAll(a.message(), id, "ID"))
		}
		if answers[0] != answers[1] {
			t.Errorf("hidden: %s\nabsent: %s", answers[0], answers[1])
		}
	}
}

// The rights that one call needs come from one assignment: each alone is no use, and neither are
// both from two.
func TestRightsOfTwoAssignmentsNeverAddUp(t *testing.T) {
	w := newWorld(newSite(t))
	for _, tt := range []struct {
		needs  []access.Right
		method string
		path   string
		body   any
		status int
	}{
		{[]access.Right{access.ChangeAssignments, access.ReadOrganization}, "POST",
			devices + "/" + w.device + "/syncPayloads",
			object{"deviceActionPayloads": []object{config(w.payload)}}, http.StatusNoContent},
		{[]access.Right{access.UpdateDevices, access.ReadDevices}, "PATCH",
			devices + "/" + w.device, object{"roleScopeTagIds": []string{w.tag}}, http.StatusOK},
	} {
		first, second := w.roleOf(tt.needs[:1]), w.roleOf(tt.needs[1:])
		apart := w.pair(access.TokenInput{Role: first, Groups: []string{w.group}},
			access.TokenInput{Role: second, Groups: []string{w.otherGroup}})
		if a := w.callAs(apart, tt.method, tt.path, tt.body); a.status != http.StatusForbidden {
			t.Errorf("%v by two assignments: got %s", tt.needs, a)
		}
		together := w.pair(access.TokenInput{Role: w.roleOf(tt.needs), Groups: []string{w.group}},
			access.TokenInput{Role: second, Groups: []string{w.otherGroup}})
		if a := w.callAs(together, tt.method, tt.path, tt.body); a.status != tt.status {
			t.Errorf("%v by one: got %s", tt.needs, a)
		}
	}
}

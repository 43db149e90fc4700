package access_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// history is what principals do through the service in one run of TestNobodyEscalates.
type history struct {
	*office
	groups  []string
	members []string
	all     []fleet.Place
}

// Whatever principals do through the service, nobody reaches more afterwards than they or the one
// who acted did before.
func TestNobodyEscalates(t *testing.T) {
	h := &history{office: newOffice(t), members: []string{"user:anna", "user:ben", "user:cleo"}}
	h.groups = []string{h.group("a"), h.group("b")}
	h.tag("one")
	h.tag("two")
	h.all = places(h.groups, someTags)
	rapid.Check(t, func(t *rapid.T) {
		h.clear(t)
		for _, kind := range []int{createRole, createRole, assign, assign, assign} {
			h.act(t, root, kind)
		}
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			before := h.reach()
			actor := rapid.SampledFrom(h.members).Draw(t, "actor")
			by := h.principal(actor)
			own := before[actor]
			if rapid.IntRange(0, 3).Draw(t, "as") == 0 {
				by = &access.Principal{Identity: access.Identity{Application: true,
					Permissions: []string{"DeviceManagementRBAC.ReadWrite.All"}}}
				own = h.reachOf(by)
			}
			did, err := h.act(t, by, rapid.IntRange(0, kinds-1).Draw(t, "kind"))
			for member, after := range h.reach() {
				for what := range after {
					if !before[member][what] && !own[what] {
						t.Fatalf("%s did %s (%v), and %s reaches %s", actor, did, err, member, what)
					}
				}
			}
		}
	})
}

// clear takes away what an earlier run left.
func (h *history) clear(t *rapid.T) {
	for _, a := range must2(h.ListAssignments(h.t.Context(), "", query.Query{}))(h.t).Items {
		if err := h.DeleteAssignment(h.t.Context(), root, a.ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range must2(h.ListRoles(h.t.Context(), query.Query{}))(h.t).Items {
		if err := h.DeleteRole(h.t.Context(), r.ID); err != nil && !r.BuiltIn {
			t.Fatal(err)
		}
	}
}

// reach is what each member reaches, with which right.
func (h *history) reach() map[string]map[string]bool {
	found := make(map[string]map[string]bool)
	for _, m := range h.members {
		found[m] = h.reachOf(h.principal(m))
	}
	return found
}

func (h *history) reachOf(p *access.Principal) map[string]bool {
	found := make(map[string]bool)
	for _, together := range rightsTogether {
		for what := range reached(p.Scope(together...), h.all) {
			found[fmt.Sprint(together, " ", what)] = true
		}
	}
	return found
}

// What act does.
const (
	assign = iota
	createRole
	updateRole
	updateAssignment
	deleteAssignment
	kinds
)

// act does one thing of a kind, with whom and what at random.
func (h *history) act(t *rapid.T, by *access.Principal, kind int) (string, error) {
	ctx := h.t.Context()
	custom := slices.DeleteFunc(must2(h.ListRoles(ctx, query.Query{}))(h.t).Items,
		func(r *access.Role) bool { return r.BuiltIn })
	assignments := must2(h.ListAssignments(ctx, "", query.Query{}))(h.t).Items
	members := rapid.SliceOfDistinct(rapid.SampledFrom(h.members), rapid.ID).Draw(t, "members")
	groups, tags := drawLimits(t, "groups", 1, h.groups), drawLimits(t, "tags", 1, someTags)
	var err error
	switch {
	case kind == createRole:
		_, err = h.CreateRole(ctx, by, access.RoleInput{Name: fmt.Sprint("role ", len(custom)),
			Rights: drawRights(t, "rights")})
		return "CreateRole", err
	case kind == updateRole:
		_, err = h.UpdateRole(ctx, by, rapid.SampledFrom(custom).Draw(t, "role").ID,
			access.RolePatch{Rights: drawRights(t, "rights")})
		return "UpdateRole", err
	case kind == assign || len(assignments) == 0:
		_, err = h.CreateAssignment(ctx, by, access.AssignmentInput{Name: "a",
			RoleID:  rapid.SampledFrom(custom).Draw(t, "role").ID,
			Members: members, Groups: groups, Tags: tags})
		return "CreateAssignment", err
	case kind == updateAssignment:
		patch := access.AssignmentPatch{Members: members}
		if rapid.Bool().Draw(t, "moves") {
			patch.Groups, patch.Tags = &groups, &tags
		}
		_, err = h.UpdateAssignment(ctx, by, rapid.SampledFrom(assignments).Draw(t,
			"assignment").ID, patch)
		return "UpdateAssignment", err
	default:
		return "DeleteAssignment", h.DeleteAssignment(ctx, by,
			rapid.SampledFrom(assignments).Draw(t, "assignment").ID)
	}
}

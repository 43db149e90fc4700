package access_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

func TestAssignmentLifecycle(t *testing.T) {
	o := newOffice(t)
	school, campus := o.group("School"), o.group("Campus")
	tag := o.tag("Munich")
	in := access.AssignmentInput{Name: "Munich help desk", RoleID: access.HelpDeskOperator,
		Members: []string{"user:anna", "desk"},
		Groups:  []string{strings.ToUpper(school), campus}, Tags: []string{tag}}
	a := must2(o.CreateAssignment(t.Context(), root, in))(t)
	want := []access.Grant{{Role: "Help Desk Operator", Rights: access.BuiltInRoles()[1].Rights,
		Area: fleet.Area{Groups: []string{school, campus}, Tags: []string{tag}}}}
	for _, members := range [][]string{{"user:anna"}, {"desk"}, {"user:anna", "desk", "other"}} {
		if got := o.principal(members...).Grants; !reflect.DeepEqual(got, want) {
			t.Errorf("%v have %+v, want %+v", members, got, want)
		}
	}
	if got := o.principal("user:ann", "Desk").Grants; got != nil {
		t.Errorf("others have %+v", got)
	}
	var everywhere []string
	edited := must2(o.UpdateAssignment(t.Context(), root, a.ID,
		access.AssignmentPatch{Members: []string{"user:ben"},
			Groups: &everywhere, Tags: &everywhere}))(t)
	if edited.Groups != nil || edited.Tags != nil || edited.Name != in.Name {
		t.Errorf("edited to %+v", edited)
	}
	if got := must2(o.Assignment(t.Context(), a.ID))(t); !reflect.DeepEqual(got, edited) {
		t.Errorf("read %+v, want %+v", got, edited)
	}
	if got := o.principal("user:ben").Scope(access.SyncDevices); !got.Everything() ||
		o.principal("desk").Grants != nil {
		t.Errorf("ben reaches %+v, the desk has %+v", got, o.principal("desk").Grants)
	}
	other := must2(o.CreateAssignment(t.Context(), root,
		access.AssignmentInput{Name: "b", RoleID: access.ReadOnlyOperator}))(t)
	for role, want := range map[string]int{"": 2, access.HelpDeskOperator: 1,
		strings.ToUpper(access.ReadOnlyOperator): 1, access.Administrator: 0} {
		if list := must2(o.ListAssignments(t.Context(), role,
			query.Query{}))(t).Items; len(list) != want {
			t.Errorf("role %q has assignments %+v", role, list)
		}
	}
	if _, err := o.ListAssignments(t.Context(), other.ID, query.Query{}); !errors.Is(err,
		access.ErrNotFound) {
		t.Errorf("assignments of no role: %v", err)
	}
	if err := o.DeleteAssignment(t.Context(), root, a.ID); err != nil ||
		o.principal("user:ben").Grants != nil {
		t.Errorf("deleted with %v, and ben has %+v", err, o.principal("user:ben").Grants)
	}
	if err := o.DeleteAssignment(t.Context(), root, a.ID); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

// An assignment whose group is gone goes on for the others, and never widens.
func TestGroupOfAssignmentDeleted(t *testing.T) {
	o := newOffice(t)
	gone := o.group("Gone")
	a := must2(o.CreateAssignment(t.Context(), root,
		access.AssignmentInput{Name: "a", RoleID: access.HelpDeskOperator,
			Members: []string{"desk"}, Groups: []string{gone}}))(t)
	if err := o.catalog.DeleteGroup(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	if got := o.principal("desk").Scope(access.ReadDevices); len(got) != 1 ||
		!slices.Equal(got[0].Groups, []string{gone}) {
		t.Errorf("the desk is limited to %v", got)
	}
	name := "b"
	if _, err := o.UpdateAssignment(t.Context(), root, a.ID,
		access.AssignmentPatch{Name: &name, Groups: &a.Groups}); err != nil {
		t.Errorf("renaming it: %v", err)
	}
}

func TestAssignmentRefuses(t *testing.T) {
	o := newOffice(t)
	school := o.group("School")
	for name, in := range map[string]access.AssignmentInput{
		"role":          {Name: "x", RoleID: uuid.NewString()},
		"name":          {RoleID: access.Administrator},
		"empty member":  {Name: "x", RoleID: access.Administrator, Members: []string{""}},
		"spaced member": {Name: "x", RoleID: access.Administrator, Members: []string{"a "}},
		"twice":         {Name: "x", RoleID: access.Administrator, Members: []string{"a", "a"}},
		"unknown token": {Name: "x", RoleID: access.Administrator,
			Members: []string{"token:0123456789abcdef"}},
		"no group": {Name: "x", RoleID: access.Administrator, Groups: []string{}},
		"unknown group": {Name: "x", RoleID: access.Administrator,
			Groups: []string{school, uuid.NewString()}},
		"group twice": {Name: "x", RoleID: access.Administrator,
			Groups: []string{school, strings.ToUpper(school)}},
		"no tag":        {Name: "x", RoleID: access.Administrator, Tags: []string{}},
		"unknown tag":   {Name: "x", RoleID: access.Administrator, Tags: []string{"7"}},
		"tag not exact": {Name: "x", RoleID: access.Administrator, Tags: []string{"00"}},
		"many groups": {Name: "x", RoleID: access.Administrator,
			Groups: slices.Repeat([]string{school}, 101)},
		"long member": {Name: "x", RoleID: access.Administrator,
			Members: []string{strings.Repeat("m", 257)}},
		"control member": {Name: "x", RoleID: access.Administrator, Members: []string{"a\nb"}},
	} {
		var wrong *invalid.Input
		if a, err := o.CreateAssignment(t.Context(), root, in); !errors.As(err, &wrong) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	if list := must2(o.ListAssignments(t.Context(), "", query.Query{}))(t).Items; len(list) != 0 {
		t.Errorf("refused and kept: %+v", list)
	}
}

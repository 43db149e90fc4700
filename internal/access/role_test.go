package access_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// office is the services on one database.
type office struct {
	*access.Roles
	t       testing.TB
	store   *store.Store
	tokens  *access.Tokens
	catalog *catalog.Catalog
	clock   *clock
}

// root may do everything.
var root = &access.Principal{Grants: []access.Grant{{Rights: access.Rights()}}}

func newOffice(t testing.TB) *office {
	t.Helper()
	s, err := store.Open(t.Context(), storetest.Location(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &clock{time.Date(2025, 2, 13, 10, 0, 0, 0, time.UTC)}
	return &office{Roles: access.NewRoles(s, uuid.NewString), t: t, store: s,
		tokens:  access.NewTokens(s, c.now),
		catalog: catalog.New(s, catalog.MustForms(payload.Forms()), c.now, uuid.NewString),
		clock:   c}
}

func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// group makes a group of devices and returns its id.
func (o *office) group(name string) string {
	o.t.Helper()
	g, err := o.catalog.CreateGroup(o.t.Context(), catalog.GroupInput{DisplayName: name})
	return must(o.t, g, err).ID
}

func (o *office) tag(name string) string {
	o.t.Helper()
	tag, err := o.CreateTag(o.t.Context(), access.TagInput{Name: name})
	return must(o.t, tag, err).ID
}

// principal is what the members have together.
func (o *office) principal(members ...string) *access.Principal {
	o.t.Helper()
	grants, err := o.Grants(o.t.Context(), members)
	return &access.Principal{Identity: access.Identity{ID: members[0], Members: members},
		Grants: must(o.t, grants, err)}
}

func TestBuiltInRoles(t *testing.T) {
	o := newOffice(t)
	list := must2(o.ListRoles(t.Context(), query.Query{}))(t).Items
	if len(list) != 4 || !slices.IsSortedFunc(list,
		func(a, b *access.Role) int { return strings.Compare(a.ID, b.ID) }) {
		t.Fatalf("roles are %v", list)
	}
	can := func(id string, r access.Right) bool {
		role, err := o.Role(t.Context(), strings.ToUpper(id))
		return slices.Contains(must(t, role, err).Rights, r)
	}
	for _, tt := range []struct {
		right                            access.Right
		helpDesk, school, reading, admin bool
	}{
		{access.ReadDevices, true, true, true, true},
		{access.ChangeAssignments, true, true, false, true},
		{access.SyncDevices, true, true, false, true},
		{access.ReadOrganization, true, true, true, true},
		{access.UpdateDevices, false, true, false, true},
		{access.DeleteConfigurations, false, true, false, true},
		{access.AssignApps, false, true, false, true},
		{access.EnrollDevices, false, true, false, true},
		{access.ReadAudit, false, true, true, true},
		{access.ReadTokens, false, false, true, true},
		{access.UpdateOrganization, false, false, false, true},
		{access.ReadAndroid, false, true, true, true},
		{access.UpdateAndroidEnrollment, false, true, false, true},
		{access.OnboardAndroid, false, false, false, true},
		{access.AssignRoles, false, false, false, true},
		{access.CreateTokens, false, false, false, true},
	} {
		got := []bool{can(access.HelpDeskOperator, tt.right),
			can(access.SchoolAdministrator, tt.right),
			can(access.ReadOnlyOperator, tt.right), can(access.Administrator, tt.right)}
		if want := []bool{tt.helpDesk, tt.school, tt.reading, tt.admin}; !slices.Equal(got, want) {
			t.Errorf("%s: help desk, school, reading, admin have it: %v, want %v", tt.right, got,
				want)
		}
	}
	for _, role := range list {
		var conflict *access.Conflict
		if _, err := o.UpdateRole(t.Context(), root, role.ID,
			access.RolePatch{Rights: []access.Right{}}); !errors.As(err, &conflict) {
			t.Errorf("editing %s: %v", role.Name, err)
		}
		if err := o.DeleteRole(t.Context(), role.ID); !errors.As(err, &conflict) {
			t.Errorf("deleting %s: %v", role.Name, err)
		}
	}
}

// must2 is must for a call in place.
func must2[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T { t.Helper(); return must(t, v, err) }
}

func TestRoleLifecycle(t *testing.T) {
	o := newOffice(t)
	role := must2(o.CreateRole(t.Context(), root,
		access.RoleInput{Name: "Night shift", Description: "d",
			Rights: []access.Right{access.SyncDevices, access.ReadDevices, access.SyncDevices}}))(t)
	if got := must2(o.Role(t.Context(), role.ID))(t); !reflect.DeepEqual(got, role) ||
		len(got.Rights) != 2 || got.BuiltIn {
		t.Errorf("made %+v, read %+v", role, got)
	}
	var seen []string
	for q := (query.Query{Limit: 2}); q.Limit > 0; {
		page := must2(o.ListRoles(t.Context(), q))(t)
		for _, r := range page.Items {
			seen = append(seen, r.ID)
		}
		if q.After = page.Next; q.After == nil {
			break
		}
	}
	if len(seen) != 5 || !slices.IsSorted(seen) {
		t.Errorf("pages show %v", seen)
	}
	name := "Day shift"
	edited := must2(o.UpdateRole(t.Context(), root, role.ID,
		access.RolePatch{Name: &name, Rights: []access.Right{access.ReadApps}}))(t)
	if got := must2(o.Role(t.Context(), role.ID))(t); !reflect.DeepEqual(got, edited) ||
		got.Name != name || got.Description != "d" ||
		!slices.Equal(got.Rights, []access.Right{access.ReadApps}) {
		t.Errorf("edited to %+v", got)
	}
	a := must2(o.CreateAssignment(t.Context(), root,
		access.AssignmentInput{Name: "a", RoleID: role.ID, Members: []string{"g"}}))(t)
	var conflict *access.Conflict
	if err := o.DeleteRole(t.Context(), role.ID); !errors.As(err, &conflict) {
		t.Errorf("deleting an assigned role: %v", err)
	}
	if err := o.DeleteAssignment(t.Context(), root, a.ID); err != nil {
		t.Fatal(err)
	}
	if err := o.DeleteRole(t.Context(), role.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Role(t.Context(), role.ID); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("deleted role: %v", err)
	}
}

func TestRoleRefuses(t *testing.T) {
	o := newOffice(t)
	if _, err := o.CreateRole(t.Context(), root, access.RoleInput{Name: "Taken"}); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]access.RoleInput{
		"no name":        {},
		"spaces":         {Name: " x"},
		"control":        {Name: "a\tb"},
		"long name":      {Name: strings.Repeat("n", 129)},
		"long text":      {Name: "x", Description: strings.Repeat("n", 1025)},
		"unknown right":  {Name: "x", Rights: []access.Right{"Microsoft.Intune_RemoteTasks_Wipe"}},
		"taken":          {Name: "tAKEN"},
		"taken built-in": {Name: "help desk operator"},
	} {
		var wrong *invalid.Input
		if role, err := o.CreateRole(t.Context(), root, in); !errors.As(err, &wrong) {
			t.Errorf("%s: %+v, %v", name, role, err)
		}
	}
}

// Every write says what it did, before and after, to the record of the call it is part of.
func TestWritesAreNoted(t *testing.T) {
	o := newOffice(t)
	var objects []audit.Object
	noted := func(write func(context.Context) error) {
		t.Helper()
		d := &audit.Draft{Entry: audit.Entry{ID: uuid.NewString(), At: o.clock.Time,
			Kind: audit.Act, Result: audit.Success}}
		if err := write(audit.With(t.Context(), d)); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, d.Complete().Objects...)
	}
	var role *access.Role
	var a *access.RoleAssignment
	var tag *access.ScopeTag
	name := "new"
	noted(func(ctx context.Context) (err error) {
		role, err = o.CreateRole(ctx, root, access.RoleInput{Name: "old"})
		return err
	})
	noted(func(ctx context.Context) error {
		_, err := o.UpdateRole(ctx, root, role.ID, access.RolePatch{Name: &name})
		return err
	})
	noted(func(ctx context.Context) (err error) {
		a, err = o.CreateAssignment(ctx, root, access.AssignmentInput{Name: "old", RoleID: role.ID})
		return err
	})
	noted(func(ctx context.Context) error {
		_, err := o.UpdateAssignment(ctx, root, a.ID, access.AssignmentPatch{Name: &name})
		return err
	})
	noted(func(ctx context.Context) error { return o.DeleteAssignment(ctx, root, a.ID) })
	noted(func(ctx context.Context) error { return o.DeleteRole(ctx, role.ID) })
	noted(func(ctx context.Context) (err error) {
		tag, err = o.CreateTag(ctx, access.TagInput{Name: "old"})
		return err
	})
	noted(func(ctx context.Context) error {
		_, err := o.UpdateTag(ctx, tag.ID, access.TagPatch{Name: &name})
		return err
	})
	noted(func(ctx context.Context) error { return o.DeleteTag(ctx, tag.ID) })
	var bearer string
	noted(func(ctx context.Context) (err error) {
		_, bearer, err = o.tokens.Create(ctx,
			access.TokenInput{Name: "new", Role: access.Administrator})
		return err
	})
	noted(func(ctx context.Context) error { return o.tokens.Revoke(ctx, "new") })
	want := []string{"roleDefinition +", "roleDefinition ±", "roleAssignment +", "roleAssignment ±",
		"roleAssignment -", "roleDefinition -",
		"roleScopeTag +", "roleScopeTag ±", "roleScopeTag -", "token +", "token -"}
	var got []string
	for _, ob := range objects {
		sign := map[[2]bool]string{{false, true}: "+", {true, true}: "±",
			{true, false}: "-"}[[2]bool{ob.Before != nil, ob.After != nil}]
		got = append(got, ob.Type+" "+sign)
		both := string(ob.Before) + string(ob.After)
		if !strings.Contains(both, ob.ID) || !strings.Contains(both, ob.Name) ||
			strings.Contains(both, bearer[20:]) {
			t.Errorf("noted %s of %s %q: %s", got[len(got)-1], ob.ID, ob.Name, both)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("noted %v, want %v", got, want)
	}
}

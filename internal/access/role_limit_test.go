package access_test

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

func TestMayGive(t *testing.T) {
	desk := []access.Right{access.ReadDevices, access.SyncDevices}
	limited := &access.Principal{Grants: []access.Grant{
		{Rights: desk, Area: fleet.Area{Groups: []string{"a", "b"}}},
		{Rights: desk, Area: fleet.Area{Groups: []string{"c"}, Tags: []string{"1"}}},
		{Rights: []access.Right{access.ReadDevices}},
	}}
	app := &access.Principal{Identity: access.Identity{Application: true,
		Permissions: []string{"DeviceManagementManagedDevices.Read.All"}}}
	consented := &access.Principal{Identity: access.Identity{Permissions: []string{"DeviceManagementManagedDevices.Read.All"}}, Grants: root.Grants}
	for _, tt := range []struct {
		name   string
		by     *access.Principal
		rights []access.Right
		area   fleet.Area
		lacks  access.Right
	}{
		{"everything", root, access.Rights(), fleet.Area{}, ""},
		{"own area", limited, desk, fleet.Area{Groups: []string{"a"}}, ""},
		{"both own groups", limited, desk, fleet.Area{Groups: []string{"a", "b"},
			Tags: []string{"1"}}, ""},
		{"a sum of own areas", limited, desk,
			fleet.Area{Groups: []string{"b", "c"}, Tags: []string{"1"}}, access.SyncDevices},
		{"a sum of own rights", &access.Principal{Grants: []access.Grant{{Rights: desk[:1]},
			{Rights: desk[1:]}}}, desk, fleet.Area{}, access.SyncDevices},
		{"a tag more", limited, desk, fleet.Area{Groups: []string{"c"}, Tags: []string{"1", "2"}},
			access.SyncDevices},
		{"all tags", limited, desk, fleet.Area{Groups: []string{"c"}}, access.SyncDevices},
		{"another group", limited, desk, fleet.Area{Groups: []string{"a", "d"}},
			access.SyncDevices},
		{"all devices", limited, desk, fleet.Area{}, access.SyncDevices},
		{"all devices of a tag", limited, desk, fleet.Area{Tags: []string{"1"}},
			access.SyncDevices},
		{"what holds everywhere", limited, desk[:1], fleet.Area{}, ""},
		{"a right that is not held", limited, []access.Right{access.AssignRoles},
			fleet.Area{Groups: []string{"a"}}, access.AssignRoles},
		{"no devices, but all payloads", limited, []access.Right{access.SyncDevices},
			fleet.Area{Groups: []string{}}, ""},
		{"no devices, and payloads of nobody", &access.Principal{},
			[]access.Right{access.SyncDevices}, fleet.Area{Groups: []string{}}, access.SyncDevices},
		{"an application's permission", app, []access.Right{access.ReadDevices}, fleet.Area{}, ""},
		{"beyond an application's permission", app, []access.Right{access.UpdateDevices},
			fleet.Area{}, access.UpdateDevices},
		{"beyond what the bearer carries", consented, []access.Right{access.UpdateDevices},
			fleet.Area{}, access.UpdateDevices},
	} {
		err := tt.by.MayGive(tt.rights, tt.area)
		var lacks *access.NotHeld
		if errors.As(err, &lacks); (lacks == nil) != (tt.lacks == "") ||
			lacks != nil && lacks.Right != tt.lacks {
			t.Errorf("%s: %v, want it to lack %q", tt.name, err, tt.lacks)
		}
	}
}

var (
	someRights = []access.Right{access.ReadDevices, access.SyncDevices, access.AssignRoles,
		access.UpdateRoles}
	someTags = []string{"0", "1", "2"}
)

// rightsTogether are the rights that an operation may need: one, or two at once.
var rightsTogether = func() (all [][]access.Right) {
	for i, r := range someRights {
		all = append(all, []access.Right{r})
		for _, other := range someRights[:i] {
			all = append(all, []access.Right{other, r})
		}
	}
	return all
}()

func drawRights(t *rapid.T, label string) []access.Right {
	return rapid.SliceOfDistinct(rapid.SampledFrom(someRights), rapid.ID).Draw(t, label)
}

// drawLimits is no limit, or some of the values, empty only if that is possible.
func drawLimits(t *rapid.T, label string, least int, values []string) []string {
	if rapid.Bool().Draw(t, label+" all") {
		return nil
	}
	return rapid.SliceOfNDistinct(rapid.SampledFrom(values), least, len(values), rapid.ID).Draw(t,
		label)
}

// places are all combinations of groups and tags that a device can have.
func places(groups, tags []string) []fleet.Place {
	var all []fleet.Place
	for g := range 1 << len(groups) {
		for tg := 1; tg < 1<<len(tags); tg++ {
			all = append(all, fleet.Place{Groups: subset(groups, g), Tags: subset(tags, tg)})
		}
	}
	return all
}

func subset(of []string, bits int) []string {
	var chosen []string
	for i, v := range of {
		if bits>>i&1 == 1 {
			chosen = append(chosen, v)
		}
	}
	return chosen
}

// reached lists what a scope reaches: devices by their place, payloads by their tags, and what one
// of its areas has at once: a payload of one tag on devices of two places.
func reached(scope fleet.Scope, all []fleet.Place) map[string]bool {
	found := make(map[string]bool)
	for _, a := range scope {
		for _, p := range all {
			if len(p.Groups) > 1 || len(p.Tags) > 1 || !a.Device(p) {
				continue
			}
			for _, other := range all {
				if len(other.Groups) == 1 && len(other.Tags) == 1 && a.Device(other) &&
					a.Payload(other.Tags) {
					found[fmt.Sprint("payload ", other.Tags, " on ", p.Groups, p.Tags, " and ",
						other.Groups, other.Tags)] = true
				}
			}
		}
	}
	for _, p := range all {
		if len(scope.Around(p)) > 0 {
			found[fmt.Sprint("device ", p.Groups, p.Tags)] = true
		}
		if scope.Reaches(p.Tags) {
			found[fmt.Sprint("payload ", p.Tags)] = true
		}
	}
	return found
}

// What may be given reaches nothing that its giver does not reach; and what the giver was given may
// be given on.
func TestMayGiveIsSound(t *testing.T) {
	groups := []string{"a", "b", "c"}
	all := places(groups, someTags)
	rapid.Check(t, func(t *rapid.T) {
		by := &access.Principal{}
		for range rapid.IntRange(0, 3).Draw(t, "grants") {
			by.Grants = append(by.Grants, access.Grant{Rights: drawRights(t, "has"),
				Area: fleet.Area{Groups: drawLimits(t, "has groups", 0, groups),
					Tags: drawLimits(t, "has tags", 0, someTags)}})
		}
		rights := drawRights(t, "gives")
		area := fleet.Area{Groups: drawLimits(t, "gives groups", 0, groups),
			Tags: drawLimits(t, "gives tags", 0, someTags)}
		if by.MayGive(rights, area) == nil {
			given := &access.Principal{Grants: []access.Grant{{Rights: rights, Area: area}}}
			for _, together := range rightsTogether {
				has := reached(by.Scope(together...), all)
				for what := range reached(given.Scope(together...), all) {
					if !has[what] {
						t.Fatalf("may give %s in %+v to %s", together, area, what)
					}
				}
			}
		}
		for _, g := range by.Grants {
			if err := by.MayGive(g.Rights, g.Area); err != nil {
				t.Fatalf("may not give on %+v: %v", g, err)
			}
		}
	})
}

// Each write is for those who have all that it gives and takes, where it does.
func TestWritesTakeRights(t *testing.T) {
	o := newOffice(t)
	school, campus := o.group("School"), o.group("Campus")
	shift := must2(o.CreateRole(t.Context(), root,
		access.RoleInput{Name: "Shift", Rights: []access.Right{access.ReadDevices}}))(t)
	other := must2(o.CreateRole(t.Context(), root,
		access.RoleInput{Name: "Other", Rights: []access.Right{access.ReadApps}}))(t)
	spare := must2(o.CreateRole(t.Context(), root, access.RoleInput{Name: "Spare"}))(t)
	inSchool := must2(o.CreateAssignment(t.Context(), root,
		access.AssignmentInput{Name: "school", RoleID: shift.ID, Members: []string{"desk"},
			Groups: []string{school}}))(t)
	onCampus := must2(o.CreateAssignment(t.Context(), root,
		access.AssignmentInput{Name: "campus", RoleID: shift.ID, Members: []string{"desk"},
			Groups: []string{campus}}))(t)
	has := []access.Right{access.ReadDevices, access.SyncDevices, access.AssignRoles,
		access.CreateRoles, access.UpdateRoles}
	principal := &access.Principal{Grants: []access.Grant{{Rights: has,
		Area: fleet.Area{Groups: []string{school}}},
		{Rights: []access.Right{access.SyncDevices}}}}
	assign := func(role string, groups ...string) error {
		_, err := o.CreateAssignment(t.Context(), principal,
			access.AssignmentInput{Name: "x", RoleID: role, Members: []string{"ben"},
				Groups: groups})
		return err
	}
	edit := func(id string, patch access.AssignmentPatch) error {
		_, err := o.UpdateAssignment(t.Context(), principal, id, patch)
		return err
	}
	editRole := func(id string, rights ...access.Right) error {
		_, err := o.UpdateRole(t.Context(), principal, id, access.RolePatch{Rights: rights})
		return err
	}
	rename := func(id string) error {
		name := "Renamed"
		_, err := o.UpdateRole(t.Context(), principal, id, access.RolePatch{Name: &name})
		return err
	}
	create := func(name string, rights ...access.Right) error {
		_, err := o.CreateRole(t.Context(), principal, access.RoleInput{Name: name, Rights: rights})
		return err
	}
	for _, tt := range []struct {
		name  string
		err   error
		lacks access.Right // empty: it may be done
	}{
		{"a role of another right", create("a", access.ReadApps), access.ReadApps},
		{"a role of own rights", create("b", access.SyncDevices, access.ReadDevices), ""},
		{"another right for an unused role", editRole(spare.ID, access.ReadApps), access.ReadApps},
		{"a name for an unused role of another right", rename(other.ID), ""},
		{"a name for a role where others have it", rename(shift.ID), access.ReadDevices},
		{"own rights for an unused role", editRole(spare.ID, access.SyncDevices), ""},
		{"a right taken where others have it", editRole(shift.ID, []access.Right{}...),
			access.ReadDevices},
		{"a right given where others get it",
			editRole(shift.ID, access.ReadDevices, access.SyncDevices), access.ReadDevices},
		{"a role given everywhere", assign(shift.ID), access.AssignRoles},
		{"a role given elsewhere", assign(shift.ID, campus), access.AssignRoles},
		{"a role whose rights hold everywhere, given elsewhere", assign(spare.ID, campus),
			access.AssignRoles},
		{"a role given in the own group", assign(shift.ID, school), ""},
		{"Administrator given in the own group", assign(access.Administrator, school),
			access.UpdateDevices},
		{"members where others have it", edit(onCampus.ID,
			access.AssignmentPatch{Members: []string{"ben"}}), access.AssignRoles},
		{"an assignment drawn to the own group",
			edit(onCampus.ID, access.AssignmentPatch{Groups: &inSchool.Groups}),
			access.AssignRoles},
		{"an assignment moved elsewhere", edit(inSchool.ID,
			access.AssignmentPatch{Groups: &onCampus.Groups}), access.AssignRoles},
		{"members in the own group", edit(inSchool.ID,
			access.AssignmentPatch{Members: []string{"ben"}}), ""},
		{"an assignment taken elsewhere", o.DeleteAssignment(t.Context(), principal, onCampus.ID),
			access.AssignRoles},
		{"an assignment taken in the own group",
			o.DeleteAssignment(t.Context(), principal, inSchool.ID), ""},
	} {
		var lacks *access.NotHeld
		if errors.As(tt.err, &lacks); tt.lacks == "" && tt.err != nil ||
			tt.lacks != "" && (lacks == nil || lacks.Right != tt.lacks) {
			t.Errorf("%s: %v, want it to lack %q", tt.name, tt.err, tt.lacks)
		}
	}
}

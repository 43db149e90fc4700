package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

func group(t *testing.T, c *catalog.Catalog, name string, members ...fleet.DeviceID) string {
	t.Helper()
	g, err := c.CreateGroup(t.Context(), catalog.GroupInput{DisplayName: name})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range members {
		if err := c.AddMember(t.Context(), g.ID, id); err != nil {
			t.Fatal(err)
		}
	}
	return g.ID
}

func TestAssignReplacesTheAssignments(t *testing.T) {
	s, c := openCatalog(t)
	p := create(t, c, wifi("com.example.office"))
	g := group(t, c, "Office")
	first, err := c.Assign(t.Context(), p.ID,
		[]catalog.Assignment{{Kind: catalog.Group, Target: strings.ToUpper(g)},
			{Kind: catalog.OneDevice, Target: deviceA}})
	if err != nil || len(first) != 2 || first[0].Target != g || first[0].ID == "" ||
		first[0].ID == first[1].ID {
		t.Fatalf("assigned %+v, %v", first, err)
	}
	groupChange, deviceChange := catalog.Change{Kind: catalog.Group, Target: g},
		catalog.Change{Kind: catalog.OneDevice, Target: deviceA}
	wantChanges(t, s, groupChange, deviceChange)

	second, err := c.Assign(t.Context(), p.ID,
		[]catalog.Assignment{{Kind: catalog.AllDevices},
			{Kind: catalog.OneDevice, Target: deviceA}})
	if err != nil || second[1].ID != first[1].ID || second[0].ID == first[0].ID {
		t.Errorf("assigned %+v behind %+v, %v", second, first, err)
	}
	wantChanges(t, s, groupChange, everybody)
	if kept, err := c.Assignments(t.Context(), p.ID); err != nil || !slices.Equal(kept, second) {
		t.Errorf("kept %+v, %v; want %+v", kept, err, second)
	}

	if _, err := c.Assign(t.Context(), p.ID, second); err != nil {
		t.Fatal(err)
	}
	wantChanges(t, s)

	if _, err := c.Assign(t.Context(), p.ID, append(second,
		catalog.Assignment{Kind: catalog.ExcludeGroup, Target: g})); err != nil {
		t.Fatal(err)
	}
	wantChanges(t, s, groupChange)
	if err := c.Delete(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
	wantChanges(t, s, everybody, deviceChange)
}

func TestAssignRefuses(t *testing.T) {
	s, c := openCatalog(t)
	p := create(t, c, wifi("com.example.office"))
	g := group(t, c, "Office")
	all, inGroup := catalog.Assignment{Kind: catalog.AllDevices},
		catalog.Assignment{Kind: catalog.Group, Target: g}
	if _, err := c.Assign(t.Context(), p.ID, []catalog.Assignment{inGroup}); err != nil {
		t.Fatal(err)
	}
	changes(t, s)
	for name, c2 := range map[string]struct {
		list           []catalog.Assignment
		property, text string
	}{
		"all twice": {[]catalog.Assignment{all, all}, "assignments[1].target",
			"assignments[0]"},
		"in and out": {[]catalog.Assignment{inGroup,
			{Kind: catalog.ExcludeGroup, Target: strings.ToUpper(g)}}, "assignments[1].target",
			"assignments[0]"},
		"unknown group": {[]catalog.Assignment{all, {Kind: catalog.Group, Target: nobody}},
			"assignments[1].target", "no group " + nobody},
		"unknown excluded group": {[]catalog.Assignment{{Kind: catalog.ExcludeGroup,
			Target: nobody}}, "assignments[0].target", "no group"},
		"unknown device": {[]catalog.Assignment{{Kind: catalog.OneDevice, Target: nobody}},
			"assignments[0].target", "no managed device"},
		"no GUID": {[]catalog.Assignment{{Kind: catalog.OneDevice, Target: "1"}},
			"assignments[0].target", "not an id"},
		"GUID in braces": {[]catalog.Assignment{{Kind: catalog.OneDevice,
			Target: "{" + deviceA + "}"}}, "assignments[0].target", "not an id"},
		"all with an id": {[]catalog.Assignment{{Kind: catalog.AllDevices, Target: g}},
			"assignments[0].target", "all devices"},
		"unknown kind": {[]catalog.Assignment{{Kind: "everyone"}},
			"assignments[0].target", "everyone"},
		"too many": {make([]catalog.Assignment, catalog.MaxAssignments+1),
			"assignments", "at most 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Assign(t.Context(), p.ID, c2.list)
			refused(t, err, c2.property, c2.text)
		})
	}
	wantChanges(t, s)
	if kept, err := c.Assignments(t.Context(), p.ID); err != nil || len(kept) != 1 {
		t.Errorf("after refused lists: %+v, %v", kept, err)
	}
	if _, err := c.Assign(t.Context(), nobody, nil); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("an unknown payload: %v", err)
	}
}

func TestGroups(t *testing.T) {
	s, c := openCatalog(t)
	ctx := t.Context()
	_, err := c.CreateGroup(ctx, catalog.GroupInput{DisplayName: " "})
	refused(t, err, "displayName", "1 to 200")
	_, err = c.CreateGroup(ctx, catalog.GroupInput{DisplayName: strings.Repeat("ü", 201)})
	refused(t, err, "displayName", "201")
	g := group(t, c, strings.Repeat("ü", 200), deviceB, deviceA, deviceA)
	changeA, changeB := catalog.Change{Kind: catalog.OneDevice, Target: deviceA},
		catalog.Change{Kind: catalog.OneDevice, Target: deviceB}
	wantChanges(t, s, changeB, changeA)
	if members, err := c.Members(ctx, g, "", 1); err != nil ||
		!slices.Equal(members, []fleet.DeviceID{deviceA}) {
		t.Errorf("first page of members: %v, %v", members, err)
	}
	if members, err := c.Members(ctx, strings.ToUpper(g), deviceA, 10); err != nil ||
		!slices.Equal(members, []fleet.DeviceID{deviceB}) {
		t.Errorf("second page of members: %v, %v", members, err)
	}
	if err := c.RemoveMember(ctx, g, deviceA); err != nil {
		t.Fatal(err)
	}
	wantChanges(t, s, changeA)
	for name, err := range map[string]error{
		"removing a stranger":      c.RemoveMember(ctx, g, deviceA),
		"adding an unknown device": c.AddMember(ctx, g, nobody),
	} {
		if !errors.Is(err, fleet.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := create(t, c, wifi("com.example.office"))
	q := create(t, c, wifi("com.example.other"))
	for id, a := range map[*catalog.Payload]catalog.Assignment{p: {Kind: catalog.Group, Target: g},
		q: {Kind: catalog.ExcludeGroup, Target: g}} {
		if _, err := c.Assign(ctx, id.ID, []catalog.Assignment{{Kind: catalog.OneDevice,
			Target: deviceA}, a}); err != nil {
			t.Fatal(err)
		}
	}
	changes(t, s)
	if list, err := c.ListGroups(ctx, query.Query{}); err != nil || len(list.Items) != 1 ||
		list.Items[0].ID != g {
		t.Errorf("groups: %v, %v", list, err)
	}
	if err := c.DeleteGroup(ctx, g); err != nil {
		t.Fatal(err)
	}
	wantChanges(t, s, changeB)
	for _, payload := range []*catalog.Payload{p, q} {
		if kept, err := c.Assignments(ctx, payload.ID); err != nil || len(kept) != 1 ||
			kept[0].Kind != catalog.OneDevice {
			t.Errorf("assignments without the group: %v, %v", kept, err)
		}
	}
	_, getErr := c.GetGroup(ctx, g)
	_, membersErr := c.Members(ctx, g, "", 1)
	for name, err := range map[string]error{
		"get": getErr, "members": membersErr, "delete": c.DeleteGroup(ctx, g),
		"add": c.AddMember(ctx, g, deviceA), "remove": c.RemoveMember(ctx, g, deviceA),
	} {
		if !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("%s without the group: %v", name, err)
		}
	}
}

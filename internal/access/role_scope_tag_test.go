package access_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

func TestScopeTags(t *testing.T) {
	o := newOffice(t)
	munich, berlin := o.tag("Munich"), o.tag("Berlin")
	if list := must2(o.ListTags(t.Context(), query.Query{}))(t).Items; len(list) != 3 ||
		list[0].ID != fleet.DefaultTag || !list[0].BuiltIn() || list[1].ID != munich {
		t.Errorf("tags are %+v", list)
	}
	if list := must2(o.ListTags(t.Context(), query.Query{Skip: 2,
		Limit: 1}))(t).Items; len(list) != 1 || list[0].ID != berlin {
		t.Errorf("behind Munich are %+v", list)
	}
	taken, free := "munich", "Hamburg"
	var wrong *invalid.Input
	if _, err := o.UpdateTag(t.Context(), berlin, access.TagPatch{Name: &taken}); !errors.As(err,
		&wrong) {
		t.Errorf("a name that is taken: %v", err)
	}
	if tag := must2(o.UpdateTag(t.Context(), berlin,
		access.TagPatch{Name: &free}))(t); tag.Name != free || tag.ID != berlin {
		t.Errorf("renamed to %+v", tag)
	}
	var conflict *access.Conflict
	if _, err := o.UpdateTag(t.Context(), fleet.DefaultTag,
		access.TagPatch{Name: &free}); !errors.As(err, &conflict) {
		t.Errorf("renaming the default: %v", err)
	}
	if err := o.DeleteTag(t.Context(), fleet.DefaultTag); !errors.As(err, &conflict) {
		t.Errorf("deleting the default: %v", err)
	}
	if err := o.DeleteTag(t.Context(), berlin); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Tag(t.Context(), berlin); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	if again := o.tag("Bremen"); again == berlin {
		t.Errorf("the id %s was given twice", again)
	}
}

// A tag that something carries stays.
func TestTagInUse(t *testing.T) {
	o := newOffice(t)
	tag, near := o.tag("Munich"), o.tag("other")
	refused := func(what string) {
		t.Helper()
		var conflict *access.Conflict
		if err := o.DeleteTag(t.Context(), tag); !errors.As(err, &conflict) ||
			!strings.Contains(err.Error(), what) {
			t.Errorf("deleting a tag of %s: %v", what, err)
		}
	}
	a := must2(o.CreateAssignment(t.Context(), root,
		access.AssignmentInput{Name: "a", RoleID: access.HelpDeskOperator,
			Tags: []string{near, tag}}))(t)
	refused("1 role assignments")
	if err := o.DeleteAssignment(t.Context(), root, a.ID); err != nil {
		t.Fatal(err)
	}
	p := must2(o.catalog.Create(t.Context(), catalog.Input{ODataType: payload.IOSStoreApp,
		DisplayName: "App", Tags: []string{tag},
		Properties: []byte(`{"bundleId":"com.example.app","appStoreUrl":"https://apps.apple.com/us/app/name/id361309726"}`)}))(t)
	refused("1 apps and policies")
	if _, err := o.catalog.Update(t.Context(), p.ID,
		catalog.Patch{Tags: []string{near}}); err != nil {
		t.Fatal(err)
	}
	if err := o.DeleteTag(t.Context(), tag); err != nil {
		t.Errorf("deleting a free tag: %v", err)
	}
	if err := o.catalog.Delete(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
}

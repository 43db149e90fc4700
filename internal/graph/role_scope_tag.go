package graph

import (
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const (
	scopeTagSet  = "deviceManagement/roleScopeTags"
	scopeTagType = "roleScopeTag"
)

var scopeTags = &resource{name: "roleScopeTags", path: versionPath + scopeTagSet, odataType: scopeTagType, object: "roleScopeTag",
	noun: "scope tag", category: categoryRole, setByServer: []string{"id", "isBuiltIn"}}

func scopeTagRoutes() []route {
	read := may(access.ReadRoles)
	return []route{
		scopeTags.route(toList, read, queryOptions, (*call).listScopeTags),
		scopeTags.route(toCount, read, countOptions, (*call).listScopeTags),
		scopeTags.route(toCreate, may(access.CreateRoles), nil, (*call).createScopeTag),
		scopeTags.route(toGet, read, []string{optionSelect}, (*call).getScopeTag),
		scopeTags.route(toUpdate, may(access.UpdateRoles), nil, (*call).updateScopeTag),
		scopeTags.route(toDelete, may(access.DeleteRoles), nil, (*call).deleteScopeTag),
	}
}

var scopeTagProperties = properties{
	{"id", edmString}, {"displayName", edmString}, {"description", edmString}, {"isBuiltIn", edmBoolean},
}

func scopeTagFields(t *access.ScopeTag) fields {
	return fields{{"id", t.ID}, {"displayName", t.Name}, {"description", t.Description}, {"isBuiltIn", t.BuiltIn()}}
}

func (c *call) listScopeTags() error {
	selected, err := c.selected(scopeTagProperties.names())
	if err != nil {
		return err
	}
	return serveList(c, scopeTagSet, scopeTagListing, nil, c.Roles.ListTags, func(t *access.ScopeTag) (fields, error) {
		return scopeTagFields(t).pick(selected), nil
	})
}

func (c *call) getScopeTag() error {
	selected, err := c.selected(scopeTagProperties.names())
	if err != nil {
		return err
	}
	t, err := c.Roles.Tag(c.r.Context(), c.r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, scopeTagSet, scopeTagType, scopeTagFields(t).pick(selected))
}

func (c *call) createScopeTag() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	patch, err := tagEdit(body)
	if err != nil {
		return err
	}
	t, err := c.Roles.CreateTag(c.r.Context(), access.TagInput{Name: given(patch.Name), Description: given(patch.Description)})
	if err != nil {
		return err
	}
	return c.created(scopeTagSet, t.ID, scopeTagType, scopeTagFields(t))
}

func (c *call) updateScopeTag() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	t, err := c.Roles.Tag(c.r.Context(), c.r.PathValue("id"))
	if err != nil {
		return err
	}
	patch, err := tagEdit(body)
	if err != nil {
		return err
	}
	if t, err = c.Roles.UpdateTag(c.r.Context(), t.ID, patch); err != nil {
		return err
	}
	return c.entity(http.StatusOK, scopeTagSet, scopeTagType, scopeTagFields(t))
}

func (c *call) deleteScopeTag() error {
	if err := c.Roles.DeleteTag(c.r.Context(), c.r.PathValue("id")); err != nil {
		return err
	}
	return c.noContent()
}

// tagEdit reads what a body sets of a scope tag.
func tagEdit(body *object) (p access.TagPatch, err error) {
	if err := body.only("displayName", "description"); err != nil {
		return p, err
	}
	if err := body.ofType(scopeTagType); err != nil {
		return p, err
	}
	err = body.read(readers{"displayName": body.edits(&p.Name), "description": body.edits(&p.Description)})
	return p, err
}

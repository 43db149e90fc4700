package graph

import (
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

const (
	scopeTagSet  = "deviceManagement/roleScopeTags"
	scopeTagType = "roleScopeTag"
)

var scopeTags = &resource{name: "roleScopeTags", path: odata.BetaPath + scopeTagSet,
	odataType: scopeTagType, object: "roleScopeTag",
	noun: "scope tag", category: categoryRole, setByServer: []string{"id", "isBuiltIn"}}

func scopeTagRoutes() []route {
	read := may(access.ReadRoles)
	return []route{
		scopeTags.route(toList, read, odata.QueryOptions, (*call).listScopeTags),
		scopeTags.route(toCount, read, odata.CountOptions, (*call).listScopeTags),
		scopeTags.route(toCreate, may(access.CreateRoles), nil, (*call).createScopeTag),
		scopeTags.route(toGet, read, []string{odata.OptionSelect}, (*call).getScopeTag),
		scopeTags.route(toUpdate, may(access.UpdateRoles), nil, (*call).updateScopeTag),
		scopeTags.route(toDelete, may(access.DeleteRoles), nil, (*call).deleteScopeTag),
	}
}

var scopeTagProperties = odata.Properties{
	{"id", odata.String}, {"displayName", odata.String}, {"description", odata.String},
	{"isBuiltIn", odata.Boolean},
}

var scopeTagShape = newShape(scopeTagType, scopeTagProperties)

// wholeTag is a scope tag with all that Graph's type has.
func (c *call) wholeTag(t *access.ScopeTag) odata.Fields {
	return c.shown(scopeTagShape, scopeTagFields(t), c.view(scopeTagShape).names)
}

func scopeTagFields(t *access.ScopeTag) odata.Fields {
	return odata.Fields{{"id", t.ID}, {"displayName", t.Name}, {"description", t.Description},
		{"isBuiltIn", t.BuiltIn()}}
}

func (c *call) listScopeTags() error {
	selected, err := c.selected(scopeTagShape)
	if err != nil {
		return err
	}
	return odata.ServeList(c.req, scopeTagSet, scopeTagListing, nil, c.config.Roles.ListTags,
		func(t *access.ScopeTag) (odata.Fields, error) {
			return c.shown(scopeTagShape, scopeTagFields(t), selected), nil
		})
}

func (c *call) getScopeTag() error {
	selected, err := c.selected(scopeTagShape)
	if err != nil {
		return err
	}
	t, err := c.config.Roles.Tag(c.req.Context(), c.req.PathValue("id"))
	if err != nil {
		return err
	}
	return c.req.ReplyEntity(http.StatusOK, scopeTagSet, scopeTagType,
		c.shown(scopeTagShape, scopeTagFields(t), selected))
}

func (c *call) createScopeTag() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	patch, err := tagEdit(body)
	if err != nil {
		return err
	}
	t, err := c.config.Roles.CreateTag(c.req.Context(),
		access.TagInput{Name: odata.TextOrEmpty(patch.Name),
			Description: odata.TextOrEmpty(patch.Description)})
	if err != nil {
		return err
	}
	return c.req.ReplyCreated(scopeTagSet, t.ID, scopeTagType, c.wholeTag(t))
}

func (c *call) updateScopeTag() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	t, err := c.config.Roles.Tag(c.req.Context(), c.req.PathValue("id"))
	if err != nil {
		return err
	}
	patch, err := tagEdit(body)
	if err != nil {
		return err
	}
	if t, err = c.config.Roles.UpdateTag(c.req.Context(), t.ID, patch); err != nil {
		return err
	}
	return c.req.ReplyEntity(http.StatusOK, scopeTagSet, scopeTagType, c.wholeTag(t))
}

func (c *call) deleteScopeTag() error {
	if err := c.config.Roles.DeleteTag(c.req.Context(), c.req.PathValue("id")); err != nil {
		return err
	}
	return c.req.ReplyNoContent()
}

// tagEdit reads what a body sets of a scope tag.
func tagEdit(body *odata.Object) (p access.TagPatch, err error) {
	if err := body.Only("displayName", "description"); err != nil {
		return p, err
	}
	if err := body.OfType(scopeTagType); err != nil {
		return p, err
	}
	err = body.Read(odata.Readers{"displayName": body.Edits(&p.Name),
		"description": body.Edits(&p.Description)})
	return p, err
}

package graph

import (
	"context"
	"net/http"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// getAssignedRole shows the role that an assignment gives.
func (c *call) getAssignedRole() error {
	selected, err := c.selected(definitionShape)
	if err != nil {
		return err
	}
	a, err := c.config.Roles.Assignment(c.req.Context(), c.req.PathValue("id"))
	if err != nil {
		return err
	}
	r, err := c.config.Roles.Role(c.req.Context(), a.RoleID)
	if err != nil {
		return err
	}
	return c.req.ReplyEntity(http.StatusOK, definitionSet, definitionType,
		odata.Tagged(roleTag(r), c.shown(definitionShape, definitionFields(r), selected)))
}

// listAssignedTags lists the scope tags to which an assignment is limited, by their ids.
func (c *call) listAssignedTags() error {
	selected, err := c.selected(scopeTagShape)
	if err != nil {
		return err
	}
	a, err := c.config.Roles.Assignment(c.req.Context(), c.req.PathValue("id"))
	if err != nil {
		return err
	}
	read := func(ctx context.Context, q query.Query) (query.Page[*access.ScopeTag], error) {
		return c.config.Roles.ListTags(ctx, q)
	}
	return odata.ServeList(c.req, assignmentSet+"/"+a.ID+"/roleScopeTags", &odata.Listing{},
		query.OneOf{Field: access.ByID, Values: slices.Clone(a.Tags)}, read,
		func(t *access.ScopeTag) (odata.Fields, error) {
			return c.shown(scopeTagShape, scopeTagFields(t), selected), nil
		})
}

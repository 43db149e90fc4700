package graph

import (
	"net/http"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// autoAssignmentType is how Graph gives a scope tag to all devices of a group. Here devices and
// payloads carry their tags themselves, so that there is none.
const autoAssignmentType = "roleScopeTagAutoAssignment"

// What Graph has beside the scope tags themselves.
var (
	toAssignTag         = &verb{name: "assign", method: "POST", suffix: "/{id}/assign"}
	toListTagAssignment = &verb{name: "listAssignments", method: "GET",
		suffix: "/{id}/" + partAssignments, part: partAssignments, many: true}
	toHasCustomTag = &verb{name: "hasCustom", method: "GET", suffix: "/hasCustomRoleScopeTag()"}
	toGetTagsByID  = &verb{name: "getByID", method: "POST", suffix: "/getRoleScopeTagsById"}
)

func scopeTagRelatedRoutes() []route {
	read := may(access.ReadRoles)
	byID := scopeTags.route(toGetTagsByID, read, nil, (*call).getScopeTagsByID)
	byID.unchanging = true
	return []route{
		byID,
		scopeTags.route(toHasCustomTag, read, nil, (*call).hasCustomScopeTag).answering(""),
		scopeTags.route(toAssignTag, may(access.UpdateRoles), nil, (*call).assignScopeTag),
		scopeTags.route(toListTagAssignment, read, odata.ListOptions,
			(*call).listScopeTagAssignments).answering(autoAssignmentType),
	}
}

var autoAssignmentShape = newShape(autoAssignmentType, odata.Properties{{"id", odata.String}})

// noTagAssignments answers with the groups whose devices get a scope tag.
func (c *call) noTagAssignments(t *access.ScopeTag) error {
	return c.req.ReplyPage(odata.Page{Value: []odata.Fields{},
		Collection: scopeTagSet + "/" + t.ID + "/" + partAssignments})
}

func (c *call) listScopeTagAssignments() error {
	if _, err := c.selected(autoAssignmentShape); err != nil {
		return err
	}
	if _, _, err := c.req.PageByID(); err != nil {
		return err
	}
	t, err := c.config.Roles.Tag(c.req.Context(), c.req.PathValue("id"))
	if err != nil {
		return err
	}
	return c.noTagAssignments(t)
}

// assignScopeTag takes that a tag is given to nobody, which it is.
func (c *call) assignScopeTag() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	if err := body.Only(partAssignments); err != nil {
		return err
	}
	list, err := body.RequiredObjects(partAssignments)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		return odata.BadRequest(partAssignments,
			"Property '%s' must be empty: no group gives its devices a scope tag here. Set '%s' of the devices themselves.",
			partAssignments, tagProperty)
	}
	t, err := c.config.Roles.Tag(c.req.Context(), c.req.PathValue("id"))
	if err != nil {
		return err
	}
	return c.noTagAssignments(t)
}

// hasCustomScopeTag is a function of Graph's that tells whether there are tags but the default one.
func (c *call) hasCustomScopeTag() error {
	found, err := c.config.Roles.ListTags(c.req.Context(), query.Query{
		Where: query.Is(access.ByBuiltIn, false), Limit: query.None, Count: true})
	if err != nil {
		return err
	}
	return c.req.Reply(http.StatusOK, odata.Fields{
		{"@odata.context", c.req.ContextURL("Edm.Boolean")}, {"value", found.Count > 0}})
}

// mostTagsByID bounds the scope tags that are asked for at once.
const mostTagsByID = 1000

// getScopeTagsByID shows those of some tags that there are.
func (c *call) getScopeTagsByID() error {
	const ids = "roleScopeTagIds"
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	if err := body.Only(ids); err != nil {
		return err
	}
	wanted, err := body.RequiredTexts(ids)
	if err != nil {
		return err
	}
	if len(wanted) > mostTagsByID {
		return odata.BadRequest(ids, "Property '%s' names more than %d scope tags.", ids,
			mostTagsByID)
	}
	found, err := c.config.Roles.ListTags(c.req.Context(), query.Query{
		Where: query.OneOf{Field: access.ByID, Values: slices.Clone(wanted)}})
	if err != nil {
		return err
	}
	page := odata.Page{Collection: scopeTagSet, Value: make([]odata.Fields, len(found.Items))}
	for i, t := range found.Items {
		page.Value[i] = c.wholeTag(t)
	}
	return c.req.ReplyPage(page)
}

package graph

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

const (
	assignmentSet  = "deviceManagement/roleAssignments"
	assignmentType = "deviceAndAppManagementRoleAssignment"
)

var roleAssignments = &resource{name: "roleAssignments", path: odata.BetaPath + assignmentSet,
	odataType: assignmentType,
	object:    "roleAssignment", noun: "role assignment", category: categoryRole, stable: true,
	tagged: true, setByServer: []string{"id"}}

// What an assignment relates to.
var (
	toGetAssignedRole = &verb{name: "getRole", method: "GET", suffix: "/{id}/roleDefinition",
		part: "roleDefinition"}
	toListAssignedTags = &verb{name: "listScopeTags", method: "GET", suffix: "/{id}/roleScopeTags",
		part: "roleScopeTags", many: true, betaOnly: true}
)

func roleAssignmentRoutes() []route {
	read, assign := may(access.ReadRoles), may(access.AssignRoles)
	return []route{
		roleAssignments.route(toList, read, odata.ExpandOptions, (*call).listRoleAssignments),
		roleAssignments.route(toCount, read, odata.CountOptions, (*call).listRoleAssignments),
		roleAssignments.route(toCreate, assign, nil, (*call).createRoleAssignment),
		roleAssignments.route(toGet, read, []string{odata.OptionSelect, odata.OptionExpand},
			(*call).getRoleAssignment),
		roleAssignments.route(toUpdate, assign, nil, (*call).updateRoleAssignment),
		roleAssignments.route(toDelete, assign, nil, (*call).deleteRoleAssignment),
		roleAssignments.route(toGetAssignedRole, read, []string{odata.OptionSelect},
			(*call).getAssignedRole).answering("roleDefinition"),
		roleAssignments.route(toListAssignedTags, read, odata.ListOptions,
			(*call).listAssignedTags).answering(scopeTagType),
	}
}

// The values of scopeType (Graph, roleAssignmentScopeType). There are no users here: to be given
// all of them beside the devices gives no more.
const (
	scopeResources         = "resourceScope"
	scopeDevices           = "allDevices"
	scopeDevicesAndPersons = "allDevicesAndLicensedUsers"
)

var assignmentProperties = odata.Properties{
	{"id", odata.String}, {"displayName", odata.String}, {"description", odata.String},
	{"members", odata.CollectionOf(odata.String)},
	{"scopeType", "roleAssignmentScopeType"}, {"resourceScopes", odata.CollectionOf(odata.String)},
	{"scopeMembers", odata.CollectionOf(odata.String)},
	{tagProperty, odata.CollectionOf(odata.String)},
}

var assignmentShape = newShape(assignmentType, assignmentProperties)

// wholeAssignment is an assignment with all that Graph's type has.
func (c *call) wholeAssignment(a *access.RoleAssignment) odata.Fields {
	return odata.Tagged(assignmentTag(a),
		c.shown(assignmentShape, assignmentFields(a), c.view(assignmentShape).names))
}

func assignmentFields(a *access.RoleAssignment) odata.Fields {
	scope := scopeDevices
	if a.Groups != nil {
		scope = scopeResources
	}
	return odata.Fields{
		{"id", a.ID},
		{"displayName", a.Name},
		{"description", a.Description},
		{"members", odata.ListOrEmpty(a.Members)},
		{"scopeType", scope},
		{"resourceScopes", odata.ListOrEmpty(a.Groups)},
		{"scopeMembers", []string{}},
		{tagProperty, odata.ListOrEmpty(a.Tags)},
	}
}

// assignmentView shows assignments as the call asks for. As in Graph their roles are shown with
// $expand.
type assignmentView struct {
	call     *call
	selected []string
	role     bool
	tags     bool
	roles    map[string]odata.Fields // that were read, by their ids
	known    map[string]odata.Fields // scope tags that were read, by their ids
}

// What $expand may name of an assignment; scope tags are in beta only.
const (
	expandRole      = "roleDefinition"
	expandScopeTags = "roleScopeTags"
)

func (c *call) assignmentView() (*assignmentView, error) {
	selected, err := c.selected(assignmentShape)
	if err != nil {
		return nil, err
	}
	related := []string{expandRole}
	if c.req.Version() == odata.BetaPath {
		related = append(related, expandScopeTags)
	}
	expand, err := c.req.Expansions(related...)
	return &assignmentView{call: c, selected: selected, role: slices.Contains(expand, expandRole),
		tags:  slices.Contains(expand, expandScopeTags),
		roles: make(map[string]odata.Fields), known: make(map[string]odata.Fields)}, err
}

func (v *assignmentView) fields(a *access.RoleAssignment) (odata.Fields, error) {
	shown := v.call.shown(assignmentShape, assignmentFields(a), v.selected)
	if v.tags {
		tags, err := v.scopeTags(a)
		if err != nil {
			return nil, err
		}
		shown = append(shown, odata.Field{expandScopeTags, tags})
	}
	if !v.role {
		return shown, nil
	}
	if v.roles[a.RoleID] == nil {
		r, err := v.call.config.Roles.Role(v.call.req.Context(), a.RoleID)
		if err != nil {
			return nil, fmt.Errorf("role of assignment %s: %w", a.ID, err)
		}
		v.roles[a.RoleID] = odata.Typed(definitionType, definitionFields(r))
	}
	return append(shown, odata.Field{expandRole, v.roles[a.RoleID]}), nil
}

// scopeTags are those to which an assignment is limited.
func (v *assignmentView) scopeTags(a *access.RoleAssignment) ([]odata.Fields, error) {
	list := make([]odata.Fields, len(a.Tags))
	for i, id := range a.Tags {
		if v.known[id] == nil {
			t, err := v.call.config.Roles.Tag(v.call.req.Context(), id)
			if err != nil {
				return nil, fmt.Errorf("scope tag of assignment %s: %w", a.ID, err)
			}
			v.known[id] = scopeTagFields(t)
		}
		list[i] = v.known[id]
	}
	return list, nil
}

// listRoleAssignments lists all assignments, or those of the role that the path names.
func (c *call) listRoleAssignments() error {
	view, err := c.assignmentView()
	if err != nil {
		return err
	}
	role, collection := c.req.PathValue("id"), assignmentSet
	if role != "" {
		collection = definitionSet + "/" + role + "/roleAssignments"
	}
	read := func(ctx context.Context, q query.Query) (query.Page[*access.RoleAssignment], error) {
		return c.config.Roles.ListAssignments(ctx, role, q)
	}
	return odata.ServeList(c.req, collection, assignmentListing, nil, read,
		func(a *access.RoleAssignment) (odata.Fields, error) {
			shown, err := view.fields(a)
			return odata.Typed(assignmentType, odata.Tagged(assignmentTag(a), shown)), err
		})
}

func (c *call) getRoleAssignment() error {
	view, err := c.assignmentView()
	if err != nil {
		return err
	}
	a, err := c.config.Roles.Assignment(c.req.Context(), c.req.PathValue("id"))
	if err != nil {
		return err
	}
	shown, err := view.fields(a)
	if err != nil {
		return err
	}
	c.req.SetTag(assignmentTag(a))
	return c.req.ReplyEntity(http.StatusOK, assignmentSet, assignmentType,
		odata.Tagged(assignmentTag(a), shown))
}

// createRoleAssignment gives the role that the body refers to.
func (c *call) createRoleAssignment() error {
	return c.makeRoleAssignment(func(body *odata.Object) (string, error) {
		reference, err := body.RequiredText(bindDefinition)
		if err != nil {
			return "", err
		}
		return referredRole(reference)
	})
}

// addRoleAssignment is POST …/roleDefinitions/{id}/roleAssignments: it gives the role that the path
// names, and that the body may name, too.
func (c *call) addRoleAssignment() error {
	return c.makeRoleAssignment(func(body *odata.Object) (string, error) {
		r, err := c.config.Roles.Role(c.req.Context(), c.req.PathValue("id"))
		if err != nil {
			return "", err
		}
		reference, given, err := body.Text(bindDefinition)
		if err != nil || !given {
			return r.ID, err
		}
		named, err := referredRole(reference)
		if err == nil && lower(named) != lower(r.ID) {
			err = odata.BadRequest(bindDefinition,
				"Property '%s' must be the role that the path names. Leave it out.", bindDefinition)
		}
		return r.ID, err
	})
}

func referredRole(reference string) (string, error) {
	id, ok := referred(reference, "roleDefinitions")
	if !ok {
		return "", odata.BadRequest(bindDefinition,
			"Property '%s' must be the URL of a role, ending in roleDefinitions('id') or roleDefinitions/id.", bindDefinition)
	}
	return id, nil
}

// makeRoleAssignment makes an assignment of the role that is found.
func (c *call) makeRoleAssignment(role func(*odata.Object) (string, error)) error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	// Before the body names groups the assignment holds in none, so that it must name some or say
	// that it wants all.
	patch, err := assignmentEdit(body, &access.RoleAssignment{Groups: []string{}}, bindDefinition)
	if err != nil {
		return err
	}
	in := access.AssignmentInput{Name: odata.TextOrEmpty(patch.Name),
		Description: odata.TextOrEmpty(patch.Description), Members: patch.Members,
		Groups: *patch.Groups}
	if patch.Tags != nil {
		in.Tags = *patch.Tags
	}
	if in.RoleID, err = role(body); err != nil {
		return err
	}
	a, err := c.config.Roles.CreateAssignment(c.req.Context(), c.caller, in)
	if err != nil {
		return err
	}
	c.req.SetTag(assignmentTag(a))
	return c.req.ReplyCreated(assignmentSet, a.ID, assignmentType,
		c.wholeAssignment(a))
}

func (c *call) updateRoleAssignment() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	a, err := c.config.Roles.Assignment(c.req.Context(), c.req.PathValue("id"))
	if err != nil {
		return err
	}
	patch, err := assignmentEdit(body, a)
	if err != nil {
		return err
	}
	if a, err = c.config.Roles.UpdateAssignment(c.req.Context(), c.caller, a.ID, patch,
		c.sameAssignment); err != nil {
		return err
	}
	c.req.SetTag(assignmentTag(a))
	return c.req.ReplyEntity(http.StatusOK, assignmentSet, assignmentType,
		c.wholeAssignment(a))
}

func (c *call) deleteRoleAssignment() error {
	if err := c.config.Roles.DeleteAssignment(c.req.Context(), c.caller, c.req.PathValue("id"),
		c.sameAssignment); err != nil {
		return err
	}
	return c.req.ReplyNoContent()
}

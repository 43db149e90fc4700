package graph

import (
	"context"
	"fmt"
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

const (
	assignmentSet  = "deviceManagement/roleAssignments"
	assignmentType = "deviceAndAppManagementRoleAssignment"
)

var roleAssignments = &resource{name: "roleAssignments", path: versionPath + assignmentSet, odataType: assignmentType,
	object: "roleAssignment", noun: "role assignment", category: categoryRole, stable: true, tagged: true, setByServer: []string{"id"}}

func roleAssignmentRoutes() []route {
	read, assign := may(access.ReadRoles), may(access.AssignRoles)
	return []route{
		roleAssignments.route(toList, read, expandOptions, (*call).listRoleAssignments),
		roleAssignments.route(toCount, read, countOptions, (*call).listRoleAssignments),
		roleAssignments.route(toCreate, assign, nil, (*call).createRoleAssignment),
		roleAssignments.route(toGet, read, []string{optionSelect, optionExpand}, (*call).getRoleAssignment),
		roleAssignments.route(toUpdate, assign, nil, (*call).updateRoleAssignment),
		roleAssignments.route(toDelete, assign, nil, (*call).deleteRoleAssignment),
	}
}

// The values of scopeType (Graph, roleAssignmentScopeType). There are no users here: to be given all of them beside the
// devices gives no more.
const (
	scopeResources         = "resourceScope"
	scopeDevices           = "allDevices"
	scopeDevicesAndPersons = "allDevicesAndLicensedUsers"
)

var assignmentProperties = properties{
	{"id", edmString}, {"displayName", edmString}, {"description", edmString}, {"members", collectionOf(edmString)},
	{"scopeType", "roleAssignmentScopeType"}, {"resourceScopes", collectionOf(edmString)},
	{"scopeMembers", collectionOf(edmString)}, {tagProperty, collectionOf(edmString)},
}

func assignmentFields(a *access.RoleAssignment) fields {
	scope := scopeDevices
	if a.Groups != nil {
		scope = scopeResources
	}
	return fields{
		{"id", a.ID},
		{"displayName", a.Name},
		{"description", a.Description},
		{"members", listOf(a.Members)},
		{"scopeType", scope},
		{"resourceScopes", listOf(a.Groups)},
		{"scopeMembers", []string{}},
		{tagProperty, listOf(a.Tags)},
	}
}

// listOf is a list as it is served: one that is missing is empty.
func listOf(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// assignmentView shows assignments as the call asks for. As in Graph their roles are shown with $expand.
type assignmentView struct {
	*call
	selected []string
	expand   bool
	roles    map[string]fields
}

func (c *call) assignmentView() (*assignmentView, error) {
	selected, err := c.selected(assignmentProperties.names())
	if err != nil {
		return nil, err
	}
	expand, err := c.expansions("roleDefinition")
	return &assignmentView{c, selected, len(expand) > 0, make(map[string]fields)}, err
}

func (v *assignmentView) fields(a *access.RoleAssignment) (fields, error) {
	shown := assignmentFields(a).pick(v.selected)
	if !v.expand {
		return shown, nil
	}
	if v.roles[a.RoleID] == nil {
		r, err := v.Roles.Role(v.r.Context(), a.RoleID)
		if err != nil {
			return nil, fmt.Errorf("role of assignment %s: %w", a.ID, err)
		}
		v.roles[a.RoleID] = typed(definitionType, definitionFields(r))
	}
	return append(shown, field{"roleDefinition", v.roles[a.RoleID]}), nil
}

// listRoleAssignments lists all assignments, or those of the role that the path names.
func (c *call) listRoleAssignments() error {
	view, err := c.assignmentView()
	if err != nil {
		return err
	}
	role, collection := c.r.PathValue("id"), assignmentSet
	if role != "" {
		collection = definitionSet + "/" + role + "/roleAssignments"
	}
	read := func(ctx context.Context, q query.Query) (query.Page[*access.RoleAssignment], error) {
		return c.Roles.ListAssignments(ctx, role, q)
	}
	return serveList(c, collection, assignmentListing, nil, read, func(a *access.RoleAssignment) (fields, error) {
		shown, err := view.fields(a)
		return typed(assignmentType, tagged(assignmentTag(a), shown)), err
	})
}

func (c *call) getRoleAssignment() error {
	view, err := c.assignmentView()
	if err != nil {
		return err
	}
	a, err := c.Roles.Assignment(c.r.Context(), c.r.PathValue("id"))
	if err != nil {
		return err
	}
	shown, err := view.fields(a)
	if err != nil {
		return err
	}
	c.tag(assignmentTag(a))
	return c.entity(http.StatusOK, assignmentSet, assignmentType, tagged(assignmentTag(a), shown))
}

func (c *call) createRoleAssignment() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	// Before the body names groups the assignment holds in none, so that it must name some or say that it wants all.
	patch, err := assignmentEdit(body, &access.RoleAssignment{Groups: []string{}}, bindDefinition)
	if err != nil {
		return err
	}
	in := access.AssignmentInput{Name: given(patch.Name), Description: given(patch.Description), Members: patch.Members, Groups: *patch.Groups}
	if patch.Tags != nil {
		in.Tags = *patch.Tags
	}
	reference, err := body.requiredText(bindDefinition)
	if err != nil {
		return err
	}
	var ok bool
	if in.RoleID, ok = referred(reference, "roleDefinitions"); !ok {
		return badRequest(bindDefinition, "Property '%s' must be the URL of a role, ending in roleDefinitions('id') or roleDefinitions/id.", bindDefinition)
	}
	a, err := c.Roles.CreateAssignment(c.r.Context(), c.caller, in)
	if err != nil {
		return err
	}
	c.tag(assignmentTag(a))
	return c.created(assignmentSet, a.ID, assignmentType, tagged(assignmentTag(a), assignmentFields(a)))
}

func (c *call) updateRoleAssignment() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	a, err := c.Roles.Assignment(c.r.Context(), c.r.PathValue("id"))
	if err != nil {
		return err
	}
	patch, err := assignmentEdit(body, a)
	if err != nil {
		return err
	}
	if a, err = c.Roles.UpdateAssignment(c.r.Context(), c.caller, a.ID, patch, c.sameAssignment); err != nil {
		return err
	}
	c.tag(assignmentTag(a))
	return c.entity(http.StatusOK, assignmentSet, assignmentType, tagged(assignmentTag(a), assignmentFields(a)))
}

func (c *call) deleteRoleAssignment() error {
	if err := c.Roles.DeleteAssignment(c.r.Context(), c.caller, c.r.PathValue("id"), c.sameAssignment); err != nil {
		return err
	}
	return c.noContent()
}

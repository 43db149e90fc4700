package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// Roles keeps roles, who has them and where, and scope tags. *access.Roles implements it; its
// errors are *invalid.Input, *access.NotHeld, *access.Conflict and access.ErrNotFound.
type Roles interface {
	// View shows what decides who may do what, as it stands.
	View(ctx context.Context, fn func(access.Tx) error) error
	Role(ctx context.Context, id string) (*access.Role, error)
	ListRoles(ctx context.Context, q query.Query) (query.Page[*access.Role], error)
	CreateRole(ctx context.Context, by *access.Principal, in access.RoleInput) (*access.Role, error)
	UpdateRole(ctx context.Context, by *access.Principal, id string, patch access.RolePatch,
		only ...func(*access.Role) error) (*access.Role, error)
	DeleteRole(ctx context.Context, id string, only ...func(*access.Role) error) error

	Assignment(ctx context.Context, id string) (*access.RoleAssignment, error)
	ListAssignments(ctx context.Context, role string,
		q query.Query) (query.Page[*access.RoleAssignment], error)
	CreateAssignment(ctx context.Context, by *access.Principal,
		in access.AssignmentInput) (*access.RoleAssignment, error)
	UpdateAssignment(ctx context.Context, by *access.Principal, id string,
		patch access.AssignmentPatch,
		only ...func(*access.RoleAssignment) error) (*access.RoleAssignment, error)
	DeleteAssignment(ctx context.Context, by *access.Principal, id string,
		only ...func(*access.RoleAssignment) error) error

	Tag(ctx context.Context, id string) (*access.ScopeTag, error)
	ListTags(ctx context.Context, q query.Query) (query.Page[*access.ScopeTag], error)
	CreateTag(ctx context.Context, in access.TagInput) (*access.ScopeTag, error)
	UpdateTag(ctx context.Context, id string, patch access.TagPatch) (*access.ScopeTag, error)
	DeleteTag(ctx context.Context, id string) error
}

const (
	definitionSet  = "deviceManagement/roleDefinitions"
	definitionType = "deviceAndAppManagementRoleDefinition"
)

var (
	roleDefinitions = &resource{name: "roleDefinitions", path: odata.BetaPath + definitionSet,
		odataType: "roleDefinition",
		object:    "roleDefinition", noun: "role", category: categoryRole, stable: true,
		tagged:      true,
		setByServer: []string{"id", "isBuiltIn", "isBuiltInRoleDefinition"}}
	resourceOperations = &resource{name: "resourceOperations", path: odata.BetaPath + operationSet,
		odataType: "resourceOperation",
		object:    "resourceOperation", noun: "right", category: categoryOther, stable: true}
)

// What is read of a role are its assignments, too.
var (
	toListRoleAssignments = &verb{name: "listAssignments", method: "GET",
		suffix: "/{id}/roleAssignments", part: "roleAssignments", many: true}
	toAddRoleAssignment = &verb{name: "addAssignment", method: "POST", kind: audit.Create,
		suffix: "/{id}/roleAssignments", part: "roleAssignments"}
	toCountRoleAssignments = &verb{name: "countAssignments", method: "GET",
		suffix: "/{id}/roleAssignments" + odata.CountSuffix, part: "roleAssignments"}
)

func roleRoutes() []route {
	read := may(access.ReadRoles)
	all := []route{
		roleDefinitions.route(toList, read, odata.ExpandOptions, (*call).listRoles),
		roleDefinitions.route(toCount, read, odata.CountOptions, (*call).listRoles),
		roleDefinitions.route(toCreate, may(access.CreateRoles), nil, (*call).createRole),
		roleDefinitions.route(toGet, read, []string{odata.OptionSelect, odata.OptionExpand},
			(*call).getRole),
		roleDefinitions.route(toUpdate, may(access.UpdateRoles), nil, (*call).updateRole),
		roleDefinitions.route(toDelete, may(access.DeleteRoles), nil, (*call).deleteRole),
		roleDefinitions.route(toListRoleAssignments, read, odata.ExpandOptions,
			(*call).listRoleAssignments).answering("roleAssignment"),
		roleDefinitions.route(toCountRoleAssignments, read, odata.CountOptions,
			(*call).listRoleAssignments).answering("roleAssignment"),
		roleDefinitions.route(toAddRoleAssignment, may(access.AssignRoles), nil,
			(*call).addRoleAssignment).answering("roleAssignment"),
		resourceOperations.route(toList, read, odata.ListOptions, (*call).listResourceOperations),
		resourceOperations.route(toGet, read, []string{odata.OptionSelect},
			(*call).getResourceOperation),
	}
	all = append(append(all, roleAssignmentRoutes()...), scopeTagRoutes()...)
	all = append(all, scopeTagRelatedRoutes()...)
	for i := range all {
		handle := all[i].handle
		all[i].handle = func(c *call) error { return c.roleFault(handle(c)) }
	}
	return all
}

// roleFault turns the errors of Roles into what the caller is told.
func (c *call) roleFault(err error) error {
	var lacks *access.NotHeld
	var conflict *access.Conflict
	switch {
	case errors.As(err, &lacks):
		return forbidden("'%s' may not do this: %s.", c.caller.Name, lacks)
	case errors.As(err, &conflict):
		return &odata.Fault{Status: http.StatusConflict, Code: odata.CodeConflict,
			Message: fmt.Sprintf("The request conflicts with what there is: %s.", conflict)}
	case errors.Is(err, access.ErrNotFound):
		return odata.NotFound("There is no object with this id.")
	default:
		return err
	}
}

var definitionProperties = odata.Properties{
	{"id", odata.String}, {"displayName", odata.String}, {"description", odata.String},
	{"isBuiltIn", odata.Boolean},
	{"isBuiltInRoleDefinition", odata.Boolean}, {tagProperty, odata.CollectionOf(odata.String)},
	{"permissions", odata.CollectionOf("rolePermission")},
	{"rolePermissions", odata.CollectionOf("rolePermission")},
}

var definitionShape = newShape(definitionType, definitionProperties)

// wholeRole is a role with all that Graph's type has.
func (c *call) wholeRole(r *access.Role) odata.Fields {
	return odata.Tagged(roleTag(r),
		c.shown(definitionShape, definitionFields(r), c.view(definitionShape).names))
}

func definitionFields(r *access.Role) odata.Fields {
	permissions := []odata.Fields{{
		{"actions", r.Rights},
		{"resourceActions", []odata.Fields{{{"allowedResourceActions", r.Rights},
			{"notAllowedResourceActions", []string{}}}}},
	}}
	return odata.Fields{
		{"id", r.ID},
		{"displayName", r.Name},
		{"description", r.Description},
		{"isBuiltIn", r.BuiltIn},
		{"isBuiltInRoleDefinition", r.BuiltIn},
		{"roleScopeTagIds", []string{}},
		{"permissions", permissions},
		{"rolePermissions", permissions},
	}
}

func (c *call) listRoles() error {
	selected, err := c.selected(definitionShape)
	if err != nil {
		return err
	}
	expand, err := c.req.Expansions(expandRoleAssignments)
	if err != nil {
		return err
	}
	var given map[string][]odata.Fields // assignments, by the ids of their roles
	read := odata.ReadingFirst(c.config.Roles.ListRoles, func(list []*access.Role) (err error) {
		if len(expand) > 0 && len(list) > 0 {
			given, err = c.assignmentsByRole("")
		}
		return err
	})
	return odata.ServeList(c.req, definitionSet, definitionListing, nil, read,
		func(r *access.Role) (odata.Fields, error) {
			shown := odata.Typed(definitionType, odata.Tagged(roleTag(r),
				c.shown(definitionShape, definitionFields(r), selected)))
			if len(expand) > 0 {
				shown = append(shown, assignmentsOf(r, given))
			}
			return shown, nil
		})
}

// expandRoleAssignments is what $expand may name of a role.
const expandRoleAssignments = "roleAssignments"

// assignmentsByRole shows the assignments of a role, empty: of all, by the ids of their roles.
func (c *call) assignmentsByRole(role string) (map[string][]odata.Fields, error) {
	list, err := c.config.Roles.ListAssignments(c.req.Context(), role, query.Query{})
	if err != nil {
		return nil, err
	}
	shown := make(map[string][]odata.Fields)
	for _, a := range list.Items {
		shown[a.RoleID] = append(shown[a.RoleID],
			odata.Typed(assignmentType, assignmentFields(a)))
	}
	return shown, nil
}

// assignmentsOf are a role's among those that were read.
func assignmentsOf(r *access.Role, given map[string][]odata.Fields) odata.Field {
	list := given[r.ID]
	if list == nil {
		list = []odata.Fields{}
	}
	return odata.Field{expandRoleAssignments, list}
}

func (c *call) getRole() error {
	selected, err := c.selected(definitionShape)
	if err != nil {
		return err
	}
	expand, err := c.req.Expansions(expandRoleAssignments)
	if err != nil {
		return err
	}
	r, err := c.config.Roles.Role(c.req.Context(), c.req.PathValue("id"))
	if err != nil {
		return err
	}
	c.req.SetTag(roleTag(r))
	shown := odata.Tagged(roleTag(r), c.shown(definitionShape, definitionFields(r), selected))
	if len(expand) > 0 {
		given, err := c.assignmentsByRole(r.ID)
		if err != nil {
			return err
		}
		shown = append(shown, assignmentsOf(r, given))
	}
	return c.req.ReplyEntity(http.StatusOK, definitionSet, definitionType, shown)
}

func (c *call) createRole() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	patch, err := roleEdit(body)
	if err != nil {
		return err
	}
	r, err := c.config.Roles.CreateRole(c.req.Context(), c.caller,
		access.RoleInput{Name: odata.TextOrEmpty(patch.Name),
			Description: odata.TextOrEmpty(patch.Description),
			Rights:      patch.Rights})
	if err != nil {
		return err
	}
	c.req.SetTag(roleTag(r))
	return c.req.ReplyCreated(definitionSet, r.ID, definitionType,
		c.wholeRole(r))
}

func (c *call) updateRole() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	r, err := c.config.Roles.Role(c.req.Context(), c.req.PathValue("id"))
	if err != nil {
		return err
	}
	patch, err := roleEdit(body)
	if err != nil {
		return err
	}
	if r, err = c.config.Roles.UpdateRole(c.req.Context(), c.caller, r.ID, patch,
		c.sameRole); err != nil {
		return err
	}
	c.req.SetTag(roleTag(r))
	return c.req.ReplyEntity(http.StatusOK, definitionSet, definitionType,
		c.wholeRole(r))
}

func (c *call) deleteRole() error {
	if err := c.config.Roles.DeleteRole(c.req.Context(), c.req.PathValue("id"),
		c.sameRole); err != nil {
		return err
	}
	return c.req.ReplyNoContent()
}

package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// Roles keeps roles, who has them and where, and scope tags. *access.Roles implements it; its errors are
// *catalog.Invalid, *access.NotHeld, *access.Conflict and access.ErrNotFound.
type Roles interface {
	// View shows what decides who may do what, as it stands.
	View(ctx context.Context, fn func(access.Tx) error) error
	Role(ctx context.Context, id string) (*access.Role, error)
	ListRoles(ctx context.Context, q query.Query) (query.Page[*access.Role], error)
	CreateRole(ctx context.Context, by *access.Principal, in access.RoleInput) (*access.Role, error)
	UpdateRole(ctx context.Context, by *access.Principal, id string, patch access.RolePatch, only ...func(*access.Role) error) (*access.Role, error)
	DeleteRole(ctx context.Context, id string, only ...func(*access.Role) error) error

	Assignment(ctx context.Context, id string) (*access.RoleAssignment, error)
	ListAssignments(ctx context.Context, role string, q query.Query) (query.Page[*access.RoleAssignment], error)
	CreateAssignment(ctx context.Context, by *access.Principal, in access.AssignmentInput) (*access.RoleAssignment, error)
	UpdateAssignment(ctx context.Context, by *access.Principal, id string, patch access.AssignmentPatch,
		only ...func(*access.RoleAssignment) error) (*access.RoleAssignment, error)
	DeleteAssignment(ctx context.Context, by *access.Principal, id string, only ...func(*access.RoleAssignment) error) error

	Tag(ctx context.Context, id string) (*access.ScopeTag, error)
	ListTags(ctx context.Context, q query.Query) (query.Page[*access.ScopeTag], error)
	CreateTag(ctx context.Context, in access.TagInput) (*access.ScopeTag, error)
	UpdateTag(ctx context.Context, id string, patch access.TagPatch) (*access.ScopeTag, error)
	DeleteTag(ctx context.Context, id string) error
}

const (
	optionExpand = "$expand"
	codeConflict = "Conflict"
)

const (
	definitionSet  = "deviceManagement/roleDefinitions"
	definitionType = "deviceAndAppManagementRoleDefinition"
)

var (
	roleDefinitions = &resource{name: "roleDefinitions", path: versionPath + definitionSet, odataType: "roleDefinition",
		object: "roleDefinition", noun: "role", category: categoryRole, stable: true, tagged: true,
		setByServer: []string{"id", "isBuiltIn", "isBuiltInRoleDefinition"}}
	resourceOperations = &resource{name: "resourceOperations", path: versionPath + operationSet, odataType: "resourceOperation",
		object: "resourceOperation", noun: "right", category: categoryOther, stable: true}
)

// What is read of a role are its assignments, too.
var (
	toListRoleAssignments  = &verb{name: "listAssignments", method: "GET", suffix: "/{id}/roleAssignments", part: "roleAssignments", many: true}
	toCountRoleAssignments = &verb{name: "countAssignments", method: "GET", suffix: "/{id}/roleAssignments" + countSuffix, part: "roleAssignments"}
)

func roleRoutes() []route {
	read := may(access.ReadRoles)
	all := []route{
		roleDefinitions.route(toList, read, queryOptions, (*call).listRoles),
		roleDefinitions.route(toCount, read, countOptions, (*call).listRoles),
		roleDefinitions.route(toCreate, may(access.CreateRoles), nil, (*call).createRole),
		roleDefinitions.route(toGet, read, []string{optionSelect, optionExpand}, (*call).getRole),
		roleDefinitions.route(toUpdate, may(access.UpdateRoles), nil, (*call).updateRole),
		roleDefinitions.route(toDelete, may(access.DeleteRoles), nil, (*call).deleteRole),
		roleDefinitions.route(toListRoleAssignments, read, expandOptions, (*call).listRoleAssignments).answering("roleAssignment"),
		roleDefinitions.route(toCountRoleAssignments, read, countOptions, (*call).listRoleAssignments).answering("roleAssignment"),
		resourceOperations.route(toList, read, listOptions, (*call).listResourceOperations),
	}
	all = append(append(all, roleAssignmentRoutes()...), scopeTagRoutes()...)
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
		return &fault{status: http.StatusConflict, code: codeConflict, message: fmt.Sprintf("The request conflicts with what there is: %s.", conflict)}
	case errors.Is(err, access.ErrNotFound):
		return notFound("There is no object with this id.")
	default:
		return err
	}
}

// ofType refuses another @odata.type than the one of these.
func (o *object) ofType(names ...string) error {
	odataType, err := o.odataType()
	if err == nil && odataType != "" && !slices.Contains(names, strings.TrimPrefix(odataType, graphNamespace)) {
		err = badRequest("@odata.type", "Property '@odata.type' must be '#%s%s'.", graphNamespace, names[0])
	}
	return err
}

var definitionProperties = properties{
	{"id", edmString}, {"displayName", edmString}, {"description", edmString}, {"isBuiltIn", edmBoolean},
	{"isBuiltInRoleDefinition", edmBoolean}, {tagProperty, collectionOf(edmString)},
	{"permissions", collectionOf("rolePermission")}, {"rolePermissions", collectionOf("rolePermission")},
}

func definitionFields(r *access.Role) fields {
	permissions := []fields{{
		{"actions", r.Rights},
		{"resourceActions", []fields{{{"allowedResourceActions", r.Rights}, {"notAllowedResourceActions", []string{}}}}},
	}}
	return fields{
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
	selected, err := c.selected(definitionProperties.names())
	if err != nil {
		return err
	}
	return serveList(c, definitionSet, definitionListing, nil, c.Roles.ListRoles, func(r *access.Role) (fields, error) {
		return typed(definitionType, tagged(roleTag(r), definitionFields(r).pick(selected))), nil
	})
}

// typed is an object with its Graph type.
func typed(of typeName, f fields) fields {
	return append(fields{{"@odata.type", "#" + qualified(of)}}, f...)
}

func (c *call) getRole() error {
	selected, err := c.selected(definitionProperties.names())
	if err != nil {
		return err
	}
	expand, err := c.expansions("roleAssignments")
	if err != nil {
		return err
	}
	r, err := c.Roles.Role(c.r.Context(), c.r.PathValue("id"))
	if err != nil {
		return err
	}
	c.tag(roleTag(r))
	shown := tagged(roleTag(r), definitionFields(r).pick(selected))
	if len(expand) > 0 {
		list, err := c.Roles.ListAssignments(c.r.Context(), r.ID, query.Query{})
		if err != nil {
			return err
		}
		assignments := make([]fields, len(list.Items))
		for i, a := range list.Items {
			assignments[i] = typed(assignmentType, assignmentFields(a))
		}
		shown = append(shown, field{"roleAssignments", assignments})
	}
	return c.entity(http.StatusOK, definitionSet, definitionType, shown)
}

// entity answers with one object of a collection.
func (c *call) entity(status int, collection string, odataType typeName, f fields) error {
	return c.reply(status, append(fields{{"@odata.context", c.contextURL(collection) + "/$entity"}}, typed(odataType, f)...))
}

// created answers with a new object of a collection.
func (c *call) created(collection, id string, odataType typeName, f fields) error {
	c.w.Header().Set("Location", c.base()+c.version()+collection+"/"+id)
	return c.entity(http.StatusCreated, collection, odataType, f)
}

func (c *call) createRole() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	patch, err := roleEdit(body)
	if err != nil {
		return err
	}
	r, err := c.Roles.CreateRole(c.r.Context(), c.caller, access.RoleInput{Name: given(patch.Name), Description: given(patch.Description),
		Rights: patch.Rights})
	if err != nil {
		return err
	}
	c.tag(roleTag(r))
	return c.created(definitionSet, r.ID, definitionType, tagged(roleTag(r), definitionFields(r)))
}

func given(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (c *call) updateRole() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	r, err := c.Roles.Role(c.r.Context(), c.r.PathValue("id"))
	if err != nil {
		return err
	}
	patch, err := roleEdit(body)
	if err != nil {
		return err
	}
	if r, err = c.Roles.UpdateRole(c.r.Context(), c.caller, r.ID, patch, c.sameRole); err != nil {
		return err
	}
	c.tag(roleTag(r))
	return c.entity(http.StatusOK, definitionSet, definitionType, tagged(roleTag(r), definitionFields(r)))
}

func (c *call) deleteRole() error {
	if err := c.Roles.DeleteRole(c.r.Context(), c.r.PathValue("id"), c.sameRole); err != nil {
		return err
	}
	return c.noContent()
}

package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// Upper bounds, in characters, for a name and a description (Graph,
// deviceAndAppManagementRoleAssignment).
const (
	maxName        = 128
	maxDescription = 1024
)

// Roles manages roles, role assignments and scope tags. The error for wrong input is an
// *invalid.Input that names Graph's property. Methods that take the acting principal (by) return a
// *NotHeld if they would give, or take away, more than that principal has.
type Roles struct {
	store Store
	newID func() string // returns a new GUID in lower case
}

// NewRoles returns a service that keeps its roles in store.
func NewRoles(store Store, newID func() string) *Roles { return &Roles{store: store, newID: newID} }

// Grants returns what the members have, one Grant for each role assignment.
func (r *Roles) Grants(ctx context.Context, members []string) (found []Grant, err error) {
	err = r.store.ViewAccess(ctx, func(tx Tx) error {
		found, err = grants(ctx, tx, members)
		return err
	})
	return found, err
}

// RoleInput is a role to create.
type RoleInput struct {
	Name        string
	Description string
	Rights      []Right
}

// RolePatch is an edit of a role. nil leaves a field as it is.
type RolePatch struct {
	Name        *string
	Description *string
	Rights      []Right
}

// Role returns a role, built-in or custom; ErrNotFound if there is none.
func (r *Roles) Role(ctx context.Context, id string) (role *Role, err error) {
	err = r.store.ViewAccess(ctx, func(tx Tx) error {
		role, err = findRole(ctx, tx, strings.ToLower(id))
		return err
	})
	return role, err
}

// ListRoles returns the built-in and custom roles that a query selects.
func (r *Roles) ListRoles(ctx context.Context, q query.Query) (page query.Page[*Role], err error) {
	err = r.store.ViewAccess(ctx, func(tx Tx) error {
		page, err = tx.Roles(ctx, BuiltInRoles(), q)
		return err
	})
	return page, err
}

// CreateRole adds a custom role. by must have each of its rights somewhere.
func (r *Roles) CreateRole(ctx context.Context, by *Principal, in RoleInput) (*Role, error) {
	role := &Role{ID: r.newID(), Name: in.Name, Description: in.Description,
		Rights: sortedUnique(in.Rights)}
	if err := role.check(); err != nil {
		return nil, err
	}
	err := r.store.UpdateAccess(ctx, func(tx Tx) error {
		if err := by.mayName(role.Rights); err != nil {
			return err
		}
		if err := role.checkUnique(ctx, tx); err != nil {
			return err
		}
		note(ctx, "roleDefinition", role.ID, role.Name, nil, role)
		return tx.InsertRole(ctx, role)
	})
	if err != nil {
		return nil, err
	}
	return role, nil
}

// UpdateRole edits a custom role, and so what everybody who has it may do. by must have what is
// added, and, in the area of each assignment of the role, all its rights before and after. only are
// conditions that the role must meet as it stands. The error is ErrNotFound, a *Conflict for a
// built-in role, a *NotHeld, or that of a condition.
func (r *Roles) UpdateRole(ctx context.Context, by *Principal, id string, patch RolePatch,
	only ...func(*Role) error) (role *Role, err error) {
	err = r.store.UpdateAccess(ctx, func(tx Tx) error {
		old, err := findRole(ctx, tx, strings.ToLower(id))
		if err != nil {
			return err
		}
		if err := checkConditions(old, only); err != nil {
			return err
		}
		if old.BuiltIn {
			return &Conflict{fmt.Sprintf("the role %q is built in: "+
				"make a custom role with its rights and edit that", old.Name)}
		}
		edited := *old
		role = &edited
		set(&role.Name, patch.Name)
		set(&role.Description, patch.Description)
		if patch.Rights != nil {
			role.Rights = sortedUnique(patch.Rights)
		}
		added := slices.DeleteFunc(slices.Clone(role.Rights),
			func(r Right) bool { return slices.Contains(old.Rights, r) })
		if err := errors.Join(role.check(), by.mayName(added)); err != nil {
			return err
		}
		if err := mayChange(ctx, tx, by, old, role); err != nil {
			return err
		}
		if err := role.checkUnique(ctx, tx); err != nil {
			return err
		}
		note(ctx, "roleDefinition", role.ID, role.Name, old, role)
		return tx.UpdateRole(ctx, role)
	})
	if err != nil {
		return nil, err
	}
	return role, nil
}

// mayChange returns nil if by may turn one role into another for everybody who has it.
func mayChange(ctx context.Context, tx Tx, by *Principal, from, to *Role) error {
	list, err := tx.Assignments(ctx, query.Query{Where: ofRole(from.ID)})
	if err != nil {
		return err
	}
	rights := slices.Concat(from.Rights, to.Rights, []Right{UpdateRoles})
	for _, a := range list.Items {
		if err := by.MayGive(rights, a.Area()); err != nil {
			return err
		}
	}
	return nil
}

// checkConditions returns the error of the first condition that current does not meet.
func checkConditions[T any](current T, conditions []func(T) error) error {
	for _, condition := range conditions {
		if err := condition(current); err != nil {
			return err
		}
	}
	return nil
}

// DeleteRole deletes a custom role that is not assigned. The error is ErrNotFound, a *Conflict for
// a role that is built in or assigned, or that of a condition on the role as it stands.
func (r *Roles) DeleteRole(ctx context.Context, id string, only ...func(*Role) error) error {
	return r.store.UpdateAccess(ctx, func(tx Tx) error {
		role, err := findRole(ctx, tx, strings.ToLower(id))
		if err != nil {
			return err
		}
		if err := checkConditions(role, only); err != nil {
			return err
		}
		if role.BuiltIn {
			return &Conflict{fmt.Sprintf("the role %q is built in and stays", role.Name)}
		}
		list, err := tx.Assignments(ctx, query.Query{Where: ofRole(role.ID), Limit: 1})
		if err != nil {
			return err
		}
		if len(list.Items) > 0 {
			return &Conflict{fmt.Sprintf("the role %q is assigned: "+
				"delete its assignments first, such as %q", role.Name, list.Items[0].Name)}
		}
		note(ctx, "roleDefinition", role.ID, role.Name, role, nil)
		return tx.DeleteRole(ctx, role.ID)
	})
}

// findRole returns a built-in or custom role.
func findRole(ctx context.Context, tx Tx, id string) (*Role, error) {
	if role := builtIn(func(r *Role) bool { return r.ID == id }); role != nil {
		return role, nil
	}
	return tx.Role(ctx, id)
}

// roleNamed returns the built-in or custom role of a name; ErrNotFound if there is none.
func roleNamed(ctx context.Context, tx Tx, name string) (*Role, error) {
	if role := builtIn(func(r *Role) bool { return strings.EqualFold(r.Name, name) }); role != nil {
		return role, nil
	}
	return tx.RoleNamed(ctx, name)
}

func (role *Role) check() error {
	known := Rights()
	for _, right := range role.Rights {
		if !slices.Contains(known, right) {
			return &invalid.Input{Property: "rolePermissions",
				Reason: fmt.Sprintf("there is no resource action %.100q", right)}
		}
	}
	return checkNaming(role.Name, role.Description)
}

// checkUnique refuses a name that another role has.
func (role *Role) checkUnique(ctx context.Context, tx Tx) error {
	other, err := roleNamed(ctx, tx, role.Name)
	if err == nil && other.ID != role.ID {
		return &invalid.Input{Property: "displayName",
			Reason: fmt.Sprintf("another role is called %q", other.Name)}
	}
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// sortedUnique returns the elements of a list in order, each once.
func sortedUnique[T ~string](list []T) []T {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

func set(field, value *string) {
	if value != nil {
		*field = *value
	}
}

func checkNaming(name, description string) error {
	switch {
	case strings.TrimSpace(name) != name || name == "" || utf8.RuneCountInString(name) > maxName:
		return &invalid.Input{Property: "displayName",
			Reason: fmt.Sprintf("must have 1 to %d characters, without spaces around them",
				maxName)}
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return &invalid.Input{Property: "displayName", Reason: "must have no control characters"}
	case utf8.RuneCountInString(description) > maxDescription:
		return &invalid.Input{Property: "description",
			Reason: fmt.Sprintf("must have at most %d characters", maxDescription)}
	}
	return nil
}

// note adds a change to the audit entry of this write. before is nil if the thing is created, after
// if it is deleted.
func note[T any](ctx context.Context, kind, id, name string, before, after *T) {
	audit.Note(ctx, audit.Object{Type: kind, ID: id, Name: name, Before: shown(before),
		After: shown(after)})
}

func shown[T any](thing *T) json.RawMessage {
	if thing == nil {
		return nil
	}
	text, err := json.Marshal(thing)
	if err != nil {
		// it has only strings and times
		panic(fmt.Sprintf("access: a %T does not marshal: %v", thing, err))
	}
	return text
}

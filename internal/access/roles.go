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

// The most characters of a name and of a description (Graph, deviceAndAppManagementRoleAssignment).
const (
	maxName        = 128
	maxDescription = 1024
)

// Roles keeps roles, who has them and where, and scope tags. Input that is at fault is an
// *invalid.Input with the name of Graph's property. What takes the principal that acts returns a
// *NotHeld when it would give, or take away, more than that principal has.
type Roles struct {
	store Store
	newID func() string // a GUID in lower case
}

// NewRoles keeps its roles in store.
func NewRoles(store Store, newID func() string) *Roles { return &Roles{store: store, newID: newID} }

// Grants returns what the members have together, one element an assignment.
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

// RolePatch is an edit of a role. Nil leaves a field as it is.
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

// CreateRole adds a custom role of rights that by has.
func (r *Roles) CreateRole(ctx context.Context, by *Principal, in RoleInput) (*Role, error) {
	role := &Role{ID: r.newID(), Name: in.Name, Description: in.Description,
		Rights: normal(in.Rights)}
	if err := role.check(); err != nil {
		return nil, err
	}
	err := r.store.UpdateAccess(ctx, func(tx Tx) error {
		if err := by.mayName(role.Rights); err != nil {
			return err
		}
		if err := role.unique(ctx, tx); err != nil {
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

// UpdateRole edits a custom role, and so what its members have: by must have what is added, and all
// that the role gives its members, before and after, where it gives it. The error is ErrNotFound, a
// *Conflict for a built-in role, or that of a condition on the role as it stands.
func (r *Roles) UpdateRole(ctx context.Context, by *Principal, id string, patch RolePatch,
	only ...func(*Role) error) (role *Role, err error) {
	err = r.store.UpdateAccess(ctx, func(tx Tx) error {
		old, err := findRole(ctx, tx, strings.ToLower(id))
		if err != nil {
			return err
		}
		if err := fulfils(old, only); err != nil {
			return err
		}
		if old.BuiltIn {
			return &Conflict{fmt.Sprintf("the role %q is built in: make a custom role with its rights and edit that", old.Name)}
		}
		edited := *old
		role = &edited
		set(&role.Name, patch.Name)
		set(&role.Description, patch.Description)
		if patch.Rights != nil {
			role.Rights = normal(patch.Rights)
		}
		added := slices.DeleteFunc(slices.Clone(role.Rights),
			func(r Right) bool { return slices.Contains(old.Rights, r) })
		if err := errors.Join(role.check(), by.mayName(added)); err != nil {
			return err
		}
		if err := mayChange(ctx, tx, by, old, role); err != nil {
			return err
		}
		if err := role.unique(ctx, tx); err != nil {
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

// mayChange reports whether by may turn one role into another for all who have it.
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

// fulfils returns the error of the first condition that a thing as it stands does not fulfil.
func fulfils[T any](current T, conditions []func(T) error) error {
	for _, condition := range conditions {
		if err := condition(current); err != nil {
			return err
		}
	}
	return nil
}

// DeleteRole deletes a custom role that nobody has. The error is ErrNotFound, a *Conflict for a
// role that is built in or assigned, or that of a condition on the role as it stands.
func (r *Roles) DeleteRole(ctx context.Context, id string, only ...func(*Role) error) error {
	return r.store.UpdateAccess(ctx, func(tx Tx) error {
		role, err := findRole(ctx, tx, strings.ToLower(id))
		if err != nil {
			return err
		}
		if err := fulfils(role, only); err != nil {
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
			return &Conflict{fmt.Sprintf("the role %q is assigned: delete its assignments first, such as %q", role.Name, list.Items[0].Name)}
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

// unique refuses a name that another role has.
func (role *Role) unique(ctx context.Context, tx Tx) error {
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

// normal is a list in order, each element once.
func normal[T ~string](list []T) []T { return slices.Compact(slices.Sorted(slices.Values(list))) }

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

// note tells the record of a write what it does; nil: the thing is not there.
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
		// strings and times of our own
		panic(fmt.Sprintf("access: a %T does not marshal: %v", thing, err))
	}
	return text
}

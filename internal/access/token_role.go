package access

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// resolve looks up the role, groups and tags that the input names, sets them in the token, and
// returns the role. The error is an *invalid.Input for what does not exist.
func (in *TokenInput) resolve(ctx context.Context, tx Tx, t *Token) (*Role, error) {
	role, err := findRole(ctx, tx, in.Role)
	if errors.Is(err, ErrNotFound) {
		role, err = roleNamed(ctx, tx, in.Role)
	}
	if errors.Is(err, ErrNotFound) {
		return nil, &invalid.Input{Property: "role",
			Reason: fmt.Sprintf("there is no role %.60q", in.Role)}
	}
	if err != nil {
		return nil, err
	}
	t.RoleID, t.Role = role.ID, role.Name
	if t.Groups, err = resolveAll(ctx, tx, "resourceScopes", in.Groups, in.findGroup); err != nil {
		return nil, err
	}
	t.Tags, err = resolveAll(ctx, tx, "roleScopeTagIds", in.Tags, findTag)
	return role, err
}

// mayMake returns nil if whoever creates the token has all that it gives, and may create tokens
// there.
func (in *TokenInput) mayMake(role *Role, area fleet.Area) error {
	if in.By == nil {
		return nil
	}
	return in.By.MayGive(slices.Concat([]Right{CreateTokens}, role.Rights), area)
}

// resolveAll returns the ids of what the list of a property names, each once; nil stays nil.
func resolveAll(ctx context.Context, tx Tx, property string, list []string,
	find func(ctx context.Context, tx Tx, property, idOrName string) (string, error)) ([]string,
	error) {
	if list == nil {
		return nil, nil
	}
	ids := []string{}
	for i, v := range list {
		id, err := find(ctx, tx, fmt.Sprintf("%s[%d]", property, i), v)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// findGroup returns the id of a group of devices, given by id or name. A group that whoever creates
// the token may not name is treated as if it did not exist.
func (in *TokenInput) findGroup(ctx context.Context, tx Tx, property,
	idOrName string) (string, error) {
	id := lowered([]string{idOrName})[0]
	if ok, err := tx.GroupExists(ctx, id); err != nil || ok && in.mayName(id) {
		return id, err
	}
	ids, err := tx.GroupsNamed(ctx, idOrName)
	ids = slices.DeleteFunc(ids, func(id string) bool { return !in.mayName(id) })
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", &invalid.Input{Property: property,
			Reason: fmt.Sprintf("there is no group of devices %.60q", idOrName)}
	case len(ids) > 1:
		return "", &invalid.Input{Property: property,
			Reason: fmt.Sprintf("%d groups are called %.60q: give the id of one", len(ids),
				idOrName)}
	}
	return ids[0], nil
}

// mayName reports whether whoever creates the token may name a group.
func (in *TokenInput) mayName(group string) bool {
	return in.By == nil || in.By.Scope(CreateTokens).Names(group) ||
		in.By.Scope(ReadGroups).Names(group)
}

func findTag(ctx context.Context, tx Tx, property, idOrName string) (string, error) {
	tag, err := tx.Tag(ctx, idOrName)
	if errors.Is(err, ErrNotFound) {
		tag, err = tx.TagNamed(ctx, idOrName)
	}
	if errors.Is(err, ErrNotFound) {
		return "", &invalid.Input{Property: property,
			Reason: fmt.Sprintf("there is no scope tag %.60q", idOrName)}
	}
	if err != nil {
		return "", err
	}
	return tag.ID, nil
}

// assignment returns the role assignment that belongs to a new token.
func (t *Token) assignment() *RoleAssignment {
	return &RoleAssignment{ID: uuid.NewString(), Name: t.Name, RoleID: t.RoleID,
		Members: []string{tokenMember + t.ID},
		Groups:  t.Groups, Tags: t.Tags, Token: t.ID}
}

// nameRole sets the name of the token's role.
func (t *Token) nameRole(ctx context.Context, tx Tx) error {
	if t.RoleID == "" {
		return nil
	}
	role, err := findRole(ctx, tx, t.RoleID)
	if err != nil {
		return fmt.Errorf("role %s of token %s: %w", t.RoleID, t.ID, err)
	}
	t.Role = role.Name
	return nil
}

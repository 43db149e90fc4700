package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// The most elements of the lists of one assignment, and characters of a member.
const (
	maxMembers    = 1000
	maxLimits     = 100
	maxMemberName = 256
)

// AssignmentInput is a role assignment to create.
type AssignmentInput struct {
	Name        string
	Description string
	RoleID      string
	Members     []string
	Groups      []string // nil: all devices
	Tags        []string // nil: whatever tags a thing carries
}

// AssignmentPatch is an edit of a role assignment. Nil leaves a field as it is; a pointer to nil
// takes a limit away. The role of an assignment never changes.
type AssignmentPatch struct {
	Name        *string
	Description *string
	Members     []string
	Groups      *[]string
	Tags        *[]string
}

// Assignment returns a role assignment; ErrNotFound if there is none.
func (r *Roles) Assignment(ctx context.Context, id string) (a *RoleAssignment, err error) {
	err = r.store.ViewAccess(ctx, func(tx Tx) error {
		a, err = tx.Assignment(ctx, strings.ToLower(id))
		return err
	})
	return a, err
}

// ListAssignments returns the assignments of a role, empty: of all roles, that a query selects;
// ErrNotFound if there is no such role.
func (r *Roles) ListAssignments(ctx context.Context, role string,
	q query.Query) (page query.Page[*RoleAssignment], err error) {
	role = strings.ToLower(role)
	err = r.store.ViewAccess(ctx, func(tx Tx) error {
		if role != "" {
			if _, err := findRole(ctx, tx, role); err != nil {
				return err
			}
			q.Where = query.And(q.Where, ofRole(role))
		}
		page, err = tx.Assignments(ctx, q)
		return err
	})
	return page, err
}

func ofRole(id string) query.Condition {
	return query.Comparison{Field: ByRole, Operator: query.Equal, Value: id}
}

// CreateAssignment gives a role to members. by must have the role's rights, and the right to assign
// roles, where the assignment holds.
func (r *Roles) CreateAssignment(ctx context.Context, by *Principal,
	in AssignmentInput) (*RoleAssignment, error) {
	a := &RoleAssignment{ID: r.newID(), Name: in.Name, Description: in.Description,
		RoleID:  strings.ToLower(in.RoleID),
		Members: in.Members, Groups: lowered(in.Groups), Tags: in.Tags}
	if err := a.check(); err != nil {
		return nil, err
	}
	err := r.store.UpdateAccess(ctx, func(tx Tx) error {
		role, err := findRole(ctx, tx, a.RoleID)
		if errors.Is(err, ErrNotFound) {
			return &invalid.Input{Property: "roleDefinition",
				Reason: fmt.Sprintf("there is no role %.60q", in.RoleID)}
		}
		if err != nil {
			return err
		}
		if err := by.MayGive(assigning(role), a.Area()); err != nil {
			return err
		}
		if err := a.refersWell(ctx, tx, &RoleAssignment{}); err != nil {
			return err
		}
		note(ctx, "roleAssignment", a.ID, a.Name, nil, a)
		return tx.InsertAssignment(ctx, a)
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// UpdateAssignment edits a role assignment. by must have all that it gives, before and after. The
// error is ErrNotFound if there is none, a *Conflict for new members of an assignment that belongs
// to a token, or that of a condition on the assignment as it stands.
func (r *Roles) UpdateAssignment(ctx context.Context, by *Principal, id string,
	patch AssignmentPatch, only ...func(*RoleAssignment) error,
) (a *RoleAssignment, err error) {
	err = r.store.UpdateAccess(ctx, func(tx Tx) error {
		old, err := tx.Assignment(ctx, strings.ToLower(id))
		if err != nil {
			return err
		}
		if err := fulfils(old, only); err != nil {
			return err
		}
		a, err = old.edited(patch)
		if err != nil {
			return err
		}
		role, err := findRole(ctx, tx, a.RoleID)
		if err != nil {
			return err
		}
		if err := errors.Join(by.MayGive(assigning(role), old.Area()),
			by.MayGive(assigning(role), a.Area())); err != nil {
			return err
		}
		if err := a.refersWell(ctx, tx, old); err != nil {
			return err
		}
		note(ctx, "roleAssignment", a.ID, a.Name, old, a)
		return tx.UpdateAssignment(ctx, a)
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// DeleteAssignment takes a role from the members of an assignment. by must have all that it gives.
// The error is ErrNotFound if there is none, or that of a condition on the assignment as it stands.
func (r *Roles) DeleteAssignment(ctx context.Context, by *Principal, id string,
	only ...func(*RoleAssignment) error) error {
	return r.store.UpdateAccess(ctx, func(tx Tx) error {
		a, err := tx.Assignment(ctx, strings.ToLower(id))
		if err != nil {
			return err
		}
		if err := fulfils(a, only); err != nil {
			return err
		}
		role, err := findRole(ctx, tx, a.RoleID)
		if err != nil {
			return err
		}
		if err := by.MayGive(assigning(role), a.Area()); err != nil {
			return err
		}
		note(ctx, "roleAssignment", a.ID, a.Name, a, nil)
		return tx.DeleteAssignment(ctx, a.ID)
	})
}

// assigning is what it takes to give a role to somebody, or to take it from them.
func assigning(role *Role) []Right { return slices.Concat([]Right{AssignRoles}, role.Rights) }

func (a *RoleAssignment) edited(patch AssignmentPatch) (*RoleAssignment, error) {
	edited := *a
	set(&edited.Name, patch.Name)
	set(&edited.Description, patch.Description)
	if patch.Members != nil {
		edited.Members = patch.Members
	}
	if patch.Groups != nil {
		edited.Groups = lowered(*patch.Groups)
	}
	if patch.Tags != nil {
		edited.Tags = *patch.Tags
	}
	if a.Token != "" && !slices.Equal(a.Members, edited.Members) {
		return nil,
			&Conflict{fmt.Sprintf("the assignment %q belongs to a token and has no other members: make another assignment", a.Name)}
	}
	return &edited, edited.check()
}

// check checks an assignment on its own.
func (a *RoleAssignment) check() error {
	if err := checkNaming(a.Name, a.Description); err != nil {
		return err
	}
	if err := checkList("members", a.Members, maxMembers); err != nil {
		return err
	}
	for i, m := range a.Members {
		if strings.TrimSpace(m) != m || m == "" || utf8.RuneCountInString(m) > maxMemberName ||
			strings.ContainsFunc(m, unicode.IsControl) {
			return &invalid.Input{Property: fmt.Sprintf("members[%d]", i),
				Reason: "must be the id of a group, token:<id>, user:<subject> or app:<client id>"}
		}
	}
	if a.Groups != nil && len(a.Groups) == 0 {
		return &invalid.Input{Property: "resourceScopes",
			Reason: "must name a group of devices, unless scopeType is allDevices"}
	}
	if a.Tags != nil && len(a.Tags) == 0 {
		return &invalid.Input{Property: "roleScopeTagIds",
			Reason: "must name a scope tag, or be left out"}
	}
	return errors.Join(checkList("resourceScopes", a.Groups, maxLimits),
		checkList("roleScopeTagIds", a.Tags, maxLimits))
}

func checkList(property string, list []string, most int) error {
	if len(list) > most {
		return &invalid.Input{Property: property,
			Reason: fmt.Sprintf("has %d elements; at most %d are possible", len(list), most)}
	}
	for i, v := range list {
		if slices.Contains(list[:i], v) {
			return &invalid.Input{Property: fmt.Sprintf("%s[%d]", property, i),
				Reason: "names the same as an element before it"}
		}
	}
	return nil
}

// refersWell checks that there is what the assignment names. What an older version of it names may
// be gone.
func (a *RoleAssignment) refersWell(ctx context.Context, tx Tx, old *RoleAssignment) error {
	return errors.Join(
		allFound("members", "token", a.Members, old.Members, func(member string) (bool, error) {
			id, isToken := strings.CutPrefix(member, tokenMember)
			if !isToken {
				return true, nil
			}
			_, _, err := tx.Token(ctx, id)
			return isFound(err)
		}),
		allFound("resourceScopes", "group", a.Groups, old.Groups,
			func(id string) (bool, error) { return tx.GroupExists(ctx, id) }),
		allFound("roleScopeTagIds", "scope tag", a.Tags, old.Tags, func(id string) (bool, error) {
			_, err := tx.Tag(ctx, id)
			return isFound(err)
		}))
}

// allFound looks up what is in a list and was not before.
func allFound(property, what string, list, before []string, find func(string) (bool, error)) error {
	for i, v := range list {
		if slices.Contains(before, v) {
			continue
		}
		ok, err := find(v)
		if err == nil && !ok {
			err = &invalid.Input{Property: fmt.Sprintf("%s[%d]", property, i),
				Reason: fmt.Sprintf("there is no %s %.100q", what, v)}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isFound turns the error of a look-up into whether it isFound something.
func isFound(err error) (bool, error) {
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func lowered(ids []string) []string {
	if ids == nil {
		return nil
	}
	lower := make([]string, len(ids))
	for i, id := range ids {
		lower[i] = strings.ToLower(id)
	}
	return lower
}

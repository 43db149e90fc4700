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

// Upper bounds for the lists of one assignment, and for the characters of a member.
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
	Tags        []string // nil: no limit to tags
}

// AssignmentPatch is an edit of a role assignment. nil leaves a field as it is; a pointer to a nil
// list removes a limit. The role of an assignment never changes.
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

// ListAssignments returns the assignments of one role, or of all roles if role is empty, that a
// query selects. The error is ErrNotFound if there is no such role.
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
// roles, where the assignment holds; otherwise the error is a *NotHeld.
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
		if err := by.MayGive(rightsToAssign(role), a.Area()); err != nil {
			return err
		}
		if err := a.checkReferences(ctx, tx, &RoleAssignment{}); err != nil {
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

// UpdateAssignment edits a role assignment. by must have all that it gives, before and after. only
// are conditions that the assignment must meet as it stands. The error is ErrNotFound, a *Conflict
// for new members of an assignment that belongs to a token, a *NotHeld, or that of a condition.
func (r *Roles) UpdateAssignment(ctx context.Context, by *Principal, id string,
	patch AssignmentPatch, only ...func(*RoleAssignment) error,
) (a *RoleAssignment, err error) {
	err = r.store.UpdateAccess(ctx, func(tx Tx) error {
		old, err := tx.Assignment(ctx, strings.ToLower(id))
		if err != nil {
			return err
		}
		if err := checkConditions(old, only); err != nil {
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
		if err := errors.Join(by.MayGive(rightsToAssign(role), old.Area()),
			by.MayGive(rightsToAssign(role), a.Area())); err != nil {
			return err
		}
		if err := a.checkReferences(ctx, tx, old); err != nil {
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

// DeleteAssignment deletes an assignment, so that its members lose the role. by must have all that
// it gives. The error is ErrNotFound, a *NotHeld, or that of a condition on the assignment as it
// stands.
func (r *Roles) DeleteAssignment(ctx context.Context, by *Principal, id string,
	only ...func(*RoleAssignment) error) error {
	return r.store.UpdateAccess(ctx, func(tx Tx) error {
		a, err := tx.Assignment(ctx, strings.ToLower(id))
		if err != nil {
			return err
		}
		if err := checkConditions(a, only); err != nil {
			return err
		}
		role, err := findRole(ctx, tx, a.RoleID)
		if err != nil {
			return err
		}
		if err := by.MayGive(rightsToAssign(role), a.Area()); err != nil {
			return err
		}
		note(ctx, "roleAssignment", a.ID, a.Name, a, nil)
		return tx.DeleteAssignment(ctx, a.ID)
	})
}

// rightsToAssign returns the rights that are needed to give a role to somebody, or to take it away.
func rightsToAssign(role *Role) []Right { return slices.Concat([]Right{AssignRoles}, role.Rights) }

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
		return nil, &Conflict{fmt.Sprintf("the assignment %q belongs to a token "+
			"and has no other members: make another assignment", a.Name)}
	}
	return &edited, edited.check()
}

// check checks an assignment without looking at anything else.
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

// checkReferences checks that everything the assignment names exists. What its older version
// already named may have been deleted meanwhile.
func (a *RoleAssignment) checkReferences(ctx context.Context, tx Tx, old *RoleAssignment) error {
	return errors.Join(
		findNew("members", "token", a.Members, old.Members, func(member string) (bool, error) {
			id, isToken := strings.CutPrefix(member, tokenMember)
			if !isToken {
				return true, nil
			}
			_, _, err := tx.Token(ctx, id)
			return isFound(err)
		}),
		findNew("resourceScopes", "group", a.Groups, old.Groups,
			func(id string) (bool, error) { return tx.GroupExists(ctx, id) }),
		findNew("roleScopeTagIds", "scope tag", a.Tags, old.Tags, func(id string) (bool, error) {
			_, err := tx.Tag(ctx, id)
			return isFound(err)
		}))
}

// findNew looks up what is in a list and was not before.
func findNew(property, what string, list, before []string, find func(string) (bool, error)) error {
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

// isFound turns the error of a look-up into whether something was found.
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

package access

import (
	"context"
	"fmt"
)

// Permit decides whether an operation is still allowed. Roles, groups and tags may change after a
// call was authorized, so the store calls the permit again inside the transaction of each of the
// operation's writes, before it writes. If the permit returns an error, nothing is written.
type Permit func(ctx context.Context, tx Tx) error

type permitKey struct{}

// WithPermit returns a context whose writes must be permitted by p; nil: they need no permit.
func WithPermit(ctx context.Context, p Permit) context.Context {
	return context.WithValue(ctx, permitKey{}, p)
}

// PermitOf returns the permit for the writes of a context; nil: they need none.
func PermitOf(ctx context.Context) Permit {
	p, _ := ctx.Value(permitKey{}).(Permit)
	return p
}

// View runs fn on a consistent snapshot of roles, groups, tags and assignments.
func (r *Roles) View(ctx context.Context, fn func(Tx) error) error {
	return r.store.ViewAccess(ctx, fn)
}

// Refresh sets the principal's grants to what its role assignments give it now. An application has
// no role assignments.
func (p *Principal) Refresh(ctx context.Context, tx Tx) (err error) {
	if p.Application {
		return nil
	}
	p.Grants, err = grants(ctx, tx, p.Members)
	return err
}

// grants returns what the members have, one Grant for each role assignment.
func grants(ctx context.Context, tx Tx, members []string) (found []Grant, err error) {
	list, err := tx.AssignmentsOf(ctx, members)
	if err != nil {
		return nil, err
	}
	roles := make(map[string]*Role)
	for _, a := range list {
		role := roles[a.RoleID]
		if role == nil {
			if role, err = findRole(ctx, tx, a.RoleID); err != nil {
				return nil, fmt.Errorf("role %s of assignment %s: %w", a.RoleID, a.ID, err)
			}
			roles[a.RoleID] = role
		}
		found = append(found, Grant{Role: role.Name, Rights: role.Rights, Area: a.Area()})
	}
	return found, nil
}

package access

import (
	"context"
	"fmt"
)

// Permit decides whether an operation is still allowed. The store asks it in the transaction of
// each of the operation's writes, before what is written, and what it refuses is not written:
// roles, groups and tags may have changed since the operation began.
type Permit func(ctx context.Context, tx Tx) error

type permitKey struct{}

// WithPermit returns a context whose writes ask p; nil: they ask nobody.
func WithPermit(ctx context.Context, p Permit) context.Context {
	return context.WithValue(ctx, permitKey{}, p)
}

// PermitOf returns whom the writes of a context ask; nil: nobody.
func PermitOf(ctx context.Context) Permit {
	p, _ := ctx.Value(permitKey{}).(Permit)
	return p
}

// View runs fn on a consistent snapshot of what decides who may do what.
func (r *Roles) View(ctx context.Context, fn func(Tx) error) error {
	return r.store.ViewAccess(ctx, fn)
}

// Refresh sets what the principal may do to what its role assignments give it now. An application
// has none.
func (p *Principal) Refresh(ctx context.Context, tx Tx) (err error) {
	if p.Application {
		return nil
	}
	p.Grants, err = grants(ctx, tx, p.Members)
	return err
}

// grants returns what the members have together, one element an assignment.
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

package access

import (
	"context"
	"fmt"
	"slices"
)

// RevokeBy makes the token of this id invalid at once, on behalf of by. They must have everything
// that the token gives its holder, by whatever assignment, and the right to revoke tokens there.
// The error is ErrNotFound or a *NotHeld.
func (t *Tokens) RevokeBy(ctx context.Context, by *Principal, id string) error {
	err := t.store.UpdateAccess(ctx, func(tx Tx) error {
		token, _, err := tx.Token(ctx, id)
		if err != nil {
			return err
		}
		if err := token.mayRevoke(ctx, tx, by); err != nil {
			return err
		}
		return token.revoke(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("revoking token %.40q: %w", id, err)
	}
	return nil
}

func (t *Token) mayRevoke(ctx context.Context, tx Tx, by *Principal) error {
	list, err := tx.AssignmentsOf(ctx, []string{tokenMember + t.ID})
	if err != nil {
		return err
	}
	for _, a := range list {
		role, err := findRole(ctx, tx, a.RoleID)
		if err != nil {
			return fmt.Errorf("role %s of assignment %s: %w", a.RoleID, a.ID, err)
		}
		if err := by.MayGive(slices.Concat([]Right{DeleteTokens}, role.Rights),
			a.Area()); err != nil {
			return err
		}
	}
	return nil
}

func (t *Token) revoke(ctx context.Context, tx Tx) error {
	if err := t.nameRole(ctx, tx); err != nil {
		return err
	}
	note(ctx, "token", t.ID, t.Name, t, nil)
	return tx.DeleteToken(ctx, t.ID)
}

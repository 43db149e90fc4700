package access

import (
	"context"
	"errors"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// TagInput is a scope tag to create.
type TagInput struct {
	Name        string
	Description string
}

// TagPatch is an edit of a scope tag. Nil leaves a field as it is.
type TagPatch struct {
	Name        *string
	Description *string
}

// Tag returns a scope tag; ErrNotFound if there is none.
func (r *Roles) Tag(ctx context.Context, id string) (t *ScopeTag, err error) {
	err = r.store.ViewAccess(ctx, func(tx Tx) error {
		t, err = tx.Tag(ctx, id)
		return err
	})
	return t, err
}

// ListTags returns the scope tags that a query selects, by ascending number unless it says
// otherwise.
func (r *Roles) ListTags(ctx context.Context,
	q query.Query) (page query.Page[*ScopeTag], err error) {
	err = r.store.ViewAccess(ctx, func(tx Tx) error {
		page, err = tx.Tags(ctx, q)
		return err
	})
	return page, err
}

// CreateTag adds a scope tag that nothing carries yet.
func (r *Roles) CreateTag(ctx context.Context, in TagInput) (*ScopeTag, error) {
	t := &ScopeTag{Name: in.Name, Description: in.Description}
	err := r.store.UpdateAccess(ctx, func(tx Tx) error {
		if err := t.check(ctx, tx); err != nil {
			return err
		}
		if err := tx.InsertTag(ctx, t); err != nil {
			return err
		}
		note(ctx, "roleScopeTag", t.ID, t.Name, nil, t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// UpdateTag edits a scope tag. The error is ErrNotFound, or a *Conflict for the built-in one.
func (r *Roles) UpdateTag(ctx context.Context, id string, patch TagPatch) (t *ScopeTag, err error) {
	err = r.store.UpdateAccess(ctx, func(tx Tx) error {
		old, err := tx.Tag(ctx, id)
		if err != nil {
			return err
		}
		if old.BuiltIn() {
			return &Conflict{fmt.Sprintf("the scope tag %q is built in and never changes",
				old.Name)}
		}
		edited := *old
		t = &edited
		set(&t.Name, patch.Name)
		set(&t.Description, patch.Description)
		if err := t.check(ctx, tx); err != nil {
			return err
		}
		note(ctx, "roleScopeTag", t.ID, t.Name, old, t)
		return tx.UpdateTag(ctx, t)
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// DeleteTag deletes a scope tag. The error is ErrNotFound, or a *Conflict for the built-in one and
// for one in use.
func (r *Roles) DeleteTag(ctx context.Context, id string) error {
	return r.store.UpdateAccess(ctx, func(tx Tx) error {
		t, err := tx.Tag(ctx, id)
		if err != nil {
			return err
		}
		if t.BuiltIn() {
			return &Conflict{fmt.Sprintf("the scope tag %q is built in and stays", t.Name)}
		}
		devices, payloads, assignments, err := tx.TagUse(ctx, id)
		if err != nil {
			return err
		}
		if devices+payloads+assignments > 0 {
			return &Conflict{fmt.Sprintf("the scope tag %q is in use: take it off %d devices, "+
				"%d apps and policies, and %d role assignments first",
				t.Name, devices, payloads, assignments)}
		}
		note(ctx, "roleScopeTag", t.ID, t.Name, t, nil)
		return tx.DeleteTag(ctx, id)
	})
}

// check checks a tag's name and description, and that no other tag has that name.
func (t *ScopeTag) check(ctx context.Context, tx Tx) error {
	if err := checkNaming(t.Name, t.Description); err != nil {
		return err
	}
	other, err := tx.TagNamed(ctx, t.Name)
	if err == nil && other.ID != t.ID {
		return &invalid.Input{Property: "displayName",
			Reason: fmt.Sprintf("another scope tag is called %q", other.Name)}
	}
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

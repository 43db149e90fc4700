package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// MaxAssignments is the most assignments that one payload may have.
const MaxAssignments = 1000

// Assignments returns a payload's assignments in the order in which they were given; ErrNotFound if
// there is no such payload.
func (c *Catalog) Assignments(ctx context.Context,
	id action.PayloadID) (list []Assignment, err error) {
	err = c.store.ViewCatalog(ctx, func(tx Tx) error {
		if _, err := tx.Payload(ctx, lowerID(id)); err != nil {
			return err
		}
		list, err = tx.Assignments(ctx, lowerID(id))
		return err
	})
	return list, err
}

// AssignmentsOf returns the assignments of each of the payloads that has some, in the order in
// which they were given.
func (c *Catalog) AssignmentsOf(ctx context.Context,
	ids []action.PayloadID) (map[action.PayloadID][]Assignment, error) {
	found := make(map[action.PayloadID][]Assignment, len(ids))
	err := c.store.ViewCatalog(ctx, func(tx Tx) (err error) {
		for _, id := range ids {
			if found[id], err = tx.Assignments(ctx, lowerID(id)); err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// Assign replaces a payload's assignments, as Graph's assign action does. The IDs of list are
// ignored: an assignment that was there keeps its own. The error is ErrNotFound, an *invalid.Input
// if the list is at fault, or that of a condition on the payload and its assignments as they stand.
func (c *Catalog) Assign(ctx context.Context, id action.PayloadID, list []Assignment,
	only ...func(*Payload, []Assignment) error,
) ([]Assignment, error) {
	return c.assign(ctx, id, list, nil, only)
}

// AssignEdited is Assign together with an edit of the payload, as Update makes it: both are done,
// or neither.
func (c *Catalog) AssignEdited(ctx context.Context, id action.PayloadID, list []Assignment,
	patch Patch, only ...func(*Payload, []Assignment) error,
) ([]Assignment, error) {
	e, err := c.readEdit(ctx, id, patch)
	if err != nil {
		return nil, err
	}
	return c.assign(ctx, id, list, e, only)
}

func (c *Catalog) assign(ctx context.Context, id action.PayloadID, list []Assignment, e *edit,
	only []func(*Payload, []Assignment) error) ([]Assignment, error) {
	list = slices.Clone(list)
	if err := checkAssignments(list); err != nil {
		return nil, err
	}
	err := c.store.UpdateCatalog(ctx, func(tx Tx) error {
		p, err := tx.Payload(ctx, lowerID(id))
		if err != nil {
			return err
		}
		if p.MirroredFrom != "" {
			return ErrMirrored
		}
		old, err := tx.Assignments(ctx, lowerID(id))
		if err != nil {
			return err
		}
		for _, condition := range only {
			if err := condition(p, old); err != nil {
				return err
			}
		}
		before := p
		if e != nil {
			if p, err = c.applyEdit(ctx, tx, before, e); err != nil {
				return err
			}
		}
		for i := range list {
			if err := targetExists(ctx, tx, list[i], i); err != nil {
				return err
			}
			list[i].ID = c.keepID(old, list[i])
		}
		if e == nil {
			noteAssignments(ctx, p, old, list)
		} else {
			noteAssignedEdit(ctx, e.form, before, p, old, list)
		}
		if err := tx.ReplaceAssignments(ctx, lowerID(id), list); err != nil {
			return err
		}
		// What is in both lists concerns nobody anew.
		return record(ctx, tx, slices.Concat(without(old, list), without(list, old)))
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func same(a Assignment) func(Assignment) bool {
	return func(b Assignment) bool { return a.Kind == b.Kind && a.Target == b.Target }
}

func (c *Catalog) keepID(old []Assignment, a Assignment) string {
	if i := slices.IndexFunc(old, same(a)); i >= 0 {
		return old[i].ID
	}
	return c.newID()
}

func without(list, others []Assignment) []Assignment {
	return slices.DeleteFunc(slices.Clone(list),
		func(a Assignment) bool { return slices.ContainsFunc(others, same(a)) })
}

// checkAssignments checks a list on its own and brings its ids to lower case.
func checkAssignments(list []Assignment) error {
	if len(list) > MaxAssignments {
		return &invalid.Input{Property: "assignments",
			Reason: fmt.Sprintf("has %d elements; at most %d are possible", len(list),
				MaxAssignments)}
	}
	seen := make(map[Change]int, len(list))
	for i := range list {
		a := &list[i]
		where := fmt.Sprintf("assignments[%d].target", i)
		switch a.Kind {
		case AllDevices:
			if a.Target != "" {
				return &invalid.Input{Property: where,
					Reason: "names an id, but addresses all devices"}
			}
		case Group, ExcludeGroup, OneDevice:
			target, ok := ParseGUID(a.Target)
			if !ok {
				return &invalid.Input{Property: where,
					Reason: fmt.Sprintf("%.60q is not an id", a.Target)}
			}
			a.Target = target
		default:
			return &invalid.Input{Property: where,
				Reason: fmt.Sprintf("%.60q is not a kind of target that this server knows", a.Kind)}
		}
		if j, twice := seen[concerns(*a)]; twice {
			return &invalid.Input{Property: where,
				Reason: fmt.Sprintf("is also that of assignments[%d]: name each target once", j)}
		}
		seen[concerns(*a)] = i
	}
	return nil
}

// NoTarget is the refusal of the assignment at a place in a list because whom it addresses does not
// exist.
func NoTarget(a Assignment, i int) error {
	what := "there is no group "
	if a.Kind == OneDevice {
		what = "there is no managed device "
	}
	return &invalid.Input{Property: fmt.Sprintf("assignments[%d].target", i),
		Reason: what + a.Target}
}

func targetExists(ctx context.Context, tx Tx, a Assignment, i int) error {
	switch a.Kind {
	case Group, ExcludeGroup:
		_, err := tx.Group(ctx, a.Target)
		if errors.Is(err, ErrNotFound) {
			return NoTarget(a, i)
		}
		return err
	case OneDevice:
		ok, err := tx.DeviceExists(ctx, fleet.DeviceID(a.Target))
		if err == nil && !ok {
			err = NoTarget(a, i)
		}
		return err
	default:
		return nil
	}
}

// concerns is the change that an assignment's coming or going is. Leaving a group out concerns its
// members.
func concerns(a Assignment) Change {
	if a.Kind == ExcludeGroup {
		a.Kind = Group
	}
	return Change{Kind: a.Kind, Target: a.Target}
}

// record records the change that each of list is, each once.
func record(ctx context.Context, tx Tx, list []Assignment) error {
	done := make(map[Change]bool, len(list))
	for _, a := range list {
		if change := concerns(a); !done[change] {
			done[change] = true
			if err := tx.RecordChange(ctx, change); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordTargets records a change for all whom a payload is assigned to.
func recordTargets(ctx context.Context, tx Tx, id action.PayloadID) error {
	list, err := tx.Assignments(ctx, id)
	if err != nil {
		return err
	}
	return record(ctx, tx, slices.DeleteFunc(list, func(a Assignment) bool {
		return a.Kind == ExcludeGroup
	}))
}

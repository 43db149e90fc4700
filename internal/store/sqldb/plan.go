package sqldb

import (
	"context"
	"errors"
)

// ErrOutdated means that the row which a plan was computed from has changed since. Nothing of the
// plan was written.
var ErrOutdated = errors.New("what was read has changed meanwhile")

// Statement is a statement with its parameters.
type Statement struct {
	Text string
	Args []any
}

// Insert adds rows that the database numbers. The numbers follow the order of the commits.
type Insert struct {
	Statement
	// is told the number of the last row, by the engines that say it at once
	Numbered func(last int64)
}

// Plan is what somebody computed from one row and wants written: all of it, and only if the row is
// still the one that was read. Many plans share a transaction.
type Plan struct {
	// Row names the row that the plan was computed from. The plans of one transaction lock their
	// rows in the order of these names, so that no two transactions wait for each other.
	Row string
	// Precondition changes that row, or changes nothing if it is no longer the one that was read.
	// Nil: the plan was computed from no row, and is written as it is.
	Precondition *Statement
	Statements   []Statement // after the precondition, in this order
	// last of all: on PostgreSQL their numbers need a lock that is held until the commit
	Inserts []Insert

	// TouchesOtherRows means that the statements write more than belongs to the row, so that the
	// plan must be alone among all writers.
	TouchesOtherRows bool

	// Before and After run in the transaction, first and last of all; an error keeps all of the
	// plan from being written. A plan that has one of them is alone among all writers. Nil:
	// nothing.
	Before, After func(*Session) error
	Committed     func() // runs once the plan is on the disk; nil: nothing
}

// sharesTransaction reports whether the plan can be written beside those of other rows.
func (p *Plan) sharesTransaction() bool {
	return p.Precondition != nil && !p.TouchesOtherRows && p.Before == nil && p.After == nil
}

// undoesItself reports whether the plan, when it is outdated, has written nothing that must be
// undone.
func (p *Plan) undoesItself() bool {
	return p.Precondition != nil && !p.TouchesOtherRows && p.Before == nil
}

// write writes the plan, in a transaction that is alone among all writers.
func (p *Plan) write(ctx context.Context, q *Session) error {
	if p.Before != nil {
		if err := p.Before(q); err != nil {
			return err
		}
	}
	if p.Precondition != nil {
		changed, err := q.Exec(ctx, p.Precondition.Text, p.Precondition.Args...)
		if err != nil {
			return err
		}
		if changed == 0 {
			return ErrOutdated
		}
	}
	for _, st := range p.Statements {
		if _, err := q.Exec(ctx, st.Text, st.Args...); err != nil {
			return err
		}
	}
	for _, in := range p.Inserts {
		if err := q.Add(ctx, in); err != nil {
			return err
		}
	}
	if p.After != nil {
		return p.After(q)
	}
	return nil
}

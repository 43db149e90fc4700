package store

import (
	"context"
	"errors"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// attempts is how often a step is computed beside others before it gets the writer to itself.
const attempts = 3

// errOutdated means that the ledger is not any more the one that a step was computed from.
var errOutdated = errors.New("the device changed meanwhile")

// Update implements engine.Store. fn runs on a snapshot, beside the steps of other devices, because reading and
// computing cost more than writing and there is but one writer. What it writes is kept back, and done only if the
// ledger that it read is still the same; if not, fn runs again.
func (s *Store) Update(ctx context.Context, _ fleet.DeviceID, fn func(engine.Tx) error) error {
	for range attempts {
		err := audit.Attempt(ctx, func() error { return s.step(ctx, fn) })
		if !errors.Is(err, errOutdated) {
			return err
		}
	}
	return s.write(ctx, func(q *session) error { return fn(&engineTx{q: q}) })
}

// step computes fn beside others and commits what it wrote; errOutdated if its ledger changed meanwhile.
func (s *Store) step(ctx context.Context, fn func(engine.Tx) error) error {
	t := &engineTx{later: new([]statement)}
	err := s.read(ctx, func(q *session) error {
		t.q = q
		return fn(t)
	})
	if err != nil {
		return err
	}
	return s.write(ctx, func(q *session) error { return t.commit(ctx, q) })
}

// engineTx is an engine.Tx on one session. With later, it reads on the session and keeps its writes back.
type engineTx struct {
	q        *session
	later    *[]statement
	device   fleet.DeviceID // whose ledger was read; empty: none was
	revision int64          // of that ledger
	removals []held         // that it told when it was read
}

type statement struct {
	text string
	args []any
}

func (t *engineTx) exec(ctx context.Context, text string, args ...any) error {
	if t.later != nil {
		*t.later = append(*t.later, statement{text, args})
		return nil
	}
	_, err := t.q.exec(ctx, text, args...)
	return err
}

// commit does what was kept back. It runs in the writer.
func (t *engineTx) commit(ctx context.Context, q *session) error {
	if t.device != "" {
		var revision int64
		if err := q.row(ctx, "SELECT revision FROM ledgers WHERE device_id = ?", []any{t.device}, &revision); err != nil {
			return err
		}
		if revision != t.revision {
			return errOutdated
		}
	}
	for _, st := range *t.later {
		if _, err := q.exec(ctx, st.text, st.args...); err != nil {
			return err
		}
	}
	return nil
}

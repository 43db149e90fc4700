package store

import (
	"context"
	"errors"
	"slices"

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
	t := &engineTx{keeps: true}
	err := s.glance(ctx, func(q *session) error {
		t.q = q
		return fn(t)
	})
	if err != nil {
		return err
	}
	return s.db.settle(ctx, t)
}

// engineTx is an engine.Tx on one session. If it keeps its writes back, it only reads on the session.
type engineTx struct {
	q        *session
	keeps    bool
	later    []statement    // kept back
	events   []statement    // kept back, to be done last
	alone    bool           // among them is more than the ledger of the device holds
	device   fleet.DeviceID // whose ledger was read; empty: none was
	revision int64          // of that ledger
	removals []held         // that it told when it was read
}

type statement struct {
	text string
	args []any
}

func (t *engineTx) exec(ctx context.Context, text string, args ...any) error {
	if t.keeps {
		t.later = append(t.later, statement{text, args})
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
	for _, st := range slices.Concat(t.later, t.events) {
		if _, err := q.exec(ctx, st.text, st.args...); err != nil {
			return err
		}
	}
	return nil
}

// recorded reports whether an operation's entry in the audit record is to be written with its first write.
func recorded(ctx context.Context) bool { return audit.Of(ctx) != nil }

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

// Update implements engine.Store. fn runs beside the steps of other devices, because reading and computing cost more than
// writing and there is but one writer. What it writes is kept back, and done only if the ledger that it began with is
// still the same; if not, fn runs again.
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
	t := &engineTx{beside: s}
	err := fn(t)
	t.giveBack()
	if err == nil {
		err = s.db.settle(ctx, t)
	}
	if err == nil && t.saved != nil {
		s.ledgers.put(ledger{t.device, t.revision + 1, t.saved})
	}
	return err
}

// engineTx is an engine.Tx. One that computes beside others only reads, and keeps its writes back.
type engineTx struct {
	beside   *Store // whose connections it reads on when it has to; nil: it writes at once, on q
	q        *session
	release  func()         // lets q go; nil: there is nothing to let go
	guard    statement      // kept back: changes the ledger's row, or nothing if it is outdated
	later    []statement    // kept back
	events   []told         // kept back, to be done last
	alone    bool           // among them is more than the ledger of the device holds
	device   fleet.DeviceID // whose ledger was read; empty: none was
	revision int64          // of that ledger
	removals []held         // that it told when it was read
	saved    *engine.Ledger // what it is to become
}

type statement struct {
	text string
	args []any
}

// session is where the transaction reads.
func (t *engineTx) session(ctx context.Context) (_ *session, err error) {
	if t.q == nil {
		t.q, t.release, err = t.beside.db.borrow(ctx)
	}
	return t.q, err
}

func (t *engineTx) giveBack() {
	if t.release != nil {
		t.release()
		t.q, t.release = nil, nil
	}
}

func (t *engineTx) row(ctx context.Context, text string, args []any, dest ...any) error {
	q, err := t.session(ctx)
	if err != nil {
		return err
	}
	return q.row(ctx, text, args, dest...)
}

func (t *engineTx) rows(ctx context.Context, text string, args []any, each func(scan func(...any) error) error) error {
	q, err := t.session(ctx)
	if err != nil {
		return err
	}
	return q.rows(ctx, text, args, each)
}

func (t *engineTx) exec(ctx context.Context, text string, args ...any) error {
	if t.beside != nil {
		t.later = append(t.later, statement{text, args})
		return nil
	}
	_, err := t.q.exec(ctx, text, args...)
	return err
}

// began keeps back that the ledger must be the one that was read.
func (t *engineTx) began(device fleet.DeviceID, revision int64) {
	t.device, t.revision = device, revision
	t.guard = statement{"UPDATE ledgers SET revision = revision WHERE device_id = ? AND revision = ?", []any{device, revision}}
}

// commit does what was kept back. It runs in the writer.
func (t *engineTx) commit(ctx context.Context, q *session) error {
	if t.device != "" {
		switch n, err := q.exec(ctx, t.guard.text, t.guard.args...); {
		case err != nil:
			return err
		case n == 0:
			return errOutdated
		}
	}
	for _, st := range t.later {
		if _, err := q.exec(ctx, st.text, st.args...); err != nil {
			return err
		}
	}
	for _, events := range t.events {
		if err := q.tell(ctx, events); err != nil {
			return err
		}
	}
	return nil
}

// recorded reports whether an operation's entry in the audit record is to be written with its first write.
func recorded(ctx context.Context) bool { return audit.Of(ctx) != nil }

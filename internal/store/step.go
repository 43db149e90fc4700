package store

import (
	"context"
	"errors"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

// attempts is how often a step is computed beside others before it gets the writer to itself.
const attempts = 3

// Update implements engine.Store. Reading and computing cost more than writing, and there is one
// writer. So fn runs beside the steps of other devices, on a plannedTx, whose writes are buffered
// and applied only if the ledger's revision has not changed since it was read. If it has, fn runs
// again.
func (s *Store) Update(ctx context.Context, _ fleet.DeviceID, fn func(engine.Tx) error) error {
	for range attempts {
		err := audit.Attempt(ctx, func() error { return s.planAndCommit(ctx, fn) })
		if !errors.Is(err, sqldb.ErrOutdated) {
			return err
		}
	}
	return s.UpdateAlone(ctx, fn)
}

// UpdateAlone implements engine.Store.
func (s *Store) UpdateAlone(ctx context.Context, fn func(engine.Tx) error) error {
	return s.write(ctx, func(q *session) error { return fn(newLiveTx(q)) })
}

// planAndCommit computes fn beside others and commits what it wrote; ErrOutdated if its ledger
// changed meanwhile.
func (s *Store) planAndCommit(ctx context.Context, fn func(engine.Tx) error) error {
	t := newPlannedTx(s)
	err := fn(t)
	t.giveBack() // before the commit waits for its turn
	if err != nil {
		return err
	}
	t.plan.Before, t.plan.After, t.plan.Committed = aroundWrite(ctx)
	if err := s.db.Commit(ctx, &t.plan); err != nil {
		return err
	}
	if t.saved != nil {
		s.ledgers.put(t.device, ledger{t.revision + 1, t.saved})
	}
	return nil
}

// stepReads are the reads of an engine.Tx.
type stepReads struct{ from reader }

// reader has the connection that a transaction reads on.
type reader interface {
	session(ctx context.Context) (*session, error)
}

// stepWrites are the writes of an engine.Tx that are plain statements.
type stepWrites struct{ to statementSink }

// statementSink takes statements, to run them at once or later.
type statementSink interface {
	exec(ctx context.Context, text string, args ...any) error
	// touchOtherRows says that the statements write more than belongs to the device's ledger.
	touchOtherRows()
}

// liveTx is an engine.Tx within a transaction of the database: it writes at once.
type liveTx struct {
	stepReads
	stepWrites
	q        *session
	revision int64     // of the ledger that was read
	removals []removal // that it told when it was read
}

func newLiveTx(q *session) *liveTx {
	t := &liveTx{q: q}
	t.from, t.to = t, t
	return t
}

func (t *liveTx) session(context.Context) (*session, error) { return t.q, nil }

func (t *liveTx) exec(ctx context.Context, text string, args ...any) error {
	_, err := t.q.Exec(ctx, text, args...)
	return err
}

func (t *liveTx) touchOtherRows() {} // it is alone among all writers

// plannedTx is an engine.Tx outside of any transaction: it reads on a connection that it borrows
// when it has to, and puts its writes into a plan.
type plannedTx struct {
	stepReads
	stepWrites
	store    *Store
	borrowed *session // nil: none yet
	release  func()   // gives it back
	plan     sqldb.Plan
	device   fleet.DeviceID // whose ledger was read; empty: none was
	revision int64          // of that ledger
	removals []removal      // that it told when it was read
	saved    *engine.Ledger // what the ledger is to become; nil: it stays
}

func newPlannedTx(s *Store) *plannedTx {
	t := &plannedTx{store: s}
	t.from, t.to = t, t
	return t
}

func (t *plannedTx) session(ctx context.Context) (_ *session, err error) {
	if t.borrowed == nil {
		t.borrowed, t.release, err = t.store.borrow(ctx)
	}
	return t.borrowed, err
}

func (t *plannedTx) giveBack() {
	if t.borrowed != nil {
		t.release()
		t.borrowed = nil
	}
}

func (t *plannedTx) exec(_ context.Context, text string, args ...any) error {
	t.plan.Statements = append(t.plan.Statements, sqldb.Statement{Text: text, Args: args})
	return nil
}

func (t *plannedTx) touchOtherRows() { t.plan.TouchesOtherRows = true }

// expectRevision makes the plan rest on the ledger that was read.
func (t *plannedTx) expectRevision(device fleet.DeviceID, revision int64) {
	t.device = device
	t.revision = revision
	t.plan.Row = string(device)
	t.plan.Precondition = &sqldb.Statement{
		Text: "UPDATE ledgers SET revision = revision WHERE device_id = ? AND revision = ?",
		Args: []any{device, revision},
	}
}

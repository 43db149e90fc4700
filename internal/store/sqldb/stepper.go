package sqldb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	steppers = 2 // so that the next plans are on their way while a commit goes to the disk

	// newsChannel tells other nodes of commits with inserts.
	newsChannel = "syncpayloads_events"
	tellNews    = "SELECT pg_notify('" + newsChannel + "', '')"
)

// stepper commits plans on PostgreSQL, many in one transaction of two messages to the server and
// one commit. Each has its row for itself; nodes and transactions meet only while they number their
// rows.
type stepper struct {
	pool     *pgxpool.Pool
	alone    *writer
	patience time.Duration
	jobs     chan *planned
	quit     chan struct{}
	stopped  sync.WaitGroup
}

// planned is a plan that waits to be written.
type planned struct {
	ctx  context.Context
	plan *Plan
	err  error
	done chan struct{}
}

func startStepper(pool *pgxpool.Pool, alone *writer, patience time.Duration) *stepper {
	s := &stepper{
		pool:     pool,
		alone:    alone,
		patience: patience,
		jobs:     make(chan *planned, batchLimit),
		quit:     make(chan struct{}),
	}
	for range steppers {
		s.stopped.Go(s.run)
	}
	return s
}

// write writes a plan, those that cannot share a transaction in their turn among the other writes.
func (s *stepper) write(ctx context.Context, p *Plan) error {
	if !p.sharesTransaction() {
		return s.alone.plan(ctx, p)
	}
	j := &planned{ctx: ctx, plan: p, done: make(chan struct{})}
	select {
	case s.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.quit:
		return ErrClosed
	}
	select {
	case <-j.done:
		return j.err
	case <-s.quit:
	}
	s.stopped.Wait()
	select {
	case <-j.done:
		return j.err
	default:
		return ErrClosed
	}
}

func (s *stepper) stop() {
	close(s.quit)
	s.stopped.Wait()
}

func (s *stepper) run() {
	for {
		select {
		case j := <-s.jobs:
			s.commit(collect(s.jobs, j))
		case <-s.quit:
			return
		}
	}
}

func (s *stepper) commit(batch []*planned) {
	lost := s.together(batch)
	// at once, so that they share a commit, and fail together if the database is not there
	var again sync.WaitGroup
	for _, j := range batch {
		if lost != nil && j.err == nil {
			// One of them failed, or the connection did. If it was all committed nevertheless, each
			// is outdated now.
			again.Go(func() { j.err = s.alone.plan(j.ctx, j.plan) })
		}
	}
	again.Wait()
	for _, j := range batch {
		close(j.done)
	}
}

// together commits a batch in one transaction. An error means that nothing is known to be
// committed.
func (s *stepper) together(batch []*planned) error {
	ctx, cancel := within(context.Background(), s.patience)
	defer cancel()
	c, err := acquire(ctx, s.pool, s.patience)
	if err != nil {
		for _, j := range batch {
			j.err = err // nothing was sent
		}
		return nil
	}
	defer c.Release() // one in the middle of a transaction does not go back to the pool
	l := &postgresLink{c.Conn(), s.patience}
	if err := begin(ctx, c.Conn(), batch); err != nil {
		return l.checked(err)
	}
	var write pgx.Batch
	numbers := false
	for _, j := range batch {
		if j.err == nil {
			queue(&write, j.plan.Statements...)
			numbers = numbers || len(j.plan.Inserts) > 0
		}
	}
	if numbers {
		write.Queue("SELECT pg_advisory_xact_lock($1)", int64(numberLock))
		for _, j := range batch {
			if j.err == nil {
				for _, in := range j.plan.Inserts {
					queue(&write, in.Statement)
				}
			}
		}
		write.Queue(tellNews)
	}
	write.Queue("COMMIT")
	if err := c.Conn().SendBatch(ctx, &write).Close(); err != nil {
		return fmt.Errorf("writing steps of devices: %w", l.checked(err))
	}
	return nil
}

func queue(b *pgx.Batch, statements ...Statement) {
	for _, st := range statements {
		b.Queue(numbered(st.Text), storable(st.Args)...)
	}
}

// begin begins the transaction, runs the preconditions of the batch, always in the order of their
// rows, and marks the plans that are outdated.
func begin(ctx context.Context, c *pgx.Conn, batch []*planned) error {
	slices.SortStableFunc(batch,
		func(a, b *planned) int { return cmp.Compare(a.plan.Row, b.plan.Row) })
	var guards pgx.Batch
	guards.Queue("BEGIN")
	guards.Queue("SELECT pg_advisory_xact_lock_shared($1)", int64(writeLock))
	for _, j := range batch {
		queue(&guards, *j.plan.Precondition)
	}
	answer := c.SendBatch(ctx, &guards)
	for range 2 {
		if _, err := answer.Exec(); err != nil {
			return errors.Join(err, answer.Close())
		}
	}
	for _, j := range batch {
		changed, err := answer.Exec()
		if err != nil {
			return errors.Join(err, answer.Close())
		}
		if changed.RowsAffected() == 0 {
			j.err = ErrOutdated
		}
	}
	return answer.Close()
}

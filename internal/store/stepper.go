package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const (
	steppers = 2 // so that the next steps are on their way while a commit goes to the disk
	channel  = "syncpayloads_events"
)

// stepper commits the steps of devices on PostgreSQL, many in one transaction of two messages to the server and one
// commit. Each has its device's ledger for itself; nodes and transactions meet only while they number their events.
type stepper struct {
	pool    *pgxpool.Pool
	alone   *writer
	jobs    chan *step
	quit    chan struct{}
	stopped sync.WaitGroup
}

// step is what one step of a device kept back.
type step struct {
	ctx  context.Context
	tx   *engineTx
	err  error
	done chan struct{}
}

func startStepper(pool *pgxpool.Pool, alone *writer) *stepper {
	s := &stepper{pool: pool, alone: alone, jobs: make(chan *step, batchLimit), quit: make(chan struct{})}
	for range steppers {
		s.stopped.Go(s.run)
	}
	return s
}

// settle commits a step. One that does more than a device's ledger holds, is recorded, or needs a permit, takes its turn among the other
// writes.
func (s *stepper) settle(ctx context.Context, t *engineTx) error {
	if t.alone || t.device == "" || recorded(ctx) || access.PermitOf(ctx) != nil {
		return s.alone.settle(ctx, t)
	}
	j := &step{ctx: ctx, tx: t, done: make(chan struct{})}
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

func (s *stepper) commit(batch []*step) {
	lost := s.together(batch)
	var again sync.WaitGroup // at once, so that they share a commit, and fail together if the database is not there
	for _, j := range batch {
		if lost != nil && j.err == nil {
			// One of them failed, or the connection did. If it was all committed nevertheless, each is outdated now.
			again.Go(func() { j.err = s.alone.settle(j.ctx, j.tx) })
		}
	}
	again.Wait()
	for _, j := range batch {
		close(j.done)
	}
}

// together commits a batch in one transaction. An error means that nothing is known to be committed.
func (s *stepper) together(batch []*step) error {
	ctx, cancel := within(context.Background())
	defer cancel()
	c, err := acquire(ctx, s.pool)
	if err != nil {
		for _, j := range batch {
			j.err = err // nothing was sent
		}
		return nil
	}
	defer c.Release() // one in the middle of a transaction does not go back to the pool
	l := &postgresLink{c.Conn()}
	if err := begin(ctx, c.Conn(), batch); err != nil {
		return l.checked(err)
	}
	var write pgx.Batch
	told := false
	for _, j := range batch {
		if j.err == nil {
			queue(&write, j.tx.later...)
			told = told || len(j.tx.events) > 0
		}
	}
	if told {
		write.Queue("SELECT pg_advisory_xact_lock($1)", int64(order))
		for _, j := range batch {
			if j.err == nil {
				for _, events := range j.tx.events {
					queue(&write, events.statement)
				}
			}
		}
		write.Queue("SELECT pg_notify($1, '')", channel)
	}
	write.Queue("COMMIT")
	if err := c.Conn().SendBatch(ctx, &write).Close(); err != nil {
		return fmt.Errorf("writing steps of devices: %w", l.checked(err))
	}
	return nil
}

func queue(b *pgx.Batch, statements ...statement) {
	for _, st := range statements {
		b.Queue(numbered(st.text), storable(st.args)...)
	}
}

// begin begins the transaction, changes the ledgers of the batch, always in the same order, and marks the steps that are
// outdated.
func begin(ctx context.Context, c *pgx.Conn, batch []*step) error {
	slices.SortStableFunc(batch, func(a, b *step) int { return cmp.Compare(a.tx.device, b.tx.device) })
	var guards pgx.Batch
	guards.Queue("BEGIN")
	guards.Queue("SELECT pg_advisory_xact_lock_shared($1)", int64(turn))
	for _, j := range batch {
		queue(&guards, j.tx.guard)
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
			j.err = errOutdated
		}
	}
	return answer.Close()
}

package sqldb

import (
	"context"
	"errors"
	"fmt"
)

// ErrClosed is returned for a write after Close.
var ErrClosed = errors.New("the database is closed")

// batchLimit bounds how many writes share a commit, and so how long one waits for the others.
const batchLimit = 128

// writer is the process's only writer. Writes that arrive while a commit is on its way to the disk
// are put together into the next one, so that durability costs one fsync a batch. Each is undone
// alone if it fails.
type writer struct {
	transaction transaction
	jobs        chan *job
	quit        chan struct{}
	stopped     chan struct{}
}

// transaction begins and ends transactions that no other writer is in, one after the other.
type transaction interface {
	begin(ctx context.Context) (*Session, error)
	commit(ctx context.Context, q *Session) error
	undo(ctx context.Context, q *Session) // after any error of commit, too
}

type job struct {
	ctx context.Context
	fn  func(*Session) error

	// withoutSavepoint: fn has written nothing when it returns ErrOutdated, and no other error is
	// expected of it.
	withoutSavepoint bool

	committed func() // runs once it is on the disk; nil: nothing
	err       error
	caught    any // a panic of fn, for the caller
	done      chan struct{}
}

func startWriter(t transaction) *writer {
	w := &writer{transaction: t, jobs: make(chan *job, batchLimit), quit: make(chan struct{}),
		stopped: make(chan struct{})}
	go w.run()
	return w
}

// write runs fn in a transaction that is alone among all writers. committed runs once it is on the
// disk; nil: nothing.
func (w *writer) write(ctx context.Context, fn func(*Session) error, committed func()) error {
	return w.wait(&job{ctx: ctx, fn: fn, committed: committed, done: make(chan struct{})})
}

// plan writes a plan, alone among all writers.
func (w *writer) plan(ctx context.Context, p *Plan) error {
	return w.wait(&job{
		ctx:              ctx,
		fn:               func(q *Session) error { return p.write(ctx, q) },
		withoutSavepoint: p.undoesItself(),
		committed:        p.Committed,
		done:             make(chan struct{}),
	})
}

func (w *writer) wait(j *job) error {
	select {
	case <-w.quit:
		return ErrClosed
	default:
	}
	select {
	case w.jobs <- j:
	case <-j.ctx.Done():
		return j.ctx.Err()
	case <-w.stopped:
		return ErrClosed
	}
	// Not ctx: once queued, fn may be running, and it writes to its caller's variables.
	select {
	case <-j.done:
	case <-w.stopped:
		select {
		case <-j.done:
		default:
			return ErrClosed
		}
	}
	if j.caught != nil {
		panic(j.caught)
	}
	return j.err
}

func (w *writer) stop() {
	close(w.quit)
	<-w.stopped
}

func (w *writer) run() {
	defer close(w.stopped)
	for {
		select {
		case j := <-w.jobs:
			w.commit(collect(w.jobs, j))
		case <-w.quit:
			for {
				select {
				case j := <-w.jobs:
					w.commit(collect(w.jobs, j))
				default:
					return
				}
			}
		}
	}
}

// collect returns the first of a batch and those that wait after it.
func collect[T any](waiting <-chan T, first T) []T {
	batch := []T{first}
	for len(batch) < batchLimit {
		select {
		case next := <-waiting:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

func (w *writer) commit(batch []*job) {
	ctx := context.Background()
	q, err := w.transaction.begin(ctx)
	if err == nil {
		if err = runAll(ctx, q, batch); err == nil {
			err = w.transaction.commit(ctx, q)
		}
		if err != nil {
			w.transaction.undo(ctx, q)
		}
	}
	for _, j := range batch {
		if err != nil && j.err == nil {
			j.err = fmt.Errorf("committing: %w", err)
		}
		if j.err == nil && j.committed != nil {
			j.committed()
		}
		close(j.done)
	}
}

// runAll runs every job so that it can be undone alone, but for those without a savepoint: what is
// in the way of one of those, such as a full disk, is in the way of all. An error means the
// transaction itself is lost.
func runAll(ctx context.Context, q *Session, batch []*job) error {
	if len(batch) == 1 {
		j := batch[0]
		if j.err = j.ctx.Err(); j.err == nil {
			j.run(q)
		}
		return j.err
	}
	for _, j := range batch {
		if j.err = j.ctx.Err(); j.err != nil {
			continue
		}
		if j.withoutSavepoint {
			if j.run(q); j.err != nil && !errors.Is(j.err, ErrOutdated) {
				return j.err
			}
			continue
		}
		if _, err := q.Exec(ctx, "SAVEPOINT job"); err != nil {
			return err
		}
		if j.run(q); j.err != nil {
			if _, err := q.Exec(ctx, "ROLLBACK TO job"); err != nil {
				return errors.Join(j.err, err)
			}
		}
		if _, err := q.Exec(ctx, "RELEASE job"); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) run(q *Session) {
	defer func() {
		if j.caught = recover(); j.caught != nil {
			j.err = fmt.Errorf("panic: %v", j.caught)
		}
	}()
	j.err = j.fn(q)
}

package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/audit"
)

// ErrClosed is returned for a write after Close.
var ErrClosed = errors.New("the database is closed")

// batchLimit bounds how many writes share a commit, and so how long one waits for the others.
const batchLimit = 128

// writer is the process's only writer. Writes that arrive while a commit is on its way to the disk are put together
// into the next one, so that durability costs one fsync a batch. Each is undone alone if it fails.
type writer struct {
	session *session
	jobs    chan *job
	quit    chan struct{}
	stopped chan struct{}
}

type job struct {
	ctx    context.Context
	fn     func(*session) error
	draft  *audit.Draft // of the operation, to be written with it; nil: none
	err    error
	caught any // a panic of fn, for the caller
	done   chan struct{}
}

func startWriter(q *session) *writer {
	w := &writer{session: q, jobs: make(chan *job, batchLimit), quit: make(chan struct{}), stopped: make(chan struct{})}
	go w.run()
	return w
}

func (w *writer) do(ctx context.Context, fn func(*session) error) error {
	j := &job{ctx: ctx, fn: fn, draft: audit.Of(ctx), done: make(chan struct{})}
	select {
	case <-w.quit:
		return ErrClosed
	default:
	}
	select {
	case w.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
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
			w.commit(w.collect(j))
		case <-w.quit:
			for {
				select {
				case j := <-w.jobs:
					w.commit(w.collect(j))
				default:
					return
				}
			}
		}
	}
}

func (w *writer) collect(first *job) []*job {
	batch := []*job{first}
	for len(batch) < batchLimit {
		select {
		case j := <-w.jobs:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

func (w *writer) commit(batch []*job) {
	ctx := context.Background()
	_, err := w.session.exec(ctx, "BEGIN IMMEDIATE")
	if err == nil {
		if err = w.runAll(ctx, batch); err == nil {
			_, err = w.session.exec(ctx, "COMMIT")
		}
		if err != nil {
			_, _ = w.session.exec(ctx, "ROLLBACK") // SQLite may have done it already; err is what to tell
		}
	}
	for _, j := range batch {
		if err != nil && j.err == nil {
			j.err = fmt.Errorf("committing: %w", err)
		}
		if j.err == nil && j.draft != nil {
			j.draft.Written()
		}
		close(j.done)
	}
}

// runAll runs every job in its own savepoint. An error means the transaction itself is lost.
func (w *writer) runAll(ctx context.Context, batch []*job) error {
	for _, j := range batch {
		if j.err = j.ctx.Err(); j.err != nil {
			continue
		}
		if _, err := w.session.exec(ctx, "SAVEPOINT job"); err != nil {
			return err
		}
		if j.run(w.session); j.err != nil {
			if _, err := w.session.exec(ctx, "ROLLBACK TO job"); err != nil {
				return errors.Join(j.err, err)
			}
		}
		if _, err := w.session.exec(ctx, "RELEASE job"); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) run(q *session) {
	defer func() {
		if j.caught = recover(); j.caught != nil {
			j.err = fmt.Errorf("panic: %v", j.caught)
		}
	}()
	if j.err = j.fn(q); j.err == nil && j.draft != nil {
		j.err = q.appendEntry(j.ctx, j.draft.Complete())
	}
}

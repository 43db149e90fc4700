// Package store keeps everything in one database: devices and their ledgers, actions, the catalog,
// enrollments, tokens. It implements the small interfaces that its users declare, a file for each,
// and may know all of them; none of them knows it. How SQLite and PostgreSQL are spoken to is in
// package sqldb below.
//
// Begin with Store, and with devices.go for how a kind of rows is described (table.go). step.go is
// how the engine writes, select.go and condition.go how a query becomes SQL, dialect.go what the
// two engines are told in different words.
package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/store/migrations"
	"github.com/syncpayloads/syncpayloads/internal/store/move"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

// Store is an open database. Its methods may be called from many goroutines.
type Store struct {
	db         sqldb.Database
	dialect    *dialect
	ledgers    *ledgers
	identities *identities // nil: another process may change them
}

// Open opens the database at a location, a postgres:// URL or a file's path, creates what does not
// exist yet, and brings its tables up to date.
func Open(ctx context.Context, location string) (*Store, error) {
	return open(ctx, location, "")
}

// OpenFile opens a SQLite file, as Open does, through a VFS (sqlite.org/vfs.html) that this process
// has registered.
func OpenFile(ctx context.Context, path, vfs string) (*Store, error) {
	return open(ctx, path, vfs)
}

func open(ctx context.Context, location, vfs string) (*Store, error) {
	db, err := sqldb.Open(ctx, location, sqldb.Options{Migrations: migrations.Of, VFS: vfs})
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, dialect: dialects[db.Engine()], ledgers: newLedgers()}
	if err := s.refuseHalfMoved(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// refuseHalfMoved is an error if the database is the target of a move that is not complete.
func (s *Store) refuseHalfMoved(ctx context.Context) error {
	return s.read(ctx, func(q *session) error {
		half, err := move.Begun(ctx, q.Session)
		if half {
			return errors.New("the move to this database is not complete: run syncpayloads migrate again, which continues it")
		}
		return err
	})
}

// IsPostgres reports whether a location is a URL of a PostgreSQL database, and not the path of a
// file.
func IsPostgres(location string) bool { return sqldb.EngineOf(location) == sqldb.Postgres }

// ErrClosed is returned for a write after Close.
var ErrClosed = sqldb.ErrClosed

// Busy reports whether an error means that the database could not be written or read just now, and
// the same call may succeed a little later.
func Busy(err error) bool { return sqldb.Busy(err) }

// Durable returns why what is answered might not survive the end of the database's machine or
// process, as far as the database's settings go, and how that is mended; or why the settings cannot
// be read.
func (s *Store) Durable(ctx context.Context) error {
	q, giveBack, err := s.db.Borrow(ctx)
	if err != nil {
		return err
	}
	defer giveBack()
	return q.Durable(ctx)
}

// Hold makes this process the only server of a database in a file until Close, which lets it keep
// in memory what only a server changes. It fails if another process is. Any number of servers may
// share PostgreSQL. It comes before all use.
func (s *Store) Hold() error {
	alone, err := s.db.Hold()
	if alone {
		s.identities = newIdentities()
	}
	return err
}

// Close waits for running writes and closes the database. No method may be called after it.
func (s *Store) Close() error { return s.db.Close() }

func (s *Store) read(ctx context.Context, fn func(*session) error) error {
	return s.db.Read(ctx, func(q *sqldb.Session) error { return fn(newSession(q)) })
}

// borrow lends a connection until it is given back; it is no snapshot.
func (s *Store) borrow(ctx context.Context) (_ *session, giveBack func(), _ error) {
	q, giveBack, err := s.db.Borrow(ctx)
	if err != nil {
		return nil, nil, err
	}
	return newSession(q), giveBack, nil
}

// write runs fn in a transaction, alone among all writers, and returns when it is durable. When fn
// returns an error nothing of it is kept. The audit draft of ctx is written in the same
// transaction, and its permit asked there before fn.
func (s *Store) write(ctx context.Context, fn func(*session) error) error {
	return audit.Attempt(ctx, func() error {
		before, after, committed := aroundWrite(ctx)
		return s.db.Write(ctx, func(q *sqldb.Session) error {
			if before != nil {
				if err := before(q); err != nil {
					return err
				}
			}
			if err := fn(newSession(q)); err != nil {
				return err
			}
			if after != nil {
				return after(q)
			}
			return nil
		}, committed)
	})
}

// aroundWrite is what a write does before and after its statements, in the same transaction, and
// once that is durable: it asks the context's permit, and writes its entry of the audit record.
// Each may be nil.
func aroundWrite(ctx context.Context) (before, after func(*sqldb.Session) error, committed func()) {
	if permit := access.PermitOf(ctx); permit != nil {
		before = func(q *sqldb.Session) error { return permit(ctx, accessTx{newSession(q)}) }
	}
	if draft := audit.Of(ctx); draft != nil {
		after = func(q *sqldb.Session) error {
			return newSession(q).appendEntry(ctx, draft.Complete())
		}
		committed = draft.Written
	}
	return before, after, committed
}

// micros is a time as a column holds it; NULL stands for the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func fromMicros(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMicro(n.Int64).UTC()
}

// Follow calls committed soon after another node may have committed events, until ctx ends.
func (s *Store) Follow(ctx context.Context, committed func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.db.News():
			committed()
		}
	}
}

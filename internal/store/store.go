// Package store keeps everything in one database: devices and their ledgers, actions, the catalog, enrollments, tokens.
// The database is a SQLite file or a PostgreSQL server's. It implements the small interfaces that its users declare, a
// file for each.
package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
)

// Store is an open database. Its methods may be called from many goroutines.
type Store struct {
	db         database
	dialect    *dialect
	ledgers    ledgers
	identities *identities // nil: another process may change them
}

// database is an engine's way to read and write.
type database interface {
	// read runs fn on a snapshot of the database.
	read(ctx context.Context, fn func(*session) error) error
	// borrow lends a connection until it is given back. Each statement sees at least what was committed when it was lent;
	// it is no snapshot, where that would cost more.
	borrow(ctx context.Context) (q *session, giveBack func(), err error)
	// write runs fn in a transaction, alone among all writers, and returns when it is durable. When fn returns an error
	// nothing of it is kept. committed runs once it is durable; nil: nothing.
	write(ctx context.Context, fn func(*session) error, committed func()) error
	// commit writes a plan, as write does, but beside other plans where both allow it. ErrOutdated: the row that it was
	// computed from has changed since.
	commit(ctx context.Context, p *Plan) error
	// leads reports whether this node keeps the clocks, of all that use the database.
	leads() bool
	// hold keeps other servers away, where not several can use the database together, and reports whether it does.
	hold() (alone bool, err error)
	// news has something when another node may have committed events; nil: there are no other nodes.
	news() <-chan struct{}
	// close waits for running writes.
	close() error
}

// Open opens the database at a location, a postgres:// URL or a file's path, creates what does not exist yet, and brings
// its tables up to date.
func Open(ctx context.Context, location string) (*Store, error) {
	if IsPostgres(location) {
		db, err := openPostgres(ctx, location)
		if err != nil {
			return nil, err
		}
		return whole(ctx, &Store{db: db, dialect: postgresDialect})
	}
	return OpenFile(ctx, location, "")
}

// OpenFile opens a SQLite file, as Open does, through a VFS (sqlite.org/vfs.html) that this process has registered; empty: the
// system's own.
func OpenFile(ctx context.Context, path, vfs string) (*Store, error) {
	db, err := openSQLite(ctx, path, vfs)
	if err != nil {
		return nil, err
	}
	return whole(ctx, &Store{db: db, dialect: sqliteDialect})
}

// IsPostgres reports whether a location is a URL of a PostgreSQL database, and not the path of a file.
func IsPostgres(location string) bool {
	return strings.HasPrefix(location, "postgres://") || strings.HasPrefix(location, "postgresql://")
}

// Hold makes this process the only server of a database in a file until Close, which lets it keep in memory what only a
// server changes. It fails if another process is. Any number of servers may share PostgreSQL. It comes before all use.
func (s *Store) Hold() error {
	alone, err := s.db.hold()
	if alone {
		s.identities = &identities{}
	}
	return err
}

// Close waits for running writes and closes the database. No method may be called after it.
func (s *Store) Close() error { return s.db.close() }

func (s *Store) read(ctx context.Context, fn func(*session) error) error { return s.db.read(ctx, fn) }

// write runs fn in a transaction, alone among all writers, and returns when it is durable. When fn returns an error
// nothing of it is kept. The audit draft of ctx is written in the same transaction, and its permit asked there before fn.
func (s *Store) write(ctx context.Context, fn func(*session) error) error {
	return audit.Attempt(ctx, func() error {
		before, after, committed := aroundWrite(ctx)
		return s.db.write(ctx, func(q *session) error {
			for _, part := range []func(*session) error{before, fn, after} {
				if part == nil {
					continue
				}
				if err := part(q); err != nil {
					return err
				}
			}
			return nil
		}, committed)
	})
}

// aroundWrite is what a write does before and after its statements, in the same transaction, and once that is durable:
// it asks the context's permit, and writes its entry of the audit record. Each may be nil.
func aroundWrite(ctx context.Context) (before, after func(*session) error, committed func()) {
	if permit := access.PermitOf(ctx); permit != nil {
		before = func(q *session) error { return permit(ctx, accessTx{q}) }
	}
	if draft := audit.Of(ctx); draft != nil {
		after = func(q *session) error { return q.appendEntry(ctx, draft.Complete()) }
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
		case <-s.db.news():
			committed()
		}
	}
}

// Package sqldb is a database of one of two engines, a SQLite file or a PostgreSQL server's, behind
// one interface: snapshots to read, a single writer whose transactions share commits, and plans,
// which are computed outside of any transaction and written if what they rest on still stands.
//
// It knows no table and no package of ours that does. Begin with Database and Session; a Plan is
// how the steps of many devices are written together. sqlite.go and postgres.go are the engines,
// writer.go and stepper.go how they commit.
package sqldb

import (
	"context"
	"io/fs"
	"strings"
)

// Engine is what keeps a database.
type Engine uint8

const (
	SQLite Engine = iota
	Postgres
)

// EngineOf tells the engine of a location: a postgres:// URL is PostgreSQL's, all else is the path
// of a file.
func EngineOf(location string) Engine {
	if strings.HasPrefix(location, "postgres://") || strings.HasPrefix(location, "postgresql://") {
		return Postgres
	}
	return SQLite
}

// Database is an open database. Its methods may be called from many goroutines.
type Database interface {
	// Engine is what keeps it.
	Engine() Engine
	// Read runs fn on a snapshot of the database.
	Read(ctx context.Context, fn func(*Session) error) error
	// Borrow lends a connection until it is given back. Each statement sees at least what was
	// committed when it was lent; it is no snapshot, where that would cost more.
	Borrow(ctx context.Context) (q *Session, giveBack func(), err error)
	// Write runs fn in a transaction, alone among all writers, and returns when it is durable. When
	// fn returns an error nothing of it is kept. committed runs once it is durable; nil: nothing.
	Write(ctx context.Context, fn func(*Session) error, committed func()) error
	// Commit writes a plan, as Write does, but beside other plans where both allow it. ErrOutdated:
	// the row that it was computed from has changed since.
	Commit(ctx context.Context, p *Plan) error
	// Leads reports whether this process keeps the clocks, of all that use the database.
	Leads() bool
	// Hold keeps other servers away, where not several can use the database together, and reports
	// whether it does.
	Hold() (alone bool, err error)
	// News has something when another process may have committed inserts; nil: there are no other
	// processes.
	News() <-chan struct{}
	// Close waits for running writes. No method may be called after it.
	Close() error
}

// Options say how a database is opened.
type Options struct {
	// Migrations are the numbered files that make the tables and bring them up to date.
	Migrations func(Engine) fs.FS
	// VFS is a SQLite VFS (sqlite.org/vfs.html) that this process has registered; empty: the
	// system's own.
	VFS string
}

// Open opens the database at a location, a postgres:// URL or a file's path, creates what does not
// exist yet, and brings its tables up to date.
func Open(ctx context.Context, location string, o Options) (Database, error) {
	if EngineOf(location) == Postgres {
		return openPostgres(ctx, location, o.Migrations(Postgres))
	}
	return openSQLite(ctx, location, o.VFS, o.Migrations(SQLite))
}

// Package store keeps everything in one SQLite file: devices and their ledgers, actions, the catalog, enrollments,
// tokens. It implements the small interfaces that its users declare, a file for each.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/driver" // the driver "sqlite3", in pure Go
	"github.com/ncruces/go-sqlite3/ext/fts5"
	"github.com/pressly/goose/v3"

	"github.com/syncpayloads/syncpayloads/internal/audit"
)

//go:embed migrations/*.sql
var migrations embed.FS

func init() { sqlite3.AutoExtension(fts5.Register) } // for device_search

const readers = 4

// Store is an open database. Its methods may be called from many goroutines.
type Store struct {
	db    *sql.DB
	w     *writer
	reads chan *session
}

// Open opens the database file, creates it if it does not exist, and brings its tables up to date. Writes are durable
// when they return (WAL with synchronous=FULL). A damaged file is an error that names it.
func Open(ctx context.Context, path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the database: %w", err)
	}
	if err := private(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite3", dsn(path))
	if err != nil {
		return nil, fmt.Errorf("opening database %s: %w", path, err)
	}
	s := &Store{db: db, reads: make(chan *session, readers)}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening database %s: %w", path, err), db.Close())
	}
	return s, nil
}

// private makes the file, if there is none, and keeps it from others before anything is in it: it holds secrets. The
// log that SQLite puts beside it gets the same mode.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = errors.Join(f.Chmod(0o600), f.Close())
	}
	if err != nil {
		return fmt.Errorf("the database must be readable and writable by its owner alone: %w", err)
	}
	return nil
}

func dsn(path string) string {
	options := url.Values{"modeof": {path}, "_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"}}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options.Encode()}).String()
}

func (s *Store) prepare(ctx context.Context) error {
	if err := s.found(ctx); err != nil {
		return err
	}
	for range readers {
		c, err := s.db.Conn(ctx)
		if err != nil {
			return err
		}
		s.reads <- newSession(c)
	}
	c, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	s.w = startWriter(newSession(c))
	return nil
}

// found makes the tables. Another process may be at it at the same moment: SQLite then refuses both to switch the file
// to WAL and to migrate it, without waiting, so this tries again for a while.
func (s *Store) found(ctx context.Context) error {
	for wait := 5 * time.Millisecond; ; wait *= 2 {
		err := s.migrate(ctx)
		if err == nil || wait > 5*time.Second {
			return err
		}
		var lasting sqlite3.ErrorCode
		if errors.As(err, &lasting) && (lasting == sqlite3.NOTADB || lasting == sqlite3.CORRUPT || lasting == sqlite3.CANTOPEN) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, s.db, files)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// Close waits for running writes and closes the database. No method may be called after it.
func (s *Store) Close() error {
	s.w.stop()
	for range readers {
		(<-s.reads).close()
	}
	s.w.session.close()
	return s.db.Close()
}

// read runs fn on a snapshot of the database.
func (s *Store) read(ctx context.Context, fn func(*session) error) error {
	var q *session
	select {
	case q = <-s.reads:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.reads <- q }()
	if _, err := q.exec(ctx, "BEGIN"); err != nil {
		return fmt.Errorf("beginning to read: %w", err)
	}
	err := fn(q)
	if _, end := q.exec(ctx, "ROLLBACK"); end != nil {
		err = errors.Join(err, fmt.Errorf("ending a read: %w", end))
	}
	return err
}

// write runs fn in a transaction, alone among all writers, and returns when it is durable. When fn returns an error
// nothing of it is kept. The audit draft of ctx is written in the same transaction.
func (s *Store) write(ctx context.Context, fn func(*session) error) error {
	return audit.Attempt(ctx, func() error { return s.w.do(ctx, fn) })
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

package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/driver" // the driver "sqlite3", in pure Go
	"github.com/ncruces/go-sqlite3/ext/fts5"
	"github.com/pressly/goose/v3"

	"github.com/syncpayloads/syncpayloads/internal/backoff"
)

func init() { sqlite3.AutoExtension(fts5.Register) } // for indexes of texts

const sqliteReaders = 4

// sqlite is a database in a file.
type sqlite struct {
	db       *sql.DB
	w        *writer
	readers  chan *Session
	sessions []*Session // all of them
	held     *flock.Flock
	files    fs.FS // of the migrations
}

// openSQLite opens the database file through a VFS (empty: the system's), and creates it if it does
// not exist. Writes are durable when they return (WAL with synchronous=FULL). A damaged file is an
// error that names it.
func openSQLite(ctx context.Context, path, vfs string, migrations fs.FS) (*sqlite, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the database: %w", err)
	}
	if err := restrictMode(path); err != nil {
		return nil, err
	}
	options := url.Values{"modeof": {path}}
	if vfs != "" {
		options.Set("vfs", vfs)
	}
	// Where the system's fsync leaves data in the disk's own cache, fullfsync has the disk write
	// it.
	db, err := connectSQLite(path, options, "busy_timeout(10000)", "journal_mode(WAL)",
		"synchronous(FULL)", "fullfsync(ON)",
		"checkpoint_fullfsync(ON)", "foreign_keys(ON)",
		fmt.Sprintf("wal_autocheckpoint(%d)", checkpoint))
	if err != nil {
		return nil, err
	}
	s := &sqlite{
		db:      db,
		readers: make(chan *Session, sqliteReaders),
		held:    flock.New(path+".lock", flock.SetPermissions(0o600)),
		files:   migrations,
	}
	if err := s.prepare(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("opening database %s: %w", path, err), db.Close())
	}
	return s, nil
}

// restrictMode makes the file, if there is none, and keeps it from others before anything is in it:
// it holds secrets. The log that SQLite puts beside it gets the same mode.
func restrictMode(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = errors.Join(f.Chmod(0o600), f.Close())
	}
	if err != nil {
		return fmt.Errorf("the database must be readable and writable by its owner alone: %w", err)
	}
	return nil
}

// checkpoint is at how many pages of 4 KiB the log is moved into the file. Pages that are written
// again and again, as those of busy devices are, are moved once.
const checkpoint = 8192

// connectSQLite returns connections to a file, all with the same settings.
func connectSQLite(path string, options url.Values, settings ...string) (*sql.DB, error) {
	options["_pragma"] = settings
	db, err := sql.Open("sqlite3", (&url.URL{Scheme: "file",
		Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("opening database %s: %w", path, err)
	}
	return db, nil
}

func (s *sqlite) prepare(ctx context.Context, path string) error {
	if err := s.check(ctx, path); err != nil {
		return err
	}
	if err := s.migrateWithRetry(ctx); err != nil {
		return err
	}
	for range sqliteReaders + 1 {
		c, err := s.db.Conn(ctx)
		if err != nil {
			return err
		}
		q := newSQLiteSession(c)
		if err := q.durable(ctx); err != nil {
			return err
		}
		s.sessions = append(s.sessions, q)
	}
	for _, q := range s.sessions[1:] {
		s.readers <- q
	}
	s.w = startWriter(sqliteTransaction{s.sessions[0]})
	return nil
}

// Making the tables is tried again after migrateWait, then after twice as long, and so on: five
// seconds in all.
const (
	migrateWait  = 5 * time.Millisecond
	migrateTries = 10
)

// migrateWithRetry makes the tables. Another process may be at it at the same moment: SQLite then
// refuses both to switch the file to WAL and to migrate it, without waiting, so this tries again
// for a while.
func (s *sqlite) migrateWithRetry(ctx context.Context) error {
	for failures := 1; ; failures++ {
		err := s.migrate(ctx)
		if err == nil || failures > migrateTries {
			return err
		}
		var lasting sqlite3.ErrorCode
		if errors.As(err, &lasting) && (lasting == sqlite3.NOTADB || lasting == sqlite3.CORRUPT ||
			lasting == sqlite3.CANTOPEN) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(backoff.After(migrateWait, time.Minute, 2, failures)):
		}
	}
}

func (s *sqlite) migrate(ctx context.Context) error {
	p, err := goose.NewProvider(goose.DialectSQLite3, s.db, s.files)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

func (s *sqlite) Close() error {
	s.w.stop()
	for range sqliteReaders {
		<-s.readers
	}
	for _, q := range s.sessions {
		q.closeLink()
	}
	return errors.Join(s.db.Close(), s.held.Close())
}

// Hold locks a file beside the database, whose own locks are SQLite's.
func (s *sqlite) Hold() (alone bool, err error) {
	alone, err = s.held.TryLock()
	database := strings.TrimSuffix(s.held.Path(), ".lock")
	switch {
	case err != nil:
		return false, fmt.Errorf("locking database %s: %w", database, err)
	case !alone:
		return false,
			fmt.Errorf("another server uses database %s: stop it first; for several servers give all of them the same --db postgres:// URL", database)
	}
	return true, nil
}

func (s *sqlite) Read(ctx context.Context, fn func(*Session) error) error {
	q, giveBack, err := s.Borrow(ctx)
	if err != nil {
		return err
	}
	defer giveBack()
	if _, err := q.Exec(ctx, "BEGIN"); err != nil {
		return fmt.Errorf("beginning to read: %w", err)
	}
	defer q.Exec(ctx, "ROLLBACK") //nolint:errcheck // if it fails, the next BEGIN does, and says so
	return fn(q)
}

func (s *sqlite) Borrow(ctx context.Context) (*Session, func(), error) {
	select {
	case q := <-s.readers:
		return q, func() { s.readers <- q }, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

func (s *sqlite) Write(ctx context.Context, fn func(*Session) error, committed func()) error {
	return s.w.write(ctx, fn, committed)
}

func (s *sqlite) Commit(ctx context.Context, p *Plan) error { return s.w.plan(ctx, p) }

func (s *sqlite) Engine() Engine { return SQLite }

func (s *sqlite) Leads() bool { return true }

func (s *sqlite) News() <-chan struct{} { return nil }

// sqliteTransaction begins and ends the transactions of the writer.
type sqliteTransaction struct{ q *Session }

func (t sqliteTransaction) begin(ctx context.Context) (*Session, error) {
	_, err := t.q.Exec(ctx, "BEGIN IMMEDIATE")
	return t.q, err
}

func (t sqliteTransaction) commit(ctx context.Context, q *Session) error {
	_, err := q.Exec(ctx, "COMMIT")
	return err
}

func (t sqliteTransaction) undo(ctx context.Context, q *Session) {
	_, _ = q.Exec(ctx, "ROLLBACK") // SQLite may have done it already
}

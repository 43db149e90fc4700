package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// place is one of the two databases of a move, locked so that nobody else writes to it.
type place struct {
	*session
	conn      *pgx.Conn // of PostgreSQL; nil: it is SQLite
	end       func() error
	bytesType string
	// What makes the commits of the copy cheap. A crash of the machine may take back the last of them, with what they say
	// of how far the copy is; a durable one is kept with all before it.
	hasty, durable string
}

// patienceToLock is how long a database may still be locked by a process that was killed.
const patienceToLock = 3 * time.Second

var errInUse = errors.New("it is in use: stop every server and every other program that has it open, then try again")

func openSource(ctx context.Context, location string) (*place, error) {
	if !IsPostgres(location) {
		if _, err := os.Stat(location); err != nil {
			return nil, fmt.Errorf("there is none: %w", err)
		}
	}
	p, err := openPlace(ctx, location)
	if err != nil {
		return nil, err
	}
	version, err := p.version(ctx)
	if err == nil {
		err = p.isCurrent(version)
	}
	half := false
	if err == nil {
		half, err = p.half(ctx)
	}
	if err == nil && half {
		err = errors.New("it is half of a move itself")
	}
	if err == nil {
		_, err = p.exec(ctx, p.readOnly())
	}
	if err != nil {
		return nil, errors.Join(err, p.end())
	}
	return p, nil
}

// openTarget makes the tables of a new database.
func openTarget(ctx context.Context, location string) (*place, error) {
	if !IsPostgres(location) {
		if info, err := os.Stat(location); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
			db, err := openSQLite(ctx, location, "")
			if err == nil {
				err = db.close()
			}
			if err != nil {
				return nil, err
			}
		}
	}
	p, err := openPlace(ctx, location)
	if err != nil {
		return nil, err
	}
	version, err := p.version(ctx)
	if err == nil && version == 0 && p.conn != nil {
		if err = migratePostgres(ctx, p.conn.Config()); err == nil {
			version, err = p.version(ctx)
		}
	}
	if err == nil {
		err = p.isCurrent(version)
	}
	if err != nil {
		return nil, errors.Join(err, p.end())
	}
	return p, nil
}

func openPlace(ctx context.Context, location string) (*place, error) {
	if IsPostgres(location) {
		return openPostgresPlace(ctx, location)
	}
	return openSQLitePlace(ctx, location)
}

// openSQLitePlace opens a file in SQLite's exclusive mode, in which it is locked as long as it is open.
func openSQLitePlace(ctx context.Context, file string) (*place, error) {
	db, err := connectSQLite(file, url.Values{"mode": {"rw"}}, "busy_timeout("+ms(patienceToLock)+")", "locking_mode(EXCLUSIVE)", "foreign_keys(ON)")
	if err != nil {
		return nil, err
	}
	q, err := lockedSQLite(ctx, db)
	if Busy(err) {
		err = errInUse
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening database %s: %w", file, err), db.Close())
	}
	return &place{session: q, bytesType: "BLOB", hasty: "PRAGMA synchronous = NORMAL", durable: "PRAGMA synchronous = FULL",
		end: func() error {
			q.link.(*sqliteLink).close()
			return db.Close()
		}}, nil
}

// lockedSQLite returns a connection that has the lock, which it gets when it first reads the file.
func lockedSQLite(ctx context.Context, db *sql.DB) (*session, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	q := newSQLiteSession(c)
	_, err = q.exec(ctx, "BEGIN IMMEDIATE")
	if err == nil {
		_, err = q.exec(ctx, "ROLLBACK")
	}
	if err != nil {
		q.link.(*sqliteLink).close()
	}
	return q, err
}

// openPostgresPlace takes the lock that every node has or waits for, and the one that every write needs.
func openPostgresPlace(ctx context.Context, location string) (*place, error) {
	config, err := pgx.ParseConfig(location)
	if err != nil {
		return nil, fmt.Errorf("the URL of the database: %w", err) // pgx keeps the password out of it
	}
	named := config.Host + "/" + config.Database
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, &unreachable{err}
	}
	p := &place{session: &session{link: &postgresLink{c}, dialect: postgresDialect}, conn: c, bytesType: "BYTEA",
		hasty: "SET synchronous_commit = off", durable: "SET synchronous_commit = on"}
	p.end = func() error { return c.Close(context.WithoutCancel(ctx)) }
	_, err = c.Exec(ctx, fmt.Sprintf("SET lock_timeout = %s; SELECT pg_advisory_lock(%d); SELECT pg_advisory_lock(%d); SET lock_timeout = 0",
		ms(patienceToLock), clock, turn))
	var failed *pgconn.PgError
	if errors.As(err, &failed) && failed.Code == "55P03" {
		err = errInUse
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening database %s: %w", named, err), p.end())
	}
	return p, nil
}

// version is that of the tables; 0: there are none.
func (p *place) version(ctx context.Context) (version int64, err error) {
	text := "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'goose_db_version'"
	if p.conn != nil {
		text = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'goose_db_version'"
	}
	if err := p.row(ctx, text, nil, &version); err != nil || version == 0 {
		return 0, err
	}
	err = p.row(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version", nil, &version)
	return version, err
}

// isCurrent is an error if the tables are not of this program's version.
func (p *place) isCurrent(version int64) error {
	files, folder := sqliteMigrations, "migrations/sqlite"
	if p.conn != nil {
		files, folder = postgresMigrations, "migrations/postgres"
	}
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		return err
	}
	number, _, _ := strings.Cut(path.Base(entries[len(entries)-1].Name()), "_") // they are sorted
	newest, err := strconv.ParseInt(number, 10, 64)
	switch {
	case err != nil:
		return err
	case version == 0:
		return errors.New("it is no database of syncpayloads")
	case version < newest:
		return errors.New("it is of an older version: start this version's server on it once, stop it, then try again")
	case version > newest:
		return errors.New("it is of a newer version: use that version's program")
	}
	return nil
}

func (p *place) readOnly() string {
	if p.conn != nil {
		return "SET default_transaction_read_only = on"
	}
	return "PRAGMA query_only = ON"
}

// write runs fn in a transaction, with a setting of how durable it is.
func (p *place) write(ctx context.Context, setting string, fn func(*session) error) error {
	if _, err := p.exec(ctx, setting); err != nil {
		return err
	}
	if _, err := p.exec(ctx, "BEGIN"); err != nil {
		return err
	}
	err := fn(p.session)
	if err == nil {
		_, err = p.exec(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = p.exec(ctx, "ROLLBACK") // the connection is closed now, which does the same
	}
	return err
}

func (p *place) insert(ctx context.Context, t *migratedTable, rows [][]any) error {
	if p.conn != nil {
		_, err := p.conn.CopyFrom(ctx, pgx.Identifier{t.name}, t.columnNames(), pgx.CopyFromRows(rows))
		return err
	}
	text := t.insertText()
	for _, row := range rows {
		if _, err := p.exec(ctx, text, row...); err != nil {
			return fmt.Errorf("row %s: %w", t.keyText(t.keyOf(row)), err)
		}
	}
	return nil
}

// analyze tells PostgreSQL how much is in the tables, which it would find out by itself some time later.
func (p *place) analyze(ctx context.Context) error {
	if p.conn == nil {
		return nil
	}
	_, err := p.conn.Exec(ctx, "ANALYZE")
	return err
}

// highest is the highest number that was ever given to a row of a table.
func (p *place) highest(ctx context.Context, t *migratedTable) (n int64, err error) {
	text := "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?1), 0)"
	args := []any{t.name}
	if p.conn != nil {
		text = "SELECT coalesce(pg_sequence_last_value(CAST(pg_get_serial_sequence(?, ?) AS regclass)), 0)"
		args = []any{t.name, t.key[0]}
	}
	err = p.row(ctx, text, args, &n)
	return n, err
}

func (p *place) setHighest(ctx context.Context, t *migratedTable, n int64) error {
	if p.conn == nil {
		_, err := p.exec(ctx, "DELETE FROM sqlite_sequence WHERE name = ?", t.name)
		if err == nil {
			_, err = p.exec(ctx, "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", t.name, n)
		}
		return err
	}
	if n == 0 {
		return nil // nothing was given
	}
	var set int64
	err := p.row(ctx, "SELECT setval(CAST(pg_get_serial_sequence(?, ?) AS regclass), CAST(? AS bigint))", []any{t.name, t.key[0], n}, &set)
	if err == nil && t.name == "events" {
		_, err = p.exec(ctx, "UPDATE events_dropped SET position = ?", n)
	}
	return err
}

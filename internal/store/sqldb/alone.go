package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Alone is a database that nobody else writes to as long as it is open. One goroutine uses it at a
// time.
type Alone struct {
	*Session
	conn  *pgx.Conn // of PostgreSQL; nil: it is SQLite
	close func() error
}

// patienceToLock is how long a database may still be locked by a process that was killed.
const patienceToLock = 3 * time.Second

var errInUse = errors.New("it is in use: stop every server and every other program that has it open, then try again")

// OpenAlone opens a database that is there. A database that somebody else uses is an error.
func OpenAlone(ctx context.Context, location string) (*Alone, error) {
	if EngineOf(location) == Postgres {
		return alonePostgres(ctx, location)
	}
	return aloneSQLite(ctx, location)
}

// aloneSQLite opens a file in SQLite's exclusive mode, in which it is locked as long as it is open.
func aloneSQLite(ctx context.Context, file string) (*Alone, error) {
	db, err := connectSQLite(file, url.Values{"mode": {"rw"}},
		"busy_timeout("+ms(patienceToLock)+")",
		"locking_mode(EXCLUSIVE)", "foreign_keys(ON)")
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
	return &Alone{Session: q, close: func() error {
		q.closeLink()
		return db.Close()
	}}, nil
}

// lockedSQLite returns a connection that has the lock, which it gets when it first reads the file.
func lockedSQLite(ctx context.Context, db *sql.DB) (*Session, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	q := newSQLiteSession(c)
	_, err = q.Exec(ctx, "BEGIN IMMEDIATE")
	if err == nil {
		_, err = q.Exec(ctx, "ROLLBACK")
	}
	if err != nil {
		q.closeLink()
	}
	return q, err
}

// alonePostgres takes the lock that every node has or waits for, and the one that every write
// needs.
func alonePostgres(ctx context.Context, location string) (*Alone, error) {
	config, err := pgx.ParseConfig(location)
	if err != nil {
		// pgx keeps the password out of it
		return nil, fmt.Errorf("the URL of the database: %w", err)
	}
	patience, err := patienceOf(config)
	if err != nil {
		return nil, err
	}
	named := config.Host + "/" + config.Database
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, &unreachable{err}
	}
	a := &Alone{Session: newPostgresSession(c, patience), conn: c}
	a.close = func() error { return c.Close(context.WithoutCancel(ctx)) }
	_, err = c.Exec(ctx, fmt.Sprintf(
		"SET lock_timeout = %s; SELECT pg_advisory_lock(%d); SELECT pg_advisory_lock(%d); SET lock_timeout = 0",
		ms(patienceToLock), clockLock, writeLock))
	var failed *pgconn.PgError
	if errors.As(err, &failed) && failed.Code == "55P03" {
		err = errInUse
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening database %s: %w", named, err), a.Close())
	}
	return a, nil
}

// Close lets others use the database.
func (a *Alone) Close() error { return a.close() }

// SetReadOnly refuses writes from now on.
func (a *Alone) SetReadOnly(ctx context.Context) error {
	text := "PRAGMA query_only = ON"
	if a.Engine() == Postgres {
		text = "SET default_transaction_read_only = on"
	}
	_, err := a.Exec(ctx, text)
	return err
}

// Durability is how much a commit waits for.
type Durability uint8

const (
	// Durable commits are kept, with all before them, whatever happens to the machine.
	Durable Durability = iota
	// Hasty commits are cheap: a crash of the machine may take back the last of them.
	Hasty
)

// Write runs fn in a transaction.
func (a *Alone) Write(ctx context.Context, d Durability, fn func() error) error {
	setting := map[Engine]map[Durability]string{
		SQLite:   {Hasty: "PRAGMA synchronous = NORMAL", Durable: "PRAGMA synchronous = FULL"},
		Postgres: {Hasty: "SET synchronous_commit = off", Durable: "SET synchronous_commit = on"},
	}[a.Engine()][d]
	for _, text := range []string{setting, "BEGIN"} {
		if _, err := a.Exec(ctx, text); err != nil {
			return err
		}
	}
	err := fn()
	if err == nil {
		_, err = a.Exec(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = a.Exec(ctx, "ROLLBACK") // the connection is closed now, which does the same
	}
	return err
}

// BytesType is the type of columns that hold bytes.
func (a *Alone) BytesType() string {
	if a.Engine() == Postgres {
		return "BYTEA"
	}
	return "BLOB"
}

// Version is the number of the newest migration that the tables have had; 0: there are no tables.
func (a *Alone) Version(ctx context.Context) (version int64, err error) {
	has, err := a.HasTable(ctx, "goose_db_version")
	if err != nil || !has {
		return 0, err
	}
	err = a.Row(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version", nil, &version)
	return version, err
}

// Migrate brings the tables up to date, of PostgreSQL alone: Open does it for a file, which nobody
// else may have open then.
func (a *Alone) Migrate(ctx context.Context, migrations fs.FS) error {
	if a.conn == nil {
		return nil
	}
	return migratePostgres(ctx, a.conn.Config(), migrations)
}

// Copy adds rows to a table. An error names the row if it is known.
func (a *Alone) Copy(ctx context.Context, table string, columns []string, rows [][]any,
	name func(row []any) string) error {
	if a.conn != nil {
		_, err := a.conn.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
		return err
	}
	text := InsertText(table, columns)
	for _, row := range rows {
		if _, err := a.Exec(ctx, text, row...); err != nil {
			return fmt.Errorf("row %s: %w", name(row), err)
		}
	}
	return nil
}

// Analyze tells PostgreSQL how much is in the tables, which it would find out by itself some time
// later.
func (a *Alone) Analyze(ctx context.Context) error {
	if a.conn == nil {
		return nil
	}
	_, err := a.conn.Exec(ctx, "ANALYZE")
	return err
}

// HighestNumber is the highest number that was ever given to a row of a table whose key the
// database numbers.
func (a *Alone) HighestNumber(ctx context.Context, table, key string) (n int64, err error) {
	text := "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?1), 0)"
	args := []any{table}
	if a.conn != nil {
		text = "SELECT coalesce(pg_sequence_last_value(CAST(pg_get_serial_sequence(?, ?) AS regclass)), 0)"
		args = []any{table, key}
	}
	err = a.Row(ctx, text, args, &n)
	return n, err
}

// SetHighestNumber has the database give higher numbers only.
func (a *Alone) SetHighestNumber(ctx context.Context, table, key string, n int64) error {
	if a.conn == nil {
		_, err := a.Exec(ctx, "DELETE FROM sqlite_sequence WHERE name = ?", table)
		if err == nil {
			_, err = a.Exec(ctx, "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table, n)
		}
		return err
	}
	if n == 0 {
		return nil // nothing was given
	}
	const text = "SELECT setval(CAST(pg_get_serial_sequence(?, ?) AS regclass), CAST(? AS bigint))"
	var set int64
	return a.Row(ctx, text, []any{table, key, n}, &set)
}

// InsertText is the statement that adds a row to a table.
func InsertText(table string, columns []string) string {
	return "INSERT INTO " + table + " (" + Quoted(columns) + ") VALUES (" + Marks(len(columns)) +
		")"
}

// Quoted are names between commas, as SQL has them.
func Quoted(names []string) string { return `"` + strings.Join(names, `", "`) + `"` }

// Marks are those of so many parameters, between commas.
func Marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

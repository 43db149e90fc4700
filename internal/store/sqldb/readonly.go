package sqldb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"
)

// OpenReadOnly opens a database that is there, beside a running server, for one snapshot. Nothing
// is changed, not even to bring the tables up to date.
func OpenReadOnly(ctx context.Context, location string) (q *Session, done func(), err error) {
	if EngineOf(location) == Postgres {
		return readOnlyPostgres(ctx, location)
	}
	return readOnlySQLite(ctx, location)
}

func readOnlySQLite(ctx context.Context, path string) (*Session, func(), error) {
	if _, err := os.Stat(path); err != nil {
		return nil, nil, fmt.Errorf("there is no database to read: %w", err)
	}
	// Not mode=ro: with that, SQLite leaves its log behind, where the server's user might not be
	// able to write to it.
	db, err := connectSQLite(path, url.Values{"mode": {"rw"}, "modeof": {path}},
		"busy_timeout(10000)", "query_only(ON)")
	if err != nil {
		return nil, nil, err
	}
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("opening database %s: %w", path, err), db.Close())
	}
	q := newSQLiteSession(c)
	done := func() {
		q.closeLink()
		_ = db.Close() // it was only read
	}
	if _, err := q.Exec(ctx, "BEGIN"); err != nil {
		done()
		return nil, nil, fmt.Errorf("reading database %s: %w", path, err)
	}
	return q, done, nil
}

func readOnlyPostgres(ctx context.Context, location string) (*Session, func(), error) {
	config, err := pgx.ParseConfig(location)
	if err != nil {
		// pgx keeps the password out of it
		return nil, nil, fmt.Errorf("the URL of the database: %w", err)
	}
	patience, err := patienceOf(config)
	if err != nil {
		return nil, nil, err
	}
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, nil, &unreachable{err}
	}
	done := func() { _ = c.Close(context.WithoutCancel(ctx)) } // it was only read
	if _, err := c.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		done()
		return nil, nil, fmt.Errorf("reading the database: %w", err)
	}
	return newPostgresSession(c, patience), done, nil
}

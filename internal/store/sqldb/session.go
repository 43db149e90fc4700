package sqldb

import (
	"context"
	"database/sql"
)

// Session is one connection to the database. One goroutine uses it at a time. Its statements are
// written so that SQLite and PostgreSQL both understand them, but for their marks: ? is the next
// parameter and ?1 the first.
//
// Its methods ignore a cancelled ctx: a statement cut short would end a transaction that others
// share.
type Session struct {
	link   link
	engine Engine
}

// link is the connection itself, as an engine has it.
type link interface {
	// exec runs a statement and returns how many rows it changed.
	exec(ctx context.Context, text string, args ...any) (int64, error)
	// insert runs a statement that adds rows with consecutive numbers, and returns the last of
	// them; 0: it is not known.
	insert(ctx context.Context, text string, args ...any) (int64, error)
	// query runs a statement that returns rows. keepPrepared: there are so few such texts that each
	// stays prepared.
	query(ctx context.Context, keepPrepared bool, text string, args []any) (rows, error)
}

// rows are the rows of a query; they must be closed.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	end()
}

// Engine is what keeps the database.
func (q *Session) Engine() Engine { return q.engine }

// Exec runs a statement and returns how many rows it changed.
func (q *Session) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	return q.link.exec(ctx, text, args...)
}

// Add runs an Insert.
func (q *Session) Add(ctx context.Context, in Insert) error {
	last, err := q.link.insert(ctx, in.Text, in.Args...)
	if err == nil && last != 0 {
		in.Numbered(last)
	}
	return err
}

// HasTable reports whether there is a table.
func (q *Session) HasTable(ctx context.Context, name string) (bool, error) {
	text := "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?"
	if q.engine == Postgres {
		text = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?"
	}
	var n int
	err := q.Row(ctx, text, []any{name}, &n)
	return n > 0, err
}

// Row scans the first row of a query into dest; sql.ErrNoRows if there is none.
func (q *Session) Row(ctx context.Context, text string, args []any, dest ...any) error {
	rows, err := q.link.query(ctx, true, text, args)
	if err != nil {
		return err
	}
	defer rows.end()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	for rows.Next() {
	}
	return rows.Err()
}

// Rows calls each for every row of a query, with the row's Scan.
func (q *Session) Rows(ctx context.Context, text string, args []any,
	each func(scan func(...any) error) error) error {
	return q.each(ctx, true, text, args, each)
}

// Once is Rows for a text that is made for one query: it is not kept prepared, because there could
// be any number of them.
func (q *Session) Once(ctx context.Context, text string, args []any,
	each func(scan func(...any) error) error) error {
	return q.each(ctx, false, text, args, each)
}

func (q *Session) each(ctx context.Context, keepPrepared bool, text string, args []any,
	each func(scan func(...any) error) error) error {
	rows, err := q.link.query(ctx, keepPrepared, text, args)
	if err != nil {
		return err
	}
	defer rows.end()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

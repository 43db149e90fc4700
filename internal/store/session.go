package store

import (
	"context"
	"database/sql"
)

// session is one database connection that prepares each statement once. One goroutine uses it at a time.
type session struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

func newSession(c *sql.Conn) *session {
	return &session{conn: c, statements: make(map[string]*sql.Stmt)}
}

// statement returns the prepared statement. The texts are the package's own, so there are few of them.
func (q *session) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if st, ok := q.statements[text]; ok {
		return st, nil
	}
	st, err := q.conn.PrepareContext(ctx, text)
	if err == nil {
		q.statements[text] = st
	}
	return st, err
}

// exec runs a statement and returns how many rows it changed. Like the other methods it ignores a cancelled ctx: a
// statement cut short would end a transaction that others share.
func (q *session) exec(ctx context.Context, text string, args ...any) (int64, error) {
	ctx = context.WithoutCancel(ctx)
	st, err := q.statement(ctx, text)
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// row scans the first row of a query into dest; sql.ErrNoRows if there is none.
func (q *session) row(ctx context.Context, text string, args []any, dest ...any) error {
	ctx = context.WithoutCancel(ctx)
	st, err := q.statement(ctx, text)
	if err != nil {
		return err
	}
	return st.QueryRowContext(ctx, args...).Scan(dest...)
}

// rows calls each for every row of a query, with the row's Scan.
func (q *session) rows(ctx context.Context, text string, args []any, each func(scan func(...any) error) error) error {
	ctx = context.WithoutCancel(ctx)
	st, err := q.statement(ctx, text)
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err below has what matters
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// once is rows for a text that is not the package's own alone: it is not kept prepared, because there could be any number
// of them.
func (q *session) once(ctx context.Context, text string, args []any, each func(scan func(...any) error) error) error {
	rows, err := q.conn.QueryContext(context.WithoutCancel(ctx), text, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err below has what matters
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (q *session) close() {
	for _, st := range q.statements {
		_ = st.Close() // the connection goes with it
	}
	_ = q.conn.Close()
}

package sqldb

import (
	"context"
	"database/sql"
)

// sqliteLink prepares each statement once.
type sqliteLink struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

func newSQLiteSession(c *sql.Conn) *Session {
	return &Session{link: &sqliteLink{conn: c, statements: make(map[string]*sql.Stmt)},
		engine: SQLite}
}

func (l *sqliteLink) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if st, ok := l.statements[text]; ok {
		return st, nil
	}
	st, err := l.conn.PrepareContext(ctx, text)
	if err == nil {
		l.statements[text] = st
	}
	return st, err
}

func (l *sqliteLink) exec(ctx context.Context, text string, args ...any) (int64, error) {
	res, err := l.run(ctx, text, args)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (l *sqliteLink) insert(ctx context.Context, text string, args ...any) (int64, error) {
	res, err := l.run(ctx, text, args)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

func (l *sqliteLink) run(ctx context.Context, text string, args []any) (sql.Result, error) {
	ctx = context.WithoutCancel(ctx)
	st, err := l.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

func (l *sqliteLink) query(ctx context.Context, keepPrepared bool, text string,
	args []any) (rows, error) {
	ctx = context.WithoutCancel(ctx)
	if !keepPrepared {
		found, err := l.conn.QueryContext(ctx, text, args...)
		return sqliteRows{found}, err
	}
	st, err := l.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	found, err := st.QueryContext(ctx, args...)
	return sqliteRows{found}, err
}

// closeLink ends the session of a SQLite connection.
func (q *Session) closeLink() { q.link.(*sqliteLink).close() }

func (l *sqliteLink) close() {
	for _, st := range l.statements {
		_ = st.Close() // the connection goes with it
	}
	_ = l.conn.Close()
}

type sqliteRows struct{ *sql.Rows }

func (r sqliteRows) end() { _ = r.Close() } // Err has what matters

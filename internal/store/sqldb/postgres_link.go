package sqldb

import (
	"context"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// postgresLink runs statements on a connection, which keeps them prepared.
type postgresLink struct {
	conn     *pgx.Conn
	patience time.Duration
}

func newPostgresSession(c *pgx.Conn, patience time.Duration) *Session {
	return &Session{link: &postgresLink{c, patience}, engine: Postgres}
}

// within bounds how long a statement may take, and goes on when its caller has gone.
func within(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), answerPatience*patience)
}

// simple runs statements without parameters in one message.
func (l *postgresLink) simple(ctx context.Context, text string) error {
	ctx, cancel := within(ctx, l.patience)
	defer cancel()
	return l.checked(l.conn.PgConn().Exec(ctx, text).Close())
}

func (l *postgresLink) exec(ctx context.Context, text string, args ...any) (int64, error) {
	ctx, cancel := within(ctx, l.patience)
	defer cancel()
	tag, err := l.conn.Exec(ctx, numbered(text), storable(args)...)
	return tag.RowsAffected(), l.checked(err)
}

// insert has other nodes told once it is committed. It does not know the numbers: to ask for them
// would cost more than they save.
func (l *postgresLink) insert(ctx context.Context, text string, args ...any) (int64, error) {
	_, err := l.exec(ctx, text, args...)
	if err == nil {
		_, err = l.exec(ctx, tellNews)
	}
	return 0, err
}

func (l *postgresLink) query(ctx context.Context, keepPrepared bool, text string,
	args []any) (rows, error) {
	ctx, cancel := within(ctx, l.patience)
	args = storable(args)
	if keepPrepared {
		text = numbered(text)
	} else {
		text, args = translated(text), append([]any{pgx.QueryExecModeDescribeExec}, args...)
	}
	found, err := l.conn.Query(ctx, text, args...)
	if err != nil {
		cancel()
		return nil, l.checked(err)
	}
	return postgresRows{found, l, cancel}, nil
}

// checked is an error that says so if the connection was lost.
func (l *postgresLink) checked(err error) error {
	if err != nil && l.conn.IsClosed() {
		return &unreachable{err}
	}
	return err
}

type postgresRows struct {
	pgx.Rows
	link   *postgresLink
	cancel context.CancelFunc
}

func (r postgresRows) Err() error { return r.link.checked(r.Rows.Err()) }

func (r postgresRows) end() {
	r.Close()
	r.cancel()
}

var numberedTexts sync.Map // of the package's own texts, as PostgreSQL wants them

// numbered is translated, for a text that is the package's own alone.
func numbered(text string) string {
	if known, ok := numberedTexts.Load(text); ok {
		return known.(string)
	}
	known := translated(text)
	numberedTexts.Store(text, known)
	return known
}

// translated has PostgreSQL's marks: $1 for ?1, and the next number for each ? alone.
func translated(text string) string {
	var b strings.Builder
	quoted, next := false, 1
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\'':
			quoted = !quoted
			b.WriteByte(c)
		case c != '?' || quoted:
			b.WriteByte(c)
		case i+1 < len(text) && text[i+1] >= '1' && text[i+1] <= '9':
			b.WriteByte('$')
		default:
			b.WriteString("$" + strconv.Itoa(next))
			next++
		}
	}
	return b.String()
}

// storable are parameters whose texts, of whatever string type, PostgreSQL can hold: in UTF-8 and
// without the character NUL, in whose place comes U+FFFD.
func storable(args []any) []any {
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = plaintext.Storable(a)
		case nil, int64, int, bool, []byte, pgx.QueryExecMode: // no texts: most parameters
		default:
			if v := reflect.ValueOf(a); v.Kind() == reflect.String {
				args[i] = plaintext.Storable(v.String())
			}
		}
	}
	return args
}

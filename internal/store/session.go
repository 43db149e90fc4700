package store

import (
	"context"
	"database/sql"
	"strings"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// session is one connection to the database. One goroutine uses it at a time. Its statements are written so that SQLite
// and PostgreSQL both understand them, but for their marks: ? is the next parameter and ?1 the first.
//
// Its methods ignore a cancelled ctx: a statement cut short would end a transaction that others share.
type session struct {
	link
	dialect *dialect
}

// link is the connection itself, as an engine has it.
type link interface {
	// exec runs a statement and returns how many rows it changed.
	exec(ctx context.Context, text string, args ...any) (int64, error)
	// insert runs a statement that adds rows with consecutive numbers, and returns the last of them; 0: it is not known.
	insert(ctx context.Context, text string, args ...any) (int64, error)
	// query runs a statement that returns rows. kept tells that the text is the package's own alone, of which there are so
	// few that it stays prepared.
	query(ctx context.Context, kept bool, text string, args []any) (rows, error)
}

// rows are the rows of a query; they must be closed.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	end()
}

// dialect is what the two engines say differently.
type dialect struct {
	newestEvent string                                 // the newest position that was ever given
	keepNewest  string                                 // remembers that position before events are dropped
	search      func(b *selection, text string) string // devices by a piece of at least three characters

	// hits counts what search finds, up to hitsLimit; empty: search is as good for what many devices have.
	hits string
}

// hitsLimit is how many devices a search may find before it is better to look at one device after the other.
const hitsLimit = 5000

// searching is the session's dialect for a statement with a search in it.
func (q *session) searching(ctx context.Context) *dialect {
	if q.dialect.hits == "" {
		return q.dialect
	}
	d := *q.dialect
	d.search = func(b *selection, text string) string {
		var hits int
		if plain(text) && q.row(ctx, d.hits, []any{phrase(text)}, &hits) == nil && hits == hitsLimit {
			piece := query.Fold(text)
			return "(instr(lower(devices.name), " + b.bind(piece) + ") > 0 OR instr(lower(devices.serial_number), " + b.bind(piece) + ") > 0)"
		}
		return q.dialect.search(b, text)
	}
	return &d
}

// plain reports whether a text is in ASCII, of which lower makes small letters.
func plain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
}

// row scans the first row of a query into dest; sql.ErrNoRows if there is none.
func (q *session) row(ctx context.Context, text string, args []any, dest ...any) error {
	found, err := q.query(ctx, true, text, args)
	if err != nil {
		return err
	}
	defer found.end()
	if !found.Next() {
		if err := found.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := found.Scan(dest...); err != nil {
		return err
	}
	for found.Next() {
	}
	return found.Err()
}

// rows calls each for every row of a query, with the row's Scan.
func (q *session) rows(ctx context.Context, text string, args []any, each func(scan func(...any) error) error) error {
	return q.each(ctx, true, text, args, each)
}

// once is rows for a text that is not the package's own alone: it is not kept prepared, because there could be any number
// of them.
func (q *session) once(ctx context.Context, text string, args []any, each func(scan func(...any) error) error) error {
	return q.each(ctx, false, text, args, each)
}

func (q *session) each(ctx context.Context, kept bool, text string, args []any, each func(scan func(...any) error) error) error {
	found, err := q.query(ctx, kept, text, args)
	if err != nil {
		return err
	}
	defer found.end()
	for found.Next() {
		if err := each(found.Scan); err != nil {
			return err
		}
	}
	return found.Err()
}

package sqldb_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// tables are a row that plans are computed from, and numbered lines.
const tables = `-- +goose Up
CREATE TABLE rows_of_plans (name TEXT PRIMARY KEY, revision INTEGER NOT NULL);
INSERT INTO rows_of_plans VALUES ('a', 0), ('b', 0);
CREATE TABLE words (word TEXT PRIMARY KEY);
`

var numberedLines = map[sqldb.Engine]string{
	sqldb.SQLite:   "CREATE TABLE lines (number INTEGER PRIMARY KEY AUTOINCREMENT, ",
	sqldb.Postgres: "CREATE TABLE lines (number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ",
}

// open opens a database with those tables alone.
func open(t *testing.T, location string) sqldb.Database {
	t.Helper()
	db, err := sqldb.Open(t.Context(), location, sqldb.Options{
		Migrations: func(e sqldb.Engine) fs.FS {
			return fstest.MapFS{"9000_tables.sql": {Data: []byte(tables + numberedLines[e] +
				"word TEXT UNIQUE);")}}
		}})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// openAny opens one on the engine that the tests run on.
func openAny(t *testing.T) sqldb.Database {
	t.Helper()
	location := filepath.Join(t.TempDir(), "test.db")
	if storetest.Postgres() {
		location = storetest.NewDatabase(t)
	}
	db := open(t, location)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// word is a statement that fails if the word is there already.
func word(w string) sqldb.Statement {
	return sqldb.Statement{Text: "INSERT INTO words VALUES (?)", Args: []any{w}}
}

// line is an insert that fails if the line is there already.
func line(w string, numbered func(int64)) sqldb.Insert {
	return sqldb.Insert{Statement: sqldb.Statement{Text: "INSERT INTO lines (word) VALUES (?)",
		Args: []any{w}}, Numbered: numbered}
}

// on is a plan that is computed from a revision of a row, and makes the next one.
func on(row string, revision int64) *sqldb.Plan {
	return &sqldb.Plan{Row: row, Precondition: &sqldb.Statement{
		Text: "UPDATE rows_of_plans SET revision = revision + 1 WHERE name = ? AND revision = ?",
		Args: []any{row, revision}}}
}

// written are the words and lines that are in the database.
func written(t *testing.T, db sqldb.Database) (words, lines []string) {
	t.Helper()
	err := db.Read(t.Context(), func(q *sqldb.Session) error {
		into := func(list *[]string) func(func(...any) error) error {
			return func(scan func(...any) error) error {
				var w string
				err := scan(&w)
				*list = append(*list, w)
				return err
			}
		}
		return errors.Join(
			q.Rows(t.Context(), "SELECT word FROM words ORDER BY word", nil, into(&words)),
			q.Once(t.Context(), "SELECT word FROM lines ORDER BY number", nil, into(&lines)))
	})
	if err != nil {
		t.Fatal(err)
	}
	return words, lines
}

func expectWritten(t *testing.T, db sqldb.Database, words, lines []string) {
	t.Helper()
	gotWords, gotLines := written(t, db)
	if !slices.Equal(gotWords, words) || !slices.Equal(gotLines, lines) {
		t.Errorf("written are words %v and lines %v, want %v and %v", gotWords, gotLines, words,
			lines)
	}
}

// What a row cannot be read for is told, and that there is none.
func TestRow(t *testing.T) {
	db := openAny(t)
	err := db.Read(t.Context(), func(q *sqldb.Session) error {
		var n int
		row := func(text string) error { return q.Row(t.Context(), text, nil, &n) }
		if err := row("SELECT 7"); err != nil || n != 7 {
			t.Errorf("%d, %v", n, err)
		}
		if err := row("SELECT 7 WHERE 1 = 0"); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("without a row: %v", err)
		}
		if err := row("SELECT 'seven'"); err == nil || errors.Is(err, sql.ErrNoRows) {
			t.Errorf("a text in place of a number: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	failing := map[sqldb.Engine]string{
		sqldb.SQLite:   "SELECT abs(-9223372036854775807 - 1)",
		sqldb.Postgres: "SELECT 1 / (count(*) - 2) FROM rows_of_plans",
	}
	// which ends the transaction on PostgreSQL
	_ = db.Read(t.Context(), func(q *sqldb.Session) error {
		var n int
		err := q.Row(t.Context(), failing[q.Engine()], nil, &n)
		if err == nil || errors.Is(err, sql.ErrNoRows) {
			t.Errorf("a row that fails: %v", err)
		}
		return err
	})
}

var errRefused = errors.New("it is refused")

// A plan is written whole or not at all, with whatever it does before and after.
func TestPlan(t *testing.T) {
	db := openAny(t)
	commit := func(want error, p *sqldb.Plan) {
		t.Helper()
		if err := db.Commit(t.Context(), p); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	fails := func(p *sqldb.Plan) {
		t.Helper()
		if err := db.Commit(t.Context(), p); err == nil || errors.Is(err, sqldb.ErrOutdated) {
			t.Errorf("what cannot be written: %v", err)
		}
	}
	var told []int64
	numbered := func(n int64) { told = append(told, n) }
	with := func(p *sqldb.Plan, words []string, lines ...string) *sqldb.Plan {
		for _, w := range words {
			p.Statements = append(p.Statements, word(w))
		}
		for _, l := range lines {
			p.Inserts = append(p.Inserts, line(l, numbered))
		}
		return p
	}
	// beside others
	commit(nil, with(on("a", 0), []string{"a1", "a2"}, "a1", "a2"))
	commit(sqldb.ErrOutdated, with(on("a", 0), []string{"a3"}, "a3"))
	commit(nil, on("a", 1))
	fails(with(on("a", 2), []string{"a3", "a1"}, "a3"))
	fails(with(on("a", 2), []string{"a3"}, "a3", "a1"))
	commit(nil, on("a", 2))
	// alone, for one reason or another
	commit(nil, with(&sqldb.Plan{}, []string{"b1"}, "b1", "b2"))
	fails(with(&sqldb.Plan{}, []string{"b3", "b1"}, "b3"))
	fails(with(&sqldb.Plan{}, []string{"b3"}, "b3", "b1"))
	touching := func(revision int64) *sqldb.Plan {
		p := on("b", revision)
		p.TouchesOtherRows = true
		return p
	}
	commit(nil, with(touching(0), []string{"c1"}, "c1"))
	commit(sqldb.ErrOutdated, with(touching(0), []string{"c2"}, "c2"))
	fails(with(touching(1), []string{"c2", "c1"}, "c2"))
	asked := 0
	around := func(before, after error) *sqldb.Plan {
		p := with(on("b", 1), []string{"d1"}, "d1")
		p.Before = func(q *sqldb.Session) error {
			asked++
			if before == nil {
				_, err := q.Exec(t.Context(), "INSERT INTO words VALUES ('before')")
				return err
			}
			return before
		}
		if after != nil {
			p.After = func(*sqldb.Session) error { return after }
		}
		return p
	}
	commit(errRefused, around(errRefused, nil))
	commit(errRefused, around(nil, errRefused))
	commit(nil, around(nil, nil))
	if asked != 3 {
		t.Errorf("asked %d times, want 3", asked)
	}
	after := with(on("b", 2), []string{"e1"}, "e1")
	after.After = func(q *sqldb.Session) error {
		_, err := q.Exec(t.Context(),
			"INSERT INTO words SELECT word || '+' FROM words WHERE word = 'e1'")
		return err
	}
	done := 0
	after.Committed = func() { done++ }
	commit(nil, after)
	commit(sqldb.ErrOutdated, after)
	if done != 1 {
		t.Errorf("%d times it was said that it is written, want once", done)
	}
	expectWritten(t, db, []string{"a1", "a2", "b1", "before", "c1", "d1", "e1", "e1+"},
		[]string{"a1", "a2", "b1", "b2", "c1", "d1", "e1"})
	if storetest.Postgres() {
		if len(told) > 0 {
			t.Errorf("numbers %v are told that are not known", told)
		}
	} else if kept := slices.Compact(slices.Sorted(slices.Values(told))); len(kept) < 7 {
		t.Errorf("told are the numbers %v, want those of 7 lines", told)
	}
}

// What a SQLite connection's settings would let be lost is told.
func TestDurableSettings(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "test.db"))
	defer db.Close()
	q, giveBack, err := db.Borrow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer giveBack()
	if err := q.Durable(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, good := range map[string]string{"synchronous": "FULL", "fullfsync": "ON",
		"checkpoint_fullfsync": "ON"} {
		for _, value := range []string{"OFF", good} {
			if _, err := q.Exec(t.Context(), "PRAGMA "+name+"="+value); err != nil {
				t.Fatal(err)
			}
			err := q.Durable(t.Context())
			told := err != nil && strings.Contains(err.Error(), "SQLite's "+name+" is 0")
			if told != (value == "OFF") || err != nil && !told {
				t.Errorf("with %s %s: %v", name, value, err)
			}
		}
	}
}

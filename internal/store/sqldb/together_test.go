package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// What shares a transaction is written or not, each for itself: what is outdated, refused, cannot
// be written, or is not wanted any more takes nothing else with it.
func TestBatch(t *testing.T) {
	location := filepath.Join(t.TempDir(), "test.db")
	synctest.Test(t, func(t *testing.T) {
		db := open(t, location)
		hold := make(chan struct{})
		type attempt struct {
			name string
			want error // errAny: any at all
			do   func() error
		}
		errAny := errors.New("any")
		commit := func(p *sqldb.Plan, words ...string) func() error {
			for _, w := range words {
				p.Statements = append(p.Statements, word(w))
			}
			return func() error { return db.Commit(t.Context(), p) }
		}
		write := func(ctx context.Context, w string) func() error {
			return func() error {
				return db.Write(ctx, func(q *sqldb.Session) error {
					_, err := q.Exec(ctx, word(w).Text, word(w).Args...)
					return err
				}, nil)
			}
		}
		leaves, leave := context.WithCancel(t.Context())
		last := false
		good := on("a", 0)
		good.Inserts = append(good.Inserts, line("good", func(int64) {}))
		good.Committed = func() {
			if !last {
				t.Error("what waited is not in one transaction")
			}
		}
		refused := on("b", 0)
		refused.Before = func(q *sqldb.Session) error {
			_, err := q.Exec(t.Context(), "INSERT INTO words VALUES ('refused')")
			return errors.Join(errRefused, err)
		}
		touching := on("b", 0)
		touching.TouchesOtherRows = true
		var waiting sync.WaitGroup
		for _, a := range []attempt{
			{"first", nil, func() error {
				return db.Write(t.Context(), func(*sqldb.Session) error { <-hold; return nil }, nil)
			}},
			{"not wanted any more", context.Canceled, write(leaves, "left")},
			{"good", nil, commit(good, "good")},
			{"outdated", sqldb.ErrOutdated, commit(on("a", 0), "outdated")},
			{"refused", errRefused, commit(refused)},
			{"failing with others' rows", errAny, commit(touching, "x", "good")},
			{"failing without a row", errAny, commit(&sqldb.Plan{}, "x", "good")},
			{"failing write", errAny, write(t.Context(), "good")},
			{"good without a row", nil, commit(&sqldb.Plan{}, "other")},
			{"last", nil, func() error {
				return db.Write(t.Context(), func(*sqldb.Session) error {
					last = true
					return nil
				}, nil)
			}},
			{"good in the end", nil, commit(on("b", 0), "third")},
		} {
			waiting.Go(func() {
				if err := a.do(); !errors.Is(err, a.want) && !(a.want == errAny && err != nil) {
					t.Errorf("%s: %v, want %v", a.name, err, a.want)
				}
			})
			synctest.Wait()
		}
		leave()
		close(hold)
		waiting.Wait()
		expectWritten(t, db, []string{"good", "other", "third"}, []string{"good"})
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Commit(t.Context(), on("a", 1)); !errors.Is(err, sqldb.ErrClosed) {
			t.Errorf("after its end: %v", err)
		}
	})
}

// connect is somebody else on a database of PostgreSQL's.
func connect(t *testing.T, location string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.WithoutCancel(t.Context())) })
	return c
}

func exec(t *testing.T, c *pgx.Conn, text string, args ...any) {
	t.Helper()
	if _, err := c.Exec(t.Context(), text, args...); err != nil {
		t.Fatal(err)
	}
}

// Plans that share a transaction on PostgreSQL are written each for itself, and also if the server
// ends the connection in the middle of it.
func TestBatchesOnPostgres(t *testing.T) {
	location := storetest.NewDatabase(t)
	db := open(t, location)
	defer db.Close()
	other := connect(t, location)
	const writeLock = int64(0x73796e6301)
	exec(t, other, "SELECT pg_advisory_lock($1)", writeLock)
	const rows = 40
	exec(t, other, "INSERT INTO rows_of_plans SELECT 'row ' || n, 0 FROM generate_series(0, $1) n",
		rows-1)
	const waits = " FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
	waitFor := func(want int) {
		t.Helper()
		for got := 0; got != want; {
			if err := other.QueryRow(t.Context(), "SELECT count(*)"+waits).Scan(&got); err != nil {
				t.Fatal(err)
			}
		}
	}
	var words, lines []string
	var waiting sync.WaitGroup
	for i := range rows {
		name := fmt.Sprintf("word %02d", i)
		p := on(fmt.Sprint("row ", i), 0)
		p.Statements = []sqldb.Statement{word(name)}
		p.Inserts = []sqldb.Insert{line(name, func(int64) {})}
		var want error
		if i%5 == 3 {
			p.Precondition.Args[1], want = int64(7), sqldb.ErrOutdated
		} else {
			words, lines = append(words, name), append(lines, name)
		}
		waiting.Go(func() {
			if err := db.Commit(t.Context(), p); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		})
		if i < 2 { // as many transactions as there are
			waitFor(i + 1)
		}
	}
	exec(t, other,
		"SELECT pg_terminate_backend(pid)"+waits+" AND pid IN (SELECT min(pid)"+waits+")")
	exec(t, other, "SELECT pg_advisory_unlock($1)", writeLock)
	waiting.Wait()
	gotWords, gotLines := written(t, db)
	slices.Sort(gotLines)
	if !slices.Equal(gotWords, words) || !slices.Equal(gotLines, lines) {
		t.Errorf("written are %v and %v, want %v and %v", gotWords, gotLines, words, lines)
	}
}

// Other nodes are told of plans with inserts, and of no others, however they are written.
func TestWhoIsToldOfPlans(t *testing.T) {
	location := storetest.NewDatabase(t)
	db := open(t, location)
	defer db.Close()
	other := connect(t, location)
	exec(t, other, "LISTEN syncpayloads_events")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	told := func() (payload string) {
		t.Helper()
		n, err := other.WaitForNotification(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return n.Payload
	}
	for alone, row := range map[bool]string{false: "a", true: "b"} {
		for i, inserts := range []bool{false, true, false} {
			p := on(row, int64(i))
			p.TouchesOtherRows = alone
			if inserts {
				p.Inserts = []sqldb.Insert{line(row, func(int64) {})}
			}
			if err := db.Commit(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			exec(t, other, "NOTIFY syncpayloads_events, 'end'")
			if first := told(); first == "end" == inserts {
				t.Errorf("alone: %t, with inserts: %t, and told is %q", alone, inserts, first)
			} else if inserts && told() != "end" {
				t.Error("more is told")
			}
		}
	}
}

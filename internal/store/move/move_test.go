package move_test

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/move"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

//go:embed testdata/rows.sql
var somethingEverywhere string

// filledFile is a database file that has rows in every table.
func filledFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "filled.db")
	openAndClose(t, file)
	run(t, file, somethingEverywhere)
	return file
}

func openAndClose(t *testing.T, location string) {
	t.Helper()
	s, err := store.Open(t.Context(), location)
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// opened is a database beside the store.
func opened(t *testing.T, location string) *sql.DB {
	t.Helper()
	driver := "sqlite3"
	if store.IsPostgres(location) {
		driver = "pgx"
	} else {
		location = "file:" + location + "?_pragma=foreign_keys(ON)"
	}
	db, err := sql.Open(driver, location)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

func run(t *testing.T, location, text string) {
	t.Helper()
	db := opened(t, location)
	_, err := db.Exec(text)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// list is the first column of what a query finds.
func list(t *testing.T, location, text string) (found []string) {
	t.Helper()
	db := opened(t, location)
	defer db.Close()
	rows, err := db.Query(text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		found = append(found, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// dump is everything that a file holds, with each value's type, and the last numbers given.
func dump(t *testing.T, file string) map[string][]string {
	t.Helper()
	dumped := map[string][]string{}
	for _, table := range append(move.Tables(), "sqlite_sequence") {
		columns := list(t, file, "SELECT name FROM pragma_table_xinfo('"+table+"') ORDER BY name")
		for i, c := range columns {
			columns[i] = `typeof("` + c + `") || ' ' || quote("` + c + `")`
		}
		dumped[table] = list(t, file, "SELECT "+strings.Join(columns,
			" || ', ' || ")+" AS line FROM "+table+" ORDER BY line")
	}
	dumped["device_search"] = list(t, file, `SELECT device_id FROM device_keys WHERE key IN
		(SELECT rowid FROM device_search WHERE device_search MATCH '"电话 3"') ORDER BY 1`)
	return dumped
}

func migrate(t *testing.T, from, to string) error {
	t.Helper()
	return move.Migrate(t.Context(), from, to, func(move.Migration) {})
}

// Everything goes to PostgreSQL, and back, and is the same.
func TestMigrateThereAndBack(t *testing.T) {
	from, url, back := filledFile(t), storetest.NewDatabase(t),
		filepath.Join(t.TempDir(), "folder", "back.db")
	was := dump(t, from)
	for table, lines := range was {
		if len(lines) == 0 {
			t.Errorf("the test has nothing in %s", table)
		}
	}
	seen := map[string]move.Migration{}
	err := move.Migrate(t.Context(), from, url,
		func(m move.Migration) { seen[fmt.Sprint(m.Table, m.Verify)] = m })
	if err != nil {
		t.Fatal(err)
	}
	for table, lines := range was {
		if !slices.Contains(move.Tables(), table) {
			continue
		}
		for _, verify := range []bool{false, true} {
			if m := seen[fmt.Sprint(table, verify)]; !m.Done || m.Rows != int64(len(lines)) {
				t.Errorf("of %d rows of %s was told %+v", len(lines), table, m)
			}
		}
	}
	if got := list(t, url, "SELECT position::text FROM events_dropped"); got[0] != "4500" {
		t.Errorf("the newest event was 4500, and is %s", got[0])
	}
	numbers := list(t, url, `WITH a AS (INSERT INTO events (device_id, at, doc) VALUES ('', 1, '') RETURNING position), b AS
		(INSERT INTO scope_tags (name, description) VALUES ('x', '') RETURNING number), c AS
		(INSERT INTO catalog_changes (kind, target) VALUES ('', '') RETURNING id), d AS
		(INSERT INTO subscription_notices (subscription_id, event, url, secret, body, created_at, not_before) VALUES ('', '', '', '', '', 1, 1) RETURNING id)
		SELECT concat_ws(' ', a.position, b.number, c.id, d.id) FROM a, b, c, d`)
	if numbers[0] != "4501 4 4 2" {
		t.Errorf("the next numbers are %s", numbers[0])
	}
	if err := migrate(t, from, url); err == nil ||
		!strings.Contains(err.Error(), "has data already") {
		t.Errorf("a move to a database with data: %v", err)
	}
	run(t, url, `DELETE FROM events WHERE position = 4501; DELETE FROM scope_tags WHERE number = 4; DELETE FROM catalog_changes WHERE id = 4;
		DELETE FROM subscription_notices WHERE id = 2; SELECT setval(pg_get_serial_sequence('events', 'position'), 4500),
		setval(pg_get_serial_sequence('scope_tags', 'number'), 3), setval(pg_get_serial_sequence('catalog_changes', 'id'), 3),
		setval(pg_get_serial_sequence('subscription_notices', 'id'), 1)`)

	if err := migrate(t, url, back); err != nil {
		t.Fatal(err)
	}
	is := dump(t, back)
	for table, lines := range was {
		if !slices.Equal(lines, is[table]) {
			t.Errorf("%s had %d rows and has %d, or others: %.300q, %.300q", table, len(lines),
				len(is[table]), lines, is[table])
		}
	}
	if info, err := os.Stat(back); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
}

// directions are both.
func directions(t *testing.T, each func(t *testing.T, from, to string)) {
	t.Run("to PostgreSQL", func(t *testing.T) { each(t, filledFile(t), storetest.NewDatabase(t)) })
	t.Run("to SQLite", func(t *testing.T) {
		url := storetest.NewDatabase(t)
		if err := migrate(t, filledFile(t), url); err != nil {
			t.Fatal(err)
		}
		each(t, url, filepath.Join(t.TempDir(), "to.db"))
	})
}

// A move that ends in the middle of any table goes on where it was. Until it is complete nobody
// uses the target, or moves something else there.
func TestMigrateGoesOn(t *testing.T) {
	directions(t, func(t *testing.T, from, to string) {
		for _, stop := range []move.Migration{{Table: "tenant", Rows: 1},
			{Table: "devices", Rows: 2000}, {Table: "devices", Rows: 4500},
			{Table: "actions", Rows: 4500, Done: true}, {Table: "audit_entries", Rows: 4000},
			{Table: "audit_head", Rows: 1, Done: true},
			{Table: "events", Verify: true, Rows: 2000}} {
			ctx, cancel := context.WithCancel(t.Context())
			var first move.Migration
			err := move.Migrate(ctx, from, to, func(m move.Migration) {
				if m.Table == "devices" && !m.Verify && first.Table == "" {
					first = m
				}
				if m.Before = 0; m == stop {
					cancel()
				}
			})
			if cancel(); !errors.Is(err, context.Canceled) {
				t.Fatalf("at %+v it ended with %v", stop, err)
			}
			if stop.Table != "tenant" && stop.Table != "devices" &&
				first != (move.Migration{Table: "devices", Rows: 4500, Before: 4500, Done: true}) {
				t.Errorf("it did not go on, but began with %+v", first)
			}
			if s, err := store.Open(t.Context(), to); err == nil ||
				!strings.Contains(err.Error(), "run syncpayloads migrate again") {
				t.Errorf("half of a move is opened: %v, %v", s, err)
			}
		}
		other := filledFile(t)
		if store.IsPostgres(from) {
			if other = storetest.NewDatabase(t); migrate(t, to, other) == nil {
				t.Error("half of a move is moved")
			}
		}
		if err := migrate(t, other, to); err == nil ||
			!strings.Contains(err.Error(), "from another one") {
			t.Errorf("another database is moved to it: %v", err)
		}
		if err := migrate(t, from, to); err != nil {
			t.Fatal(err)
		}
		storetest.OpenAt(t, to)
	})
}

// What is not the same afterwards is found, in every way in which it can be.
func TestMigrateFindsWhatDiffers(t *testing.T) {
	url := storetest.NewDatabase(t)
	changed := false
	err := move.Migrate(t.Context(), filledFile(t), url, func(m move.Migration) {
		if !m.Verify || changed {
			return
		}
		changed = true
		run(t, url, `UPDATE devices SET supervised = NOT supervised, name = name || ' ' WHERE id = 'device-03000';
			UPDATE key_pairs SET key = key || '\x00'; UPDATE apple_challenges SET used_at = 0 WHERE sha256 = 'a';
			DELETE FROM actions WHERE number = 4500; INSERT INTO tokens VALUES ('x', 'x', '', 1, NULL, NULL);
			UPDATE audit_head SET hash = ''; SELECT setval(pg_get_serial_sequence('scope_tags', 'number'), 2)`)
	})
	var different *move.Different
	if !errors.As(err, &different) || different.Count != 7 {
		t.Fatalf("it ended with %v", err)
	}
	for _, want := range []string{"devices device-03000 differs in name, supervised",
		"key_pairs ca differs in key", "apple_challenges a differs in used_at",
		"is not at the target", "tokens x is at the target alone", "audit_head 1 differs in hash",
		"scope_tags: the last number given was 3, and is 2"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it lacks %q: %v", want, err)
		}
	}
	if s, err := store.Open(t.Context(), url); err == nil {
		t.Errorf("it is opened nevertheless: %v", s.Close())
	}
}

// A database that somebody uses is neither moved nor moved to.
func TestMigrateRefuses(t *testing.T) {
	directions(t, func(t *testing.T, from, to string) {
		for _, used := range []string{from, to} {
			s, err := store.Open(t.Context(), used)
			if err != nil {
				t.Fatal(err)
			}
			if err := migrate(t, from, to); err == nil || !strings.Contains(err.Error(), "in use") {
				t.Errorf("%s is open, and moved: %v", used, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		inside := move.Migration{Table: "actions", Rows: 2000}
		err := move.Migrate(t.Context(), from, to, func(m move.Migration) {
			if m != inside {
				return
			}
			if err := migrate(t, from, to); err == nil || !strings.Contains(err.Error(), "in use") {
				t.Errorf("two moves at once: %v", err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		for name, locations := range map[string][2]string{"between": {to, to},
			"there is none": {to + "x", from}} {
			if store.IsPostgres(to) && locations[0] != to {
				continue
			}
			if err := migrate(t, locations[0], locations[1]); err == nil ||
				!strings.Contains(err.Error(), name) {
				t.Errorf("%v: %v", locations, err)
			}
		}
		run(t, from,
			"INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, "+map[bool]string{true: "TRUE", false: "1"}[store.IsPostgres(from)]+")")
		if err := migrate(t, from, to); err == nil ||
			!strings.Contains(err.Error(), "newer version") {
			t.Errorf("of a newer version: %v", err)
		}
	})
}

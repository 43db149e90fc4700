package store

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store/migrations"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

// migrateTo makes a database as a server of an earlier version left it, and runs statements on it.
func migrateTo(t *testing.T, version int64, statements ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "old.db")
	db, err := sql.Open("sqlite3", "file:"+path+"?_pragma=foreign_keys(ON)")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.Of(sqldb.SQLite))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	for _, text := range statements {
		if _, err := db.Exec(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// Actions that were started before there was a column for it keep their times, to the microsecond.
func TestActionsOfAnOlderVersion(t *testing.T) {
	started := map[string]string{"a": "2025-02-13T10:17:05Z", "b": "2025-02-13T10:17:05.9Z",
		"c": "2025-02-13T10:17:05.000001Z",
		"d": "2025-02-13T10:17:05.999999999Z", "e": "1969-12-31T23:59:59.5Z"}
	statements := []string{"INSERT INTO devices (id, name, platform, manufacturer, model, os_version, serial_number, udid, supervised, user_enrolled, enrolled) " +
		"VALUES ('x', 'phone', 'iOS', '', '', '', '', 'u', 0, 0, 1)"}
	for id, at := range started {
		statements = append(statements,
			"INSERT INTO actions (id, device_id, number, name, state, doc) VALUES ('"+id+"', 'x', unicode('"+id+
				`'), 'syncPayloads', 4, '{"Actor":"me","Started":"`+at+`"}')`)
	}
	s, err := Open(t.Context(), migrateTo(t, 6, statements...))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	newest := []query.Order{{Field: audit.ByStarted, Descending: true}}
	list, err := s.RemoteActions(t.Context(), query.Query{OrderBy: newest, Limit: 5})
	if err != nil || list.Next != nil {
		t.Fatal(list.Next, err)
	}
	var order []string
	for _, a := range list.Items {
		order = append(order, a.ID)
		want, err := time.Parse(time.RFC3339Nano, started[a.ID])
		if err != nil || !a.Started.Equal(want.Truncate(time.Microsecond)) {
			t.Errorf("%s was started at %s, now %s", a.ID, started[a.ID], a.Started)
		}
		if a.Actor != "me" || a.DeviceName != "phone" || a.State != 4 {
			t.Errorf("listed %+v", a)
		}
	}
	if got := strings.Join(order, ""); got != "dbcae" {
		t.Errorf("in the order %s", got)
	}
	first, err := s.RemoteActions(t.Context(), query.Query{OrderBy: newest, Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	if rest, err := s.RemoteActions(t.Context(),
		query.Query{OrderBy: newest, After: first.Next, Limit: 1}); err != nil ||
		len(rest.Items) != 1 || rest.Items[0].ID != "a" {
		t.Errorf("behind c: %+v, %v", rest, err)
	}
}

// A database without a record, and what is no database, are refused as such and not changed.
func TestWalkAuditOfOthers(t *testing.T) {
	old := migrateTo(t, 6)
	none := filepath.Join(t.TempDir(), "none.db")
	for path, says := range map[string]string{old: "older version", none: "no database"} {
		_, err := WalkAudit(t.Context(), path, 0, func(*audit.Entry) error { return nil })
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
	}
	var version int64
	db, err := sql.Open("sqlite3", "file:"+old)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT max(version_id) FROM goose_db_version").Scan(&version); err != nil || version != 6 {
		t.Errorf("the old database is now of version %d, %v", version, err)
	}
}

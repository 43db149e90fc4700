// Package storetest gives tests a database of their own: by default a SQLite file, and with
// SYNCPAYLOADS_TEST_DB=postgres a database of a private PostgreSQL server. So every test that opens
// its store here runs on both engines.
package storetest

import (
	"cmp"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/syncpayloads/syncpayloads/internal/store"
)

// Postgres reports whether the tests run on PostgreSQL.
func Postgres() bool {
	switch engine := cmp.Or(os.Getenv("SYNCPAYLOADS_TEST_DB"), "sqlite"); engine {
	case "sqlite":
		return false
	case "postgres":
		return true
	default:
		panic("SYNCPAYLOADS_TEST_DB is " + engine + "; it can be sqlite or postgres")
	}
}

// Location returns where a database is that nobody has used yet: a URL of PostgreSQL's, or the path
// of a file that does not exist. It is gone when the test ends.
func Location(t testing.TB) string {
	t.Helper()
	if Postgres() {
		return NewDatabase(t)
	}
	return filepath.Join(t.TempDir(), "test.db")
}

// Open returns a store on a database of its own, which is closed when the test ends.
func Open(t testing.TB) *store.Store {
	t.Helper()
	return OpenAt(t, Location(t))
}

// OpenAt returns a store on a database, which is closed when the test ends.
func OpenAt(t testing.TB, location string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Query reads one value beside whoever uses the database. Both engines know parameters as $1.
func Query(t testing.TB, location string, into any, text string, args ...any) {
	t.Helper()
	driver := "sqlite3"
	if store.IsPostgres(location) {
		driver = "pgx"
	} else {
		location = "file:" + location
	}
	db, err := sql.Open(driver, location)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(text, args...).Scan(into); err != nil {
		t.Fatal(err)
	}
}

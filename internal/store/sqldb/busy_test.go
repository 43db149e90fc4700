package sqldb_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/store"
)

func TestBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "locked.db")
	open := func() *sql.DB {
		db, err := sql.Open("sqlite3", "file:"+path+"?_pragma=busy_timeout(1)")
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(1)
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	holder, other := open(), open()
	if err := other.Ping(); err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Exec("BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	_, locked := other.Exec("BEGIN IMMEDIATE")
	_, syntax := other.Exec("no statement")
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{fmt.Errorf("writing: %w", locked), true},
		{fmt.Errorf("writing: %w", store.ErrClosed), true},
		{syntax, false},
		{errors.New("another"), false},
		{nil, false},
	} {
		if got := store.Busy(tt.err); got != tt.want {
			t.Errorf("Busy(%v) = %t", tt.err, got)
		}
	}
}

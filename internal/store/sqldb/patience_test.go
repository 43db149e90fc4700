package sqldb_test

import (
	"database/sql"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

func withPatience(t *testing.T, location, patience string) string {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("syncpayloads.patience", patience)
	u.RawQuery = q.Encode()
	return u.String()
}

// A write that waits for another node's waits as long as the URL says, and then can be made again.
func TestPatience(t *testing.T) {
	location := storetest.NewDatabase(t)
	s := storetest.OpenAt(t, withPatience(t, location, "1s"))
	db, err := sql.Open("pgx", location)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	other, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const writeLock = 0x73796e6301
	if _, err := other.ExecContext(t.Context(), "SELECT pg_advisory_lock($1)",
		int64(writeLock)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	err = s.Touch(t.Context(), map[fleet.DeviceID]time.Time{"d": dawn})
	if waited := time.Since(began); !store.Busy(err) || waited < time.Second ||
		waited > 9*time.Second {
		t.Errorf("after %s: %v", waited, err)
	}
	if _, err := other.ExecContext(t.Context(), "SELECT pg_advisory_unlock($1)",
		int64(writeLock)); err != nil {
		t.Fatal(err)
	}
	if err := s.Touch(t.Context(), map[fleet.DeviceID]time.Time{"d": dawn}); err != nil {
		t.Errorf("once the other has done: %v", err)
	}
	for _, patience := range []string{"", "3", "-3s", "1ms", "11m", "long"} {
		s, err := store.Open(t.Context(), withPatience(t, location, patience))
		if err == nil {
			t.Errorf("%q is taken: %v", patience, s.Close())
			continue
		}
		if !strings.Contains(err.Error(),
			"syncpayloads.patience is \""+patience+"\", and must be") {
			t.Errorf("%q: %v", patience, err)
		}
	}
}

package audit_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

func TestStrangersCannotFloodTheRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	now := noon
	r := audit.NewRecorder(storetest.OpenAt(t, path), func() time.Time { return now },
		uuid.NewString)
	record := func(n int, e audit.Entry) {
		t.Helper()
		for range n {
			if err := r.Record(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	}
	stranger := audit.Entry{Activity: "groups.list", Result: audit.Refused, Status: 401,
		Actor: audit.Actor{Address: "192.0.2.9"}}
	known := audit.Entry{Activity: "groups.create", Result: audit.Refused, Status: 403,
		Actor: audit.Actor{ID: "token:1"}}
	count := func(want, skipped int) {
		t.Helper()
		list := entries(t, path)
		if last := list[len(list)-1]; len(list) != want || last.Skipped != skipped {
			t.Errorf("%d entries, the last skipped %d; want %d and %d", len(list), last.Skipped,
				want, skipped)
		}
	}
	record(audit.StrangersPerMinute+140, stranger)
	count(audit.StrangersPerMinute, 0)
	record(1, known)
	count(audit.StrangersPerMinute+1, 0)
	now = now.Add(time.Minute - 1)
	record(1, stranger)
	count(audit.StrangersPerMinute+1, 0)
	now = now.Add(1)
	record(1, stranger)
	count(audit.StrangersPerMinute+2, 141)
	record(1, stranger)
	count(audit.StrangersPerMinute+3, 0)
	record(2*audit.StrangersPerMinute, known)
	now = now.Add(-time.Hour) // the clock was set back
	record(1, stranger)
	count(3*audit.StrangersPerMinute+4, 0)
	mustVerify(t, path)
}

package store

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

// The few devices that made contact during a walk are found by an index, and not by looking at the
// whole fleet.
func TestFewMovedDevicesUseTheirIndex(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.read(t.Context(), func(q *session) error {
		found, err := q.movedSince(t.Context(), 0)
		if err != nil {
			return err
		}
		keys, err := found.keys(nil)
		if err != nil {
			return err
		}
		moved := query.Comparison{Field: bySynced, Operator: query.Greater, Value: int64(7)}
		b, err := found.selects(dialects[sqldb.SQLite],
			query.Query{Where: moved, After: &query.Position{Keys: []any{"a"}}, Limit: 10}, keys)
		if err != nil {
			return err
		}
		var plan strings.Builder
		err = q.Once(t.Context(), "EXPLAIN QUERY PLAN "+b.text.String(), b.args,
			func(scan func(...any) error) error {
				var id, parent, unused int
				var detail string
				err := scan(&id, &parent, &unused, &detail)
				plan.WriteString(detail + "\n")
				return err
			})
		if !strings.Contains(plan.String(), "devices_synced (synced>?)") {
			t.Errorf("%s: %s", b.text.String(), plan.String())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

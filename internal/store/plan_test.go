package store

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

// Lists in the order of names, and of the devices' last contact, read an index from where the page
// begins, and sort nothing.
func TestListsUseIndexes(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	kind := query.Comparison{Field: catalog.ByType, Operator: query.Equal, Value: int64(1)}
	for _, tt := range []struct {
		of    *resource
		where query.Condition
		order query.Field
		at    []any
		index string
	}{
		{&devices, nil, fleet.ByName, []any{"n", "a"}, "devices_name (<expr>"},
		{&devices, nil, fleet.ByManagedName, []any{"n", "a"}, "devices_managed_name (<expr>"},
		{&devices, nil, fleet.ByLastSync, []any{int64(1), "a"}, "devices_last_sync (<expr>"},
		{&devices, nil, fleet.BySerialNumber, []any{"n", "a"}, "devices_serial_number (<expr>"},
		{&devices, query.Comparison{Field: fleet.BySerialNumber, Operator: query.Equal, Value: "x"},
			fleet.ByID, []any{"a"},
			"devices_serial_number (<expr>=? AND id"},
		{&groups, nil, catalog.ByDisplayName, []any{"n", "a"}, "catalog_groups_name (<expr>"},
		{&payloads, kind, catalog.ByDisplayName, []any{"n", "a"},
			"catalog_payloads_name (type=? AND <expr>"},
	} {
		for _, descending := range []bool{false, true} {
			order := []query.Order{{Field: tt.order, Descending: descending}}
			keys, err := tt.of.keys(order)
			if err != nil {
				t.Fatal(err)
			}
			b, err := tt.of.selects(dialects[sqldb.SQLite],
				query.Query{Where: tt.where, OrderBy: order, After: &query.Position{Keys: tt.at},
					Limit: 10}, keys)
			if err != nil {
				t.Fatal(err)
			}
			var plan strings.Builder
			err = s.read(t.Context(), func(q *session) error {
				return q.Once(t.Context(), "EXPLAIN QUERY PLAN "+b.text.String(), b.args,
					func(scan func(...any) error) error {
						var id, parent, unused int
						var detail string
						err := scan(&id, &parent, &unused, &detail)
						plan.WriteString(detail + "\n")
						return err
					})
			})
			if err != nil || !strings.Contains(plan.String(), "SEARCH") ||
				!strings.Contains(plan.String(), tt.index) ||
				strings.Contains(plan.String(), "TEMP B-TREE") {
				t.Errorf("%s by %s, descending %t: %v, %s", tt.of.things, tt.order, descending, err,
					plan.String())
			}
		}
	}
}

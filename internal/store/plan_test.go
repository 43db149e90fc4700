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
			plan := planOf(t, s, b.text.String(), b.args)
			if !strings.Contains(plan, "SEARCH") ||
				!strings.Contains(plan, tt.index) ||
				strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("%s by %s, descending %t: %s", tt.of.things, tt.order, descending, plan)
			}
		}
	}
}

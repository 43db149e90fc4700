package move_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/store/move"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// A table that is neither moved nor known to be an engine's own would be lost.
func TestMigrationKnowsEveryTable(t *testing.T) {
	url, file := storetest.NewDatabase(t), filepath.Join(t.TempDir(), "test.db")
	openAndClose(t, file)
	moved := slices.Sorted(slices.Values(move.Tables()))
	for location, c := range map[string]struct {
		text string
		own  []string
	}{
		url: {"SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1", []string{"goose_db_version", "events_dropped"}},
		file: {"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'device_search_%' ORDER BY 1",
			[]string{"goose_db_version", "sqlite_sequence", "device_keys", "device_search"}},
	} {
		found := slices.DeleteFunc(list(t, location, c.text),
			func(name string) bool { return slices.Contains(c.own, name) })
		slices.Sort(found)
		if !slices.Equal(found, moved) {
			t.Errorf("%s has\n%v\nmoved are\n%v", location, found, moved)
		}
	}
}

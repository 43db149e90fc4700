package store

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/audit"
)

// planOf is how the database carries out a statement.
func planOf(t *testing.T, s *Store, text string, args []any) string {
	t.Helper()
	var plan strings.Builder
	err := s.read(t.Context(), func(q *session) error {
		return q.Once(t.Context(), "EXPLAIN QUERY PLAN "+text, args,
			func(scan func(...any) error) error {
				var id, parent, unused int
				var detail string
				err := scan(&id, &parent, &unused, &detail)
				plan.WriteString(detail + "\n")
				return err
			})
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// The record is counted in an index alone, whatever limits it; and of what is listed by category no
// entry is read that is not shown.
func TestAuditRecordIsCountedInAnIndex(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	some := &audit.Components{Names: []string{"groups", "roleDefinitions"}}
	for name, q := range map[string]audit.Query{
		"all":                {},
		"a category":         {Components: some},
		"no other":           {Components: &audit.Components{Names: some.Names, Except: true}},
		"a component":        {Component: "groups", Kind: audit.Create},
		"an activity":        {Activity: "groups.create", Result: audit.Success},
		"somebody's":         {Actor: "token:x", Unhidden: true, Components: some},
		"a category in time": {Components: some, Before: 9, From: time.Unix(1, 0), To: time.Unix(1, 0)},
	} {
		text, args := entryCount(&q)
		plan := planOf(t, s, text, args)
		if !strings.Contains(plan, "COVERING INDEX") {
			t.Errorf("%s is counted so: %s", name, plan)
		}
		if _, limited := componentsOf(&q); !limited {
			continue
		}
		q.Limit = 10
		text, args = entryListing(&q)
		plan = planOf(t, s, text, args)
		if !strings.Contains(plan, "USING COVERING INDEX audit_entries_") ||
			strings.Contains(plan, "SCAN audit_entries") ||
			!strings.Contains(plan, "SEARCH audit_entries USING INTEGER PRIMARY KEY (rowid=?)") {
			t.Errorf("%s is listed so: %s", name, plan)
		}
	}
}

package store

import (
	"context"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/audit"
)

// activityComponent is what an activity begins with, up to its first point, as the index
// audit_entries_component has it.
const activityComponent = "substr(activity, 1, instr(activity || '.', '.') - 1)"

// Entries lists entries of the audit record, in the order of the query.
func (s *Store) Entries(ctx context.Context, query audit.Query) (found []audit.Entry, err error) {
	text, args := entryListing(&query)
	err = s.read(ctx, func(q *session) error {
		return q.Rows(ctx, text, args, func(scan func(...any) error) error {
			e, err := scanEntry(scan)
			found = append(found, e)
			return err
		})
	})
	return found, err
}

// entryListing is the statement of Entries. Entries of some components are found by each of them in
// the index, so that of all others none is read, however many there are.
func entryListing(query *audit.Query) (text string, args []any) {
	where, args := entryCondition(query)
	order := " ORDER BY sequence DESC LIMIT ?"
	if query.Ascending {
		order = " ORDER BY sequence ASC LIMIT ?"
	}
	if components, limited := componentsOf(query); limited && len(components) == 0 {
		where, args = "FALSE", nil
	} else if limited {
		var parts []string
		var all []any
		for _, component := range components {
			parts = append(parts, "SELECT sequence FROM (SELECT sequence FROM audit_entries WHERE "+
				activityComponent+" = ? AND "+where+order+") AS found")
			all = append(append(append(all, component), args...), query.Skip+query.Limit)
		}
		where, args = "sequence IN ("+strings.Join(parts, " UNION ALL ")+")", all
	}
	return "SELECT " + entryTable.selected + " FROM audit_entries WHERE " + where + order +
		" OFFSET ?", append(args, query.Limit, query.Skip)
}

// CountEntries counts the entries of the audit record that a query selects, whatever its Limit.
func (s *Store) CountEntries(ctx context.Context, query audit.Query) (n int, err error) {
	text, args := entryCount(&query)
	err = s.read(ctx, func(q *session) error { return q.Row(ctx, text, args, &n) })
	return n, err
}

// entryCount is the statement of CountEntries. All that it compares is in the index.
func entryCount(query *audit.Query) (text string, args []any) {
	where, args := entryCondition(query)
	if components, limited := componentsOf(query); limited {
		where += " AND " + oneOf(components, &args)
	}
	return "SELECT count(*) FROM audit_entries WHERE " + where, args
}

// oneOf is the condition that an entry is of one of some components.
func oneOf(components []string, args *[]any) string {
	if len(components) == 0 {
		return "FALSE"
	}
	marks := make([]string, len(components))
	for i, component := range components {
		marks[i] = "?"
		*args = append(*args, component)
	}
	return activityComponent + " IN (" + strings.Join(marks, ", ") + ")"
}

// componentsOf are those to which a query limits entries, each once; false: it does not.
func componentsOf(query *audit.Query) (components []string, limited bool) {
	limit := func(to ...string) {
		if !limited {
			components, limited = slices.Clone(to), true
			return
		}
		components = slices.DeleteFunc(components,
			func(name string) bool { return !slices.Contains(to, name) })
	}
	if query.Component != "" {
		limit(query.Component)
	}
	if query.Activity != "" {
		component, _, _ := strings.Cut(query.Activity, ".")
		limit(component)
	}
	if c := query.Components; c != nil && !c.Except {
		limit(c.Names...)
	}
	slices.Sort(components)
	return slices.Compact(components), limited
}

// entryCondition is what limits entries to those of a query, but for componentsOf.
func entryCondition(query *audit.Query) (text string, args []any) {
	text = "TRUE"
	limit := func(condition string, value any, given bool) {
		if given {
			text, args = text+" AND "+condition+" ?", append(args, value)
		}
	}
	limit("sequence <", query.Before, query.Before != 0)
	limit("sequence >", query.After, query.After != 0)
	limit("at >=", query.From.UnixMicro(), !query.From.IsZero())
	limit("at <", query.To.UnixMicro(), !query.To.IsZero())
	limit("actor_id =", query.Actor, query.Actor != "")
	limit("activity =", query.Activity, query.Activity != "")
	limit("kind =", query.Kind, query.Kind != "")
	limit("result =", query.Result, query.Result != "")
	if c := query.Components; c != nil && c.Except {
		text += " AND NOT " + oneOf(c.Names, &args)
	}
	if query.Unhidden {
		text, args = text+" AND NOT (kind = ? AND status = ?)",
			append(args, audit.Read, audit.HiddenReadStatus)
	}
	return text, args
}

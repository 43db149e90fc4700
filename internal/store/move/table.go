package move

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/internal/plaintext"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

// table is a table that is moved row by row.
type table struct {
	name     string
	key      []string // columns by whose order it is read
	numbered bool     // the key is given by the database, and never twice
	heavy    bool     // a row can have megabytes
	clear    string   // takes away the rows that every new database has; ...
	stays    bool     // ... or its row cannot be taken away, and is overwritten
	only     string   // which rows are somebody's, and not of every new database; empty: all

	columns []column
	keys    []int // of the key, in columns
}

// tables are all tables but those that an engine has for itself, each after those that it refers
// to.
func movedTables() []*table {
	return []*table{
		{name: "tenant", key: []string{"id"}, clear: "DELETE FROM tenant", only: "FALSE"},
		{name: "key_pairs", key: []string{"name"}},
		{name: "acme_cache", key: []string{"name"}},
		{name: "tokens", key: []string{"id"}},
		{name: "sessions", key: []string{"hash"}},
		{name: "sign_in_links", key: []string{"hash"}},
		{name: "role_definitions", key: []string{"id"}},
		{name: "role_assignments", key: []string{"id"}},
		{name: "role_members", key: []string{"member", "assignment_id"}},
		{name: "scope_tags", key: []string{"number"}, numbered: true,
			clear: "DELETE FROM scope_tags", only: "number <> 0"},
		{name: "devices", key: []string{"id"}},
		{name: "ledgers", key: []string{"device_id"}},
		{name: "actions", key: []string{"id"}},
		{name: "mirrored_payloads", key: []string{"device_id", "payload_id"}},
		{name: "removals", key: []string{"device_id", "payload_id"}},
		{name: "idempotency_keys", key: []string{"device_id", "caller", "name"}},
		{name: "events", key: []string{"position"}, numbered: true},
		{name: "catalog_payloads", key: []string{"id"}, heavy: true},
		{name: "catalog_revisions", key: []string{"payload_id", "revision"}},
		{name: "catalog_groups", key: []string{"id"}},
		{name: "catalog_members", key: []string{"group_id", "device_id"}},
		{name: "catalog_assignments", key: []string{"id"}},
		{name: "catalog_changes", key: []string{"id"}, numbered: true},
		{name: "apple_enrollments", key: []string{"id"}},
		{name: "apple_certificates", key: []string{"sha256"}},
		{name: "apple_challenges", key: []string{"sha256"}},
		{name: "android_setup", key: []string{"one"}},
		{name: "android_tokens", key: []string{"id"}},
		{name: "android_enrollments", key: []string{"name"}},
		{name: "android_postings", key: []string{"enrollment", "mark"}},
		{name: "android_web_apps", key: []string{"payload_id"}},
		{name: "android_old_policies", key: []string{"device_id"}},
		{name: "leases", key: []string{"name"}},
		{name: "intune_tenants", key: []string{"id"}},
		{name: "intune_paces", key: []string{"tenant", "bucket"}},
		{name: "intune_devices", key: []string{"device_id"}},
		{name: "subscriptions", key: []string{"id"}},
		{name: "subscription_notices", key: []string{"id"}, numbered: true},
		{name: "audit_entries", key: []string{"sequence"}},
		{name: "audit_head", key: []string{"one"}, stays: true, only: "sequence > 0"},
	}
}

// column is a column with its type in PostgreSQL, which holds nothing else: bigint, boolean, text
// or bytea.
type column struct{ name, kind string }

// describe finds the columns, which must be the same in both databases.
func (m *migration) describe(ctx context.Context) error {
	strict, other := m.source, m.target
	if strict.Engine() == sqldb.SQLite {
		strict, other = other, strict
	}
	m.tables = movedTables()
	for _, t := range m.tables {
		const text = `SELECT CAST(column_name AS text), CAST(data_type AS text) FROM information_schema.columns
			WHERE table_schema = current_schema() AND table_name = ? AND is_generated = 'NEVER' ORDER BY ordinal_position`
		err := strict.Rows(ctx, text, []any{t.name}, func(scan func(...any) error) error {
			var c column
			err := scan(&c.name, &c.kind)
			t.columns = append(t.columns, c)
			return err
		})
		var names []string
		if err == nil {
			err = other.Rows(ctx, "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0",
				[]any{t.name}, func(scan func(...any) error) error {
					var name string
					err := scan(&name)
					names = append(names, name)
					return err
				})
		}
		if err == nil {
			err = t.index(names)
		}
		if err != nil {
			return fmt.Errorf("the columns of table %s: %w", t.name, err)
		}
	}
	return nil
}

// index finds the key among the columns, which have the given names in the other database.
func (t *table) index(names []string) error {
	own := make([]string, len(t.columns))
	for i, c := range t.columns {
		own[i] = c.name
	}
	for _, k := range t.key {
		t.keys = append(t.keys, slices.Index(own, k))
	}
	slices.Sort(own)
	slices.Sort(names)
	if !slices.Equal(own, names) || slices.Contains(t.keys, -1) {
		return fmt.Errorf("PostgreSQL has %s, SQLite has %s", strings.Join(own, ", "),
			strings.Join(names, ", "))
	}
	return nil
}

func (t *table) columnNames() []string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return names
}

// placeholders is the condition of the rows that are somebody's.
func (t *table) placeholders() string {
	if t.only == "" {
		return ""
	}
	return " WHERE " + t.only
}

// replaceText overwrites a row that has the same key.
func (t *table) replaceText() string {
	var set []string
	for _, c := range t.columns {
		if !slices.Contains(t.key, c.name) {
			set = append(set, c.name+" = excluded."+c.name)
		}
	}
	return sqldb.InsertText(t.name, t.columnNames()) + " ON CONFLICT (" + sqldb.Quoted(t.key) +
		") DO UPDATE SET " + strings.Join(set, ", ")
}

const (
	rowsPerBatch      = 2000 // rows that are read at a time, and written in one transaction
	heavyRowsPerBatch = 8
)

// stream reads rows in the order of their keys, after a key, and ahead of whoever takes them. It
// ends early when ctx ends.
func (t *table) stream(ctx context.Context, g *errgroup.Group, from *sqldb.Alone,
	after []any) <-chan [][]any {
	batches := make(chan [][]any, 1)
	g.Go(func() error {
		defer close(batches)
		for {
			rows, err := t.batch(ctx, from, after)
			if err != nil || len(rows) == 0 {
				return err
			}
			after = t.keyOf(rows[len(rows)-1])
			select {
			case batches <- rows:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	return batches
}

// batch reads the next rows after a key; nil: the first.
func (t *table) batch(ctx context.Context, from *sqldb.Alone,
	after []any) (batch [][]any, err error) {
	limit := rowsPerBatch
	if t.heavy {
		limit = heavyRowsPerBatch
	}
	text := "SELECT " + sqldb.Quoted(t.columnNames()) + " FROM " + t.name
	if after != nil {
		text += " WHERE (" + sqldb.Quoted(t.key) + ") > (" + sqldb.Marks(len(t.key)) + ")"
	}
	text += " ORDER BY " + sqldb.Quoted(t.key) + " LIMIT ?"
	into := make([]any, len(t.columns))
	err = from.Rows(ctx, text, append(slices.Clone(after), limit),
		func(scan func(...any) error) error {
			row := make([]any, len(t.columns))
			for i := range row {
				into[i] = &row[i]
			}
			if err := scan(into...); err != nil {
				return err
			}
			for i, c := range t.columns {
				if row[i], err = c.value(row[i]); err != nil {
					return fmt.Errorf("column %s of row %s: %w", c.name, t.keyText(t.keyOf(row)),
						err)
				}
			}
			batch = append(batch, row)
			return ctx.Err()
		})
	return batch, err
}

func (t *table) keyOf(row []any) []any {
	key := make([]any, len(t.keys))
	for i, k := range t.keys {
		key[i] = row[k]
	}
	return key
}

// keyText is a key as a person reads it.
func (t *table) keyText(key []any) string {
	parts := make([]string, len(key))
	for i, v := range key {
		if b, ok := v.([]byte); ok {
			v = fmt.Sprintf("%x", b)
		}
		parts[i] = fmt.Sprint(v)
	}
	return strings.Join(parts, " ")
}

// value is a column's value, from either engine, as PostgreSQL would hold it: nil, int64, bool,
// string or []byte. SQLite knows no booleans, a column of it can hold what is of another type, and
// a text what PostgreSQL cannot hold; as when the server writes such a text, U+FFFD is in the place
// of that.
func (c column) value(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case bool:
		if c.kind == "boolean" {
			return v, nil
		}
	case int64:
		switch c.kind {
		case "bigint":
			return v, nil
		case "boolean":
			return v != 0, nil
		}
	case string:
		return c.value([]byte(v))
	case []byte:
		switch c.kind {
		case "text":
			return plaintext.Storable(string(v)), nil
		case "bytea":
			return append([]byte{}, v...), nil // empty is not NULL
		}
	}
	return nil, fmt.Errorf("%T does not become a %s", v, c.kind)
}

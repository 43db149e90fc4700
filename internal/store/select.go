package store

import (
	"fmt"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// columnKind is what a column holds, and so how it is compared and sorted.
type columnKind uint8

const (
	textColumn   columnKind = iota // empty: unknown; the case of ASCII letters does not matter
	idColumn                       // in lower case
	boolColumn                     //
	numberColumn                   //
	stampColumn                    // a time, never NULL
	timeColumn                     // a time; NULL: never
	// sql is a condition with one parameter, the element that is looked for
	listColumn
	bytesColumn // never compared
)

// column is what a field of a query is in SQL.
type column struct {
	sql  string
	kind columnKind
}

// resource is a kind of things that queries select. All of SQL that a query becomes is in here and
// in this file, but for the conditions that a kind alone has; everything else of a query is a bound
// parameter.
type resource struct {
	things  string // for errors
	columns string // to be read
	from    string
	given   []any  // the parameters of from
	key     column // no two things have the same
	fields  map[query.Field]column
	// fields whose names are not known here; nil: there are none
	more func(query.Field) (column, bool)
	// conditions of this kind alone; nil: there are none
	own func(*selection, query.Condition) (string, error)
}

func (r *resource) field(f query.Field) (column, error) {
	c, ok := r.fields[f]
	if !ok && r.more != nil {
		c, ok = r.more(f)
	}
	if !ok {
		return c, fmt.Errorf("%s have no field %q", r.things, f)
	}
	return c, nil
}

// selection collects the text of a statement and its bound parameters. Parts must be put into the
// text in the order in which they were made.
type selection struct {
	of      *resource
	dialect *dialect
	text    strings.Builder
	args    []any
}

func (b *selection) bind(v any) string {
	b.args = append(b.args, v)
	return "?"
}

func (b *selection) bindAll(values []string) string {
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = b.bind(v)
	}
	return strings.Join(marks, ", ")
}

// orderKey is one of the things that a query sorts by. As sql it is never NULL.
type orderKey struct {
	sql        string
	kind       columnKind
	descending bool
}

// keys are what a query sorts by, the last of them different for each thing.
func (r *resource) keys(order []query.Order) ([]orderKey, error) {
	var keys []orderKey
	descending := false
	for _, o := range order {
		c, err := r.field(o.Field)
		if err != nil {
			return nil, err
		}
		descending = o.Descending
		key := orderKey{c.sql, c.kind, descending}
		switch c.kind {
		case textColumn:
			key.sql = "lower(" + c.sql + ")"
		case timeColumn:
			key.sql = "coalesce(" + c.sql + ", 0)"
		case boolColumn, listColumn:
			return nil, fmt.Errorf("%s cannot be sorted by field %q", r.things, o.Field)
		}
		if keys = append(keys, key); c == r.key {
			return keys, nil
		}
	}
	return append(keys, orderKey{r.key.sql, r.key.kind, descending}), nil
}

// selects is the statement of a query. After the resource's columns it reads the keys.
func (r *resource) selects(d *dialect, q query.Query, keys []orderKey) (*selection, error) {
	b := &selection{of: r, dialect: d}
	b.text.WriteString("SELECT " + r.columns)
	for _, k := range keys {
		b.text.WriteString(", " + k.sql)
	}
	if err := b.where(q.Where, keys, q.After); err != nil {
		return nil, err
	}
	separator := " ORDER BY "
	for _, k := range keys {
		direction := " ASC"
		if k.descending {
			direction = " DESC"
		}
		b.text.WriteString(separator + k.sql + direction)
		separator = ", "
	}
	if q.Limit > 0 {
		b.text.WriteString(" LIMIT " + b.bind(q.Limit+1))
	}
	if q.Limit > 0 && q.Skip > 0 {
		b.text.WriteString(" OFFSET " + b.bind(q.Skip))
	}
	return b, nil
}

// counts is the statement that counts what fulfils a condition; nil: all there are.
func (r *resource) counts(d *dialect, where query.Condition) (*selection, error) {
	b := &selection{of: r, dialect: d}
	b.text.WriteString("SELECT count(*)")
	return b, b.where(where, nil, nil)
}

func (b *selection) where(where query.Condition, keys []orderKey, after *query.Position) error {
	b.text.WriteString(" FROM " + b.of.from)
	b.args = append(b.args, b.of.given...)
	keyword := " WHERE "
	if where != nil {
		condition, err := b.condition(where)
		if err != nil {
			return err
		}
		b.text.WriteString(keyword + condition)
		keyword = " AND "
	}
	if after == nil {
		return nil
	}
	if !fits(keys, after.Keys) {
		return query.ErrPosition
	}
	b.text.WriteString(keyword + b.afterPosition(keys, after.Keys))
	return nil
}

// fits reports whether a position has a value of the right kind for each key.
func fits(keys []orderKey, values []any) bool {
	if len(keys) != len(values) {
		return false
	}
	for i, k := range keys {
		_, isText := values[i].(string)
		_, isNumber := values[i].(int64)
		if wantsText := k.kind == textColumn || k.kind == idColumn; wantsText != isText ||
			wantsText == isNumber {
			return false
		}
	}
	return true
}

// after is the operator between a key and the value of what comes before it.
func (k orderKey) after() string {
	if k.descending {
		return " < "
	}
	return " > "
}

// notBefore is after, or equal.
func (k orderKey) notBefore() string {
	if k.descending {
		return " <= "
	}
	return " >= "
}

// afterPosition is fulfilled by what comes after a position. The first key is bounded on its own,
// too, so that an index finds where to begin.
func (b *selection) afterPosition(keys []orderKey, at []any) string {
	if len(keys) == 1 {
		return keys[0].sql + keys[0].after() + b.bind(at[0])
	}
	first := keys[0].sql + keys[0].notBefore() + b.bind(at[0]) + " AND "
	var text strings.Builder
	for i, k := range keys {
		text.WriteString("(" + k.sql + k.after() + b.bind(at[i]))
		if i < len(keys)-1 {
			text.WriteString(" OR " + k.sql + " = " + b.bind(at[i]) + " AND ")
		}
	}
	return first + text.String() + strings.Repeat(")", len(keys))
}

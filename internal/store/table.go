package store

import (
	"cmp"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

// table says once how rows of a kind are kept. What SELECT, INSERT, UPDATE and upsert name, where
// Scan puts it, and by what queries compare and sort, all follow from its columns. A new column is
// one line here, beside the migrations.
type table[T any] struct {
	name    string
	key     string // the column that tells a row from all others
	columns []tableColumn[T]

	// Made of the columns.
	selected      string // what a list reads
	selectedWhole string // and what one row is read with
	selectedBy    string // what a join reads: each column with its table's name
	insertText    string // its parameters are insertArgs
	upsertText    string // writes a row of the same key again; its parameters are insertArgs
	updateText    string // its parameters are updateArgs
}

// tableColumn is a column of a table, and where a T has what it holds. plain, instant and listing
// make one.
type tableColumn[T any] struct {
	name  string
	kind  columnKind
	value func(*T) any // what to write
	dest  func(*T) any // where Scan puts what was read; nil: it is not read back
	// destOrNull is dest where an outer join may have found no row; nil: dest takes NULL.
	destOrNull func(*T) any

	field    query.Field // by which queries compare and sort; empty: by none
	compared string      // what that is in SQL; empty: the column itself
	heavy    bool        // lists do not read it
	joined   string      // what a join reads in its place; empty: the column itself

	// What a statement that writes the row again makes of the column.
	fixed    bool   // it stays as it was made
	replaced string // an expression; empty: the new value
	apart    bool   // only statements of their own write it, so it is not even in an INSERT
}

func newTable[T any](name, key string, columns ...tableColumn[T]) *table[T] {
	t := &table[T]{name: name, key: key, columns: columns}
	var read, readWhole, joined, inserted, upserts, updates []string
	for _, c := range columns {
		if c.dest != nil {
			joined = append(joined, cmp.Or(c.joined, name+"."+c.name))
			readWhole = append(readWhole, c.name)
			if !c.heavy {
				read = append(read, c.name)
			}
		}
		if c.apart {
			continue
		}
		inserted = append(inserted, c.name)
		if c.fixed {
			continue
		}
		updates = append(updates, c.name+" = ?")
		upserts = append(upserts, c.name+" = "+cmp.Or(c.replaced, "excluded."+c.name))
	}
	t.selected = strings.Join(read, ", ")
	t.selectedWhole = strings.Join(readWhole, ", ")
	t.selectedBy = strings.Join(joined, ", ")
	t.insertText = "INSERT INTO " + name + " (" + strings.Join(inserted, ", ") + ") VALUES (" +
		sqldb.Marks(len(inserted)) + ")"
	t.upsertText = t.insertText + " ON CONFLICT (" + key + ") DO UPDATE SET " +
		strings.Join(upserts, ", ")
	t.updateText = "UPDATE " + name + " SET " + strings.Join(updates, ", ") + " WHERE " + key +
		" = ?"
	return t
}

// plain is a column that holds what T does, as it is.
func plain[T, V any](name string, kind columnKind, of func(*T) *V) tableColumn[T] {
	return tableColumn[T]{
		name:       name,
		kind:       kind,
		value:      func(row *T) any { return *of(row) },
		dest:       func(row *T) any { return of(row) },
		destOrNull: func(row *T) any { return valueOf[V]{of(row)} },
	}
}

// optional is a column that holds what T does, with NULL for the zero value.
func optional[T any, V comparable](name string, kind columnKind, of func(*T) *V) tableColumn[T] {
	return tableColumn[T]{
		name: name,
		kind: kind,
		value: func(row *T) any {
			var none V
			if *of(row) == none {
				return nil
			}
			return *of(row)
		},
		dest: func(row *T) any { return valueOf[V]{of(row)} },
	}
}

// encoded is a column that holds what T does as JSON. An empty text stands for nothing.
func encoded[T, V any](name string, of func(*T) *V) tableColumn[T] {
	return tableColumn[T]{
		name:  name,
		value: func(row *T) any { return encodedOf{of(row)} },
		dest:  func(row *T) any { return encodedOf{of(row)} },
	}
}

// instant is a column that holds a time in microseconds. NULL stands for the zero time, but for a
// stampColumn, which always has one.
func instant[T any](name string, kind columnKind, of func(*T) *time.Time) tableColumn[T] {
	return tableColumn[T]{
		name: name,
		kind: kind,
		value: func(row *T) any {
			if kind == stampColumn {
				return of(row).UnixMicro()
			}
			return micros(*of(row))
		},
		dest: func(row *T) any { return instantOf{of(row)} },
	}
}

// listing is a column that holds a list of short texts, as listed does.
func listing[T any, E ~string](name string, of func(*T) *[]E) tableColumn[T] {
	return tableColumn[T]{
		name:     name,
		kind:     listColumn,
		value:    func(row *T) any { return listed(*of(row)) },
		dest:     func(row *T) any { return listOf[E]{of(row)} },
		compared: "instr(" + name + ", ',' || ? || ',') > 0",
	}
}

// derived is a column for statements alone: its value follows from others, and is not read back.
func derived[T any](name string, kind columnKind, value func(*T) any) tableColumn[T] {
	return tableColumn[T]{name: name, kind: kind, value: value}
}

// by lets queries compare and sort by the column.
func (c tableColumn[T]) by(field query.Field) tableColumn[T] {
	c.field = field
	return c
}

// comparedAs has queries compare an expression in place of the column.
func (c tableColumn[T]) comparedAs(expression string) tableColumn[T] {
	c.compared = expression
	return c
}

// onlyWhole leaves the column out of lists.
func (c tableColumn[T]) onlyWhole() tableColumn[T] {
	c.heavy = true
	return c
}

// joinedAs has joins read an expression in place of the column.
func (c tableColumn[T]) joinedAs(expression string) tableColumn[T] {
	c.joined = expression
	return c
}

// stays keeps the column as it was made when the row is written again.
func (c tableColumn[T]) stays() tableColumn[T] {
	c.fixed = true
	return c
}

// replacedBy makes the column an expression when the row is written again.
func (c tableColumn[T]) replacedBy(expression string) tableColumn[T] {
	c.replaced = expression
	return c
}

// writtenApart leaves the column to statements of their own.
func (c tableColumn[T]) writtenApart() tableColumn[T] {
	c.apart = true
	return c
}

// scan reads what selected names.
func (t *table[T]) scan(scan func(...any) error) (*T, error) {
	return t.scanColumns(scan, func(c *tableColumn[T]) bool { return !c.heavy })
}

// scanWhole reads what selectedWhole names.
func (t *table[T]) scanWhole(scan func(...any) error) (*T, error) {
	return t.scanColumns(scan, func(*tableColumn[T]) bool { return true })
}

// dest is where Scan puts what selectedBy names, for statements that read other columns, too. Where
// an outer join found no row, what it puts into row stays as it was.
func (t *table[T]) dest(row *T) []any {
	dest := make([]any, 0, len(t.columns))
	for i := range t.columns {
		switch c := &t.columns[i]; {
		case c.destOrNull != nil:
			dest = append(dest, c.destOrNull(row))
		case c.dest != nil:
			dest = append(dest, c.dest(row))
		}
	}
	return dest
}

func (t *table[T]) scanColumns(scan func(...any) error,
	wanted func(*tableColumn[T]) bool) (*T, error) {
	row := new(T)
	dest := make([]any, 0, len(t.columns))
	for i := range t.columns {
		if c := &t.columns[i]; c.dest != nil && wanted(c) {
			dest = append(dest, c.dest(row))
		}
	}
	return row, scan(dest...)
}

// insertArgs are the parameters of insertText and upsertText.
func (t *table[T]) insertArgs(row *T) []any {
	args := make([]any, 0, len(t.columns))
	for i := range t.columns {
		if c := &t.columns[i]; !c.apart {
			args = append(args, c.value(row))
		}
	}
	return args
}

// updateArgs are the parameters of updateText.
func (t *table[T]) updateArgs(row *T) []any {
	args := make([]any, 0, len(t.columns))
	var key any
	for i := range t.columns {
		c := &t.columns[i]
		if c.name == t.key {
			key = c.value(row)
		}
		if !c.apart && !c.fixed {
			args = append(args, c.value(row))
		}
	}
	return append(args, key)
}

// fields are what queries compare and sort by, with others that are no columns of their own. prefix
// comes before each name.
func (t *table[T]) fields(prefix string, others map[query.Field]column) map[query.Field]column {
	all := make(map[query.Field]column, len(t.columns)+len(others))
	maps.Copy(all, others)
	for _, c := range t.columns {
		if c.field != "" {
			all[c.field] = column{cmp.Or(c.compared, prefix+c.name), c.kind}
		}
	}
	return all
}

// valueOf puts a column into a variable, and the zero value for NULL.
type valueOf[V any] struct{ to *V }

// Scan implements sql.Scanner.
func (v valueOf[V]) Scan(value any) error {
	var read sql.Null[V]
	err := read.Scan(value)
	*v.to = read.V
	return err
}

// encodedOf is a column of encoded. to is a pointer to what the JSON is of.
type encodedOf struct{ to any }

// Scan implements sql.Scanner.
func (d encodedOf) Scan(value any) error {
	var text sql.NullString
	if err := text.Scan(value); err != nil || text.String == "" {
		return err
	}
	return json.Unmarshal([]byte(text.String), d.to)
}

// Value implements driver.Valuer.
func (d encodedOf) Value() (driver.Value, error) {
	text, err := json.Marshal(d.to)
	return string(text), err
}

// instantOf puts a column of instant into a time.
type instantOf struct{ to *time.Time }

// Scan implements sql.Scanner.
func (i instantOf) Scan(value any) error {
	var n sql.NullInt64
	err := n.Scan(value)
	*i.to = fromMicros(n)
	return err
}

// listOf puts a column of listing into a list.
type listOf[E ~string] struct{ to *[]E }

// Scan implements sql.Scanner.
func (l listOf[E]) Scan(value any) error {
	var text sql.NullString
	err := text.Scan(value)
	*l.to = unlisted[E](text.String)
	return err
}

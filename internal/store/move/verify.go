package move

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Different is what a move found when it compared the two databases. The values are not told: some
// are secret.
type Different struct {
	Count int64    // of rows, and of next numbers
	First []string // the first of them
}

const differencesTold = 100

func (d *Different) add(format string, args ...any) {
	if d.Count++; d.Count <= differencesTold {
		d.First = append(d.First, fmt.Sprintf(format, args...))
	}
}

// Error tells the first of them, a line for each.
func (d *Different) Error() string {
	lines := strings.Join(d.First, "\n  ")
	if more := d.Count - int64(len(d.First)); more > 0 {
		lines += fmt.Sprintf("\n  and %d more", more)
	}
	return fmt.Sprintf("the databases differ in %d places; use the one to move from, and move it again to a new database:\n  %s", d.Count, lines)
}

// verify compares every row of a table, column by column, and what the next one is numbered.
func (m *migration) verify(ctx context.Context, t *table, found *Different) error {
	g, running := errgroup.WithContext(ctx)
	source := &reading{batches: t.stream(running, g, m.source, nil)}
	target := &reading{batches: t.stream(running, g, m.target, nil)}
	differs := &Different{}
	g.Go(func() error {
		rows := m.compare(t, source, target, differs)
		if running.Err() == nil {
			m.tell(Migration{Table: t.name, Verify: true, Rows: rows, Done: true})
		}
		return running.Err()
	})
	if err := g.Wait(); err != nil {
		return err // what was read until then says nothing
	}
	for _, line := range differs.First {
		found.add("%s", line)
	}
	found.Count += differs.Count - int64(len(differs.First))
	if !t.numbered {
		return nil
	}
	given, err := m.source.HighestNumber(ctx, t.name, t.key[0])
	if err != nil {
		return err
	}
	kept, err := m.target.HighestNumber(ctx, t.name, t.key[0])
	if err == nil && kept != given {
		found.add("%s: the last number given was %d, and is %d at the target", t.name, given, kept)
	}
	return err
}

// compare goes through the rows of both databases side by side.
func (m *migration) compare(t *table, source, target *reading, found *Different) (rows int64) {
	a, b := source.next(), target.next()
	for a != nil || b != nil {
		order := 0
		switch {
		case b == nil:
			order = -1
		case a == nil:
			order = 1
		default:
			order = t.compareKeys(a, b)
		}
		switch {
		case order < 0:
			found.add("%s %s is not at the target", t.name, t.keyText(t.keyOf(a)))
		case order > 0:
			found.add("%s %s is at the target alone", t.name, t.keyText(t.keyOf(b)))
		default:
			if columns := t.differences(a, b); columns != nil {
				found.add("%s %s differs in %s", t.name, t.keyText(t.keyOf(a)),
					strings.Join(columns, ", "))
			}
		}
		if order <= 0 {
			a = source.next()
			if rows++; rows%rowsPerBatch == 0 {
				m.tell(Migration{Table: t.name, Verify: true, Rows: rows})
			}
		}
		if order >= 0 {
			b = target.next()
		}
	}
	return rows
}

// reading goes through a table's rows.
type reading struct {
	batches <-chan [][]any
	batch   [][]any
}

// next is nil after the last.
func (r *reading) next() []any {
	if len(r.batch) == 0 {
		r.batch = <-r.batches
		if len(r.batch) == 0 {
			return nil
		}
	}
	row := r.batch[0]
	r.batch = r.batch[1:]
	return row
}

// compareKeys is the order in which both engines read rows: texts and bytes by their bytes.
func (t *table) compareKeys(a, b []any) int {
	for _, k := range t.keys {
		order := 0
		switch v := a[k].(type) {
		case int64:
			order = cmp.Compare(v, b[k].(int64))
		case string:
			order = strings.Compare(v, b[k].(string))
		case []byte:
			order = bytes.Compare(v, b[k].([]byte))
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

// differences are the columns whose values are not the same.
func (t *table) differences(a, b []any) (names []string) {
	for i, c := range t.columns {
		x, isBytes := a[i].([]byte)
		y, alsoBytes := b[i].([]byte)
		if isBytes != alsoBytes || isBytes && !bytes.Equal(x, y) || !isBytes && a[i] != b[i] {
			names = append(names, c.name)
		}
	}
	return names
}

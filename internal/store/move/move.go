// Package move moves everything from a SQLite file to PostgreSQL, or back, and compares every row
// then. It knows the names of the tables and their keys (table.go), finds their columns by itself,
// and stands below the store, which it does not need.
package move

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

// Migration is how far a move to another database is.
type Migration struct {
	Table  string
	Verify bool  // the rows are compared; else they are copied
	Rows   int64 // of the table, so far
	Before int64 // of them, those that an earlier run copied
	Done   bool  // with the table
}

// Migrate moves everything from a database to another, of the other engine, that is empty or new,
// and compares every row then. Both are locked meanwhile: a database that a server uses is an
// error. The source is only read. When it ends in the middle, however that happens, the target is
// of no use but to be continued by a second call; Open refuses it until then. tell, which must
// return soon, is called after every batch of rows. Rows that are not the same are a *Different.
func Migrate(ctx context.Context, from, to string, tell func(Migration)) (err error) {
	if sqldb.EngineOf(from) == sqldb.EngineOf(to) {
		return errors.New("a move is between a SQLite file and PostgreSQL: to copy a file use sqlite3's .backup, and for PostgreSQL pg_dump")
	}
	source, err := openSource(ctx, from)
	if err != nil {
		return fmt.Errorf("the database to move from: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := openTarget(ctx, to)
	if err != nil {
		return fmt.Errorf("the database to move to: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	m := &migration{source: source, target: target, tell: tell}
	if err := m.describe(ctx); err != nil {
		return err
	}
	return m.run(ctx)
}

// migration is a move between two databases that nobody else uses.
type migration struct {
	source, target *sqldb.Alone
	tables         []*table
	tell           func(Migration)
}

func (m *migration) run(ctx context.Context) error {
	if err := m.begin(ctx); err != nil {
		return err
	}
	for _, t := range m.tables {
		if err := m.copy(ctx, t); err != nil {
			return fmt.Errorf("copying table %s: %w", t.name, err)
		}
	}
	if err := m.countOn(ctx); err != nil {
		return fmt.Errorf("setting what the next rows are numbered: %w", err)
	}
	found := &Different{}
	for _, t := range m.tables {
		if err := m.verify(ctx, t, found); err != nil {
			return fmt.Errorf("comparing table %s: %w", t.name, err)
		}
	}
	if found.Count > 0 {
		return found
	}
	if err := m.target.Analyze(ctx); err != nil {
		return err
	}
	return m.target.Write(ctx, sqldb.Durable, func() error {
		_, err := m.target.Exec(ctx, "DROP TABLE "+progressTable)
		return err
	})
}

// progressTable is in a target until the move is complete. Its row without a name says which
// database is moved: the id of its tenant.
const progressTable = "migration_progress"

// begin makes sure that the target is empty, or half of the same move.
func (m *migration) begin(ctx context.Context) error {
	var tenant, of string
	if err := m.source.Row(ctx, "SELECT id FROM tenant", nil, &tenant); err != nil {
		return fmt.Errorf("reading whose database it is: %w", err)
	}
	half, err := Begun(ctx, m.target.Session)
	if err != nil {
		return err
	}
	if half {
		err := m.target.Row(ctx, "SELECT tenant FROM "+progressTable+" WHERE name = ''", nil, &of)
		if err == nil && of != tenant {
			err = errors.New("the database to move to holds half of a move from another one: continue that, or move to a new database")
		}
		return err
	}
	for _, t := range m.tables {
		var rows int64
		if err := m.target.Row(ctx,
			"SELECT count(*) FROM (SELECT 1 FROM "+t.name+t.placeholders()+" LIMIT 1) AS found",
			nil,
			&rows); err != nil {
			return err
		}
		if rows > 0 {
			return fmt.Errorf("the database to move to has data already (in table %s): move to a new database", t.name)
		}
	}
	return m.target.Write(ctx, sqldb.Hasty, func() error {
		_, err := m.target.Exec(ctx,
			"CREATE TABLE "+progressTable+" (name TEXT PRIMARY KEY, tenant TEXT NOT NULL, last "+m.target.BytesType()+
				", copied BIGINT NOT NULL, done BIGINT NOT NULL)")
		if err == nil {
			_, err = m.target.Exec(ctx,
				"INSERT INTO "+progressTable+" (name, tenant, copied, done) VALUES ('', ?, 0, 0)",
				tenant)
		}
		return err
	})
}

// Begun reports whether a move to the database has begun and is not complete.
func Begun(ctx context.Context, q *sqldb.Session) (bool, error) {
	return q.HasTable(ctx, progressTable)
}

// copy copies what of a table is not there yet. A batch of rows and how far the copy is are one
// transaction.
func (m *migration) copy(ctx context.Context, t *table) error {
	at, err := m.progress(ctx, t)
	if err != nil {
		return err
	}
	if at.done {
		m.tell(Migration{Table: t.name, Rows: at.copied, Before: at.copied, Done: true})
		return nil
	}
	before := at.copied
	g, running := errgroup.WithContext(ctx)
	batches := t.stream(running, g, m.source, at.last)
	g.Go(func() error {
		for rows := range batches {
			at.copied += int64(len(rows))
			at.last = t.keyOf(rows[len(rows)-1])
			if err := m.save(running, t, rows, at); err != nil {
				return err
			}
			m.tell(Migration{Table: t.name, Rows: at.copied, Before: before})
		}
		return running.Err()
	})
	if err := g.Wait(); err != nil {
		return err
	}
	at.done = true
	if err := m.save(ctx, t, nil, at); err != nil {
		return err
	}
	m.tell(Migration{Table: t.name, Rows: at.copied, Before: before, Done: true})
	return nil
}

// copied is how far the copy of a table is.
type copied struct {
	last   []any // key of the last row; nil: none
	copied int64
	done   bool
}

func (m *migration) progress(ctx context.Context, t *table) (at copied, err error) {
	err = m.target.Rows(ctx, "SELECT last, copied, done FROM "+progressTable+" WHERE name = ?",
		[]any{t.name}, func(scan func(...any) error) error {
			var last []byte
			var done int64
			if err := scan(&last, &at.copied, &done); err != nil {
				return err
			}
			at.done = done != 0
			if last == nil {
				return nil
			}
			return gob.NewDecoder(bytes.NewReader(last)).Decode(&at.last)
		})
	return at, err
}

func (m *migration) save(ctx context.Context, t *table, rows [][]any, at copied) error {
	var last bytes.Buffer
	if at.last != nil {
		if err := gob.NewEncoder(&last).Encode(at.last); err != nil {
			return err
		}
	}
	done := 0
	if at.done {
		done = 1
	}
	return m.target.Write(ctx, sqldb.Hasty, func() error {
		if err := m.insert(ctx, t, rows, at.copied == int64(len(rows))); err != nil {
			return err
		}
		_, err := m.target.Exec(ctx,
			"INSERT INTO "+progressTable+" (name, tenant, last, copied, done) VALUES (?1, '', ?2, ?3, ?4) "+
				"ON CONFLICT (name) DO UPDATE SET last = ?2, copied = ?3, done = ?4", t.name,
			last.Bytes(), at.copied, done)
		return err
	})
}

// insert writes rows. The first come in place of those that every new database has.
func (m *migration) insert(ctx context.Context, t *table, rows [][]any, first bool) error {
	if len(rows) == 0 {
		return nil
	}
	if t.clear != "" && first {
		if _, err := m.target.Exec(ctx, t.clear); err != nil {
			return err
		}
	}
	if !t.stays {
		return m.target.Copy(ctx, t.name, t.columnNames(), rows,
			func(row []any) string { return t.keyText(t.keyOf(row)) })
	}
	for _, row := range rows {
		if _, err := m.target.Exec(ctx, t.replaceText(), row...); err != nil {
			return err
		}
	}
	return nil
}

// countOn lets the target give no number that the source has given.
func (m *migration) countOn(ctx context.Context) error {
	return m.target.Write(ctx, sqldb.Hasty, func() error {
		for _, t := range m.tables {
			if !t.numbered {
				continue
			}
			n, err := m.source.HighestNumber(ctx, t.name, t.key[0])
			if err == nil {
				err = m.target.SetHighestNumber(ctx, t.name, t.key[0], n)
			}
			if err == nil && t.name == "events" && n > 0 && m.target.Engine() == sqldb.Postgres {
				_, err = m.target.Exec(ctx, "UPDATE events_dropped SET position = ?", n)
			}
			if err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
		}
		return nil
	})
}

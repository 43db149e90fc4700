package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

const roleSeparator = "\x1f"

// entryTable is an entry of the audit record. Entries are never written again.
var entryTable = newTable("audit_entries", "sequence",
	plain("sequence", numberColumn, func(e *audit.Entry) *int64 { return &e.Sequence }),
	plain("id", idColumn, func(e *audit.Entry) *string { return &e.ID }),
	instant("at", stampColumn, func(e *audit.Entry) *time.Time { return &e.At }),
	plain("actor_id", textColumn, func(e *audit.Entry) *string { return &e.Actor.ID }),
	plain("actor_name", textColumn, func(e *audit.Entry) *string { return &e.Actor.Name }),
	plain("address", textColumn, func(e *audit.Entry) *string { return &e.Actor.Address }),
	tableColumn[audit.Entry]{
		name:  "roles",
		value: func(e *audit.Entry) any { return strings.Join(e.Actor.Roles, roleSeparator) },
		dest:  func(e *audit.Entry) any { return rolesOf{&e.Actor.Roles} },
	},
	plain("activity", textColumn, func(e *audit.Entry) *string { return &e.Activity }),
	plain("kind", textColumn, func(e *audit.Entry) *audit.Kind { return &e.Kind }),
	tableColumn[audit.Entry]{
		name:  "objects",
		value: func(e *audit.Entry) any { return string(e.ObjectsText()) },
		dest:  func(e *audit.Entry) any { return objectsOf{e} },
	},
	plain("result", textColumn, func(e *audit.Entry) *audit.Result { return &e.Result }),
	plain("status", numberColumn, func(e *audit.Entry) *int { return &e.Status }),
	plain("reason", textColumn, func(e *audit.Entry) *string { return &e.Reason }),
	plain("request", textColumn, func(e *audit.Entry) *string { return &e.Request }),
	plain("skipped", numberColumn, func(e *audit.Entry) *int { return &e.Skipped }),
	sumColumn("previous", func(e *audit.Entry) *audit.Sum { return &e.Previous }),
	sumColumn("hash", func(e *audit.Entry) *audit.Sum { return &e.Hash }),
)

func sumColumn(name string, of func(*audit.Entry) *audit.Sum) tableColumn[audit.Entry] {
	return tableColumn[audit.Entry]{
		name:  name,
		kind:  bytesColumn,
		value: func(e *audit.Entry) any { return hash(*of(e)) },
		dest:  func(e *audit.Entry) any { return (*[]byte)(of(e)) },
	}
}

// rolesOf puts the names of roles between separators into a list.
type rolesOf struct{ to *[]string }

// Scan implements sql.Scanner.
func (r rolesOf) Scan(value any) error {
	var text sql.NullString
	err := text.Scan(value)
	if text.String != "" {
		*r.to = strings.Split(text.String, roleSeparator)
	}
	return err
}

// objectsOf puts the text of an entry's objects into it.
type objectsOf struct{ to *audit.Entry }

// Scan implements sql.Scanner.
func (o objectsOf) Scan(value any) error {
	var text sql.NullString
	if err := text.Scan(value); err != nil {
		return err
	}
	return o.to.SetObjectsText([]byte(text.String))
}

// AppendEntry implements audit.Store.
func (s *Store) AppendEntry(ctx context.Context, e audit.Entry) error {
	ctx = access.WithPermit(audit.With(ctx, nil), nil)
	return s.write(ctx, func(q *session) error { return q.appendEntry(ctx, e) })
}

// appendEntry adds an entry to the record. It runs in the writer. The head is read in the
// transaction itself, because another process may have moved it.
func (q *session) appendEntry(ctx context.Context, e audit.Entry) error {
	head, err := q.auditHead(ctx)
	if err != nil {
		return err
	}
	if e, err = e.Seal(head); err != nil {
		return err
	}
	_, err = q.Exec(ctx, entryTable.insertText, entryTable.insertArgs(&e)...)
	if err == nil {
		_, err = q.Exec(ctx, "UPDATE audit_head SET sequence = ?, hash = ?", e.Sequence,
			hash(e.Hash))
	}
	if err != nil {
		return fmt.Errorf("writing audit entry %d: %w", e.Sequence, err)
	}
	return nil
}

// hash is a column's value: empty, not NULL, for none.
func hash(s audit.Sum) []byte { return append([]byte{}, s...) }

func (q *session) auditHead(ctx context.Context) (head audit.Head, err error) {
	err = q.Row(ctx, "SELECT sequence, hash FROM audit_head", nil, &head.Sequence,
		(*[]byte)(&head.Hash))
	if err != nil {
		return head, fmt.Errorf("reading the head of the audit record: %w", err)
	}
	return head, nil
}

func scanEntry(scan func(...any) error) (audit.Entry, error) {
	e, err := entryTable.scan(scan)
	if errors.Is(err, sql.ErrNoRows) {
		return *e, audit.ErrNotFound
	}
	if err != nil {
		return *e, fmt.Errorf("reading audit entry %d: %w", e.Sequence, err)
	}
	return *e, nil
}

// Entry returns an entry of the audit record; audit.ErrNotFound if there is none of that id.
func (s *Store) Entry(ctx context.Context, id string) (e audit.Entry, err error) {
	err = s.read(ctx, func(q *session) error {
		e, err = scanEntry(func(dest ...any) error {
			return q.Row(ctx, "SELECT "+entryTable.selected+" FROM audit_entries WHERE id = ?",
				[]any{id}, dest...)
		})
		return err
	})
	return e, err
}

// remoteActions have the conditions of their devices.
var remoteActions = resource{
	things:  "actions",
	columns: "actions.id, actions.name, device_id, devices.name, actor, started, state",
	from:    "actions JOIN devices ON devices.id = device_id",
	key:     column{"actions.id", idColumn},
	own:     deviceCondition,
	fields: actionTable.fields("actions.",
		map[query.Field]column{audit.ByDeviceName: {"devices.name", textColumn}}),
}

// RemoteActions lists the actions on devices that a query selects.
func (s *Store) RemoteActions(ctx context.Context,
	q query.Query) (page query.Page[audit.RemoteAction], err error) {
	err = s.read(ctx, func(t *session) error {
		page, err = list(ctx, t, &remoteActions, q,
			func(scan func(...any) error) (a audit.RemoteAction, err error) {
				var started sql.NullInt64
				err = scan(&a.ID, &a.Name, &a.DeviceID, &a.DeviceName, &a.Actor, &started, &a.State)
				a.Started = fromMicros(started)
				return a, err
			})
		return err
	})
	return page, err
}

// WalkAudit calls each for every entry of a database's audit record after the one of sequence
// after, 0: for all there are, in their order, and returns the head that the database keeps. It
// reads one snapshot, beside a running server, and changes nothing. What cannot have been written
// so is an *audit.Broken.
func WalkAudit(ctx context.Context, location string, after int64,
	each func(*audit.Entry) error) (head audit.Head, err error) {
	connection, done, err := sqldb.OpenReadOnly(ctx, location)
	if err != nil {
		return head, err
	}
	defer done()
	q := newSession(connection)
	if head, err = q.auditHead(ctx); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return head,
			fmt.Errorf("the database (one of an older version gets its audit record when the server is started on it): %w", err)
	}
	if err != nil {
		return head, &audit.Broken{Problem: "its head is missing"}
	}
	if after == 0 {
		after = math.MinInt64 // none that was put in is overlooked
	}
	return head, q.Rows(ctx,
		"SELECT "+entryTable.selected+" FROM audit_entries WHERE sequence > ? ORDER BY sequence",
		[]any{after},
		func(scan func(...any) error) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			e, err := scanEntry(scan)
			if err != nil {
				return &audit.Broken{Sequence: e.Sequence, Problem: err.Error()}
			}
			return each(&e)
		})
}

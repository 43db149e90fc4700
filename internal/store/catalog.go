package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

// UpdateCatalog implements catalog.Store.
func (s *Store) UpdateCatalog(ctx context.Context, fn func(catalog.Tx) error) error {
	return s.write(ctx, func(q *session) error { return fn(catalogTx{q}) })
}

// ViewCatalog implements catalog.Store.
func (s *Store) ViewCatalog(ctx context.Context, fn func(catalog.Tx) error) error {
	return s.read(ctx, func(q *session) error { return fn(catalogTx{q}) })
}

type catalogTx struct{ q *session }

// payloadTable is an app or policy. To add a property of all payloads, add a line, a migration for
// each engine, and the field in catalog. Those of one kind alone are in the column properties.
var payloadTable = newTable("catalog_payloads", "id",
	plain("id", idColumn,
		func(p *catalog.Payload) *action.PayloadID { return &p.ID }).by(catalog.ByID).stays(),
	plain("type", numberColumn,
		func(p *catalog.Payload) *action.PayloadType { return &p.Type }).by(catalog.ByType).stays(),
	listing("platforms",
		func(p *catalog.Payload) *[]fleet.Platform { return &p.Platforms }).stays(),
	plain("odata_type", textColumn,
		func(p *catalog.Payload) *string { return &p.ODataType }).by(catalog.ByODataType).stays(),
	plain("display_name", textColumn,
		func(p *catalog.Payload) *string { return &p.DisplayName }).by(catalog.ByDisplayName),
	plain("description", textColumn,
		func(p *catalog.Payload) *string { return &p.Description }).by(catalog.ByDescription),
	plain("sub_type", textColumn, func(p *catalog.Payload) *string { return &p.SubType }),
	plain("identifier", textColumn,
		func(p *catalog.Payload) *string { return &p.Identifier }).stays(),
	plain("revision", textColumn, func(p *catalog.Payload) *string { return &p.Revision }),
	plain("version", numberColumn,
		func(p *catalog.Payload) *int64 { return &p.Version }).by(catalog.ByVersion),
	plain("file_name", textColumn,
		func(p *catalog.Payload) *string { return &p.FileName }).by(catalog.ByFileName),
	tableColumn[catalog.Payload]{
		name:  "properties",
		value: func(p *catalog.Payload) any { return string(p.Properties) },
		dest:  func(p *catalog.Payload) any { return &p.Properties },
	},
	instant("created", stampColumn,
		func(p *catalog.Payload) *time.Time { return &p.Created }).by(catalog.ByCreated).stays(),
	instant("last_modified", stampColumn,
		func(p *catalog.Payload) *time.Time { return &p.LastModified }).by(catalog.ByLastModified),
	listing("scope_tags", func(p *catalog.Payload) *[]string { return &p.Tags }).by(catalog.ByTag),
	plain("mirrored_from", textColumn,
		func(p *catalog.Payload) *string { return &p.MirroredFrom }).stays(),
	plain("content", bytesColumn,
		func(p *catalog.Payload) *[]byte { return &p.Content }).onlyWhole(),
	tableColumn[catalog.Payload]{
		name:  "original",
		value: func(p *catalog.Payload) any { return blob(p.Original) },
		dest:  func(p *catalog.Payload) any { return &p.Original },
	}.onlyWhole(),
	derived("setting_count", numberColumn,
		func(p *catalog.Payload) any { return p.SettingCount() }).by(catalog.BySettings),
	derived("class", numberColumn, func(p *catalog.Payload) any { return p.Type.Class() }).stays(),
	derived("family", textColumn, func(p *catalog.Payload) any { return p.Family() }).stays(),
)

// payloadRead is what was read of a payload.
func payloadRead(p *catalog.Payload, err error) (*catalog.Payload, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return nil, catalog.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading a payload: %w", err)
	}
	return p, nil
}

var (
	selectPayloads = "SELECT " + payloadTable.selectedWhole + " FROM catalog_payloads WHERE id IN ("
	selectPayload  = selectPayloads + "?)"
)

// payload returns a catalog entry with its content; catalog.ErrNotFound if there is none.
func (q *session) payload(ctx context.Context, id action.PayloadID) (*catalog.Payload, error) {
	return payloadRead(payloadTable.scanWhole(func(dest ...any) error {
		return q.Row(ctx, selectPayload, []any{id}, dest...)
	}))
}

// addPayloads adds those of some catalog entries that there are, with their content.
func (q *session) addPayloads(ctx context.Context, to map[action.PayloadID]*catalog.Payload,
	ids []action.PayloadID) error {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = string(id)
	}
	return q.Once(ctx, selectPayloads+sqldb.Marks(len(ids))+")", args,
		func(scan func(...any) error) error {
			p, err := payloadRead(payloadTable.scanWhole(scan))
			if err == nil {
				to[p.ID] = p
			}
			return err
		})
}

func (t catalogTx) Payload(ctx context.Context, id action.PayloadID) (*catalog.Payload, error) {
	return t.q.payload(ctx, id)
}

// payloadProperty is the column of a field that is one of a payload's properties in JSON. They are
// compared as texts.
func payloadProperty(f query.Field) (column, bool) {
	name, ok := catalog.PropertyOf(f) // of letters and digits
	return column{"coalesce(properties ->> '" + name + "', '')", textColumn}, ok
}

var payloads = resource{
	things:  "payloads",
	columns: payloadTable.selected,
	from:    payloadTable.name,
	key:     column{"id", idColumn},
	more:    payloadProperty,
	fields: payloadTable.fields("", map[query.Field]column{
		catalog.ByAssigned: {"EXISTS (SELECT 1 FROM catalog_assignments WHERE payload_id = catalog_payloads.id)", boolColumn},
	}),
}

func (t catalogTx) Payloads(ctx context.Context,
	q query.Query) (query.Page[*catalog.Payload], error) {
	return list(ctx, t.q, &payloads, q, func(scan func(...any) error) (*catalog.Payload, error) {
		return payloadRead(payloadTable.scan(scan))
	})
}

func (t catalogTx) InsertPayload(ctx context.Context, p *catalog.Payload) error {
	_, err := t.q.Exec(ctx, payloadTable.insertText, payloadTable.insertArgs(p)...)
	if err != nil {
		return fmt.Errorf("writing payload %s: %w", p.ID, err)
	}
	return t.useRevision(ctx, p)
}

func (t catalogTx) UpdatePayload(ctx context.Context, p *catalog.Payload) error {
	_, err := t.q.Exec(ctx, payloadTable.updateText, payloadTable.updateArgs(p)...)
	if err != nil {
		return fmt.Errorf("writing payload %s: %w", p.ID, err)
	}
	return t.useRevision(ctx, p)
}

func (t catalogTx) useRevision(ctx context.Context, p *catalog.Payload) error {
	_, err := t.q.Exec(ctx,
		"INSERT INTO catalog_revisions (payload_id, revision) VALUES (?, ?) ON CONFLICT DO NOTHING",
		p.ID, p.Revision)
	if err != nil {
		return fmt.Errorf("writing revision %s of payload %s: %w", p.Revision, p.ID, err)
	}
	return nil
}

// blob is a column's value: NULL for nil.
func blob(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func (t catalogTx) DeletePayload(ctx context.Context, id action.PayloadID) error {
	n, err := t.q.Exec(ctx, "DELETE FROM catalog_payloads WHERE id = ?", id)
	if err != nil {
		return fmt.Errorf("deleting payload %s: %w", id, err)
	}
	if n == 0 {
		return catalog.ErrNotFound
	}
	return nil
}

func (t catalogTx) RevisionUsed(ctx context.Context, p *catalog.Payload,
	revision string) (used bool, err error) {
	err = t.q.Row(ctx, `SELECT EXISTS (SELECT 1 FROM catalog_payloads p JOIN catalog_revisions r ON r.payload_id = p.id
		WHERE p.class = ? AND p.family = ? AND p.identifier = ? AND r.revision = ?)`,
		[]any{p.Type.Class(), p.Family(), p.Identifier, revision}, &used)
	return used, err
}

func (t catalogTx) Assignments(ctx context.Context,
	id action.PayloadID) ([]catalog.Assignment, error) {
	var list []catalog.Assignment
	err := t.q.Rows(ctx,
		"SELECT id, kind, target FROM catalog_assignments WHERE payload_id = ? ORDER BY position",
		[]any{id},
		func(scan func(...any) error) error {
			var a catalog.Assignment
			err := scan(&a.ID, &a.Kind, &a.Target)
			list = append(list, a)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("reading the assignments of payload %s: %w", id, err)
	}
	return list, nil
}

func (t catalogTx) ReplaceAssignments(ctx context.Context, id action.PayloadID,
	list []catalog.Assignment) error {
	_, err := t.q.Exec(ctx, "DELETE FROM catalog_assignments WHERE payload_id = ?", id)
	for i, a := range list {
		if err != nil {
			break
		}
		_, err = t.q.Exec(ctx,
			"INSERT INTO catalog_assignments (id, payload_id, kind, target, position) VALUES (?, ?, ?, ?, ?)",
			a.ID, id, a.Kind, a.Target, i)
	}
	if err != nil {
		return fmt.Errorf("writing the assignments of payload %s: %w", id, err)
	}
	return nil
}

func (t catalogTx) RecordChange(ctx context.Context, c catalog.Change) error {
	_, err := t.q.Exec(ctx, "INSERT INTO catalog_changes (kind, target) VALUES (?, ?)", c.Kind,
		c.Target)
	if err != nil {
		return fmt.Errorf("recording a change for %s %s: %w", c.Kind, c.Target, err)
	}
	return nil
}

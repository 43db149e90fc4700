package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
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

const (
	payloadSummary = `id, type, platforms, odata_type, display_name, description, sub_type, identifier, revision, version,
		file_name, properties, created, last_modified, scope_tags`
	payloadContent = "content, original"
)

// scanPayload reads payloadSummary, and payloadContent behind it if whole.
func scanPayload(scan func(...any) error, whole bool) (*catalog.Payload, error) {
	var p catalog.Payload
	var platforms, tags string
	var created, modified sql.NullInt64
	dest := []any{&p.ID, &p.Type, &platforms, &p.ODataType, &p.DisplayName, &p.Description, &p.SubType, &p.Identifier,
		&p.Revision, &p.Version, &p.FileName, &p.Properties, &created, &modified, &tags}
	if whole {
		dest = append(dest, &p.Content, &p.Original)
	}
	err := scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, catalog.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading a payload: %w", err)
	}
	p.Platforms, p.Tags = unlisted[fleet.Platform](platforms), unlisted[string](tags)
	p.Created, p.LastModified = fromMicros(created), fromMicros(modified)
	return &p, nil
}

// payload returns a catalog entry with its content; catalog.ErrNotFound if there is none.
func (q *session) payload(ctx context.Context, id action.PayloadID) (*catalog.Payload, error) {
	return scanPayload(func(dest ...any) error {
		return q.Row(ctx, "SELECT "+payloadSummary+", "+payloadContent+" FROM catalog_payloads WHERE id = ?", []any{id}, dest...)
	}, true)
}

func (t catalogTx) Payload(ctx context.Context, id action.PayloadID) (*catalog.Payload, error) {
	return t.q.payload(ctx, id)
}

// textProperty is one of a payload's properties in JSON that are texts.
func textProperty(name string) column {
	return column{"coalesce(properties ->> '" + name + "', '')", textColumn}
}

var payloads = resource{
	things: "payloads", columns: payloadSummary, from: "catalog_payloads",
	key: column{"id", idColumn},
	fields: map[query.Field]column{
		catalog.ByID:           {"id", idColumn},
		catalog.ByType:         {"type", numberColumn},
		catalog.ByODataType:    {"odata_type", textColumn},
		catalog.ByDisplayName:  {"display_name", textColumn},
		catalog.ByDescription:  {"description", textColumn},
		catalog.ByFileName:     {"file_name", textColumn},
		catalog.ByVersion:      {"version", numberColumn},
		catalog.ByCreated:      {"created", stampColumn},
		catalog.ByLastModified: {"last_modified", stampColumn},
		catalog.ByAssigned:     {"EXISTS (SELECT 1 FROM catalog_assignments WHERE payload_id = catalog_payloads.id)", boolColumn},
		catalog.ByTag:          {"instr(scope_tags, ',' || ? || ',') > 0", listColumn},

		catalog.ByPublisher:       textProperty("publisher"),
		catalog.ByDeveloper:       textProperty("developer"),
		catalog.ByOwner:           textProperty("owner"),
		catalog.ByBundleID:        textProperty("bundleId"),
		catalog.ByPrimaryBundleID: textProperty("primaryBundleId"),
		catalog.ByPlatforms:       textProperty("platforms"),
		catalog.ByTechnologies:    textProperty("technologies"),
	},
}

func (t catalogTx) Payloads(ctx context.Context, q query.Query) (query.Page[*catalog.Payload], error) {
	return list(ctx, t.q, &payloads, q, func(scan func(...any) error) (*catalog.Payload, error) { return scanPayload(scan, false) })
}

func (t catalogTx) InsertPayload(ctx context.Context, p *catalog.Payload) error {
	_, err := t.q.Exec(ctx, "INSERT INTO catalog_payloads ("+payloadSummary+", "+payloadContent+`, class, family)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		p.ID, p.Type, listed(p.Platforms), p.ODataType, p.DisplayName, p.Description, p.SubType, p.Identifier, p.Revision, p.Version,
		p.FileName, string(p.Properties), micros(p.Created), micros(p.LastModified), listed(p.Tags), p.Content, blob(p.Original), p.Type.Class(), p.Family())
	if err != nil {
		return fmt.Errorf("writing payload %s: %w", p.ID, err)
	}
	return t.useRevision(ctx, p)
}

func (t catalogTx) UpdatePayload(ctx context.Context, p *catalog.Payload) error {
	_, err := t.q.Exec(ctx, `UPDATE catalog_payloads SET display_name = ?, description = ?, sub_type = ?, revision = ?, version = ?,
			file_name = ?, properties = ?, last_modified = ?, content = ?, original = ?, scope_tags = ?
		WHERE id = ?`,
		p.DisplayName, p.Description, p.SubType, p.Revision, p.Version, p.FileName, string(p.Properties), micros(p.LastModified),
		p.Content, blob(p.Original), listed(p.Tags), p.ID)
	if err != nil {
		return fmt.Errorf("writing payload %s: %w", p.ID, err)
	}
	return t.useRevision(ctx, p)
}

func (t catalogTx) useRevision(ctx context.Context, p *catalog.Payload) error {
	_, err := t.q.Exec(ctx, "INSERT INTO catalog_revisions (payload_id, revision) VALUES (?, ?) ON CONFLICT DO NOTHING", p.ID, p.Revision)
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

func (t catalogTx) RevisionUsed(ctx context.Context, p *catalog.Payload, revision string) (used bool, err error) {
	err = t.q.Row(ctx, `SELECT EXISTS (SELECT 1 FROM catalog_payloads p JOIN catalog_revisions r ON r.payload_id = p.id
		WHERE p.class = ? AND p.family = ? AND p.identifier = ? AND r.revision = ?)`,
		[]any{p.Type.Class(), p.Family(), p.Identifier, revision}, &used)
	return used, err
}

func (t catalogTx) Assignments(ctx context.Context, id action.PayloadID) ([]catalog.Assignment, error) {
	var list []catalog.Assignment
	err := t.q.Rows(ctx, "SELECT id, kind, target FROM catalog_assignments WHERE payload_id = ? ORDER BY position", []any{id},
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

func (t catalogTx) ReplaceAssignments(ctx context.Context, id action.PayloadID, list []catalog.Assignment) error {
	_, err := t.q.Exec(ctx, "DELETE FROM catalog_assignments WHERE payload_id = ?", id)
	for i, a := range list {
		if err != nil {
			break
		}
		_, err = t.q.Exec(ctx, "INSERT INTO catalog_assignments (id, payload_id, kind, target, position) VALUES (?, ?, ?, ?, ?)",
			a.ID, id, a.Kind, a.Target, i)
	}
	if err != nil {
		return fmt.Errorf("writing the assignments of payload %s: %w", id, err)
	}
	return nil
}

func (t catalogTx) RecordChange(ctx context.Context, c catalog.Change) error {
	_, err := t.q.Exec(ctx, "INSERT INTO catalog_changes (kind, target) VALUES (?, ?)", c.Kind, c.Target)
	if err != nil {
		return fmt.Errorf("recording a change for %s %s: %w", c.Kind, c.Target, err)
	}
	return nil
}

package store

import (
	"context"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// tagTable is a scope tag. Its id is made of its number by the database.
var tagTable = newTable("scope_tags", "id",
	plain("id", idColumn,
		func(t *access.ScopeTag) *string { return &t.ID }).by(access.ByID).writtenApart(),
	plain("name", textColumn,
		func(t *access.ScopeTag) *string { return &t.Name }).by(access.ByName),
	plain("description", textColumn,
		func(t *access.ScopeTag) *string { return &t.Description }).by(access.ByDescription),
)

var selectTag = "SELECT " + tagTable.selected + " FROM scope_tags"

var scopeTags = resource{
	things:  "scope tags",
	columns: tagTable.selected,
	from:    tagTable.name,
	key:     column{"number", numberColumn},
	fields: tagTable.fields("", map[query.Field]column{
		access.ByNumber:  {"number", numberColumn},
		access.ByBuiltIn: {"(number = 0)", boolColumn},
	}),
}

func scanTag(scan func(...any) error) (*access.ScopeTag, error) {
	tag, err := tagTable.scan(scan)
	if err != nil {
		return nil, sole(err)
	}
	return tag, nil
}

func (t accessTx) tag(ctx context.Context, where string, arg any) (*access.ScopeTag, error) {
	return scanTag(func(dest ...any) error {
		return t.q.Row(ctx, selectTag+where, []any{arg}, dest...)
	})
}

func (t accessTx) Tag(ctx context.Context, id string) (*access.ScopeTag, error) {
	return t.tag(ctx, " WHERE id = ?", id)
}

func (t accessTx) TagNamed(ctx context.Context, name string) (*access.ScopeTag, error) {
	return t.tag(ctx, " WHERE lower(name) = ?", lower(name))
}

func (t accessTx) Tags(ctx context.Context, q query.Query) (query.Page[*access.ScopeTag], error) {
	return list(ctx, t.q, &scopeTags, q, scanTag)
}

func (t accessTx) InsertTag(ctx context.Context, tag *access.ScopeTag) error {
	return t.q.Row(ctx, tagTable.insertText+" RETURNING id", tagTable.insertArgs(tag), &tag.ID)
}

func (t accessTx) UpdateTag(ctx context.Context, tag *access.ScopeTag) error {
	return t.change(ctx, tagTable.updateText, tagTable.updateArgs(tag)...)
}

func (t accessTx) DeleteTag(ctx context.Context, id string) error {
	return t.change(ctx, "DELETE FROM scope_tags WHERE id = ?", id)
}

func (t accessTx) TagUse(ctx context.Context,
	id string) (devices, payloads, assignments int, err error) {
	carried := listed([]string{id})
	err = t.q.Row(ctx, `SELECT (SELECT count(*) FROM devices WHERE instr(scope_tags, ?1) > 0),
		(SELECT count(*) FROM catalog_payloads WHERE instr(scope_tags, ?1) > 0),
		(SELECT count(*) FROM role_assignments WHERE instr(tag_ids, ?1) > 0)`,
		[]any{carried}, &devices, &payloads, &assignments)
	return devices, payloads, assignments, err
}

func (t accessTx) GroupExists(ctx context.Context, id string) (exists bool, err error) {
	err = t.q.Row(ctx, "SELECT EXISTS (SELECT 1 FROM catalog_groups WHERE id = ?)", []any{id},
		&exists)
	return exists, err
}

func (t accessTx) GroupsNamed(ctx context.Context, name string) (ids []string, err error) {
	err = t.q.Rows(ctx, "SELECT id FROM catalog_groups WHERE display_name = ? ORDER BY id",
		[]any{name}, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			ids = append(ids, id)
			return err
		})
	return ids, err
}

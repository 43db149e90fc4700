package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

var groupTable = newTable("catalog_groups", "id",
	plain("id", idColumn, func(g *catalog.DeviceGroup) *string { return &g.ID }).by(catalog.ByID),
	plain("display_name", textColumn,
		func(g *catalog.DeviceGroup) *string { return &g.DisplayName }).by(catalog.ByDisplayName),
	plain("description", textColumn,
		func(g *catalog.DeviceGroup) *string { return &g.Description }).by(catalog.ByDescription),
	plain("mail_nickname", textColumn,
		func(g *catalog.DeviceGroup) *string { return &g.Nickname }).by(catalog.ByNickname),
	instant("created", stampColumn,
		func(g *catalog.DeviceGroup) *time.Time { return &g.Created }).by(catalog.ByCreated),
)

func scanGroup(scan func(...any) error) (*catalog.DeviceGroup, error) {
	g, err := groupTable.scan(scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, catalog.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading a group: %w", err)
	}
	return g, nil
}

var groups = resource{
	things:  "groups",
	columns: groupTable.selected,
	from:    groupTable.name,
	key:     column{"id", idColumn},
	fields:  groupTable.fields("", nil),
}

var selectGroup = "SELECT " + groupTable.selected + " FROM catalog_groups WHERE id = ?"

func (t catalogTx) Group(ctx context.Context, id string) (*catalog.DeviceGroup, error) {
	return scanGroup(func(dest ...any) error {
		return t.q.Row(ctx, selectGroup, []any{id}, dest...)
	})
}

func (t catalogTx) Groups(ctx context.Context,
	q query.Query) (query.Page[*catalog.DeviceGroup], error) {
	return list(ctx, t.q, &groups, q, scanGroup)
}

func (t catalogTx) InsertGroup(ctx context.Context, g *catalog.DeviceGroup) error {
	_, err := t.q.Exec(ctx, groupTable.insertText, groupTable.insertArgs(g)...)
	if err != nil {
		return fmt.Errorf("writing group %s: %w", g.ID, err)
	}
	return nil
}

func (t catalogTx) UpdateGroup(ctx context.Context, g *catalog.DeviceGroup) error {
	if _, err := t.q.Exec(ctx, groupTable.updateText, groupTable.updateArgs(g)...); err != nil {
		return fmt.Errorf("writing group %s: %w", g.ID, err)
	}
	return nil
}

func (t catalogTx) DeleteGroup(ctx context.Context, id string) error {
	// The members are named one by one, because who they were is gone when the change is spread.
	_, err := t.q.Exec(ctx,
		"INSERT INTO catalog_changes (kind, target) SELECT ?, device_id FROM catalog_members WHERE group_id = ?",
		catalog.OneDevice, id)
	if err == nil {
		_, err = t.q.Exec(ctx,
			"DELETE FROM catalog_assignments WHERE kind IN (?, ?) AND target = ?", catalog.Group,
			catalog.ExcludeGroup, id)
	}
	var n int64
	if err == nil {
		n, err = t.q.Exec(ctx, "DELETE FROM catalog_groups WHERE id = ?", id)
	}
	if err != nil {
		return fmt.Errorf("deleting group %s: %w", id, err)
	}
	if n == 0 {
		return catalog.ErrNotFound
	}
	return nil
}

func (t catalogTx) AddMember(ctx context.Context, group string,
	device fleet.DeviceID) (bool, error) {
	n, err := t.q.Exec(ctx,
		"INSERT INTO catalog_members (group_id, device_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
		group, device)
	if err != nil {
		return false, fmt.Errorf("adding device %s to group %s: %w", device, group, err)
	}
	return n > 0, nil
}

func (t catalogTx) RemoveMember(ctx context.Context, group string,
	device fleet.DeviceID) (bool, error) {
	n, err := t.q.Exec(ctx, "DELETE FROM catalog_members WHERE group_id = ? AND device_id = ?",
		group, device)
	if err != nil {
		return false, fmt.Errorf("removing device %s from group %s: %w", device, group, err)
	}
	return n > 0, nil
}

func (t catalogTx) Members(ctx context.Context, group string, after fleet.DeviceID,
	limit int) ([]fleet.DeviceID, error) {
	var found []fleet.DeviceID
	err := t.q.Rows(ctx,
		"SELECT device_id FROM catalog_members WHERE group_id = ? AND device_id > ? ORDER BY device_id LIMIT ?",
		[]any{group, after, limit}, func(scan func(...any) error) error {
			var id fleet.DeviceID
			err := scan(&id)
			found = append(found, id)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("reading the members of group %s: %w", group, err)
	}
	return found, nil
}

func (t catalogTx) DeviceExists(ctx context.Context, id fleet.DeviceID) (exists bool, err error) {
	err = t.q.Row(ctx, "SELECT EXISTS (SELECT 1 FROM devices WHERE id = ?)", []any{id}, &exists)
	return exists, err
}

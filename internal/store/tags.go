package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

func (t catalogTx) TagExists(ctx context.Context, tag string) (exists bool, err error) {
	err = t.q.Row(ctx, "SELECT EXISTS (SELECT 1 FROM scope_tags WHERE id = ?)", []any{tag}, &exists)
	return exists, err
}

func (t catalogTx) PayloadTags(ctx context.Context, id action.PayloadID) ([]string, error) {
	return t.tags(ctx, "SELECT scope_tags FROM catalog_payloads WHERE id = ?", id,
		catalog.ErrNotFound)
}

func (t catalogTx) DeviceTags(ctx context.Context, id fleet.DeviceID) ([]string, error) {
	return t.tags(ctx, "SELECT scope_tags FROM devices WHERE id = ?", id, fleet.ErrNotFound)
}

func (t catalogTx) tags(ctx context.Context, text string, id any, none error) ([]string, error) {
	var column string
	err := t.q.Row(ctx, text, []any{id}, &column)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, none
	}
	return unlisted[string](column), err
}

func (t catalogTx) TagDevice(ctx context.Context, id fleet.DeviceID, tags []string) error {
	if _, err := t.q.Exec(ctx, "UPDATE devices SET scope_tags = ? WHERE id = ?", listed(tags),
		id); err != nil {
		return fmt.Errorf("tagging device %s: %w", id, err)
	}
	return nil
}

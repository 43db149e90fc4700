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
	"github.com/syncpayloads/syncpayloads/internal/live"
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

func (t catalogTx) Device(ctx context.Context, id fleet.DeviceID) (*fleet.Device, error) {
	return t.q.device(ctx, "id = ?", id)
}

func (t catalogTx) EditDevice(ctx context.Context, id fleet.DeviceID, e fleet.Edit,
	at time.Time) error {
	for _, change := range []struct {
		made  bool
		text  string
		value any
	}{
		{e.Tags != nil, "UPDATE devices SET scope_tags = ? WHERE id = ?", listed(e.Tags)},
		{e.ManagedName != nil, "UPDATE devices SET managed_name = ? WHERE id = ?", e.ManagedName},
		{e.Notes != nil, "UPDATE devices SET notes = ? WHERE id = ?", e.Notes},
		{e.Owner != nil, "UPDATE devices SET owner = ? WHERE id = ?", e.Owner},
	} {
		if !change.made {
			continue
		}
		if _, err := t.q.Exec(ctx, change.text, change.value, id); err != nil {
			return fmt.Errorf("editing device %s: %w", id, err)
		}
	}
	return newLiveTx(t.q).AppendEvents(ctx,
		[]live.Event{{Device: id, At: at, Kind: live.DeviceUpdated}})
}

// DeleteDevice deletes what refers to a device before the device itself. What has its own reference
// goes with it.
func (t catalogTx) DeleteDevice(ctx context.Context, id fleet.DeviceID, at time.Time) error {
	place, err := t.q.place(ctx, id)
	if err != nil {
		return err
	}
	for _, text := range []string{
		"DELETE FROM catalog_assignments WHERE kind = '" + string(catalog.OneDevice) +
			"' AND target = ?",
		"DELETE FROM actions WHERE device_id = ?",
		"DELETE FROM ledgers WHERE device_id = ?",
		"DELETE FROM android_postings WHERE enrollment IN " +
			"(SELECT name FROM android_enrollments WHERE device_id = ?)",
		"DELETE FROM android_enrollments WHERE device_id = ?",
		"DELETE FROM devices WHERE id = ?",
	} {
		if _, err := t.q.Exec(ctx, text, id); err != nil {
			return fmt.Errorf("deleting device %s: %w", id, err)
		}
	}
	return newLiveTx(t.q).AppendEvents(ctx,
		[]live.Event{{Device: id, At: at, Kind: live.DeviceDeleted, Place: &place}})
}

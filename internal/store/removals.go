package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// held is a payload that an action holds off a device, as table removals has it.
type held struct {
	id                   action.PayloadID
	kind                 action.PayloadType
	displayName, subType string
	since, restoreAt     time.Time
	actor                string
}

func heldOff(d *action.Device) []held {
	var list []held
	for _, p := range d.Payloads {
		if p.Away && p.Intent == action.Remove {
			list = append(list, held{p.ID, p.Type, p.DisplayName, p.SubType, p.AwaySince.UTC(), p.RestoreAt.UTC(), p.AwayBy})
		}
	}
	return list
}

// saveRemovals makes the table say what the ledger says, if that changed since the ledger was read.
func (t *engineTx) saveRemovals(ctx context.Context, device fleet.DeviceID, now []held) error {
	if slices.Equal(t.removals, now) {
		return nil
	}
	if err := t.exec(ctx, "DELETE FROM removals WHERE device_id = ?", device); err != nil {
		return fmt.Errorf("writing what is removed from device %s: %w", device, err)
	}
	for _, h := range now {
		err := t.exec(ctx, `INSERT INTO removals (device_id, payload_id, type, display_name, sub_type, since, actor, restore_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, device, h.id, h.kind, h.displayName, h.subType, h.since.UnixMicro(), h.actor, micros(h.restoreAt))
		if err != nil {
			return fmt.Errorf("writing what is removed from device %s: %w", device, err)
		}
	}
	return nil
}

// Removals lists what is held off devices, the newest first.
func (s *Store) Removals(ctx context.Context, query engine.RemovalQuery) (found []engine.Removal, err error) {
	b := selection{of: &devices, dialect: s.dialect}
	b.text.WriteString(`SELECT device_id, devices.name, payload_id, type, display_name, sub_type, since, actor, restore_at
		FROM removals JOIN devices ON devices.id = device_id`)
	var conditions []string
	if query.Scope != nil {
		areas := []string{"FALSE"}
		for _, a := range query.Scope {
			held := b.within(fleet.Within{a})
			if a.Tags != nil { // one that was deleted has no tags any more
				held += " AND EXISTS (SELECT 1 FROM catalog_payloads p WHERE p.id = payload_id AND " + b.tagged("p.scope_tags", a.Tags) + ")"
			}
			areas = append(areas, "("+held+")")
		}
		conditions = append(conditions, "("+strings.Join(areas, " OR ")+")")
	}
	if a := query.After; a != nil {
		conditions = append(conditions, "(since, device_id, payload_id) < ("+b.bind(a.Since.UnixMicro())+", "+b.bind(a.Device)+", "+b.bind(a.Payload)+")")
	}
	if len(conditions) > 0 {
		b.text.WriteString(" WHERE " + strings.Join(conditions, " AND "))
	}
	b.text.WriteString(" ORDER BY since DESC, device_id DESC, payload_id DESC LIMIT " + b.bind(query.Limit))
	err = s.read(ctx, func(q *session) error {
		return q.once(ctx, b.text.String(), b.args, func(scan func(...any) error) error {
			var r engine.Removal
			var since, restoreAt sql.NullInt64
			err := scan(&r.Device, &r.DeviceName, &r.Payload, &r.Type, &r.DisplayName, &r.SubType, &since, &r.Actor, &restoreAt)
			r.Since, r.RestoreAt = fromMicros(since), fromMicros(restoreAt)
			found = append(found, r)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listing what is removed: %w", err)
	}
	return found, nil
}

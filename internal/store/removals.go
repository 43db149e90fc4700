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

// removal is a payload that an action holds off a device, as table removals has it.
type removal struct {
	payload     action.PayloadID
	kind        action.PayloadType
	displayName string
	subType     string
	since       time.Time
	restoreAt   time.Time // zero: never
	actor       string
}

func removalsOf(d *action.Device) []removal {
	var list []removal
	for _, p := range d.Payloads {
		if !p.Away || p.Intent != action.Remove {
			continue
		}
		list = append(list, removal{
			payload:     p.ID,
			kind:        p.Type,
			displayName: p.DisplayName,
			subType:     p.SubType,
			since:       p.AwaySince.UTC(),
			restoreAt:   p.RestoreAt.UTC(),
			actor:       p.AwayBy,
		})
	}
	return list
}

// saveRemovals makes the table say what the ledger says now, if that is not what it said before.
func (t stepWrites) saveRemovals(ctx context.Context, device fleet.DeviceID, before,
	now []removal) error {
	if slices.Equal(before, now) {
		return nil
	}
	if err := t.to.exec(ctx, "DELETE FROM removals WHERE device_id = ?", device); err != nil {
		return fmt.Errorf("writing what is removed from device %s: %w", device, err)
	}
	for _, r := range now {
		err := t.to.exec(ctx, `INSERT INTO removals (device_id, payload_id, type, display_name, sub_type, since, actor, restore_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, device, r.payload, r.kind, r.displayName, r.subType, r.since.UnixMicro(), r.actor, micros(r.restoreAt))
		if err != nil {
			return fmt.Errorf("writing what is removed from device %s: %w", device, err)
		}
	}
	return nil
}

// Removals lists what is held off devices, the newest first.
func (s *Store) Removals(ctx context.Context,
	query engine.RemovalQuery) (found []engine.Removal, err error) {
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
		conditions = append(conditions,
			"(since, device_id, payload_id) < ("+b.bind(a.Since.UnixMicro())+", "+b.bind(a.Device)+", "+b.bind(a.Payload)+")")
	}
	if len(conditions) > 0 {
		b.text.WriteString(" WHERE " + strings.Join(conditions, " AND "))
	}
	b.text.WriteString(" ORDER BY since DESC, device_id DESC, payload_id DESC LIMIT " +
		b.bind(query.Limit))
	err = s.read(ctx, func(q *session) error {
		return q.Once(ctx, b.text.String(), b.args, func(scan func(...any) error) error {
			var r engine.Removal
			var since, restoreAt sql.NullInt64
			err := scan(&r.Device, &r.DeviceName, &r.Payload, &r.Type, &r.DisplayName, &r.SubType,
				&since, &r.Actor, &restoreAt)
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

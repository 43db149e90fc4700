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
	"github.com/syncpayloads/syncpayloads/internal/intune/channel"
)

// Assigned implements engine.Tx. A device of an Intune tenant gets nothing from this server.
func (t stepReads) Assigned(ctx context.Context, device fleet.DeviceID) ([]action.Spec, error) {
	q, err := t.from.session(ctx)
	if err != nil {
		return nil, err
	}
	var specs []action.Spec
	err = q.Rows(ctx, `WITH mine (kind, target) AS (
			SELECT 'allDevices', '' UNION ALL
			SELECT 'device', ?1 UNION ALL
			SELECT 'group', group_id FROM catalog_members WHERE device_id = ?1)
		SELECT id, type, identifier, revision, version, display_name, sub_type, created, 0 AS mirrored FROM catalog_payloads
		WHERE (SELECT authority FROM devices WHERE id = ?1) <> ?2 AND mirrored_from = ''
			AND id IN (SELECT payload_id FROM catalog_assignments JOIN mine USING (kind, target))
			AND id NOT IN (SELECT payload_id FROM catalog_assignments a JOIN catalog_members m ON m.group_id = a.target
				WHERE a.kind = 'excludeGroup' AND m.device_id = ?1)
			AND instr(platforms, (SELECT ',' || platform || ',' FROM devices WHERE id = ?1)) > 0
		UNION ALL SELECT payload_id, type, identifier, '', 1, display_name, sub_type, created, 1 FROM mirrored_payloads
			WHERE device_id = ?1
		ORDER BY 8, 1`, []any{device, channel.Authority},
		func(scan func(...any) error) error {
			var s action.Spec
			var created sql.NullInt64
			var mirrored int
			err := scan(&s.ID, &s.Type, &s.Identifier, &s.Revision, &s.Version, &s.DisplayName,
				&s.SubType, &created, &mirrored)
			s.Created = fromMicros(created)
			s.Mirrored = mirrored == 1
			specs = append(specs, s)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("reading what is assigned to device %s: %w", device, err)
	}
	return specs, nil
}

// SpreadChanges implements engine.Store. Changes are spread in the order in which they were made,
// each in pieces.
func (s *Store) SpreadChanges(ctx context.Context, now time.Time, limit int) (int, error) {
	pending := false
	err := s.read(ctx, func(q *session) error {
		return q.Row(ctx, "SELECT EXISTS (SELECT 1 FROM catalog_changes)", nil, &pending)
	})
	if err != nil || !pending {
		return 0, err
	}
	reached := 0
	err = s.write(ctx, func(q *session) error {
		reached, err = q.spread(ctx, now, limit)
		return err
	})
	return reached, err
}

// spread makes the next devices that the oldest change concerns due, and forgets changes that have
// reached everybody.
func (q *session) spread(ctx context.Context, now time.Time, limit int) (int, error) {
	for {
		var change int64
		var kind catalog.TargetKind
		var target, cursor string
		err := q.Row(ctx,
			"SELECT id, kind, target, cursor FROM catalog_changes ORDER BY id LIMIT 1", nil,
			&change, &kind, &target, &cursor)
		if errors.Is(err, sql.ErrNoRows) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		var devices []fleet.DeviceID
		err = q.Rows(ctx, concerned[kind], []any{target, cursor, limit},
			func(scan func(...any) error) error {
				var id fleet.DeviceID
				err := scan(&id)
				devices = append(devices, id)
				return err
			})
		if err != nil {
			return 0, err
		}
		if len(devices) == 0 {
			if _, err := q.Exec(ctx, "DELETE FROM catalog_changes WHERE id = ?",
				change); err != nil {
				return 0, err
			}
			continue
		}
		for _, id := range devices {
			_, err := q.Exec(ctx,
				"UPDATE ledgers SET revision = revision + 1, changed = TRUE, due_at = CASE WHEN due_at < ?1 THEN due_at ELSE ?1 END WHERE device_id = ?2", micros(now), id)
			if err != nil {
				return 0, err
			}
		}
		_, err = q.Exec(ctx, "UPDATE catalog_changes SET cursor = ? WHERE id = ?",
			devices[len(devices)-1], change)
		return len(devices), err
	}
}

// concerned lists, for each kind of change, the devices that it concerns after a cursor.
var concerned = map[catalog.TargetKind]string{
	catalog.AllDevices: "SELECT device_id FROM ledgers WHERE ?1 = '' AND device_id > ?2 ORDER BY device_id LIMIT ?3",
	catalog.Group:      "SELECT device_id FROM catalog_members WHERE group_id = ?1 AND device_id > ?2 ORDER BY device_id LIMIT ?3",
	catalog.OneDevice:  "SELECT device_id FROM ledgers WHERE device_id = ?1 AND device_id > ?2 ORDER BY device_id LIMIT ?3",
}

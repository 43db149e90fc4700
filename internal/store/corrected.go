package store

import (
	"context"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Ahead implements engine.Store. A ledger is due at the earliest of its automatic restores, which
// are in a table of their own, and of wake-ups and tries; a device on which an action goes on has
// one of those. Of nodes on one database only the one that keeps the clocks finds any.
func (s *Store) Ahead(ctx context.Context, after time.Time) (ahead []fleet.DeviceID, err error) {
	if !s.db.Leads() {
		return nil, nil
	}
	text := `SELECT device_id FROM ledgers l WHERE due_at > ? AND (changed
			OR due_at < coalesce((SELECT min(restore_at) FROM removals r WHERE r.device_id = l.device_id), due_at + 1)
			OR EXISTS (SELECT 1 FROM actions a WHERE a.device_id = l.device_id AND a.state IN ` + openStates + `))
		ORDER BY due_at`
	err = s.read(ctx, func(q *session) error {
		return q.Rows(ctx, text, []any{micros(after)}, func(scan func(...any) error) error {
			var id fleet.DeviceID
			err := scan(&id)
			ahead = append(ahead, id)
			return err
		})
	})
	return ahead, err
}

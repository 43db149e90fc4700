package store

import (
	"context"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/engine"
)

// DropActions implements engine.Store. It reads beside everybody, in the order of the index
// actions_started, and writes only when there is something to delete.
func (s *Store) DropActions(ctx context.Context, before time.Time, after engine.ActionMark,
	limit int) (dropped int, next engine.ActionMark, err error) {
	var old []any
	err = s.read(ctx, func(q *session) error {
		text := `SELECT a.id, a.started, a.state NOT IN ` + openStates + ` AND EXISTS (SELECT 1 FROM actions n
				WHERE n.device_id = a.device_id AND n.name = a.name AND n.number > a.number)
			FROM actions a WHERE (a.started, a.id) > (?1, ?2) AND a.started < ?3 ORDER BY a.started, a.id LIMIT ?4`
		return q.Rows(ctx, text, []any{after.Started.UnixMicro(), after.ID, before.UnixMicro(),
			limit}, func(scan func(...any) error) error {
			var id string
			var started int64
			var drop bool
			if err := scan(&id, &started, &drop); err != nil {
				return err
			}
			if next = (engine.ActionMark{Started: time.UnixMicro(started).UTC(), ID: id}); drop {
				old = append(old, id)
			}
			return nil
		})
	})
	if err != nil {
		return 0, next, fmt.Errorf("looking for old actions: %w", err)
	}
	if len(old) == 0 {
		return 0, next, nil
	}
	// What was final and had a successor then has them now, too.
	err = s.write(ctx, func(q *session) error {
		for _, id := range old {
			n, err := q.Exec(ctx, "DELETE FROM actions WHERE id = ?", id)
			if err != nil {
				return err
			}
			dropped += int(n)
		}
		return nil
	})
	if err != nil {
		return 0, next, fmt.Errorf("deleting old actions: %w", err)
	}
	return dropped, next, nil
}

package store

import (
	"context"
	"fmt"
)

// Ping reads as little from the database as can be: its error says why the database cannot be read.
// A wait for a connection ends with ctx; an answer is waited for as long as any other is.
func (s *Store) Ping(ctx context.Context) error {
	err := s.read(ctx, func(q *session) error {
		var devices int
		return q.Row(ctx, "SELECT count(*) FROM (SELECT 1 FROM devices LIMIT 1) AS found", nil,
			&devices)
	})
	if err != nil {
		return fmt.Errorf("reading from the database: %w", err)
	}
	return nil
}

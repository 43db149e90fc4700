package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// KeyDigest implements engine.Tx.
func (t stepReads) KeyDigest(ctx context.Context, device fleet.DeviceID, k *engine.Key,
	since time.Time) (digest []byte, err error) {
	q, err := t.from.session(ctx)
	if err != nil {
		return nil, err
	}
	err = q.Row(ctx,
		"SELECT digest FROM idempotency_keys WHERE device_id = ? AND caller = ? AND name = ? AND used_at > ?",
		[]any{device, k.Caller, k.Name, micros(since)}, &digest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading an idempotency key of device %s: %w", device, err)
	}
	return digest, nil
}

// SaveKey implements engine.Tx.
func (t stepWrites) SaveKey(ctx context.Context, device fleet.DeviceID, k *engine.Key,
	at time.Time) error {
	err := t.to.exec(ctx, `INSERT INTO idempotency_keys (device_id, caller, name, digest, used_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (device_id, caller, name) DO UPDATE SET digest = excluded.digest, used_at = excluded.used_at`,
		device, k.Caller, k.Name, k.Digest, micros(at))
	if err != nil {
		return fmt.Errorf("writing an idempotency key of device %s: %w", device, err)
	}
	return nil
}

// DropKeys implements engine.Store.
func (s *Store) DropKeys(ctx context.Context, before time.Time,
	limit int) (dropped int, err error) {
	err = s.write(ctx, func(q *session) error {
		n, err := q.Exec(ctx, `DELETE FROM idempotency_keys WHERE (device_id, caller, name) IN (
			SELECT device_id, caller, name FROM idempotency_keys WHERE used_at <= ? ORDER BY used_at LIMIT ?)`, micros(before), limit)
		dropped = int(n)
		return err
	})
	return dropped, err
}

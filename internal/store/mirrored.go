package store

import (
	"context"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// SaveMirrored implements engine.Tx.
func (t stepWrites) SaveMirrored(ctx context.Context, device fleet.DeviceID,
	specs []action.Spec) error {
	if err := t.to.exec(ctx, "DELETE FROM mirrored_payloads WHERE device_id = ?",
		device); err != nil {
		return fmt.Errorf("writing what is mirrored of device %s: %w", device, err)
	}
	for i := range specs {
		s := &specs[i]
		err := t.to.exec(ctx, `INSERT INTO mirrored_payloads (device_id, payload_id, type, identifier, display_name, sub_type, created)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, device, s.ID, s.Type, s.Identifier, s.DisplayName, s.SubType, micros(s.Created))
		if err != nil {
			return fmt.Errorf("writing what is mirrored of device %s: %w", device, err)
		}
	}
	return nil
}

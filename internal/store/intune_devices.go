package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/intune/channel"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

const selectIntuneDevice = "SELECT device_id, tenant, digest, read_at, doc FROM intune_devices "

func scanIntuneDevice(scan func(...any) error) (*channel.Device, error) {
	d := new(channel.Device)
	var read int64
	var doc []byte
	err := scan(&d.ID, &d.Tenant, &d.Digest, &read, &doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, channel.ErrNotFound
	}
	if err == nil {
		err = json.Unmarshal(doc, &d.Details)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a device of Intune's: %w", err)
	}
	if read != 0 {
		d.ReadAt = time.UnixMicro(read).UTC()
	}
	return d, nil
}

func (q *session) intuneDevice(ctx context.Context, id fleet.DeviceID) (*channel.Device, error) {
	return scanIntuneDevice(func(dest ...any) error {
		return q.Row(ctx, selectIntuneDevice+"WHERE device_id = ?", []any{id}, dest...)
	})
}

func (s *Store) intuneDevices(ctx context.Context, where string,
	args ...any) (list []channel.Device, err error) {
	err = s.read(ctx, func(q *session) error {
		return q.Rows(ctx, selectIntuneDevice+where, args, func(scan func(...any) error) error {
			d, err := scanIntuneDevice(scan)
			if err == nil {
				list = append(list, *d)
			}
			return err
		})
	})
	return list, err
}

// IntuneDevice implements channel.Store.
func (s *Store) IntuneDevice(ctx context.Context,
	id fleet.DeviceID) (d *channel.Device, err error) {
	err = s.read(ctx, func(q *session) error {
		d, err = q.intuneDevice(ctx, id)
		return err
	})
	return d, err
}

// IntuneDevices implements channel.Store.
func (s *Store) IntuneDevices(ctx context.Context,
	ids []fleet.DeviceID) (map[fleet.DeviceID]channel.Device, error) {
	found := make(map[fleet.DeviceID]channel.Device, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	list, err := s.intuneDevices(ctx, "WHERE device_id IN ("+sqldb.Marks(len(ids))+")", args...)
	for _, d := range list {
		found[d.ID] = d
	}
	return found, err
}

// IntuneDevicesAfter implements channel.Store.
func (s *Store) IntuneDevicesAfter(ctx context.Context, id string, after fleet.DeviceID,
	limit int) ([]channel.Device, error) {
	return s.intuneDevices(ctx,
		"WHERE tenant = ? AND device_id > ? ORDER BY device_id LIMIT ?", id, after, limit)
}

// StaleIntuneDevices implements channel.Store.
func (s *Store) StaleIntuneDevices(ctx context.Context, id string, before time.Time,
	limit int) ([]channel.Device, error) {
	return s.intuneDevices(ctx,
		"WHERE tenant = ? AND read_at < ? ORDER BY read_at, device_id LIMIT ?", id,
		before.UnixMicro(), limit)
}

// CountIntuneDevices implements channel.Store.
func (s *Store) CountIntuneDevices(ctx context.Context, id string) (n int, err error) {
	err = s.read(ctx, func(q *session) error {
		return q.Row(ctx, "SELECT count(*) FROM intune_devices WHERE tenant = ?", []any{id}, &n)
	})
	return n, err
}

// SaveIntuneDevice implements channel.Store.
func (s *Store) SaveIntuneDevice(ctx context.Context, d *channel.Device,
	facts *fleet.Device) error {
	return s.write(ctx, func(q *session) error {
		known, err := q.intuneDevice(ctx, d.ID)
		if err != nil && !errors.Is(err, channel.ErrNotFound) {
			return err
		}
		saved := *d
		if known != nil {
			saved.ReadAt = known.ReadAt
			saved.Details.Assigned = known.Details.Assigned
		}
		if err := q.saveIntuneDevice(ctx, &saved); err != nil {
			return err
		}
		_, err = q.Exec(ctx, `UPDATE devices SET name = ?, manufacturer = ?, model = ?,
			os_version = ?, serial_number = ?, supervised = ?, user_enrolled = ?,
			enrollment_type = ?, enrolled_at = ?, last_sync = ? WHERE id = ?`, facts.Name,
			facts.Manufacturer, facts.Model, facts.OSVersion, facts.SerialNumber,
			facts.Supervised, facts.UserEnrolled, facts.EnrollmentType,
			micros(facts.EnrolledAt), micros(facts.LastSync), d.ID)
		return err
	})
}

func (q *session) saveIntuneDevice(ctx context.Context, d *channel.Device) error {
	doc, err := json.Marshal(d.Details)
	if err != nil {
		return err
	}
	var read int64
	if !d.ReadAt.IsZero() {
		read = d.ReadAt.UnixMicro()
	}
	_, err = q.Exec(ctx, `INSERT INTO intune_devices (device_id, tenant, digest, read_at, doc)
		VALUES (?, ?, ?, ?, ?) ON CONFLICT (device_id) DO UPDATE SET tenant = excluded.tenant,
		digest = excluded.digest, read_at = excluded.read_at, doc = excluded.doc`,
		d.ID, d.Tenant, d.Digest, read, string(doc))
	if err != nil {
		return fmt.Errorf("writing device %s of Intune's: %w", d.ID, err)
	}
	return nil
}

// UpdateIntuneDevice implements channel.Store.
func (s *Store) UpdateIntuneDevice(ctx context.Context, id fleet.DeviceID,
	fn func(*channel.Device)) error {
	return s.write(ctx, func(q *session) error {
		d, err := q.intuneDevice(ctx, id)
		if errors.Is(err, channel.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		fn(d)
		return q.saveIntuneDevice(ctx, d)
	})
}

// EndIntuneDevice implements channel.Store.
func (s *Store) EndIntuneDevice(ctx context.Context, id fleet.DeviceID) error {
	return s.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, "DELETE FROM intune_devices WHERE device_id = ?", id)
		return err
	})
}

// MirroredNames implements channel.Store.
func (s *Store) MirroredNames(ctx context.Context,
	from string) (map[action.PayloadID]channel.MirroredName, error) {
	found := make(map[action.PayloadID]channel.MirroredName)
	err := s.read(ctx, func(q *session) error {
		return q.Rows(ctx, `SELECT id, display_name, last_modified FROM catalog_payloads
			WHERE mirrored_from <> '' AND mirrored_from = ?`, []any{from},
			func(scan func(...any) error) error {
				var id action.PayloadID
				var name channel.MirroredName
				var modified sql.NullInt64
				err := scan(&id, &name.Name, &modified)
				name.Modified = fromMicros(modified)
				found[id] = name
				return err
			})
	})
	return found, err
}

// saveMirrored writes a payload anew only in the place of one that the same system keeps.
var saveMirrored = payloadTable.upsertText +
	" WHERE catalog_payloads.mirrored_from = excluded.mirrored_from" +
	" AND catalog_payloads.type = excluded.type"

// SaveMirroredPayloads implements channel.Store.
func (s *Store) SaveMirroredPayloads(ctx context.Context, list []*catalog.Payload) error {
	return s.write(ctx, func(q *session) error {
		for _, p := range list {
			if _, err := q.Exec(ctx, saveMirrored, payloadTable.insertArgs(p)...); err != nil {
				return fmt.Errorf("writing payload %s: %w", p.ID, err)
			}
		}
		return nil
	})
}

// DropMirroredPayloads implements channel.Store.
func (s *Store) DropMirroredPayloads(ctx context.Context, from string,
	ids []action.PayloadID) error {
	return s.write(ctx, func(q *session) error {
		for _, id := range ids {
			if _, err := q.Exec(ctx, `DELETE FROM catalog_payloads
				WHERE id = ? AND mirrored_from <> '' AND mirrored_from = ?`, id,
				from); err != nil {
				return fmt.Errorf("deleting payload %s: %w", id, err)
			}
		}
		return nil
	})
}

// MirroredPayloads implements channel.Store.
func (s *Store) MirroredPayloads(ctx context.Context, from string,
	ids []action.PayloadID) (map[action.PayloadID]*catalog.Payload, error) {
	found := make(map[action.PayloadID]*catalog.Payload, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	args := []any{from}
	for _, id := range ids {
		args = append(args, id)
	}
	err := s.read(ctx, func(q *session) error {
		return q.Rows(ctx, "SELECT "+payloadTable.selected+` FROM catalog_payloads
			WHERE mirrored_from = ? AND id IN (`+sqldb.Marks(len(ids))+")", args,
			func(scan func(...any) error) error {
				p, err := payloadRead(payloadTable.scan(scan))
				if err == nil {
					found[p.ID] = p
				}
				return err
			})
	})
	return found, err
}

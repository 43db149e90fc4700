package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

const deviceColumns = `id, name, platform, manufacturer, model, os_version, serial_number, udid, supervised,
	user_enrolled, enrolled, enrolled_at, last_sync`

func scanDevice(scan func(...any) error) (*fleet.Device, error) {
	var d fleet.Device
	var enrolledAt, lastSync sql.NullInt64
	err := scan(&d.ID, &d.Name, &d.Platform, &d.Manufacturer, &d.Model, &d.OSVersion, &d.SerialNumber, &d.UDID,
		&d.Supervised, &d.UserEnrolled, &d.Enrolled, &enrolledAt, &lastSync)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fleet.ErrNotFound
	}
	d.EnrolledAt, d.LastSync = fromMicros(enrolledAt), fromMicros(lastSync)
	return &d, err
}

func (q *session) device(ctx context.Context, where string, arg any) (*fleet.Device, error) {
	return scanDevice(func(dest ...any) error {
		return q.row(ctx, "SELECT "+deviceColumns+" FROM devices WHERE "+where, []any{arg}, dest...)
	})
}

// Device returns a managed device; fleet.ErrNotFound if there is none of that id.
func (s *Store) Device(ctx context.Context, id fleet.DeviceID) (d *fleet.Device, err error) {
	err = s.read(ctx, func(q *session) error {
		d, err = q.device(ctx, "id = ?", id)
		return err
	})
	return d, err
}

// Touch writes the devices' last contact, where it is later than the one stored.
func (s *Store) Touch(ctx context.Context, seen map[fleet.DeviceID]time.Time) error {
	return s.write(ctx, func(q *session) error {
		for id, at := range seen {
			if _, err := q.exec(ctx, "UPDATE devices SET last_sync = ?1 WHERE id = ?2 AND (last_sync IS NULL OR last_sync < ?1)",
				micros(at), id); err != nil {
				return err
			}
		}
		return nil
	})
}

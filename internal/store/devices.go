package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

const (
	deviceFacts = `id, name, platform, manufacturer, model, os_version, serial_number, udid, supervised,
		user_enrolled, enrolled, enrolled_at, last_sync, authority`
	deviceColumns = deviceFacts + ", scope_tags"
)

func scanDevice(scan func(...any) error) (*fleet.Device, error) {
	var d fleet.Device
	var enrolledAt, lastSync sql.NullInt64
	var tags string
	err := scan(&d.ID, &d.Name, &d.Platform, &d.Manufacturer, &d.Model, &d.OSVersion, &d.SerialNumber, &d.UDID,
		&d.Supervised, &d.UserEnrolled, &d.Enrolled, &enrolledAt, &lastSync, &d.Authority, &tags)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fleet.ErrNotFound
	}
	d.EnrolledAt, d.LastSync, d.Tags = fromMicros(enrolledAt), fromMicros(lastSync), unlisted[string](tags)
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

// Place returns the groups and scope tags of a device; fleet.ErrNotFound if there is no such device.
func (s *Store) Place(ctx context.Context, id fleet.DeviceID) (p fleet.Place, err error) {
	err = s.read(ctx, func(q *session) error {
		p, err = q.place(ctx, id)
		return err
	})
	return p, err
}

// touchedAtOnce bounds how many devices one write touches, so that no other waits long for its turn.
const touchedAtOnce = 256

// Touch writes the devices' last contact, where it is later than the one stored.
func (s *Store) Touch(ctx context.Context, seen map[fleet.DeviceID]time.Time) error {
	for some := range slices.Chunk(slices.Sorted(maps.Keys(seen)), touchedAtOnce) {
		marks, args := make([]string, len(some)), make([]any, 0, 2*len(some))
		for i, id := range some {
			marks[i], args = "(?, CAST(? AS BIGINT))", append(args, id, micros(seen[id]))
		}
		err := s.write(ctx, func(q *session) error {
			_, err := q.exec(ctx, "UPDATE devices SET last_sync = column2 FROM (VALUES "+strings.Join(marks, ", ")+
				") AS seen WHERE id = column1 AND (last_sync IS NULL OR last_sync < column2)", args...)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

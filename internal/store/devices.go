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

// deviceTable is a managed device. To add a property, add a line, a migration for each engine, and
// the field in fleet.
var deviceTable = newTable("devices", "id",
	plain("id", idColumn,
		func(d *fleet.Device) *fleet.DeviceID { return &d.ID }).by(fleet.ByID).stays(),
	plain("name", textColumn, func(d *fleet.Device) *string { return &d.Name }).by(fleet.ByName),
	plain("platform", textColumn,
		func(d *fleet.Device) *fleet.Platform { return &d.Platform }).by(fleet.ByPlatform),
	plain("manufacturer", textColumn,
		func(d *fleet.Device) *string { return &d.Manufacturer }).by(fleet.ByManufacturer),
	plain("model", textColumn, func(d *fleet.Device) *string { return &d.Model }).by(fleet.ByModel),
	plain("os_version", textColumn,
		func(d *fleet.Device) *string { return &d.OSVersion }).by(fleet.ByOSVersion),
	plain("serial_number", textColumn,
		func(d *fleet.Device) *string { return &d.SerialNumber }).by(fleet.BySerialNumber),
	plain("wifi_mac", textColumn,
		func(d *fleet.Device) *string { return &d.WiFiMAC }).by(fleet.ByWiFiMAC),
	plain("udid", textColumn,
		func(d *fleet.Device) *string { return &d.UDID }).by(fleet.ByUDID).stays(),
	plain("supervised", boolColumn,
		func(d *fleet.Device) *bool { return &d.Supervised }).by(fleet.BySupervised),
	plain("user_enrolled", boolColumn,
		func(d *fleet.Device) *bool { return &d.UserEnrolled }).by(fleet.ByUserEnrolled),
	plain("enrollment_type", textColumn,
		func(d *fleet.Device) *string { return &d.EnrollmentType }).by(fleet.ByEnrollmentType),
	plain("enrolled", boolColumn,
		func(d *fleet.Device) *bool { return &d.Enrolled }).by(fleet.ByEnrolled),
	instant("enrolled_at", timeColumn,
		func(d *fleet.Device) *time.Time { return &d.EnrolledAt }).by(fleet.ByEnrolledAt),
	instant("last_sync", timeColumn,
		func(d *fleet.Device) *time.Time { return &d.LastSync }).by(fleet.ByLastSync).replacedBy(
		"CASE WHEN excluded.last_sync >= coalesce(devices.last_sync, 0) THEN excluded.last_sync ELSE devices.last_sync END"),
	plain("authority", textColumn, func(d *fleet.Device) *fleet.Authority { return &d.Authority }),
	plain("leaving", numberColumn,
		func(d *fleet.Device) *fleet.Leaving { return &d.Leaving }).by(fleet.ByLeaving),
	plain("managed_name", textColumn, func(d *fleet.Device) *string {
		return &d.ManagedName
	}).by(fleet.ByManagedName).comparedAs(deviceCalled).writtenApart(),
	plain("notes", textColumn,
		func(d *fleet.Device) *string { return &d.Notes }).by(fleet.ByNotes).writtenApart(),
	plain("owner", textColumn,
		func(d *fleet.Device) *fleet.Owner { return &d.Owner }).by(fleet.ByOwner).writtenApart(),
	listing("scope_tags", func(d *fleet.Device) *[]string {
		return &d.Tags
	}).by(fleet.ByTag).comparedAs(deviceTagged).writtenApart(),
)

func scanDevice(scan func(...any) error) (*fleet.Device, error) {
	d, err := deviceTable.scan(scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fleet.ErrNotFound
	}
	return d, err
}

var selectDevice = "SELECT " + deviceTable.selected + " FROM devices WHERE "

func (q *session) device(ctx context.Context, where string, arg any) (*fleet.Device, error) {
	return scanDevice(func(dest ...any) error {
		return q.Row(ctx, selectDevice+where, []any{arg}, dest...)
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

// Place returns the groups and scope tags of a device; fleet.ErrNotFound if there is no such
// device.
func (s *Store) Place(ctx context.Context, id fleet.DeviceID) (p fleet.Place, err error) {
	err = s.read(ctx, func(q *session) error {
		p, err = q.place(ctx, id)
		return err
	})
	return p, err
}

// touchedAtOnce bounds how many devices one write touches, so that no other waits long for its
// turn.
const touchedAtOnce = 256

// Touch writes the devices' last contact, where it is later than the one stored.
func (s *Store) Touch(ctx context.Context, seen map[fleet.DeviceID]time.Time) error {
	for some := range slices.Chunk(slices.Sorted(maps.Keys(seen)), touchedAtOnce) {
		marks, args := make([]string, len(some)), make([]any, 0, 2*len(some))
		for i, id := range some {
			marks[i], args = "(?, CAST(? AS BIGINT))", append(args, id, micros(seen[id]))
		}
		err := s.write(ctx, func(q *session) error {
			_, err := q.Exec(ctx,
				"UPDATE devices SET last_sync = column2 FROM (VALUES "+strings.Join(marks, ", ")+
					") AS seen WHERE id = column1 AND (last_sync IS NULL OR last_sync < column2)",
				args...)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

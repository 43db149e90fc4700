package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

const androidEnrollmentColumns = "name, coalesce(device_id, ''), udid, standing, state"

func scanAndroidEnrollment(scan func(...any) error) (*amapi.Enrollment, error) {
	var e amapi.Enrollment
	var state []byte
	err := scan(&e.Name, &e.Device, &e.UDID, &e.Standing, &state)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, amapi.ErrNotFound
	}
	if err == nil {
		err = json.Unmarshal(state, &e.State)
	}
	if err != nil {
		return nil, fmt.Errorf("reading an Android device's enrollment: %w", err)
	}
	return &e, nil
}

func (q *session) androidEnrollment(ctx context.Context, where string,
	args ...any) (*amapi.Enrollment, error) {
	return scanAndroidEnrollment(func(dest ...any) error {
		return q.Row(ctx, "SELECT "+androidEnrollmentColumns+" FROM android_enrollments WHERE "+
			where, args, dest...)
	})
}

func (s *Store) androidEnrollment(ctx context.Context, where string,
	args ...any) (e *amapi.Enrollment, err error) {
	err = s.read(ctx, func(q *session) error {
		e, err = q.androidEnrollment(ctx, where, args...)
		return err
	})
	return e, err
}

// AndroidEnrollment implements amapi.Store.
func (s *Store) AndroidEnrollment(ctx context.Context, name string) (*amapi.Enrollment, error) {
	return s.androidEnrollment(ctx, "name = ?", name)
}

// AndroidEnrollmentOf implements amapi.Store.
func (s *Store) AndroidEnrollmentOf(ctx context.Context,
	id fleet.DeviceID) (*amapi.Enrollment, error) {
	return s.androidEnrollment(ctx, "device_id = ? AND standing = ?", id, amapi.Current)
}

// AndroidEnrollmentByUDID implements amapi.Store.
func (s *Store) AndroidEnrollmentByUDID(ctx context.Context,
	udid string) (*amapi.Enrollment, error) {
	return s.androidEnrollment(ctx, `udid = ? AND (standing = ? OR standing = ?)
		ORDER BY standing = ? DESC, name LIMIT 1`, udid, amapi.Current, amapi.Beginning,
		amapi.Current)
}

// AndroidEnrollmentsAfter implements amapi.Store.
func (s *Store) AndroidEnrollmentsAfter(ctx context.Context, name string,
	limit int) (list []amapi.Enrollment, err error) {
	err = s.read(ctx, func(q *session) error {
		return q.Rows(ctx, "SELECT "+androidEnrollmentColumns+
			" FROM android_enrollments WHERE name > ? AND standing = ? ORDER BY name LIMIT ?",
			[]any{name, amapi.Current, limit}, func(scan func(...any) error) error {
				e, err := scanAndroidEnrollment(scan)
				if err == nil {
					list = append(list, *e)
				}
				return err
			})
	})
	return list, err
}

// CountAndroidEnrollments implements amapi.Store.
func (s *Store) CountAndroidEnrollments(ctx context.Context) (n int, err error) {
	err = s.read(ctx, func(q *session) error {
		return q.Row(ctx, "SELECT count(*) FROM android_enrollments WHERE standing = ?",
			[]any{amapi.Current}, &n)
	})
	return n, err
}

// SaveAndroidEnrollment implements amapi.Store.
func (s *Store) SaveAndroidEnrollment(ctx context.Context, e *amapi.Enrollment,
	replaces ...string) error {
	return s.write(ctx, func(q *session) error {
		for _, name := range replaces {
			// also those that nobody told of: what comes of them is late
			_, err := q.Exec(ctx, `INSERT INTO android_enrollments (name, udid, standing, state)
				VALUES (?, ?, ?, '{}') ON CONFLICT DO NOTHING`, name, e.UDID, amapi.Replaced)
			if err == nil {
				err = q.endAndroidEnrollment(ctx, name, amapi.Replaced)
			}
			if err != nil {
				return err
			}
		}
		if e.Standing == amapi.Current { // its policy is in use
			if err := q.dropOldAndroidPolicy(ctx, e.Device); err != nil {
				return err
			}
		}
		return q.saveAndroidEnrollment(ctx, e)
	})
}

func (q *session) saveAndroidEnrollment(ctx context.Context, e *amapi.Enrollment) error {
	state, err := json.Marshal(e.State)
	if err != nil {
		return err
	}
	device := sql.NullString{String: string(e.Device), Valid: e.Device != ""}
	_, err = q.Exec(ctx, `INSERT INTO android_enrollments (name, device_id, udid, standing, state)
		VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET device_id = excluded.device_id,
			udid = excluded.udid, standing = excluded.standing, state = excluded.state`,
		e.Name, device, e.UDID, e.Standing, string(state))
	return err
}

// UpdateAndroidEnrollment implements amapi.Store.
func (s *Store) UpdateAndroidEnrollment(ctx context.Context, name string,
	fn func(*amapi.Enrollment)) error {
	return s.write(ctx, func(q *session) error {
		e, err := q.androidEnrollment(ctx, "name = ?", name)
		if err != nil {
			return err
		}
		fn(e)
		return q.saveAndroidEnrollment(ctx, e)
	})
}

// EndAndroidEnrollment implements amapi.Store.
func (s *Store) EndAndroidEnrollment(ctx context.Context, name string) error {
	return s.write(ctx, func(q *session) error {
		return q.endAndroidEnrollment(ctx, name, amapi.Gone)
	})
}

func (q *session) endAndroidEnrollment(ctx context.Context, name string,
	standing amapi.Standing) error {
	_, err := q.Exec(ctx, "UPDATE android_enrollments SET standing = ? WHERE name = ?", standing,
		name)
	if err == nil {
		_, err = q.Exec(ctx, "DELETE FROM android_postings WHERE enrollment = ?", name)
	}
	if err == nil {
		_, err = q.Exec(ctx, `INSERT INTO android_old_policies (device_id, due)
			SELECT device_id, 0 FROM android_enrollments WHERE name = ? AND device_id IS NOT NULL
			ON CONFLICT (device_id) DO UPDATE SET due = 0, tries = 0`, name)
	}
	return err
}

// AndroidPostings implements amapi.Store.
func (s *Store) AndroidPostings(ctx context.Context,
	name string) (list []amapi.Posting, err error) {
	err = s.read(ctx, func(q *session) error {
		return q.Rows(ctx, `SELECT mark, hash, version, manifest FROM android_postings
			WHERE enrollment = ? ORDER BY mark DESC`, []any{name},
			func(scan func(...any) error) error {
				var p amapi.Posting
				var manifest []byte
				err := scan(&p.Mark, &p.Hash, &p.Version, &manifest)
				if err == nil {
					p.Manifest = new(amapi.Manifest)
					err = json.Unmarshal(manifest, p.Manifest)
				}
				list = append(list, p)
				return err
			})
	})
	if err != nil {
		err = fmt.Errorf("reading what was posted for %s: %w", name, err)
	}
	return list, err
}

// AddAndroidPosting implements amapi.Store.
func (s *Store) AddAndroidPosting(ctx context.Context, name string, p amapi.Posting) error {
	manifest, err := json.Marshal(p.Manifest)
	if err != nil {
		return err
	}
	return s.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, `DELETE FROM android_postings WHERE enrollment = ?1 AND mark NOT IN
			(SELECT mark FROM android_postings WHERE enrollment = ?1 AND version > 0
				ORDER BY mark DESC LIMIT ?2)`, name, amapi.KeptPostings)
		if err == nil {
			_, err = q.Exec(ctx, `INSERT INTO android_postings
				(enrollment, mark, hash, version, manifest) VALUES (?, ?, ?, ?, ?)`,
				name, p.Mark, p.Hash, p.Version, string(manifest))
		}
		return err
	})
}

// FinishAndroidPosting implements amapi.Store.
func (s *Store) FinishAndroidPosting(ctx context.Context, name string, mark,
	version int64) error {
	return s.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx,
			"UPDATE android_postings SET version = ? WHERE enrollment = ? AND mark = ?", version,
			name, mark)
		return err
	})
}

// MoveAndroidPosting implements amapi.Store.
func (s *Store) MoveAndroidPosting(ctx context.Context, name string, mark, to int64,
	m *amapi.Manifest) error {
	manifest, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return s.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, `UPDATE android_postings SET mark = ?, manifest = ?
			WHERE enrollment = ? AND mark = ?`, to, string(manifest), name, mark)
		return err
	})
}

// DropAndroidPosting implements amapi.Store.
func (s *Store) DropAndroidPosting(ctx context.Context, name string, mark int64) error {
	return s.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, "DELETE FROM android_postings WHERE enrollment = ? AND mark = ?",
			name, mark)
		return err
	})
}

// SpoilAndroidPostings implements amapi.Store.
func (s *Store) SpoilAndroidPostings(ctx context.Context, name string) error {
	return s.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, "UPDATE android_postings SET hash = '' WHERE enrollment = ?", name)
		return err
	})
}

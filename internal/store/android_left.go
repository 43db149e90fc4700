package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// OldAndroidPolicies implements amapi.Store.
func (s *Store) OldAndroidPolicies(ctx context.Context, now time.Time,
	limit int) (list []amapi.OldPolicy, err error) {
	err = s.read(ctx, func(q *session) error {
		return q.Rows(ctx, `SELECT device_id, tries FROM android_old_policies WHERE due <= ?
			ORDER BY due, device_id LIMIT ?`, []any{now.UnixMicro(), limit},
			func(scan func(...any) error) error {
				var p amapi.OldPolicy
				err := scan(&p.Device, &p.Tries)
				list = append(list, p)
				return err
			})
	})
	return list, err
}

// PutOffOldAndroidPolicy implements amapi.Store.
func (s *Store) PutOffOldAndroidPolicy(ctx context.Context, device fleet.DeviceID,
	until time.Time) error {
	return s.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, `UPDATE android_old_policies SET due = ?, tries = tries + 1
			WHERE device_id = ?`, until.UnixMicro(), device)
		return err
	})
}

// DropOldAndroidPolicy implements amapi.Store.
func (s *Store) DropOldAndroidPolicy(ctx context.Context, device fleet.DeviceID) error {
	return s.write(ctx, func(q *session) error { return q.dropOldAndroidPolicy(ctx, device) })
}

func (q *session) dropOldAndroidPolicy(ctx context.Context, device fleet.DeviceID) error {
	_, err := q.Exec(ctx, "DELETE FROM android_old_policies WHERE device_id = ?", device)
	return err
}

func scanAndroidWebApp(scan func(...any) error) (*amapi.WebApp, error) {
	var doc []byte
	w := new(amapi.WebApp)
	err := scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, amapi.ErrNotFound
	}
	if err == nil {
		err = json.Unmarshal(doc, w)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a web app: %w", err)
	}
	return w, nil
}

// AndroidWebApp implements amapi.Store.
func (s *Store) AndroidWebApp(ctx context.Context,
	id action.PayloadID) (w *amapi.WebApp, err error) {
	err = s.read(ctx, func(q *session) error {
		w, err = scanAndroidWebApp(func(dest ...any) error {
			return q.Row(ctx, "SELECT doc FROM android_web_apps WHERE payload_id = ?", []any{id},
				dest...)
		})
		return err
	})
	return w, err
}

// AndroidWebAppKept implements amapi.Store.
func (s *Store) AndroidWebAppKept(ctx context.Context, name string) (kept bool, err error) {
	err = s.read(ctx, func(q *session) error {
		var n int
		err := q.Row(ctx, "SELECT count(*) FROM android_web_apps WHERE package = ?", []any{name},
			&n)
		kept = n > 0
		return err
	})
	return kept, err
}

// SaveAndroidWebApp implements amapi.Store.
func (s *Store) SaveAndroidWebApp(ctx context.Context, w *amapi.WebApp) error {
	doc, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return s.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, `INSERT INTO android_web_apps (payload_id, package, doc)
			VALUES (?, ?, ?) ON CONFLICT (payload_id) DO UPDATE SET package = excluded.package,
				doc = excluded.doc`, w.Payload, w.Package(), string(doc))
		return err
	})
}

// LeftAndroidWebApps implements amapi.Store. All postings are looked through only while there is
// one whose payload is gone.
func (s *Store) LeftAndroidWebApps(ctx context.Context,
	limit int) (list []amapi.WebApp, err error) {
	err = s.read(ctx, func(q *session) error {
		return q.Rows(ctx, `SELECT doc FROM android_web_apps w
			WHERE NOT EXISTS (SELECT 1 FROM catalog_payloads p WHERE p.id = w.payload_id)
				AND (w.package = '' OR NOT EXISTS (SELECT 1 FROM android_postings a
					WHERE a.manifest LIKE '%"' || w.package || '"%' AND a.mark = (SELECT max(mark)
						FROM android_postings WHERE enrollment = a.enrollment)))
			ORDER BY payload_id LIMIT ?`, []any{limit}, func(scan func(...any) error) error {
			w, err := scanAndroidWebApp(scan)
			if err == nil {
				list = append(list, *w)
			}
			return err
		})
	})
	return list, err
}

// DropAndroidWebApp implements amapi.Store.
func (s *Store) DropAndroidWebApp(ctx context.Context, id action.PayloadID) error {
	return s.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, "DELETE FROM android_web_apps WHERE payload_id = ?", id)
		return err
	})
}

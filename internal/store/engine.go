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
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// View implements engine.Store.
func (s *Store) View(ctx context.Context, fn func(engine.Tx) error) error {
	return s.read(ctx, func(q *session) error { return fn(&engineTx{q: q}) })
}

// Look implements engine.Store.
func (s *Store) Look(ctx context.Context, fn func(engine.Tx) error) error {
	q, giveBack, err := s.db.borrow(ctx)
	if err != nil {
		return err
	}
	defer giveBack()
	return fn(&engineTx{q: q})
}

// Due implements engine.Store. Of nodes on one database only the one that keeps the clocks finds any.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) (due []fleet.DeviceID, err error) {
	if !s.db.leads() {
		return nil, nil
	}
	err = s.read(ctx, func(q *session) error {
		return q.rows(ctx, "SELECT device_id FROM ledgers WHERE due_at <= ? ORDER BY due_at LIMIT ?", []any{micros(now), limit},
			func(scan func(...any) error) error {
				var id fleet.DeviceID
				err := scan(&id)
				due = append(due, id)
				return err
			})
	})
	return due, err
}

type ledgerDoc struct {
	Device action.Device
	Wake   engine.Wake `json:",omitzero"`
}

func (t *engineTx) Ledger(ctx context.Context, device fleet.DeviceID) (*engine.Ledger, error) {
	if t.beside != nil {
		if known, ok := t.beside.ledgers.take(device); ok {
			t.began(device, known.revision)
			t.removals = heldOff(&known.Device)
			return known.Ledger, nil
		}
	}
	var due sql.NullInt64
	var changed bool
	var revision int64
	var doc []byte
	var act sql.Null[[]byte]
	err := t.row(ctx, `SELECT l.revision, l.due_at, l.changed, l.doc, (SELECT doc FROM actions WHERE device_id = l.device_id ORDER BY number DESC LIMIT 1)
		FROM ledgers l WHERE l.device_id = ?`, []any{device}, &revision, &due, &changed, &doc, &act)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fleet.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ledger of device %s: %w", device, err)
	}
	t.began(device, revision)
	var d ledgerDoc
	if err := json.Unmarshal(doc, &d); err != nil {
		return nil, fmt.Errorf("ledger of device %s: %w", device, err)
	}
	t.removals = heldOff(&d.Device)
	l := &engine.Ledger{Device: d.Device, Wake: d.Wake, DueAt: fromMicros(due), Changed: changed}
	if act.Valid {
		l.Device.Action = new(action.Action)
		if err := json.Unmarshal(act.V, l.Device.Action); err != nil {
			return nil, fmt.Errorf("latest action of device %s: %w", device, err)
		}
		l.Device.Action.InferSteps()
	}
	return l, nil
}

func (t *engineTx) SaveLedger(ctx context.Context, device fleet.DeviceID, l *engine.Ledger) error {
	doc, err := ledgerText(&ledgerDoc{l.Device, l.Wake})
	if err != nil {
		return err
	}
	text, args := "UPDATE ledgers SET revision = revision + 1, due_at = ?, changed = ?, doc = ? WHERE device_id = ? AND revision = ?",
		[]any{micros(l.DueAt), l.Changed, doc, device, t.revision}
	if t.beside != nil {
		t.guard, t.saved = statement{text, args}, l
	} else if _, err := t.q.exec(ctx, text, args...); err != nil {
		return fmt.Errorf("writing the ledger of device %s: %w", device, err)
	}
	return t.saveRemovals(ctx, device, heldOff(&l.Device))
}

func (t *engineTx) SaveAction(ctx context.Context, device fleet.DeviceID, a *action.Action) error {
	doc, err := actionText(a)
	if err != nil {
		return err
	}
	err = t.exec(ctx, `INSERT INTO actions (id, device_id, number, name, state, started, actor, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, doc = excluded.doc`,
		a.ID, device, a.Number, a.Name, a.State, a.Started.UnixMicro(), a.Actor, doc)
	if err != nil {
		return fmt.Errorf("writing action %s of device %s: %w", a.ID, device, err)
	}
	return nil
}

func (t *engineTx) Actions(ctx context.Context, device fleet.DeviceID) ([]*action.Action, error) {
	var found []*action.Action
	err := t.rows(ctx, `SELECT doc FROM actions WHERE device_id = ?1 AND number IN (
			(SELECT max(number) FROM actions WHERE device_id = ?1 AND name = ?2),
			(SELECT max(number) FROM actions WHERE device_id = ?1 AND name = ?3))
		ORDER BY number DESC`, []any{device, action.SyncPayloads, action.ChangeAssignments},
		func(scan func(...any) error) error {
			a, err := scanAction(scan)
			found = append(found, a)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("reading the actions of device %s: %w", device, err)
	}
	return found, nil
}

func (t *engineTx) SaveDevice(ctx context.Context, d *fleet.Device) error {
	t.alone = true
	err := t.exec(ctx, "INSERT INTO devices ("+deviceFacts+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, platform = excluded.platform,
			manufacturer = excluded.manufacturer, model = excluded.model, os_version = excluded.os_version,
			serial_number = excluded.serial_number, supervised = excluded.supervised,
			user_enrolled = excluded.user_enrolled, authority = excluded.authority, enrolled = excluded.enrolled, enrolled_at = excluded.enrolled_at,
			last_sync = CASE WHEN excluded.last_sync >= coalesce(devices.last_sync, 0) THEN excluded.last_sync ELSE devices.last_sync END`,
		d.ID, d.Name, d.Platform, d.Manufacturer, d.Model, d.OSVersion, d.SerialNumber, d.UDID, d.Supervised,
		d.UserEnrolled, d.Enrolled, micros(d.EnrolledAt), micros(d.LastSync), d.Authority)
	if err == nil {
		err = t.exec(ctx, `INSERT INTO ledgers (device_id, doc) VALUES (?, '{}') ON CONFLICT DO NOTHING`, d.ID)
	}
	if err != nil {
		return fmt.Errorf("writing device %s: %w", d.ID, err)
	}
	return nil
}

func (t *engineTx) PlaceDevice(ctx context.Context, d *fleet.Device) error {
	if len(d.Tags) > 0 {
		if err := t.exec(ctx, "UPDATE devices SET scope_tags = ? WHERE id = ?", listed(d.Tags), d.ID); err != nil {
			return fmt.Errorf("tagging device %s: %w", d.ID, err)
		}
	}
	for _, group := range d.Joins {
		err := t.exec(ctx, `INSERT INTO catalog_members (group_id, device_id) SELECT id, ?1 FROM catalog_groups WHERE id = ?2
			ON CONFLICT DO NOTHING`, d.ID, group)
		if err != nil {
			return fmt.Errorf("putting device %s into group %s: %w", d.ID, group, err)
		}
	}
	return nil
}

func (t *engineTx) Device(ctx context.Context, id fleet.DeviceID) (*fleet.Device, error) {
	return t.look(ctx, "id = ?", id)
}

func (t *engineTx) DeviceByUDID(ctx context.Context, udid string) (*fleet.Device, error) {
	return t.look(ctx, "udid = ?", udid)
}

func (t *engineTx) look(ctx context.Context, where string, arg any) (*fleet.Device, error) {
	q, err := t.session(ctx)
	if err != nil {
		return nil, err
	}
	return q.device(ctx, where, arg)
}

func (t *engineTx) Payload(ctx context.Context, id action.PayloadID) (*catalog.Payload, error) {
	q, err := t.session(ctx)
	if err != nil {
		return nil, err
	}
	return q.payload(ctx, id)
}

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

// View implements engine.Store.
func (s *Store) View(ctx context.Context, fn func(engine.Tx) error) error {
	return s.read(ctx, func(q *session) error { return fn(newLiveTx(q)) })
}

// Look implements engine.Store.
func (s *Store) Look(ctx context.Context, fn func(engine.Tx) error) error {
	q, giveBack, err := s.borrow(ctx)
	if err != nil {
		return err
	}
	defer giveBack()
	return fn(newLiveTx(q))
}

// Due implements engine.Store. Of nodes on one database only the one that keeps the clocks finds
// any.
func (s *Store) Due(ctx context.Context, now time.Time,
	limit int) (due []fleet.DeviceID, err error) {
	if !s.db.Leads() {
		return nil, nil
	}
	err = s.read(ctx, func(q *session) error {
		return q.Rows(ctx,
			"SELECT device_id FROM ledgers WHERE due_at <= ? ORDER BY due_at LIMIT ?",
			[]any{micros(now), limit},
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

// Ledger implements engine.Tx.
func (t *liveTx) Ledger(ctx context.Context, device fleet.DeviceID) (*engine.Ledger, error) {
	l, revision, err := t.q.ledger(ctx, device)
	if err != nil {
		return nil, err
	}
	t.revision = revision
	t.removals = removalsOf(&l.Device)
	return l, nil
}

// Ledger implements engine.Tx. A ledger that is in memory is taken out of it: nobody else may
// change it meanwhile.
func (t *plannedTx) Ledger(ctx context.Context, device fleet.DeviceID) (*engine.Ledger, error) {
	known, ok := t.store.ledgers.take(device)
	if !ok {
		q, err := t.session(ctx)
		if err != nil {
			return nil, err
		}
		if known.Ledger, known.revision, err = q.ledger(ctx, device); err != nil {
			return nil, err
		}
	}
	t.expectRevision(device, known.revision)
	t.removals = removalsOf(&known.Device)
	return known.Ledger, nil
}

// ledger reads a ledger with the latest action, and the ledger's revision.
func (q *session) ledger(ctx context.Context,
	device fleet.DeviceID) (_ *engine.Ledger, revision int64, _ error) {
	var due sql.NullInt64
	var changed bool
	var doc []byte
	var latest sql.Null[[]byte]
	err := q.Row(ctx, `SELECT l.revision, l.due_at, l.changed, l.doc, (SELECT doc FROM actions WHERE device_id = l.device_id ORDER BY number DESC LIMIT 1)
		FROM ledgers l WHERE l.device_id = ?`, []any{device}, &revision, &due, &changed, &doc, &latest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, fleet.ErrNotFound
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading the ledger of device %s: %w", device, err)
	}
	var d ledgerDoc
	if err := json.Unmarshal(doc, &d); err != nil {
		return nil, 0, fmt.Errorf("ledger of device %s: %w", device, err)
	}
	l := &engine.Ledger{Device: d.Device, Wake: d.Wake, DueAt: fromMicros(due), Changed: changed}
	if latest.Valid {
		l.Device.Action = new(action.Action)
		if err := json.Unmarshal(latest.V, l.Device.Action); err != nil {
			return nil, 0, fmt.Errorf("latest action of device %s: %w", device, err)
		}
		l.Device.Action.InferSteps()
	}
	return l, revision, nil
}

// SaveLedger implements engine.Tx.
func (t *liveTx) SaveLedger(ctx context.Context, device fleet.DeviceID, l *engine.Ledger) error {
	update, err := updateLedger(device, t.revision, l)
	if err != nil {
		return err
	}
	if err := t.exec(ctx, update.Text, update.Args...); err != nil {
		return fmt.Errorf("writing the ledger of device %s: %w", device, err)
	}
	return t.saveRemovals(ctx, device, t.removals, removalsOf(&l.Device))
}

// SaveLedger implements engine.Tx.
func (t *plannedTx) SaveLedger(ctx context.Context, device fleet.DeviceID, l *engine.Ledger) error {
	update, err := updateLedger(device, t.revision, l)
	if err != nil {
		return err
	}
	t.plan.Precondition = update // it changes nothing if the revision is another one
	t.saved = l
	return t.saveRemovals(ctx, device, t.removals, removalsOf(&l.Device))
}

func updateLedger(device fleet.DeviceID, revision int64,
	l *engine.Ledger) (*sqldb.Statement, error) {
	doc, err := ledgerText(&ledgerDoc{l.Device, l.Wake})
	if err != nil {
		return nil, err
	}
	const text = "UPDATE ledgers SET revision = revision + 1, due_at = ?, changed = ?, doc = ? WHERE device_id = ? AND revision = ?"
	return &sqldb.Statement{Text: text, Args: []any{micros(l.DueAt), l.Changed, doc, device,
		revision}}, nil
}

// storedAction is an action of a device, and its document, which is all that is read back.
type storedAction struct {
	device fleet.DeviceID
	action *action.Action
	doc    string
}

// actionTable is an action. Only its state and its document change.
var actionTable = newTable("actions", "id",
	derived("id", idColumn,
		func(a *storedAction) any { return a.action.ID }).by(audit.ByID).stays(),
	derived("device_id", idColumn,
		func(a *storedAction) any { return a.device }).by(audit.ByDevice).stays(),
	derived("number", numberColumn, func(a *storedAction) any { return a.action.Number }).stays(),
	derived("name", textColumn,
		func(a *storedAction) any { return a.action.Name }).by(audit.ByName).stays(),
	derived("state", numberColumn,
		func(a *storedAction) any { return a.action.State }).by(audit.ByState),
	derived("started", stampColumn, func(a *storedAction) any {
		return a.action.Started.UnixMicro()
	}).by(audit.ByStarted).stays(),
	derived("actor", textColumn,
		func(a *storedAction) any { return a.action.Actor }).by(audit.ByActor).stays(),
	derived("doc", textColumn, func(a *storedAction) any { return a.doc }),
)

// SaveAction implements engine.Tx.
func (t stepWrites) SaveAction(ctx context.Context, device fleet.DeviceID, a *action.Action) error {
	doc, err := actionText(a)
	if err != nil {
		return err
	}
	row := storedAction{device, a, doc}
	err = t.to.exec(ctx, actionTable.upsertText, actionTable.insertArgs(&row)...)
	if err != nil {
		return fmt.Errorf("writing action %s of device %s: %w", a.ID, device, err)
	}
	return nil
}

// Actions implements engine.Tx.
func (t stepReads) Actions(ctx context.Context, device fleet.DeviceID) ([]*action.Action, error) {
	var found []*action.Action
	q, err := t.from.session(ctx)
	if err != nil {
		return nil, err
	}
	err = q.Rows(ctx, `SELECT doc FROM actions WHERE device_id = ?1 AND number IN (
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

// SaveDevice implements engine.Tx.
func (t stepWrites) SaveDevice(ctx context.Context, d *fleet.Device) error {
	t.to.touchOtherRows()
	err := t.to.exec(ctx, deviceTable.upsertText, deviceTable.insertArgs(d)...)
	if err == nil {
		err = t.to.exec(ctx,
			`INSERT INTO ledgers (device_id, doc) VALUES (?, '{}') ON CONFLICT DO NOTHING`, d.ID)
	}
	if err != nil {
		return fmt.Errorf("writing device %s: %w", d.ID, err)
	}
	return nil
}

// PlaceDevice implements engine.Tx.
func (t stepWrites) PlaceDevice(ctx context.Context, d *fleet.Device) error {
	if len(d.Tags) > 0 {
		if err := t.to.exec(ctx, "UPDATE devices SET scope_tags = ? WHERE id = ?", listed(d.Tags),
			d.ID); err != nil {
			return fmt.Errorf("tagging device %s: %w", d.ID, err)
		}
	}
	for _, group := range d.Joins {
		err := t.to.exec(ctx, `INSERT INTO catalog_members (group_id, device_id) SELECT id, ?1 FROM catalog_groups WHERE id = ?2
			ON CONFLICT DO NOTHING`, d.ID, group)
		if err != nil {
			return fmt.Errorf("putting device %s into group %s: %w", d.ID, group, err)
		}
	}
	return nil
}

// Device implements engine.Tx.
func (t stepReads) Device(ctx context.Context, id fleet.DeviceID) (*fleet.Device, error) {
	q, err := t.from.session(ctx)
	if err != nil {
		return nil, err
	}
	return q.device(ctx, "id = ?", id)
}

// DeviceByUDID implements engine.Tx.
func (t stepReads) DeviceByUDID(ctx context.Context, udid string) (*fleet.Device, error) {
	q, err := t.from.session(ctx)
	if err != nil {
		return nil, err
	}
	return q.device(ctx, "udid = ?", udid)
}

// Payload implements engine.Tx.
func (t stepReads) Payload(ctx context.Context, id action.PayloadID) (*catalog.Payload, error) {
	q, err := t.from.session(ctx)
	if err != nil {
		return nil, err
	}
	return q.payload(ctx, id)
}

// payloadsInOneSelect is how many payloads a statement reads at most.
const payloadsInOneSelect = 1000

// Payloads implements engine.Tx.
func (t stepReads) Payloads(ctx context.Context,
	ids []action.PayloadID) (map[action.PayloadID]*catalog.Payload, error) {
	found := make(map[action.PayloadID]*catalog.Payload, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	q, err := t.from.session(ctx)
	if err != nil {
		return nil, err
	}
	for some := range slices.Chunk(ids, payloadsInOneSelect) {
		if err := q.addPayloads(ctx, found, some); err != nil {
			return nil, err
		}
	}
	return found, nil
}

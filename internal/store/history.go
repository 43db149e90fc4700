package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

var _ engine.History = (*Store)(nil)

// PastActions implements engine.History.
func (s *Store) PastActions(ctx context.Context, device fleet.DeviceID, before int64,
	limit int) (found []*action.Action, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	err = s.read(ctx, func(q *session) error {
		return q.Rows(ctx,
			"SELECT doc FROM actions WHERE device_id = ? AND number < ? ORDER BY number DESC LIMIT ?",
			[]any{device, before, limit}, func(scan func(...any) error) error {
				a, err := scanAction(scan)
				found = append(found, a)
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("reading the former actions of device %s: %w", device, err)
	}
	return found, nil
}

// PastAction implements engine.History.
func (s *Store) PastAction(ctx context.Context, device fleet.DeviceID,
	number int64) (a *action.Action, err error) {
	err = s.read(ctx, func(q *session) error {
		a, err = scanAction(func(dest ...any) error {
			return q.Row(ctx, "SELECT doc FROM actions WHERE device_id = ? AND number = ?",
				[]any{device, number}, dest...)
		})
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fleet.ErrNotFound
	}
	return a, err
}

func scanAction(scan func(...any) error) (*action.Action, error) {
	var doc []byte
	if err := scan(&doc); err != nil {
		return nil, err
	}
	a := new(action.Action)
	if err := json.Unmarshal(doc, a); err != nil {
		return nil, err
	}
	a.InferSteps()
	return a, nil
}

// actionEventsLimit is the most events that are looked through for those of one action.
const actionEventsLimit = 20_000

// ActionEvents implements engine.History.
func (s *Store) ActionEvents(ctx context.Context, device fleet.DeviceID,
	a *action.Action) (events []live.Event, err error) {
	err = s.read(ctx, func(q *session) error {
		return q.Rows(ctx,
			"SELECT position, doc FROM events WHERE device_id = ? AND at >= ? ORDER BY position LIMIT ?",
			[]any{device, micros(a.Started), actionEventsLimit},
			func(scan func(...any) error) error {
				e, err := scanEvent(scan)
				if err == nil && e.Action == a.ID {
					events = append(events, e)
				}
				return err
			})
	})
	return events, err
}

// Memberships implements engine.History.
func (s *Store) Memberships(ctx context.Context, device fleet.DeviceID,
	limit int) (events []live.Event, err error) {
	err = s.read(ctx, func(q *session) error {
		return q.Rows(ctx,
			`SELECT position, doc FROM events WHERE device_id = ? AND doc ->> 'Kind' IN (?, ?, ?) ORDER BY position DESC LIMIT ?`,
			[]any{device, live.DeviceEnrolled, live.DeviceReenrolled, live.DeviceLeft, limit},
			func(scan func(...any) error) error {
				e, err := scanEvent(scan)
				events = append(events, e)
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("reading when device %s enrolled: %w", device, err)
	}
	return events, nil
}

// Failures implements engine.History.
func (s *Store) Failures(ctx context.Context, where fleet.Condition, since time.Time,
	before *engine.Failure, limit int,
) (found []engine.Failure, err error) {
	b := selection{of: &devices, dialect: s.dialect}
	b.text.WriteString("SELECT position, doc, devices.name FROM events JOIN devices ON devices.id = device_id WHERE code IS NOT NULL AND at >= " +
		b.bind(micros(since)))
	if before != nil {
		b.text.WriteString(" AND (at, position) < (" + b.bind(micros(before.At)) + ", " +
			b.bind(before.Position) + ")")
	}
	if where != nil {
		condition, err := b.condition(where)
		if err != nil {
			return nil, err
		}
		b.text.WriteString(" AND " + condition)
	}
	b.text.WriteString(" ORDER BY at DESC, position DESC LIMIT " + b.bind(limit))
	err = s.read(ctx, func(q *session) error {
		return q.Once(ctx, b.text.String(), b.args, func(scan func(...any) error) error {
			var f engine.Failure
			var err error
			f.Event, err = scanEvent(func(dest ...any) error {
				return scan(append(dest, &f.DeviceName)...)
			})
			found = append(found, f)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listing failures: %w", err)
	}
	return found, nil
}

// CountFailures implements engine.History.
func (s *Store) CountFailures(ctx context.Context, since time.Time, width time.Duration, limit,
	most int,
) (found []engine.FailureCount, err error) {
	err = s.read(ctx, func(q *session) error {
		return q.Rows(ctx, `SELECT (at - ?1) / ?2 AS span, code, code_source, count(*) FROM
				(SELECT at, code, code_source FROM events WHERE code IS NOT NULL AND at >= ?1 ORDER BY at DESC, position DESC LIMIT ?3) AS latest
			GROUP BY span, code, code_source ORDER BY span DESC, code DESC, code_source DESC LIMIT ?4`,
			[]any{since.UnixMicro(), width.Microseconds(), limit, most},
			func(scan func(...any) error) error {
				var c engine.FailureCount
				var span int64
				err := scan(&span, &c.Code.Number, &c.Code.Source, &c.Count)
				c.At = since.Add(time.Duration(span) * width)
				found = append(found, c)
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("counting failures: %w", err)
	}
	slices.Reverse(found)
	return found, nil
}

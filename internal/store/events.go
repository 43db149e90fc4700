package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

// inOneInsert is how many events a statement writes at most: there is a text for each number.
const inOneInsert = 8

var insertEvents = func() (texts [inOneInsert + 1]string) {
	for n := range texts {
		texts[n] = "INSERT INTO events (device_id, at, code, code_source, doc) VALUES " +
			strings.Repeat("(?, ?, ?, ?, ?), ", max(0, n-1)) + "(?, ?, ?, ?, ?)"
	}
	return texts
}()

// AppendEvents implements engine.Tx.
func (t *liveTx) AppendEvents(ctx context.Context, events []live.Event) error {
	inserts, err := eventInserts(events)
	if err != nil {
		return err
	}
	for _, in := range inserts {
		if err := t.q.Add(ctx, in); err != nil {
			return fmt.Errorf("writing events of device %s: %w", events[0].Device, err)
		}
	}
	return nil
}

// AppendEvents implements engine.Tx.
func (t *plannedTx) AppendEvents(_ context.Context, events []live.Event) error {
	inserts, err := eventInserts(events)
	t.plan.Inserts = append(t.plan.Inserts, inserts...)
	return err
}

// eventInserts are the statements that write events. They give them their positions where the
// engine says these at once.
func eventInserts(events []live.Event) (inserts []sqldb.Insert, err error) {
	for some := range slices.Chunk(events, inOneInsert) {
		args := make([]any, 0, 5*len(some))
		for i := range some {
			e := &some[i]
			doc, err := eventText(e)
			if err != nil {
				return nil, err
			}
			var code any // of what failed; to be overtaken by a later action is no failure
			var source action.Source
			if e.Result != nil && e.Result.Status == action.Error {
				if whose := e.Result.WhoseCode(); whose != (action.Code{Number: action.CodeSuperseded}) {
					code, source = whose.Number, whose.Source
				}
			}
			args = append(args, e.Device, micros(e.At), code, source, doc)
		}
		numbered := func(last int64) {
			for i := range some {
				some[i].Position = last - int64(len(some)-1-i)
			}
		}
		inserts = append(inserts, sqldb.Insert{
			Statement: sqldb.Statement{Text: insertEvents[len(some)], Args: args},
			Numbered:  numbered,
		})
	}
	return inserts, nil
}

// Events implements live.Store.
func (s *Store) Events(ctx context.Context, device fleet.DeviceID, after int64,
	limit int) (events []live.Event, err error) {
	text, args := "SELECT position, doc FROM events WHERE position > ? ORDER BY position LIMIT ?",
		[]any{after, limit}
	if device != "" {
		text = "SELECT position, doc FROM events WHERE device_id = ? AND position > ? ORDER BY position LIMIT ?"
		args = []any{device, after, limit}
	}
	err = s.read(ctx, func(q *session) error {
		return q.Rows(ctx, text, args, func(scan func(...any) error) error {
			e, err := scanEvent(scan)
			events = append(events, e)
			return err
		})
	})
	return events, err
}

// scanEvent reads the columns position and doc.
func scanEvent(scan func(...any) error) (e live.Event, err error) {
	var position int64
	var doc []byte
	if err := scan(&position, &doc); err != nil {
		return e, err
	}
	if err := json.Unmarshal(doc, &e); err != nil {
		return e, fmt.Errorf("event %d: %w", position, err)
	}
	e.Position = position
	if e.Result != nil {
		e.Result.InferStep()
	}
	return e, nil
}

// EventRange implements live.Store.
func (s *Store) EventRange(ctx context.Context) (oldest, newest int64, err error) {
	err = s.read(ctx, func(q *session) error {
		oldest, newest, err = q.eventRange(ctx)
		return err
	})
	return oldest, newest, err
}

func (q *session) eventRange(ctx context.Context) (oldest, newest int64, err error) {
	err = q.Row(ctx, q.dialect.newestEvent, nil, &newest)
	if err == nil {
		err = q.Row(ctx, "SELECT coalesce(min(position), ?) FROM events", []any{newest + 1},
			&oldest)
	}
	return oldest, newest, err
}

// DropEvents implements live.Store.
func (s *Store) DropEvents(ctx context.Context, before time.Time,
	limit int) (dropped int, err error) {
	err = s.write(ctx, func(q *session) error {
		if _, err := q.Exec(ctx, q.dialect.keepNewest); err != nil {
			return err
		}
		// By position: at may step back with the clock, and the oldest are at the beginning.
		n, err := q.Exec(ctx, `DELETE FROM events WHERE position IN (SELECT position FROM events ORDER BY position LIMIT ?2)
			AND at < ?1`, micros(before), limit)
		dropped = int(n)
		return err
	})
	return dropped, err
}

// Standing implements live.Store.
func (s *Store) Standing(ctx context.Context,
	device fleet.DeviceID) (list []live.Standing, newest int64, err error) {
	err = s.read(ctx, func(q *session) error {
		if _, newest, err = q.eventRange(ctx); err != nil {
			return err
		}
		if device == "" {
			list, err = q.openActions(ctx)
			return err
		}
		if _, err := q.device(ctx, "id = ?", device); err != nil {
			return err
		}
		actions, err := newLiveTx(q).Actions(ctx, device)
		for _, a := range actions {
			list = append(list, live.Standing{Device: device, Action: a})
		}
		return err
	})
	return list, newest, err
}

// openStates are the states of actions that go on, as the index actions_open has them.
var openStates = fmt.Sprintf("(%d, %d)", action.Pending, action.Active)

func (q *session) openActions(ctx context.Context) (list []live.Standing, err error) {
	err = q.Rows(ctx,
		"SELECT device_id, doc FROM actions WHERE state IN "+openStates+" ORDER BY device_id, number", nil,
		func(scan func(...any) error) error {
			open := live.Standing{}
			var err error
			open.Action, err = scanAction(func(dest ...any) error {
				return scan(append([]any{&open.Device}, dest...)...)
			})
			list = append(list, open)
			return err
		})
	return list, err
}

func eventText(e *live.Event) (string, error) {
	d := document{text: make([]byte, 0, 1024)}
	d.event(e)
	return string(d.text), d.err
}

func (d *document) event(e *live.Event) {
	d.begin('{')
	d.number("Position", e.Position)
	d.string("Device", string(e.Device))
	d.time("At", e.At)
	d.string("Kind", string(e.Kind))
	d.string("Action", string(e.Action))
	d.string("Name", string(e.Name))
	d.string("Actor", e.Actor)
	d.time("Started", e.Started)
	d.number("State", int64(e.State))
	d.name("Result")
	if e.Result != nil {
		d.result(e.Result)
	} else {
		d.null()
	}
	if e.Place != nil {
		d.name("Place")
		d.begin('{')
		array(d, "Groups", e.Place.Groups, d.element)
		array(d, "Tags", e.Place.Tags, d.element)
		d.end('}')
	}
	d.end('}')
}

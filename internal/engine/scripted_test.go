package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// scripted is a store of which a test says what some of its methods do. What is nil is the store's
// own.
type scripted struct {
	*store.Store
	due         func(context.Context) ([]fleet.DeviceID, error)
	ahead       func(behind time.Time) ([]fleet.DeviceID, error)
	dropKeys    func(before time.Time) (int, error)
	dropActions func(after engine.ActionMark) (engine.ActionMark, error)
	payload     func(action.PayloadID) error // an error in place of the payload; nil: none
	update      func() error                 // an error in place of a step; nil: none
	saveLedger  func() error                 // an error in place of the last write; nil: none
	contents    int                          // queries for contents
}

func (s *scripted) Due(ctx context.Context, now time.Time, most int) ([]fleet.DeviceID, error) {
	if s.due != nil {
		return s.due(ctx)
	}
	return s.Store.Due(ctx, now, most)
}

func (s *scripted) Ahead(ctx context.Context, behind time.Time) ([]fleet.DeviceID, error) {
	if s.ahead != nil {
		return s.ahead(behind)
	}
	return s.Store.Ahead(ctx, behind)
}

func (s *scripted) DropKeys(ctx context.Context, before time.Time, most int) (int, error) {
	if s.dropKeys != nil {
		return s.dropKeys(before)
	}
	return s.Store.DropKeys(ctx, before, most)
}

func (s *scripted) DropActions(ctx context.Context, before time.Time, after engine.ActionMark,
	most int) (int, engine.ActionMark, error) {
	if s.dropActions != nil {
		next, err := s.dropActions(after)
		return 0, next, err
	}
	return s.Store.DropActions(ctx, before, after, most)
}

func (s *scripted) Update(ctx context.Context, id fleet.DeviceID,
	fn func(engine.Tx) error) error {
	if s.update != nil {
		if err := s.update(); err != nil {
			return err
		}
	}
	return s.Store.Update(ctx, id, func(tx engine.Tx) error { return fn(&scriptedTx{tx, s}) })
}

func (s *scripted) UpdateAlone(ctx context.Context, fn func(engine.Tx) error) error {
	if s.update != nil {
		if err := s.update(); err != nil {
			return err
		}
	}
	return s.Store.UpdateAlone(ctx, func(tx engine.Tx) error { return fn(&scriptedTx{tx, s}) })
}

func (s *scripted) View(ctx context.Context, fn func(engine.Tx) error) error {
	return s.Store.View(ctx, func(tx engine.Tx) error { return fn(&scriptedTx{tx, s}) })
}

type scriptedTx struct {
	engine.Tx
	s *scripted
}

func (t *scriptedTx) Payload(ctx context.Context,
	id action.PayloadID) (*catalog.Payload, error) {
	t.s.contents++
	if t.s.payload != nil {
		if err := t.s.payload(id); err != nil {
			return nil, err
		}
	}
	return t.Tx.Payload(ctx, id)
}

func (t *scriptedTx) Payloads(ctx context.Context,
	ids []action.PayloadID) (map[action.PayloadID]*catalog.Payload, error) {
	t.s.contents++
	if t.s.payload != nil && len(ids) > 0 {
		if err := t.s.payload(ids[0]); err != nil {
			return nil, err
		}
	}
	return t.Tx.Payloads(ctx, ids)
}

func (t *scriptedTx) SaveLedger(ctx context.Context, id fleet.DeviceID, l *engine.Ledger) error {
	if t.s.saveLedger != nil {
		if err := t.s.saveLedger(); err != nil {
			return err
		}
	}
	return t.Tx.SaveLedger(ctx, id, l)
}

var errScripted = errors.New("the disk is full")

// logged is a log that a test reads, line by line.
type logged chan string

func (l logged) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// ringing is a clock whose timers ring when a test says so.
type ringing struct {
	*clocktest.Clock
	ring chan time.Time
}

func (c *ringing) After(time.Duration) <-chan time.Time { return c.ring }

// server is an engine on a scripted store. It is not run.
type server struct {
	*testing.T
	*engine.Engine
	store *scripted
	clock *ringing
	log   logged
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{T: t, store: &scripted{Store: storetest.Open(t)}, log: make(logged, 100),
		clock: &ringing{clocktest.New(time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)),
			make(chan time.Time)}}
	s.with(engine.Config{})
	return s
}

// with makes an engine anew.
func (s *server) with(c engine.Config) {
	c.Store, c.Clock, c.Log = s.store, s.clock, slog.New(slog.NewTextHandler(s.log, nil))
	s.Engine = engine.New(c)
}

// runs lets the engine run until the test ends, or until the function that is returned is called.
func (s *server) runs() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Engine.Run(ctx); err != nil {
			s.Error(err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	s.Cleanup(stop)
	return stop
}

// says waits for a line in the log.
func (s *server) says(want string) {
	s.Helper()
	select {
	case line := <-s.log:
		if !strings.Contains(line, want) {
			s.Errorf("the log says %q, want %q", line, want)
		}
	case <-time.After(10 * time.Second):
		s.Fatalf("the log does not say %q", want)
	}
}

func (s *server) sweep() {
	s.Helper()
	if err := s.Sweep(s.Context()); err != nil {
		s.Fatal(err)
	}
}

func (s *server) enroll(d fleet.Device) fleet.DeviceID {
	s.Helper()
	d.Platform = fleet.IOS
	id, err := s.Enroll(s.Context(), d, "")
	if err != nil {
		s.Fatal(err)
	}
	return id
}

// assigned are new apps that are assigned to all devices.
func (s *server) assigned(bundles ...string) (ids []action.PayloadID) {
	s.Helper()
	for _, bundle := range bundles {
		ids = append(ids, assign(s.T, s.store.Store, s.clock.Clock, bundle))
	}
	return ids
}

// call starts an action, and returns the error.
func (s *server) call(id fleet.DeviceID, c engine.Call, off ...action.PayloadID) error {
	c.Name, c.Actor, c.Set = action.SyncPayloads, "admin", apps(off...)
	return s.Start(s.Context(), id, c)
}

// removed are the payloads that are held off a device, and its latest action.
func (s *server) removed(id fleet.DeviceID) (off []action.PayloadID, latest *action.Action) {
	s.Helper()
	payloads, err := s.Payloads(s.Context(), id)
	if err != nil {
		s.Fatal(err)
	}
	for _, p := range payloads {
		if p.Away && p.Intent == action.Remove {
			off = append(off, p.ID)
		}
	}
	actions, err := s.Actions(s.Context(), id)
	if err != nil {
		s.Fatal(err)
	}
	if len(actions) > 0 {
		latest = actions[0]
	}
	return off, latest
}

func (s *server) expectRemoved(id fleet.DeviceID, want ...action.PayloadID) {
	s.Helper()
	off, _ := s.removed(id)
	has := map[action.PayloadID]bool{}
	for _, p := range off {
		has[p] = true
	}
	for _, p := range want {
		if !has[p] {
			s.Errorf("%s is not held off the device", p)
		}
	}
	if len(off) != len(want) {
		s.Errorf("held off the device are %v, want %v", off, want)
	}
}

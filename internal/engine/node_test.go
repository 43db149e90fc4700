package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// counted is a store that counts how many ledgers are read and written.
type counted struct {
	*store.Store
	looks, updates atomic.Int64
}

func (s *counted) Look(ctx context.Context, fn func(engine.Tx) error) error {
	s.looks.Add(1)
	return s.Store.Look(ctx, fn)
}

func (s *counted) Update(ctx context.Context, id fleet.DeviceID, fn func(engine.Tx) error) error {
	s.updates.Add(1)
	return s.Store.Update(ctx, id, fn)
}

// node is a server on a database, as far as the engine goes.
type node struct {
	*testing.T
	*engine.Engine
	clock *clocktest.Clock
	store *counted
	woken chan fleet.DeviceID
	stop  func()
}

// Wake implements engine.Channel.
func (n *node) Wake(_ context.Context, id fleet.DeviceID) error {
	n.woken <- id
	return nil
}

// newNode runs a server, which has swept once when newNode returns.
func newNode(t *testing.T, db *store.Store, c *clocktest.Clock) *node {
	t.Helper()
	n := &node{T: t, clock: c, store: &counted{Store: db}, woken: make(chan fleet.DeviceID, 1000)}
	n.Engine = engine.New(engine.Config{Store: n.store, Clock: c,
		Log: slog.New(slog.DiscardHandler)})
	n.Attach(n, fleet.IOS)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := n.Engine.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	n.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(n.stop)
	n.sweep()
	return n
}

func (n *node) sweep() {
	n.Helper()
	if err := n.Sweep(n.Context()); err != nil {
		n.Fatal(err)
	}
}

// wakes waits until a device is woken.
func (n *node) wakes(id fleet.DeviceID) {
	n.Helper()
	select {
	case got := <-n.woken:
		if got != id {
			n.Errorf("device %s is woken, want %s", got, id)
		}
	case <-time.After(10 * time.Second):
		n.Fatalf("device %s is not woken", id)
	}
}

func (n *node) due(id fleet.DeviceID) (at time.Time) {
	n.Helper()
	err := n.store.View(n.Context(), func(tx engine.Tx) error {
		l, err := tx.Ledger(n.Context(), id)
		if err == nil {
			at = l.DueAt
		}
		return err
	})
	if err != nil {
		n.Fatal(err)
	}
	return at
}

func (n *node) start(id fleet.DeviceID, restoreAfter time.Duration, payloads ...action.PayloadID) {
	n.Helper()
	c := engine.Call{Name: action.SyncPayloads, Actor: "admin", RestoreAfter: &restoreAfter}
	for _, p := range payloads {
		c.Set = append(c.Set, action.Selection{ID: p, Type: action.Application})
	}
	if err := n.Start(n.Context(), id, c); err != nil {
		n.Fatal(err)
	}
}

// next lets the device connect and returns the task it is handed.
func (n *node) next(id fleet.DeviceID) *engine.Task {
	n.Helper()
	t, err := n.Idle(n.Context(), id)
	if err != nil || t == nil {
		n.Fatalf("device %s is handed %v, %v", id, t, err)
	}
	return t
}

func (n *node) answer(id fleet.DeviceID, t *engine.Task, o action.Outcome) *engine.Task {
	n.Helper()
	next, err := n.Answer(n.Context(), id, engine.Report{Task: t.ID, Outcome: o})
	if err != nil {
		n.Fatal(err)
	}
	return next
}

// serve lets the device connect and do all it is asked, where it has these apps afterwards.
func (n *node) serve(id fleet.DeviceID, apps ...string) {
	n.Helper()
	var o action.Outcome
	for _, app := range apps {
		o.Sightings = append(o.Sightings, action.Sighting{Identifier: app, Present: true})
	}
	for t := n.next(id); t != nil; {
		if t.Kind == action.TakeInventory && t.Class == action.Apps {
			t = n.answer(id, t, o)
		} else {
			t = n.answer(id, t, action.Outcome{})
		}
	}
}

const appA, appB = "com.example.a", "com.example.b"

// assign makes an app and assigns it to all devices.
func assign(t *testing.T, db *store.Store, c *clocktest.Clock, bundle string) action.PayloadID {
	t.Helper()
	all := catalog.New(db, catalog.MustForms(payload.Forms()), c.Now, uuid.NewString)
	p, err := all.Create(t.Context(), catalog.Input{ODataType: payload.IOSStoreApp,
		DisplayName: bundle,
		Properties:  json.RawMessage(fmt.Sprintf(`{"bundleId":%q,"appStoreUrl":"https://apps.apple.com/app/id1000"}`, bundle))})
	if err == nil {
		_, err = all.Assign(t.Context(), p.ID, []catalog.Assignment{{Kind: catalog.AllDevices}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return p.ID
}

func (n *node) enroll(udid string) fleet.DeviceID {
	n.Helper()
	id, err := n.Enroll(n.Context(), fleet.Device{UDID: udid, Name: udid, Platform: fleet.IOS}, "")
	if err != nil {
		n.Fatal(err)
	}
	return id
}

package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// witness is a store that remembers which actions each step stored.
type witness struct {
	*store.Store
	mu    sync.Mutex
	begun int
	kept  map[fleet.DeviceID][]*witnessed
}

// witnessed is a step, and the actions as they became in it. A step that was stored read the ledger,
// the last time that it tried, after the step before it was stored. So the number that it got then
// tells the order. Neither the beginning nor the end of Update does.
type witnessed struct {
	engine.Tx
	by     *witness
	number int
	saved  []*action.Action
}

func (w *witnessed) Ledger(ctx context.Context, device fleet.DeviceID) (*engine.Ledger, error) {
	l, err := w.Tx.Ledger(ctx, device)
	w.by.mu.Lock()
	defer w.by.mu.Unlock()
	w.by.begun++
	w.number = w.by.begun
	return l, err
}

func (w *witnessed) SaveAction(ctx context.Context, device fleet.DeviceID, a *action.Action) error {
	w.saved = append(w.saved, a.Clone())
	return w.Tx.SaveAction(ctx, device, a)
}

func (w *witness) Update(ctx context.Context, id fleet.DeviceID, fn func(engine.Tx) error) error {
	var step *witnessed
	err := w.Store.Update(ctx, id, func(tx engine.Tx) error {
		step = &witnessed{Tx: tx, by: w} // only the last try counts
		return fn(step)
	})
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.kept[id] = append(w.kept[id], step)
	}
	return err
}

func line(k live.Kind, state action.State, r *action.Result) string {
	if r == nil {
		return fmt.Sprintf("%s %d", k, state)
	}
	return fmt.Sprintf("%s %d %s %d/%d %d %q", k, state, r.Payload, r.Intent, r.Status, r.Code,
		r.Detail)
}

// expected is what the log must tell of each action, by what the steps stored: each payload that is
// another than it was, and then the state if it is.
func (w *witness) expected(id fleet.DeviceID) map[action.ActionID][]string {
	all := map[action.ActionID][]string{}
	last := map[action.ActionID]*action.Action{}
	slices.SortFunc(w.kept[id], func(a, b *witnessed) int { return a.number - b.number })
	var kept []*action.Action
	for _, step := range w.kept[id] {
		kept = append(kept, step.saved...)
	}
	for _, a := range kept {
		was := last[a.ID]
		if was == nil {
			all[a.ID] = append(all[a.ID], line(live.ActionStarted, a.State, nil))
		}
		for i, r := range a.Results {
			if was == nil || was.Results[i] != r {
				all[a.ID] = append(all[a.ID], line(live.PayloadChanged, a.State, &r))
			}
		}
		if was != nil && was.State != a.State || was == nil && a.State.Final() {
			all[a.ID] = append(all[a.ID], line(live.ActionChanged, a.State, nil))
		}
		last[a.ID] = a
	}
	return all
}

// phone is a device that does what random says with what it is told.
type phone struct {
	*testing.T
	*engine.Engine
	id     fleet.DeviceID
	random *rand.Rand
	apps   map[string]bool
}

func (p *phone) outcome(t *engine.Task) (o action.Outcome) {
	if t.Kind == action.TakeInventory {
		for bundle := range p.apps {
			o.Sightings = append(o.Sightings,
				action.Sighting{Identifier: bundle, Present: true, Working: p.random.IntN(10) == 0})
		}
		return o
	}
	switch p.random.IntN(12) {
	case 0:
		return action.Outcome{Verdict: action.NotNow}
	case 1:
		return action.Outcome{Verdict: action.Retriable, Code: 7, Detail: "busy"}
	case 2:
		return action.Outcome{Verdict: action.Permanent, Code: 8, Detail: "broken"}
	}
	if t.Kind == action.Install {
		p.apps[t.Payload.Identifier] = true
	} else {
		delete(p.apps, t.Payload.Identifier)
	}
	return o
}

// connect does up to so many tasks, and goes away in the middle of the next.
func (p *phone) connect(most int) {
	p.Helper()
	t, err := p.Idle(p.Context(), p.id)
	for ; t != nil && err == nil && most > 0; most-- {
		t, err = p.Answer(p.Context(), p.id, engine.Report{Task: t.ID, Outcome: p.outcome(t)})
	}
	if err != nil {
		p.Error(err)
	}
}

// The log tells of each change of each action, once, and in order: what the steps of many devices
// stored, which share commits, is what readers see.
func TestEventsAreTheChanges(t *testing.T) {
	const phones, calls, payloads = 4, 25, 11 // more payloads than one statement writes events
	w := &witness{Store: storetest.Open(t), kept: map[fleet.DeviceID][]*witnessed{}}
	c := clocktest.New(time.Date(2025, 2, 13, 10, 0, 0, 0, time.UTC))
	var set []action.Selection
	for i := range payloads {
		set = append(set, action.Selection{ID: assign(t, w.Store, c,
			fmt.Sprintf("com.example.app%d", i)), Type: action.Application})
	}
	e := engine.New(engine.Config{Store: w, Clock: c, Log: slog.New(slog.DiscardHandler)})
	var ids []fleet.DeviceID
	var running sync.WaitGroup
	for i := range phones {
		id, err := e.Enroll(t.Context(), fleet.Device{UDID: fmt.Sprint(i), Platform: fleet.IOS}, "")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
		p := &phone{t, e, id, rand.New(rand.NewPCG(4, uint64(i))), map[string]bool{}}
		running.Go(func() {
			p.connect(100)
			for range calls {
				away := slices.DeleteFunc(slices.Clone(set),
					func(action.Selection) bool { return p.random.IntN(2) == 0 })
				after := time.Duration(p.random.IntN(3)) * time.Hour
				if err := e.Start(t.Context(), id,
					engine.Call{Name: action.SyncPayloads, Actor: "admin", Set: away,
						RestoreAfter: &after}); err != nil {
					t.Error(err)
				}
				p.connect(p.random.IntN(20))
				c.Advance(time.Duration(p.random.IntN(30)) * time.Minute)
				if err := e.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
			}
			c.Advance(time.Hour)
			p.connect(100)
		})
	}
	running.Wait()
	total := 0
	for _, id := range ids {
		got := map[action.ActionID][]string{}
		for after := int64(0); ; {
			events, err := w.Events(t.Context(), id, after, 100)
			if err != nil {
				t.Fatal(err)
			}
			if len(events) == 0 {
				break
			}
			for _, e := range events {
				if after = e.Position; !e.Kind.OfDevice() {
					got[e.Action] = append(got[e.Action], line(e.Kind, e.State, e.Result))
				}
			}
		}
		want := w.expected(id)
		for a, lines := range want {
			total += len(lines)
			if !slices.Equal(got[a], lines) {
				t.Errorf("of an action is told\n%s\nand it became\n%s", strings.Join(got[a], "\n"),
					strings.Join(lines, "\n"))
			}
		}
		if len(got) != len(want) {
			t.Errorf("events of %d actions, and there are %d", len(got), len(want))
		}
	}
	if total < phones*calls*payloads/2 {
		t.Errorf("only %d events", total)
	}
	t.Logf("%d events", total)
}

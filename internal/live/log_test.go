package live_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// journal is a log on a real database, and who writes to it.
type journal struct {
	*live.Log
	store *store.Store
}

func open(t *testing.T) *journal {
	t.Helper()
	st, err := store.Open(t.Context(), storetest.Location(t))
	if err != nil {
		t.Fatal(err)
	}
	j := &journal{live.NewLog(st, slog.New(slog.DiscardHandler)), st}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- j.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ran, st.Close()); err != nil {
			t.Error(err)
		}
	})
	return j
}

var day = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

func (j *journal) write(ctx context.Context, device fleet.DeviceID, n int, at time.Time) error {
	events := make([]live.Event, n)
	for i := range events {
		events[i] = live.Event{Device: device, At: at, Kind: live.PayloadChanged,
			Action: action.ActionID(fmt.Sprint(i)),
			Result: &action.Result{Payload: "p", Detail: fmt.Sprint(i)}}
	}
	err := j.store.Update(ctx, device,
		func(tx engine.Tx) error { return tx.AppendEvents(ctx, events) })
	if n%4 == 0 {
		events = nil // as of events that another process wrote
	}
	j.Notify(events)
	return err
}

// A reader that comes back before the log has found its own end, as one does whose server restarts,
// is served what was written meanwhile. It does not have to wait for the next event.
func TestReaderBeforeTheLogBegins(t *testing.T) {
	for _, device := range []fleet.DeviceID{"", "one", "another"} {
		st := storetest.Open(t)
		j := &journal{live.NewLog(st, slog.New(slog.DiscardHandler)), st}
		if err := j.write(t.Context(), "one", 4, day); err != nil {
			t.Fatal(err)
		}
		reader, err := j.Reader(t.Context(), device, 1)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- j.Run(ctx) }()
		<-reader.Turn()
		events, err := reader.Next(t.Context())
		if err != nil || device != "another" && len(events) != 3 || device == "another" && len(events) > 0 {
			t.Errorf("a reader of %q has %d events, %v", device, len(events), err)
		}
		reader.Done()
		reader.Close()
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	}
}

// Whatever the points at which a reader is cut off and comes back, while several writers write,
// what it has read joined together is the log: no gap, no repeat, in order.
func TestResumedStreamIsTheLog(t *testing.T) {
	j := open(t)
	var devices []fleet.DeviceID
	for i := range 3 {
		devices = append(devices, fleet.DeviceID(fmt.Sprint("device", i)))
	}
	rapid.Check(t, func(rt *rapid.T) {
		ctx := t.Context()
		followed := rapid.SampledFrom(append([]fleet.DeviceID{""}, devices...)).Draw(rt, "device")
		sizes := rapid.SliceOfN(rapid.IntRange(1, 40), 1, 12).Draw(rt, "batches")
		cuts := rapid.SliceOfN(rapid.IntRange(1, 60), 1, 20).Draw(rt, "cuts")
		_, begin, err := j.store.EventRange(ctx)
		if err != nil {
			rt.Fatal(err)
		}
		var writers sync.WaitGroup
		want := 0
		for i, n := range sizes {
			device := devices[i%len(devices)]
			if followed == "" || followed == device {
				want += n
			}
			writers.Go(func() {
				if err := j.write(ctx, device, n, day); err != nil {
					t.Error(err)
				}
			})
		}
		var read []live.Event
		after := begin
		for cut := 0; len(read) < want; cut++ {
			left := cuts[cut%len(cuts)]
			for e, err := range j.Follow(ctx, followed, after) {
				if err != nil {
					rt.Fatal(err)
				}
				read, after = append(read, e), e.Position
				if left--; left == 0 || len(read) == want {
					break
				}
			}
		}
		writers.Wait()
		kept, err := j.store.Events(ctx, followed, begin, want+1)
		if err != nil || len(kept) != want {
			rt.Fatalf("the log has %d events, want %d: %v", len(kept), want, err)
		}
		for i := range kept {
			if read[i].Position != kept[i].Position ||
				read[i].Result.Detail != kept[i].Result.Detail {
				rt.Fatalf("event %d was read as %+v, the log has %+v", i, read[i], kept[i])
			}
		}
	})
}

// A reader far behind what is kept in memory still gets everything.
func TestReaderFarBehind(t *testing.T) {
	j := open(t)
	const n = 10_000
	for range n / 500 {
		if err := j.write(t.Context(), "d", 500, day); err != nil {
			t.Fatal(err)
		}
	}
	var last int64
	read := 0
	for e, err := range j.Follow(t.Context(), "", 0) {
		if err != nil || e.Position != last+1 {
			t.Fatalf("event %d follows %d: %v", e.Position, last, err)
		}
		last = e.Position
		if read++; read == n {
			break
		}
	}
}

// Events that are not kept any more are missed with a word, never in silence.
func TestGone(t *testing.T) {
	j := open(t)
	for i := range 3 {
		if err := j.write(t.Context(), "d", 600, day.AddDate(0, 0, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Drop(t.Context(), day.AddDate(0, 0, 2)); err != nil {
		t.Fatal(err)
	}
	first := func(after int64) (live.Event, error) {
		for e, err := range j.Follow(t.Context(), "", after) {
			return e, err
		}
		return live.Event{}, errors.New("ended")
	}
	for _, after := range []int64{0, 700, 1199, 1801} {
		if _, err := first(after); !errors.Is(err, live.ErrGone) {
			t.Errorf("behind %d: %v", after, err)
		}
	}
	if e, err := first(1200); err != nil || e.Position != 1201 {
		t.Errorf("behind 1200 comes %d: %v", e.Position, err)
	}
	if err := j.Drop(t.Context(), day.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := first(1500); !errors.Is(err, live.ErrGone) {
		t.Errorf("behind the middle of an empty log: %v", err)
	}
	if err := j.write(t.Context(), "d", 1, day); err != nil {
		t.Fatal(err)
	}
	if e, err := first(1800); err != nil || e.Position != 1801 {
		t.Errorf("a position was given twice: %d, %v", e.Position, err)
	}
}

func TestChanges(t *testing.T) {
	was := &action.Action{ID: "a", State: action.Pending,
		Results: []action.Result{{Payload: "p"}, {Payload: "q"}}}
	now := was.Clone()
	now.State, now.Results[1].Status = action.Active, action.InProgress
	for name, c := range map[string]struct {
		was, now *action.Action
		want     string
	}{
		"begun":      {nil, was, "actionStarted: payloadChanged:p payloadChanged:q "},
		"moved":      {was, now, "payloadChanged:q actionChanged: "},
		"same":       {was, was.Clone(), ""},
		"none":       {nil, nil, ""},
		"ended soon": {nil, &action.Action{State: action.Done}, "actionStarted: actionChanged: "},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, e := range live.Changes("d", day, c.was, c.now) {
				got += string(e.Kind) + ":"
				if e.Result != nil {
					got += string(e.Result.Payload)
				}
				got += " "
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

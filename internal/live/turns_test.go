package live_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

func (j *journal) reader(t *testing.T, device fleet.DeviceID) *live.Reader {
	t.Helper()
	_, newest, err := j.store.EventRange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := j.Reader(t.Context(), device, newest)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func takeTurn(t *testing.T, r *live.Reader) []*live.Event {
	t.Helper()
	select {
	case <-r.Turn():
	case <-time.After(time.Minute):
		t.Fatal("the reader never had its turn")
	}
	events, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// Readers that do not come to the end of their turn, because what they write to takes nothing, keep
// nobody waiting.
func TestReadersThatStall(t *testing.T) {
	j := open(t)
	for range 300 {
		j.reader(t, "d") // first in the queue, and never done
	}
	last := j.reader(t, "d")
	for i := range 3 {
		if err := j.write(t.Context(), "d", 1, day); err != nil {
			t.Fatal(err)
		}
		if events := takeTurn(t, last); len(events) != 1 {
			t.Fatalf("turn %d has %d events", i, len(events))
		}
		last.Done()
	}
}

// Each of thousands of readers is told of an event once, and none of them of another device's.
func TestThousandsOfReaders(t *testing.T) {
	j := open(t)
	var told atomic.Int64
	var all sync.WaitGroup
	for i := range 2000 {
		r := j.reader(t, fleet.DeviceID(fmt.Sprint("device", i%2)))
		if i%2 == 1 {
			all.Go(func() { told.Add(int64(len(takeTurn(t, r)))); r.Done() })
			continue
		}
		defer func() {
			select {
			case <-r.Turn():
				t.Error("a reader was woken for another device's event")
			default:
			}
		}()
	}
	if err := j.write(t.Context(), "device1", 1, day); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if told.Load() != 1000 {
		t.Errorf("1000 readers were told of %d events", told.Load())
	}
}

// counted counts how often a device's events are read from the store.
type counted struct {
	live.Store
	reads atomic.Int64
}

func (c *counted) Events(ctx context.Context, device fleet.DeviceID, after int64,
	limit int) ([]live.Event, error) {
	if device != "" {
		c.reads.Add(1)
	}
	return c.Store.Events(ctx, device, after, limit)
}

// A reader of a device that was quiet while very much happened on others is served from memory.
func TestReaderOfAQuietDevice(t *testing.T) {
	st := open(t).store
	c := &counted{Store: st}
	j := &journal{live.NewLog(c, slog.New(slog.DiscardHandler)), st}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- j.Run(ctx) }()
	defer func() {
		if stop(); <-ran != nil {
			t.Error("the log ended with an error")
		}
	}()
	first := j.reader(t, "first") // has its turn when the log has begun
	if err := j.write(t.Context(), "first", 1, day); err != nil {
		t.Fatal(err)
	}
	takeTurn(t, first)
	first.Done()
	c.reads.Store(0)
	quiet, busy := j.reader(t, "quiet"), j.reader(t, "busy")
	for range 20 {
		if err := j.write(t.Context(), "busy", 500, day); err != nil {
			t.Fatal(err)
		}
		for n := 0; n < 500; busy.Done() {
			n += len(takeTurn(t, busy))
		}
	}
	if err := j.write(t.Context(), "quiet", 1, day); err != nil {
		t.Fatal(err)
	}
	if events := takeTurn(t, quiet); len(events) != 1 || events[0].Device != "quiet" {
		t.Errorf("got %d events", len(events))
	}
	if n := c.reads.Load(); n != 0 {
		t.Errorf("readers that kept up read %d times from the store", n)
	}
}

package notify_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/notify"
)

// Whatever fails and in whatever order: of every event its device is told at or after it, in the
// order of the events, to a subscription of all devices and to one of one device, through failing
// receivers, processes that end or die in the middle of a delivery, and several processes at once.
func TestNothingIsLost(t *testing.T) {
	w := newWorld(t)
	devices := []fleet.DeviceID{w.device(), w.device(), w.device()}
	rapid.Check(t, func(rt *rapid.T) {
		who, token := w.owner(access.TokenInput{})
		r, one := newReceiver(w), newReceiver(w)
		defer r.Close()
		defer one.Close()
		w.subscribe(who, w.input(r))
		in := w.input(one)
		in.Resource += "/" + string(devices[0])
		w.subscribe(who, in)
		nodes := []*notify.Service{w.Service, notify.New(w.config)}
		begin := w.newest()
		last := make(map[fleet.DeviceID]int64)
		for _, act := range rapid.SliceOfN(rapid.IntRange(0, 9), 1, 40).Draw(rt, "acts") {
			switch act {
			case 0, 1, 2, 3:
				some := rapid.SliceOfN(rapid.SampledFrom(devices), 1, 5).Draw(rt, "events")
				w.happen(some...)
				for i, d := range some {
					last[d] = w.newest() - int64(len(some)-1-i)
				}
			case 4:
				status := rapid.SampledFrom([]int{http.StatusOK, http.StatusInternalServerError,
					http.StatusNotFound, http.StatusFound}).Draw(rt, "status")
				for _, x := range []*receiver{r, one} {
					x.set(func(r *receiver) { r.status = status })
				}
			case 5:
				w.advance(time.Duration(rapid.IntRange(1, 600).Draw(rt, "seconds")) * time.Second)
			case 6: // ends at any moment
				ctx, stop := context.WithTimeout(t.Context(), time.Duration(rand.Int64N(3_000_000)))
				_ = nodes[0].Sweep(ctx) // it was told to end
				stop()
				for _, x := range []*receiver{r, one} {
					x.CloseClientConnections() // and wait for what was under way
				}
				nodes[0] = notify.New(w.config)
			case 7: // dies with all that is due
				if _, err := w.store.ClaimSubscriptions(t.Context(), "dead", w.now(),
					w.now().Add(30*time.Second), 9); err != nil {
					rt.Fatal(err)
				}
			case 8:
				both := make(chan error, 1)
				go func() { both <- nodes[1].Sweep(t.Context()) }()
				if err := nodes[0].Sweep(t.Context()); err != nil {
					rt.Fatal(err)
				}
				if err := <-both; err != nil {
					rt.Fatal(err)
				}
			default:
				if err := nodes[1].Sweep(t.Context()); err != nil {
					rt.Fatal(err)
				}
			}
		}
		for _, x := range []*receiver{r, one} {
			x.set(func(r *receiver) { r.status = http.StatusOK })
		}
		w.advance(11 * time.Minute)
		if err := nodes[0].Sweep(t.Context()); err != nil {
			rt.Fatal(err)
		}
		check(rt, w, r, begin, last)
		check(rt, w, one, begin, map[fleet.DeviceID]int64{devices[0]: last[devices[0]]})
		if err := w.tokens.Revoke(t.Context(), token); err != nil {
			rt.Fatal(err)
		}
		if err := nodes[0].Sweep(t.Context()); err != nil {
			rt.Fatal(err)
		}
	})
}

// check holds that what a receiver has accepted goes up to the last event of each device, in order.
func check(rt *rapid.T, w *world, r *receiver, begin int64, last map[fleet.DeviceID]int64) {
	rt.Helper()
	posts, events := r.take()
	told := make(map[fleet.DeviceID]int64)
	for _, p := range posts {
		before := begin
		for _, n := range p.list {
			at := n.position(w)
			if at <= before {
				rt.Fatalf("%d follows %d in one delivery", at, before)
			}
			before = at
			// One that was not acknowledged comes again, and what was accepted by a process that
			// died, too.
			if p.status/100 == 2 {
				if at < told[n.Data.ID] {
					rt.Fatalf("device %s: %d was told after %d", n.Data.ID, at, told[n.Data.ID])
				}
				told[n.Data.ID] = at
			}
		}
	}
	for device, want := range last {
		if told[device] != want {
			rt.Fatalf("device %s: told up to %d, its last event is %d", device, told[device], want)
		}
	}
	if len(told) > len(last) || len(events) > 0 {
		rt.Fatalf("told of %v and %v, want %v", told, events, last)
	}
}

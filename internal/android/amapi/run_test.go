package amapi_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// A server that runs by itself serves its devices: nobody tells it when.
func TestRun(t *testing.T) {
	w := newBareWorld(t, simulator.Options{Quota: 1_000_000, PullWait: 100 * time.Millisecond})
	w.setUp(amapi.Pull)
	ids := make(map[string]fleet.DeviceID)
	p := w.wifi("Office")
	token := w.token(amapi.FullyManaged, access.EnrollmentTerms{})
	for _, serial := range serials(5) {
		ids[serial] = w.idOf(w.enrollWith(token, serial, simulator.DeviceOptions{}))
	}
	if !storetest.Postgres() { // where an earlier process is gone when there is another one
		w.must(w.store.Hold())
		_, err := w.store.TakeLease(t.Context(), "android/device/"+string(ids["A"]),
			"an earlier process", w.clock.Now(), w.clock.Now().Add(24*time.Hour))
		w.must(err)
	}
	channel, err := amapi.New(amapi.Config{URL: "https://mdm.example", Store: w.store,
		Engine: w.engine, Now: w.clock.Now, Log: slog.New(slog.DiscardHandler), PerSecond: 1000,
		After: func(d time.Duration) <-chan time.Time {
			if d != amapi.RenewEvery && d != amapi.ReliedOn { // leases are of real work
				d = time.Millisecond
			}
			return time.After(d)
		},
		Endpoints: amapi.Endpoints{API: w.google.URL + "/", PubSub: w.google.URL + "/",
			Token: w.google.URL + "/token"}})
	w.must(err)
	// Wake-ups go to the channel that runs.
	w.engine = engine.New(engine.Config{Store: w.store, Clock: w.clock,
		Log: slog.New(slog.DiscardHandler)})
	w.engine.Attach(channel, fleet.Android)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = w.engine.Run(ctx) })
	running.Go(func() {
		if err := channel.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer running.Wait()
	defer cancel()
	acted := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !ok(); {
			if time.Now().After(deadline) {
				t.Fatalf("never: %s", what)
			}
			w.clock.Advance(time.Second)
			w.must(w.engine.Sweep(ctx))
			for _, d := range w.devices {
				w.must(d.Sync())
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	acted("all are settled", func() bool {
		for _, id := range ids {
			if !w.settled(id) {
				return false
			}
		}
		return true
	})
	for _, id := range ids {
		w.call(id, p)
	}
	acted("all are removed", func() bool {
		for _, id := range ids {
			if !w.is(id, p, action.Removed) {
				return false
			}
		}
		return true
	})
	if h, err := channel.Health(ctx); err != nil || h.PulledAt.IsZero() || h.ListedAt.IsZero() ||
		h.PullFailure != "" || h.Devices != 5 {
		t.Errorf("the health is %+v, %v", h, err)
	}
}

// A device to which somebody else gave another policy gets its own again.
func TestAnotherPolicyIsTakenBack(t *testing.T) {
	w := newWorld(t)
	w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	before := w.service.Calls("devices.patch")
	r := w.read(d)
	r.PolicyName += "-of-somebody-else"
	w.clock.Advance(time.Minute)
	w.take(r, w.clock.Now())
	w.channel.ServeDue(t.Context())
	if n := w.service.Calls("devices.patch") - before; n != 1 {
		t.Errorf("its policy was set %d times", n)
	}
	w.reported(d)
	w.channel.ServeDue(t.Context())
	if n := w.service.Calls("devices.patch") - before; n != 1 {
		t.Errorf("its policy was set %d times though it has it", n)
	}
}

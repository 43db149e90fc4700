package amapi_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

// An answer that is lost after Google did what was asked leaves it open whether it did. The next
// turn finds out, and posts nothing twice.
func TestAnswerLostAfterItsEffect(t *testing.T) {
	w := newWorld(t)
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	before := w.service.Calls("policies.patch")
	w.service.AddTrouble(simulator.Trouble{Method: "policies.patch", LoseAnswer: true, Times: 1})
	w.call(id, p)
	w.served()
	if v := w.postings(d)[0].Version; v != 0 {
		t.Fatalf("what was sent has version %d though its answer was lost", v)
	}
	w.quiet[d] = true
	w.clock.Advance(time.Second)
	w.must(d.Sync()) // the device is faster than the server, which does not know the version yet
	w.pull()
	if w.is(id, p, action.Removed) {
		t.Error("a version that is not known proves something")
	}
	w.within(10*time.Second, "its version is known", func() bool {
		return w.postings(d)[0].Version != 0
	})
	if n := w.service.Calls("policies.patch") - before; n != 1 {
		t.Errorf("the document was sent %d times", n)
	}
	// what the device said meanwhile is looked up
	w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })
}

// What a device said of a version that was not known yet is looked up even if another document is
// to be sent by then: the device may say nothing more for a long time.
func TestReportOfUnknownVersionIsLookedUp(t *testing.T) {
	w := newWorld(t)
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.quiet[d] = true
	other := w.newNode()
	before := w.service.Calls("policies.patch")
	w.service.AddTrouble(simulator.Trouble{Method: "policies.patch", LoseAnswer: true, Times: 1})
	w.call(id, p)
	w.served()
	w.clock.Advance(time.Second)
	w.must(d.Sync())
	w.pull()
	d.SetOnline(false)
	w.wifi("Guests")
	w.must(w.engine.Sweep(t.Context()))
	w.must(other.channel.Wake(t.Context(), id)) // which the engine wakes at the first server
	if n := other.channel.ServeDue(t.Context()); n != 1 {
		t.Errorf("it was served %d times", n)
	}
	if r := w.result(id, p); r.Status != action.Removed {
		t.Errorf("what the device said before is not counted: %+v", r)
	}
	if n := w.service.Calls("policies.patch") - before; n != 2 {
		t.Errorf("%d documents were sent", n)
	}
}

// A process that ends between writing down what it is about to send and sending it has sent
// nothing: the next one finds that out, and sends.
func TestCrashBeforeSending(t *testing.T) {
	w := newWorld(t)
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	list := w.postings(d)
	w.must(w.store.AddAndroidPosting(t.Context(), d.Name(), amapi.Posting{
		Mark: list[0].Mark + 1, Hash: "of what was never sent", Manifest: list[0].Manifest}))
	w.call(id, p)
	w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })
	if ssids(d) != "" {
		t.Errorf("the device has %s", ssids(d))
	}
	for _, one := range w.postings(d) {
		if one.Version == 0 || one.Hash == "of what was never sent" {
			t.Errorf("there is still %+v", one)
		}
	}
}

// crashing is a store on which a process ends right behind a write.
type crashing struct {
	amapi.Store
	after string
	hit   *bool
}

var errCrash = errors.New("the process ends here")

func (s crashing) crash(where string, err error) error {
	if err == nil && where == s.after && !*s.hit {
		*s.hit = true
		return errCrash
	}
	return err
}

func (s crashing) AddAndroidPosting(ctx context.Context, name string, p amapi.Posting) error {
	return s.crash("intent", s.Store.AddAndroidPosting(ctx, name, p))
}

func (s crashing) FinishAndroidPosting(ctx context.Context, name string, mark,
	version int64) error {
	if s.after == "sent" && !*s.hit {
		*s.hit = true
		return errCrash // before the version is stored
	}
	return s.crash("version", s.Store.FinishAndroidPosting(ctx, name, mark, version))
}

func (s crashing) MoveAndroidPosting(ctx context.Context, name string, mark, to int64,
	m *payload.Manifest) error {
	return s.crash("moved", s.Store.MoveAndroidPosting(ctx, name, mark, to, m))
}

// Wherever a process ends while it posts a policy, the device gets what is wanted, and what is
// asked of it comes to its end.
func TestCrashesWhilePosting(t *testing.T) {
	for _, after := range []string{"intent", "sent", "version", "moved"} {
		t.Run(after, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := w.wifi("Office")
			d, id := w.enroll("S", simulator.DeviceOptions{})
			w.steady(id)
			hit := false
			w.wrap = func(s amapi.Store) amapi.Store { return crashing{s, after, &hit} }
			w.node = w.newNode()
			w.quiet[d] = true
			w.call(id, p)
			w.within(time.Minute, "the process ends", func() bool { return hit })
			w.wrap = nil
			w.node = w.newNode()
			w.quiet[d] = false
			w.within(10*time.Second, "it is removed",
				func() bool { return w.is(id, p, action.Removed) })
			if ssids(d) != "" {
				t.Errorf("the device has %s", ssids(d))
			}
		})
	}
}

// Two servers never work on one device at the same time.
func TestOneServerADevice(t *testing.T) {
	w := newWorld(t)
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.quiet[d] = true
	lease := "android/device/" + string(id)
	now := w.clock.Now()
	taken, err := w.store.TakeLease(t.Context(), lease, "another server", now,
		now.Add(time.Minute))
	if err != nil || !taken {
		t.Fatalf("the lease is not free: %v", err)
	}
	before := w.service.Calls("policies.patch")
	w.call(id, p)
	w.served()
	if n := w.service.Calls("policies.patch") - before; n > 0 {
		t.Fatalf("%d requests for a device that another server works on", n)
	}
	if w.channel.Waits() == 0 {
		t.Fatal("the device does not wait")
	}
	w.until("it is sent when the lease has ended", func() bool {
		return w.service.Calls("policies.patch") > before
	})
	if taken, err := w.store.TakeLease(t.Context(), lease, "another server", w.clock.Now(),
		w.clock.Now().Add(time.Minute)); err != nil || !taken {
		t.Errorf("the lease is not given back: %v", err)
	}
}

// A lease that was lost meanwhile keeps a document from being sent: another server may have sent a
// newer one, and have ended its work since.
func TestLeaseLostBeforeSending(t *testing.T) {
	for name, givenBack := range map[string]bool{"taken": false, "given back": true} {
		t.Run(name, func(t *testing.T) { t.Parallel(); loseLease(t, givenBack) })
	}
}

func loseLease(t *testing.T, givenBack bool) {
	w := newWorld(t)
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.quiet[d] = true
	lost := false
	w.wrap = func(s amapi.Store) amapi.Store {
		return stealing{s, "android/device/" + string(id), givenBack, &lost}
	}
	w.node = w.newNode()
	before := w.service.Calls("policies.patch")
	w.call(id, p)
	w.served()
	if n := w.service.Calls("policies.patch") - before; n > 0 || !lost {
		t.Fatalf("%d requests without a lease", n)
	}
}

// stealing is a store that gives a lease to another server once it was taken.
type stealing struct {
	amapi.Store
	name      string
	givenBack bool
	lost      *bool
}

func (s stealing) AddAndroidPosting(ctx context.Context, name string, p amapi.Posting) error {
	err := s.Store.AddAndroidPosting(ctx, name, p)
	if *s.lost = true; err == nil {
		now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		_, err = s.TakeLease(ctx, s.name, "another server", now, now.Add(time.Hour))
	}
	if err == nil && s.givenBack {
		err = s.ReleaseLease(ctx, s.name, "another server")
	}
	return err
}

// failing is a store that cannot write just now.
type failing struct {
	amapi.Store
	broken *bool
}

func (s failing) AndroidPostings(ctx context.Context, name string) ([]amapi.Posting, error) {
	if *s.broken {
		return nil, errCrash
	}
	return s.Store.AndroidPostings(ctx, name)
}

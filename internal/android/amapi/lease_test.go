package amapi_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// bells are what a node waits for; the test rings them.
type bells struct {
	mu      sync.Mutex
	waiting map[time.Duration][]chan time.Time // the oldest first
}

func (b *bells) after(d time.Duration) <-chan time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	bell := make(chan time.Time, 1)
	if b.waiting == nil {
		b.waiting = make(map[time.Duration][]chan time.Time)
	}
	b.waiting[d] = append(b.waiting[d], bell)
	return bell
}

// ring rings the bell that has waited longest for a time.
func (b *bells) ring(d time.Duration) {
	for {
		b.mu.Lock()
		if list := b.waiting[d]; len(list) > 0 {
			list[0] <- time.Time{}
			b.waiting[d] = list[1:]
			b.mu.Unlock()
			return
		}
		b.mu.Unlock()
		runtime.Gosched() // it is about to wait
	}
}

// working is the store of a server that is in the middle of its work on a device until it is let
// go on.
type working struct {
	amapi.Store
	begun, goOn chan struct{}
	renewed     chan struct{} // has something after each try to renew a lease
	broken      bool          // no lease can be renewed
}

func (s working) AddAndroidPosting(ctx context.Context, name string, p amapi.Posting) error {
	s.begun <- struct{}{}
	select {
	case <-s.goOn:
		return s.Store.AddAndroidPosting(ctx, name, p)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s working) RenewLease(ctx context.Context, name, holder string,
	until time.Time) (kept bool, err error) {
	defer func() {
		select {
		case s.renewed <- struct{}{}:
		default: // nobody looks
		}
	}()
	if s.broken {
		return false, errCrash
	}
	return s.Store.RenewLease(ctx, name, holder, until)
}

// twoServers are a server that is in the middle of its work on a device, and another one.
type twoServers struct {
	*world
	id      fleet.DeviceID
	p       action.PayloadID
	bells   bells
	store   working
	other   *node
	patches int           // before
	served  chan struct{} // closed when the first has ended its work
}

func newTwoServers(t *testing.T, broken bool) *twoServers {
	w := newWorld(t)
	s := &twoServers{world: w, p: w.wifi("Office"), served: make(chan struct{}),
		store: working{begun: make(chan struct{}), goOn: make(chan struct{}),
			renewed: make(chan struct{}), broken: broken}}
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.quiet[d] = true
	s.id, s.other = id, w.node
	w.after = s.bells.after
	w.wrap = func(kept amapi.Store) amapi.Store { s.store.Store = kept; return s.store }
	w.node = w.newNode()
	s.patches = w.service.Calls("policies.patch")
	w.call(id, s.p)
	for w.channel.Waits() == 0 {
		w.must(w.engine.Sweep(t.Context()))
	}
	go func() { w.channel.ServeDue(context.WithoutCancel(t.Context())); close(s.served) }()
	<-s.store.begun
	return s
}

// otherTries has the other server try to work on the device, and returns what was sent in all.
func (s *twoServers) otherTries() int {
	s.must(s.other.channel.Wake(s.Context(), s.id))
	s.other.channel.ServeDue(s.Context())
	return s.service.Calls("policies.patch") - s.patches
}

// A lease lasts as long as its holder works, however long that is.
func TestLeaseLastsWhileItsHolderWorks(t *testing.T) {
	s := newTwoServers(t, false)
	postings := len(s.postings(s.devices[0]))
	for passed := time.Duration(0); passed < 3*amapi.LeaseFor; passed += amapi.RenewEvery {
		s.clock.Advance(amapi.RenewEvery)
		s.bells.ring(amapi.RenewEvery)
		if passed > 0 {
			s.bells.ring(amapi.ReliedOn) // as it was to last before it was renewed
		}
		<-s.store.renewed
		if n := s.otherTries(); n > 0 || len(s.postings(s.devices[0])) != postings {
			t.Fatalf("another server went to work on the device %s after the first began", passed)
		}
	}
	close(s.store.goOn)
	<-s.served
	s.clock.Advance(amapi.LeaseRetry)
	if n := s.otherTries(); n != 1 || s.other.channel.Waits() > 0 {
		t.Errorf("%d documents were sent in the end, %d devices wait", n, s.other.channel.Waits())
	}
}

// A server that cannot renew its lease ends what it does before the lease ends, and begins anew.
func TestLeaseThatCannotBeRenewed(t *testing.T) {
	s := newTwoServers(t, true)
	s.clock.Advance(amapi.RenewEvery)
	s.bells.ring(amapi.RenewEvery)
	<-s.store.renewed
	s.clock.Advance(amapi.ReliedOn - amapi.RenewEvery)
	s.bells.ring(amapi.ReliedOn)
	<-s.served // though nobody let it go on
	if n := s.channel.Waits(); n != 1 {
		t.Errorf("%d devices wait to be served again", n)
	}
	if n := s.otherTries(); n != 1 {
		t.Errorf("%d documents were sent by the other server", n)
	}
}

// The lease of a server that died is over after a short time, and the device is served then.
func TestLeaseOfServerThatDied(t *testing.T) {
	w := newWorld(t)
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.quiet[d] = true
	now := w.clock.Now()
	taken, err := w.store.TakeLease(t.Context(), "android/device/"+string(id), "a server that died",
		now, now.Add(amapi.LeaseFor))
	if err != nil || !taken {
		t.Fatalf("the lease is not free: %v", err)
	}
	before := w.service.Calls("policies.patch")
	w.call(id, p)
	w.served()
	w.until("it is sent", func() bool { return w.service.Calls("policies.patch") > before })
	if waited := w.clock.Now().Sub(now); waited < amapi.LeaseFor || waited > 30*time.Second {
		t.Errorf("it was sent after %s", waited)
	}
}

package notify_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/notify"
)

// A receiver that takes its time keeps nobody else waiting.
func TestHangingReceiver(t *testing.T) {
	w := newWorld(t, func(c *notify.Config) { c.DeliveryTimeout = time.Minute })
	who, _ := w.owner(access.TokenInput{})
	slow, quick := newReceiver(t), newReceiver(t)
	slow.hold = make(chan struct{})
	t.Cleanup(func() { close(slow.hold) })
	w.subscribe(who, w.input(slow))
	w.subscribe(who, w.input(quick))
	w.run()
	device := w.device()
	w.happen(device)
	<-slow.arrived
	<-quick.arrived
	for range 3 {
		w.happen(device)
		<-quick.arrived
	}
	if posts, _ := slow.take(); len(posts) > 0 {
		t.Errorf("the hanging receiver answered: %v", posts)
	}
}

// There are no more deliveries under way than there may be, and none of them twice.
func TestDeliveriesAtOnce(t *testing.T) {
	w := newWorld(t, func(c *notify.Config) { c.DeliveryTimeout = time.Minute })
	r := newReceiver(t)
	r.hold, r.arrived = make(chan struct{}), make(chan struct{}, 100)
	who, _ := w.owner(access.TokenInput{})
	for range 20 {
		w.subscribe(who, w.input(r))
	}
	w.happen(w.device())
	swept := make(chan error, 1)
	go func() { swept <- w.Sweep(t.Context()) }()
	for range 16 {
		<-r.arrived
	}
	left, err := w.store.ClaimSubscriptions(t.Context(), "other", w.now(), w.now().Add(time.Second),
		100)
	if err != nil || len(left) != 4 {
		t.Errorf("with 16 of 20 under way, another process can claim %d: %v", len(left), err)
	}
	close(r.hold)
	if err := <-swept; err != nil {
		t.Fatal(err)
	}
	if posts, _ := r.take(); len(posts) != 16 {
		t.Errorf("%d deliveries to 16 subscriptions", len(posts))
	}
	w.advance(time.Second)
	w.sweep()
	if posts, _ := r.take(); len(posts) != 4 {
		t.Errorf("%d deliveries to the other 4", len(posts))
	}
}

// What a process had under way when it died is delivered by another one, but not before it must be
// dead.
func TestDeadProcess(t *testing.T) {
	w := newWorld(t)
	who, _ := w.owner(access.TokenInput{})
	r := newReceiver(t)
	sub := w.subscribe(who, w.input(r))
	device := w.device()
	w.happen(device)
	claimed, err := w.store.ClaimSubscriptions(t.Context(), "dead", w.now(),
		w.now().Add(30*time.Second), 5)
	if err != nil || len(claimed) != 1 {
		t.Fatal(claimed, err)
	}
	w.advance(29 * time.Second)
	w.sweep()
	if posts, _ := r.take(); len(posts) > 0 {
		t.Error("two processes at one subscription")
	}
	w.advance(time.Second)
	w.sweep()
	if got := r.accepted(); !slices.Equal(got, []fleet.DeviceID{device}) {
		t.Errorf("told of %v", got)
	}
	// It was not dead after all, and what it says does not count.
	if err := w.store.SettleSubscription(t.Context(), "dead", sub.ID, &notify.Outcome{Remove: true},
		w.now()); err == nil {
		t.Error("a lost claim was settled")
	}
	w.standing(who, sub)
}

// A process that ends gives back what it has begun: the next one goes on at once.
func TestEndInTheMiddle(t *testing.T) {
	w := newWorld(t, func(c *notify.Config) { c.DeliveryTimeout = time.Minute })
	who, _ := w.owner(access.TokenInput{})
	r := newReceiver(t)
	r.hold = make(chan struct{})
	sub := w.subscribe(who, w.input(r))
	device := w.device()
	ctx, stop := newContext(t)
	ran := make(chan error, 1)
	go func() { ran <- w.Run(ctx) }()
	w.happen(device)
	<-r.arrived
	stop()
	if err := <-ran; err != nil {
		t.Fatal(err)
	}
	if now := w.standing(who, sub); now.Attempts != 0 || now.Position == w.newest() {
		t.Errorf("given back as %+v", now.Delivery)
	}
	r.set(func(r *receiver) { r.hold, r.posts = nil, nil })
	w.restart()
	w.sweep()
	if posts, _ := r.take(); len(posts) == 0 || posts[len(posts)-1].list[0].Data.ID != device {
		t.Errorf("told of %v", posts)
	}
}

// meanwhile is a store in which something happens right after events were read, once.
type meanwhile struct {
	notify.Store
	happen func()
}

func (m *meanwhile) Events(ctx context.Context, device fleet.DeviceID, after int64,
	limit int) ([]live.Event, error) {
	events, err := m.Store.Events(ctx, device, after, limit)
	if happen := m.happen; happen != nil {
		m.happen = nil
		happen()
	}
	return events, err
}

// An event that comes while others are on their way is told, too.
func TestEventsThatComeMeanwhile(t *testing.T) {
	m := &meanwhile{}
	w := newWorld(t, func(c *notify.Config) { m.Store, c.Store = c.Store, m })
	who, _ := w.owner(access.TokenInput{})
	r := newReceiver(t)
	a, b := w.device(), w.device()
	w.subscribe(who, w.input(r))
	w.happen(a)
	m.happen = func() { w.happen(b) }
	w.sweep()
	if got := r.accepted(); !slices.Equal(got, []fleet.DeviceID{a, b}) {
		t.Errorf("told of %v", got)
	}
}

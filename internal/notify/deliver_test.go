package notify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/notify"
)

// What happens to a device between two deliveries is told once, after everything that was told
// before it.
func TestDelivery(t *testing.T) {
	w := newWorld(t)
	who, _ := w.owner(access.TokenInput{})
	a, b, c := w.device(), w.device(), w.device()
	w.happen(a)
	r, one := newReceiver(t), newReceiver(t)
	w.subscribe(who, w.input(r))
	in := w.input(one)
	in.Resource += "/" + strings.ToUpper(string(b))
	w.subscribe(who, in)
	w.sweep()
	w.happen(a, b, a, c, b)
	w.sweep()
	if got := r.accepted(); !slices.Equal(got, []fleet.DeviceID{a, c, b}) {
		t.Errorf("told of %v, want %v", got, []fleet.DeviceID{a, c, b})
	}
	posts, _ := one.take()
	if len(posts) != 1 || len(posts[0].list) != 1 || posts[0].list[0].Data.ID != b ||
		posts[0].list[0].position(t) != w.newest() {
		t.Errorf("of one device was told %+v", posts)
	}
	w.happen(a)
	w.sweep()
	w.sweep()
	if got := r.accepted(); !slices.Equal(got, []fleet.DeviceID{a}) {
		t.Errorf("told of %v again", got)
	}
	if posts, _ := one.take(); len(posts) > 0 {
		t.Errorf("told of another device: %+v", posts)
	}
}

// A signature is verified as docs/notifications.md says.
func TestSignature(t *testing.T) {
	w := newWorld(t)
	who, _ := w.owner(access.TokenInput{})
	r := newReceiver(t)
	sub, other := w.subscribe(who, w.input(r)), w.subscribe(who, w.input(newReceiver(t)))
	w.happen(w.device())
	w.sweep()
	posts, _ := r.take()
	at, signature, ok := strings.Cut(strings.TrimPrefix(posts[0].header.Get(notify.SignatureHeader),
		"t="), ",v1=")
	if !ok || at != fmt.Sprint(w.now().Unix()) {
		t.Fatalf("signed %v", posts[0].header)
	}
	verify := func(secret string, text []byte) bool {
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "%s.%s", at, text)
		got, err := hex.DecodeString(signature)
		return err == nil && hmac.Equal(got, mac.Sum(nil))
	}
	if !verify(sub.Secret, posts[0].text) || verify(other.Secret, posts[0].text) ||
		verify(sub.Secret, append(posts[0].text, ' ')) {
		t.Errorf("the signature %s does not fit", signature)
	}
	if got := posts[0].header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("sent as %s", got)
	}
}

// Many devices come in deliveries of a hundred, and many more events than are read in one go.
func TestManyDevices(t *testing.T) {
	w := newWorld(t)
	who, _ := w.owner(access.TokenInput{})
	r := newReceiver(t)
	w.subscribe(who, w.input(r))
	var want []fleet.DeviceID
	for i := range 1234 {
		want = append(want, fleet.DeviceID(fmt.Sprintf("device-%04d", i)))
	}
	w.happen(want...)
	w.sweep()
	posts, _ := r.take()
	var got []fleet.DeviceID
	for _, p := range posts {
		if len(p.list) > 100 {
			t.Errorf("a delivery of %d", len(p.list))
		}
		for _, n := range p.list {
			got = append(got, n.Data.ID)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("told of %d devices in %d deliveries", len(got), len(posts))
	}
}

// What is behind the events that are read in one go is told, too.
func TestManyEvents(t *testing.T) {
	w := newWorld(t)
	who, _ := w.owner(access.TokenInput{})
	r := newReceiver(t)
	a, b := w.device(), w.device()
	w.subscribe(who, w.input(r))
	w.happen(append(slices.Repeat([]fleet.DeviceID{a}, 600), b)...)
	w.sweep()
	if got := r.accepted(); !slices.Equal(got, []fleet.DeviceID{a, a, b}) {
		t.Errorf("told of %v", got)
	}
}

// A receiver that fails is tried again, later and later, also by another process, and then gets
// everything.
func TestFailingReceiver(t *testing.T) {
	w := newWorld(t)
	who, _ := w.owner(access.TokenInput{})
	r := newReceiver(t)
	sub := w.subscribe(who, w.input(r))
	a, b := w.device(), w.device()
	r.set(func(r *receiver) { r.status = http.StatusServiceUnavailable })
	w.happen(a)
	begin := w.now()
	w.sweep()
	for i, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600} {
		now := w.standing(who, sub)
		if now.Attempts != i+1 || !now.NotBefore.Equal(w.now().Add(wait*time.Second)) ||
			!now.Failing.Equal(begin) || !now.Trying.Equal(begin) ||
			now.LastError != "it answered with status 503 in place of 2xx" {
			t.Fatalf("after %d tries: %+v", i+1, now.Delivery)
		}
		w.happen(b)
		w.advance(wait*time.Second - time.Millisecond)
		w.sweep() // too early
		w.restart()
		w.advance(time.Millisecond)
		w.sweep()
	}
	if posts, _ := r.take(); len(posts) != 13 {
		t.Errorf("tried %d times", len(posts))
	}
	r.set(func(r *receiver) { r.status = http.StatusNoContent })
	w.advance(600 * time.Second)
	w.sweep()
	if got := r.accepted(); !slices.Equal(got, []fleet.DeviceID{a, b}) {
		t.Errorf("told of %v", got)
	}
	now := w.standing(who, sub)
	if now.Attempts != 0 || !now.Failing.IsZero() || !now.Trying.IsZero() || now.LastError != "" ||
		!now.Delivered.Equal(w.now()) || now.Position != w.newest() {
		t.Errorf("afterwards: %+v", now.Delivery)
	}
}

// What cannot be delivered for hours is passed over, and the receiver told so when it is there
// again.
func TestGivingUp(t *testing.T) {
	w := newWorld(t)
	who, _ := w.owner(access.TokenInput{})
	r, life := newReceiver(t), newReceiver(t)
	in := w.input(r)
	in.LifecycleURL = life.URL
	sub := w.subscribe(who, in)
	for _, x := range []*receiver{r, life} {
		x.set(func(r *receiver) { r.status = http.StatusInternalServerError })
	}
	a, b := w.device(), w.device()
	w.happen(a)
	begin := w.now()
	for w.now().Sub(begin) < notify.GiveUpAfter-time.Minute {
		w.sweep()
		w.advance(time.Minute)
	}
	if now := w.standing(who, sub); now.Position == w.newest() {
		t.Errorf("passed over after %s: %+v", w.now().Sub(begin), now.Delivery)
	}
	for range 11 {
		w.advance(time.Minute)
		w.sweep()
	}
	now := w.standing(who, sub)
	if now.Position != w.newest() || !now.Trying.IsZero() || !now.Failing.Equal(begin) {
		t.Errorf("not passed over: %+v", now.Delivery)
	}
	w.happen(b)
	for _, x := range []*receiver{r, life} {
		x.take()
		x.set(func(r *receiver) { r.status = http.StatusOK })
	}
	w.advance(10 * time.Minute)
	w.sweep()
	if got := r.accepted(); !slices.Equal(got, []fleet.DeviceID{b}) {
		t.Errorf("told of %v", got)
	}
	if _, events := life.take(); !slices.Equal(events, []string{"missed"}) {
		t.Errorf("lifecycle %v", events)
	}
}

// Events that are not kept any more are missed with a word; so is a log from before the
// subscription.
func TestMissedEvents(t *testing.T) {
	w := newWorld(t)
	who, _ := w.owner(access.TokenInput{})
	r := newReceiver(t)
	sub := w.subscribe(who, w.input(r))
	a, b := w.device(), w.device()
	w.happen(a, a, a)
	w.advance(time.Hour)
	w.happen(b)
	if _, err := w.store.DropEvents(t.Context(), w.now(), 100); err != nil {
		t.Fatal(err)
	}
	w.sweep()
	if posts, events := r.take(); len(posts) > 0 || !slices.Equal(events, []string{"missed"}) {
		t.Errorf("got %v, %v", posts, events)
	}
	w.happen(a)
	w.sweep()
	if got := r.accepted(); !slices.Equal(got, []fleet.DeviceID{a}) ||
		w.standing(who, sub).Position != w.newest() {
		t.Errorf("told of %v", got)
	}
}

// Of a payload that its owner does not see, a subscription does not tell.
func TestScope(t *testing.T) {
	w := newWorld(t)
	tag, err := w.roles.CreateTag(t.Context(), access.TagInput{Name: "Shops"})
	if err != nil {
		t.Fatal(err)
	}
	who, _ := w.owner(access.TokenInput{Tags: []string{tag.ID}})
	mine, strange := w.device(), w.device()
	w.tag(mine, tag.ID)
	r := newReceiver(t)
	sub := w.subscribe(who, w.input(r))
	in := w.input(r)
	in.Resource += "/" + string(strange)
	if _, err := w.Create(t.Context(), who, in); err == nil {
		t.Error("subscribed to a device beyond the scope")
	}
	w.happen(strange, mine, strange)
	w.sweep()
	if got := r.accepted(); !slices.Equal(got, []fleet.DeviceID{mine}) {
		t.Errorf("told of %v, want %s", got, mine)
	}
	w.append([]live.Event{{Device: mine, At: w.now(), Kind: live.PayloadChanged,
		Result: &action.Result{Payload: "not seen"}}})
	w.sweep()
	if got := r.accepted(); len(got) > 0 || w.standing(who, sub).Position != w.newest() {
		t.Errorf("told of a payload beyond the scope")
	}
	w.tag(mine, "0")
	w.tag(strange, tag.ID)
	w.happen(mine, strange)
	w.sweep()
	if got := r.accepted(); !slices.Equal(got, []fleet.DeviceID{strange}) {
		t.Errorf("told of %v, want %s", got, strange)
	}
}

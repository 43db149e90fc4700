package notify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/notify"
)

func newContext(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	return ctx, stop
}

func (w *world) tag(device fleet.DeviceID, tag string) {
	w.Helper()
	if err := w.config.Payloads.(*catalog.Catalog).TagDevice(w.Context(), device,
		[]string{tag}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) gone(who *access.Principal, sub *notify.Subscription) bool {
	w.Helper()
	_, err := w.Get(w.Context(), who, sub.ID)
	if err != nil && !errors.Is(err, notify.ErrNotFound) {
		w.Fatal(err)
	}
	return err != nil
}

// wants holds what a receiver got since the last time.
func (r *receiver) wants(t *testing.T, when string, devices []fleet.DeviceID, events ...string) {
	t.Helper()
	posts, lifecycle := r.take()
	var got []fleet.DeviceID
	for _, p := range posts {
		for _, n := range p.list {
			got = append(got, n.Data.ID)
		}
	}
	if !slices.Equal(got, devices) || !slices.Equal(lifecycle, events) {
		t.Errorf("%s: got %v and %v, want %v and %v", when, got, lifecycle, devices, events)
	}
}

func TestExpiry(t *testing.T) {
	w := newWorld(t)
	who, _ := w.owner(access.TokenInput{})
	r := newReceiver(t)
	device := w.device()
	sub := w.subscribe(who, w.input(r))
	w.advance(19*24*time.Hour - time.Second)
	w.sweep()
	r.wants(t, "a day and a second before", nil)
	w.advance(time.Second)
	w.sweep()
	w.sweep()
	r.wants(t, "a day before", nil, "reauthorizationRequired")
	renewed, err := w.Renew(t.Context(), who, sub.ID, w.now().Add(4*time.Hour))
	if err != nil || !renewed.Expires.Equal(w.now().Add(4*time.Hour)) {
		t.Fatal(renewed, err)
	}
	w.advance(3*time.Hour - time.Second)
	w.happen(device)
	w.sweep()
	r.wants(t, "renewed", []fleet.DeviceID{device})
	w.advance(time.Second)
	w.sweep()
	r.wants(t, "in the last quarter", nil, "reauthorizationRequired")
	if err := w.Reauthorize(t.Context(), who, sub.ID); err != nil {
		t.Fatal(err)
	}
	w.advance(time.Hour - time.Second)
	w.sweep()
	if w.gone(who, sub) {
		t.Error("expired too early")
	}
	w.happen(device)
	w.advance(time.Second)
	if !w.gone(who, sub) {
		t.Error("an expired subscription is there")
	}
	if _, err := w.Renew(t.Context(), who, sub.ID, w.now().Add(time.Hour)); !errors.Is(err,
		notify.ErrNotFound) {
		t.Errorf("an expired subscription was renewed: %v", err)
	}
	w.sweep()
	w.sweep()
	r.wants(t, "expired", nil, "subscriptionRemoved")
	for _, wrong := range []time.Duration{0, -time.Hour, notify.MaxLifetime + time.Second} {
		next := w.subscribe(who, w.input(r))
		var refusal *invalid.Input
		if _, err := w.Renew(t.Context(), who, next.ID, w.now().Add(wrong)); !errors.As(err,
			&refusal) || !w.standing(who, next).Expires.Equal(next.Expires) {
			t.Errorf("renewed by %s: %v", wrong, err)
		}
	}
}

func TestDeletedSubscription(t *testing.T) {
	w := newWorld(t)
	who, _ := w.owner(access.TokenInput{})
	r := newReceiver(t)
	sub := w.subscribe(who, w.input(r))
	w.happen(w.device())
	if err := w.Delete(t.Context(), who, sub.ID); err != nil {
		t.Fatal(err)
	}
	w.sweep()
	r.wants(t, "deleted", nil)
}

// Whose token is revoked or expires is told nothing more, but that.
func TestOwnerGone(t *testing.T) {
	for name, end := range map[string]func(w *world, token string) error{
		"revoked": func(w *world,
			token string) error {
			return w.tokens.Revoke(w.Context(), token)
		},
		"expired": func(w *world, _ string) error { w.advance(time.Hour); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			who, token := w.owner(access.TokenInput{TTL: time.Hour})
			r, silent := newReceiver(t), newReceiver(t)
			device := w.device()
			in := w.input(silent)
			in.LifecycleURL = ""
			subs := []*notify.Subscription{w.subscribe(who, w.input(r)), w.subscribe(who, in)}
			w.happen(device)
			w.sweep()
			r.wants(t, "before", []fleet.DeviceID{device})
			silent.wants(t, "before", []fleet.DeviceID{device})
			if err := end(w, token); err != nil {
				t.Fatal(err)
			}
			w.happen(device)
			w.sweep()
			w.sweep()
			r.wants(t, "after", nil, "subscriptionRemoved")
			silent.wants(t, "after", nil)
			if !w.gone(who, subs[0]) || !w.gone(who, subs[1]) {
				t.Error("the subscription is still there")
			}
		})
	}
}

// administrator gives and takes roles.
var administrator = &access.Principal{Identity: access.Identity{ID: "token:test"},
	Grants: []access.Grant{{Rights: access.Rights()}}}

// user is a person of an identity provider, in a group there.
func (w *world) user(group string) *access.Principal {
	w.Helper()
	p, err := w.gate.Admit(w.Context(), &access.Identity{ID: "user:anna", Name: "Anna",
		Members:     []string{"user:anna", group},
		Permissions: []string{"DeviceManagementManagedDevices.Read.All"}})
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// give lets a group read.
func (w *world) give(group string) *access.RoleAssignment {
	w.Helper()
	w.serial++
	a, err := w.roles.CreateAssignment(w.Context(), administrator,
		access.AssignmentInput{Name: fmt.Sprint("people ", w.serial),
			RoleID:  access.ReadOnlyOperator,
			Members: []string{group}})
	if err != nil {
		w.Fatal(err)
	}
	return a
}

// Who loses the role is told nothing until they have it again, and then that they missed something.
func TestRightsLostAndRegained(t *testing.T) {
	w := newWorld(t)
	given := w.give("people")
	who := w.user("people")
	r := newReceiver(t)
	device := w.device()
	sub := w.subscribe(who, w.input(r))
	if err := w.roles.DeleteAssignment(t.Context(), administrator, given.ID); err != nil {
		t.Fatal(err)
	}
	w.happen(device)
	w.sweep()
	for range 5 {
		w.advance(time.Minute)
		w.sweep()
	}
	r.wants(t, "without the role", nil, "reauthorizationRequired")
	if !w.standing(who, sub).Paused {
		t.Error("not paused")
	}
	w.give("people")
	w.happen(device)
	w.advance(time.Minute)
	w.sweep()
	r.wants(t, "with the role again", nil, "missed")
	w.happen(device)
	w.sweep()
	r.wants(t, "afterwards", []fleet.DeviceID{device})
}

// A user of an identity provider has what their groups gave at the last authorization; a new one
// counts at once.
func TestReauthorize(t *testing.T) {
	w := newWorld(t)
	given := w.give("old")
	r := newReceiver(t)
	device := w.device()
	sub := w.subscribe(w.user("old"), w.input(r))
	if err := w.roles.DeleteAssignment(t.Context(), administrator, given.ID); err != nil {
		t.Fatal(err)
	}
	w.give("new")
	w.happen(device)
	w.sweep()
	r.wants(t, "out of the group", nil, "reauthorizationRequired")
	if err := w.Reauthorize(t.Context(), w.user("new"), sub.ID); err != nil {
		t.Fatal(err)
	}
	w.sweep()
	r.wants(t, "reauthorized", nil, "missed")
	w.happen(device)
	w.sweep()
	r.wants(t, "afterwards", []fleet.DeviceID{device})
}

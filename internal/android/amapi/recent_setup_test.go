package amapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

// readingStore counts how often the set-up is read.
type readingStore struct {
	amapi.Store
	reads *atomic.Int64
}

func (s readingStore) AndroidSetup(ctx context.Context) (*amapi.Setup, error) {
	s.reads.Add(1)
	return s.Store.AndroidSetup(ctx)
}

// push sends a push of an empty message, and returns the answer's status.
func (w *world) push(token string, length int64) int {
	w.Helper()
	r := httptest.NewRequest("POST", "/android/push", strings.NewReader(
		`{"message":{"data":""},"subscription":"of nobody"}`))
	if length > 0 {
		r.ContentLength = length
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer := httptest.NewRecorder()
	w.channel.Handler().ServeHTTP(answer, r)
	return answer.Code
}

// Pushes without a token, or with what can be none, cost no look into the database, and forged ones
// one look together; what an admin changes counts at once, and what another server changes soon.
func TestPushesOfStrangersCostNoReads(t *testing.T) {
	w := newBareWorld(t, simulator.Options{Quota: 1_000_000})
	w.setUp(amapi.Push)
	var reads atomic.Int64
	w.wrap = func(s amapi.Store) amapi.Store { return readingStore{s, &reads} }
	other := w.node
	w.node = w.newNode()
	e := w.stepIs(amapi.StepReady)
	now := w.clock.Now()
	good := w.service.PushToken(simulator.PushClaims{Issuer: simulator.Issuer, Audience: e.PushURL,
		Subject: "1", Email: e.ClientEmail, EmailVerified: true, IssuedAt: now.Unix(),
		Expiry: now.Add(time.Hour).Unix()})
	forged := good[:strings.LastIndexByte(good, '.')] + ".AAAA"
	reads.Store(0)
	for _, token := range []string{"", "x", "a.b", "a.b.c.d", "a..c", ".b.c", "a.b.", "a.b.c=",
		"a.b c.d", strings.Repeat("a", 9000) + ".b.c", "a." + strings.Repeat("b", 9000) + ".c"} {
		if code := w.push(token, 0); code != http.StatusUnauthorized {
			t.Errorf("the token %.20q: %d", token, code)
		}
	}
	if code := w.push(good, 9<<20); code != http.StatusBadRequest {
		t.Errorf("a push that is too long: %d", code)
	}
	if n := reads.Load(); n > 0 {
		t.Errorf("what can be no push cost %d reads", n)
	}
	for range 1000 {
		if code := w.push(forged, 0); code != http.StatusUnauthorized {
			t.Fatalf("a forged token: %d", code)
		}
	}
	if n := reads.Load(); n != 1 {
		t.Errorf("forged pushes cost %d reads", n)
	}
	if code := w.push(good, 0); code != http.StatusNoContent {
		t.Errorf("a good push: %d", code)
	}
	_, err := w.channel.FinishSignup(t.Context(), "", amapi.Pull)
	w.must(err)
	if code := w.push(good, 0); code != http.StatusUnauthorized {
		t.Errorf("a push after messages are pulled here: %d", code)
	}
	_, err = other.channel.FinishSignup(t.Context(), "", amapi.Push)
	w.must(err)
	w.clock.Advance(10 * time.Second)
	if code := w.push(good, 0); code != http.StatusNoContent {
		t.Errorf("a push after another server had messages pushed: %d", code)
	}
}

// What Google refused last is told of each kind, with when, and after a restart as well.
func TestRefusalsOfEachKindAreKept(t *testing.T) {
	w := newWorld(t)
	refuse := func(method, text string, status int) {
		w.service.AddTrouble(simulator.Trouble{Method: method, Status: status, Times: 1,
			Message: text})
	}
	token := func() {
		_, err := w.channel.CreateToken(t.Context(), amapi.TokenTerms{Mode: amapi.Dedicated,
			Terms: access.EnrollmentTerms{}})
		if err == nil {
			t.Error("a token was made")
		}
	}
	refuse("enrollmentTokens.create", "first", 403)
	token()
	w.clock.Advance(10 * time.Second)
	refuse("enterprises.get", "second", 403)
	key, err := w.service.ServiceAccount(w.google.URL, "")
	w.must(err)
	if _, err := w.channel.SetServiceAccount(t.Context(), key); err == nil {
		t.Error("the key was taken")
	}
	said := func(want ...string) {
		t.Helper()
		h, err := w.channel.Health(t.Context())
		w.must(err)
		var got []string
		for _, r := range h.Refusals {
			got = append(got, r.Text)
			if r.At.IsZero() || r.Action == "" || r.Code == 0 {
				t.Errorf("there is %+v", r)
			}
		}
		if strings.Join(got, " ") != strings.Join(want, " ") || h.LastRefusal.Text != want[0] {
			t.Errorf("it is told %q, and last %q; want %q", got, h.LastRefusal.Text, want)
		}
	}
	said("second", "first")
	_, err = w.channel.FinishSignup(t.Context(), "", amapi.Pull)
	w.must(err)
	said("second", "first")
	w.clock.Advance(time.Minute)
	refuse("enrollmentTokens.create", "third", 429)
	token()
	said("third", "second")
	before := w.clock.Now()
	w.node = w.newNode()
	said("third", "second")
	h, _ := w.channel.Health(t.Context())
	if !h.Refusals[0].At.Equal(before) || !h.Refusals[1].At.Equal(before.Add(-time.Minute)) {
		t.Errorf("they are of %s and %s", h.Refusals[0].At, h.Refusals[1].At)
	}
	// what another one said later does not hide that there were too many requests
	w.must(w.store.UpdateAndroidSetup(t.Context(), func(s *amapi.Setup) error {
		s.Refusals = append([]amapi.Refusal{{At: before, Code: 403, Action: "x"}}, s.Refusals...)
		s.LastRefusal = &s.Refusals[0]
		return nil
	}))
	asked := w.service.Calls("enrollmentTokens.create")
	token()
	if n := w.service.Calls("enrollmentTokens.create") - asked; n > 0 {
		t.Error("a server that began anew asks at once")
	}
}

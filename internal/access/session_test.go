package access_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// lobby is where people sign in: sessions and tokens on a real database.
type lobby struct {
	*access.Sessions
	t      *testing.T
	tokens *access.Tokens
	clock  *hands
	dir    string
}

func newLobby(t *testing.T) *lobby {
	t.Helper()
	dir, clock := t.TempDir(), newHands()
	s, err := store.Open(t.Context(), filepath.Join(dir, "sessions.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &lobby{access.NewSessions(s, 0, clock.now), t, access.NewTokens(s, clock.now), clock,
		dir}
}

// holder makes a token and returns who holds it.
func (l *lobby) holder(name string, ttl time.Duration) *access.Identity {
	l.t.Helper()
	_, bearer, err := l.tokens.Create(l.t.Context(),
		access.TokenInput{Name: name, Role: access.Administrator, TTL: ttl})
	if err != nil {
		l.t.Fatal(err)
	}
	who, err := l.tokens.Identify(l.t.Context(), bearer)
	if err != nil {
		l.t.Fatal(err)
	}
	return who
}

func (l *lobby) begin(who *access.Identity) string {
	l.t.Helper()
	secret, err := l.Begin(l.t.Context(), who)
	if err != nil {
		l.t.Fatal(err)
	}
	return secret
}

func (l *lobby) mustBe(secret string, want *access.Identity) {
	l.t.Helper()
	for name, identify := range map[string]func(context.Context, string) (*access.Identity,
		error){"Check": l.Check, "Identify": l.Identify} {
		if got, err := identify(l.t.Context(), secret); err != nil ||
			!reflect.DeepEqual(got, want) {
			l.t.Errorf("%s: got %+v, %v; want %+v", name, got, err, want)
		}
	}
}

func (l *lobby) mustHaveEnded(secret string) {
	l.t.Helper()
	for name, identify := range map[string]func(context.Context, string) (*access.Identity,
		error){"Check": l.Check, "Identify": l.Identify} {
		if got, err := identify(l.t.Context(), secret); got != nil ||
			!errors.Is(err, access.ErrUnauthenticated) {
			l.t.Errorf("%s: got %+v, %v; want ErrUnauthenticated", name, got, err)
		}
	}
}

var visitor = &access.Identity{ID: "user:ada", Name: "Ada", Members: []string{"user:ada", "desk"}}

func TestSessionIsOfWhoBeganIt(t *testing.T) {
	l := newLobby(t)
	grace := l.holder("grace", 0)
	first, second := l.begin(visitor), l.begin(grace)
	l.mustBe(first, visitor)
	l.mustBe(second, grace)
	for _, secret := range []string{"", "x", first + "A", strings.ToUpper(first)} {
		l.mustHaveEnded(secret)
	}
	if err := l.End(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	l.mustHaveEnded(first)
	l.mustBe(second, grace)
}

func TestSessionEndsWhenIdle(t *testing.T) {
	l := newLobby(t)
	secret := l.begin(visitor)
	for range 3 { // a use prolongs it
		l.clock.move(access.DefaultIdle - time.Second)
		l.mustBe(secret, visitor)
	}
	l.clock.move(access.DefaultIdle - time.Second)
	if _, err := l.Check(t.Context(), secret); err != nil { // a check does not
		t.Fatal(err)
	}
	l.clock.move(time.Second)
	l.mustHaveEnded(secret)
}

func TestSessionEndsAtLast(t *testing.T) {
	l := newLobby(t)
	secret := l.begin(visitor)
	for range int(access.SessionLifetime / (20 * time.Minute)) {
		l.mustBe(secret, visitor)
		l.clock.move(20 * time.Minute)
	}
	l.mustHaveEnded(secret)
}

func TestSessionEndsWithItsToken(t *testing.T) {
	l := newLobby(t)
	revoked, expiring := l.holder("revoked", 0), l.holder("expiring", 5*time.Minute)
	first, second := l.begin(revoked), l.begin(expiring)
	code, err := l.Link(t.Context(), revoked, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.tokens.Revoke(t.Context(), "revoked"); err != nil {
		t.Fatal(err)
	}
	l.mustHaveEnded(first)
	if _, _, err := l.Redeem(t.Context(), code); !errors.Is(err, access.ErrUnauthenticated) {
		t.Errorf("a link of a revoked token: %v", err)
	}
	if _, err := l.Begin(t.Context(), revoked); !errors.Is(err, access.ErrUnauthenticated) {
		t.Errorf("a session of a revoked token: %v", err)
	}
	l.clock.move(5*time.Minute - 1)
	l.mustBe(second, expiring)
	l.clock.move(1)
	l.mustHaveEnded(second)
}

func TestLinkSignsInOnce(t *testing.T) {
	l := newLobby(t)
	code, err := l.Link(t.Context(), visitor, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	var secrets []string
	for range 8 {
		group.Go(func() {
			secret, who, err := l.Redeem(t.Context(), code)
			if errors.Is(err, access.ErrUnauthenticated) {
				return
			}
			if err != nil || !reflect.DeepEqual(who, visitor) {
				t.Errorf("got %+v, %v", who, err)
			}
			mu.Lock()
			defer mu.Unlock()
			secrets = append(secrets, secret)
		})
	}
	group.Wait()
	if len(secrets) != 1 {
		t.Fatalf("signed in %d times", len(secrets))
	}
	l.mustBe(secrets[0], visitor)

	late, err := l.Link(t.Context(), visitor, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	l.clock.move(time.Minute)
	if _, _, err := l.Redeem(t.Context(), late); !errors.Is(err, access.ErrUnauthenticated) {
		t.Errorf("a link that has expired: %v", err)
	}
}

func TestSecretOfSessionIsNotStored(t *testing.T) {
	l := newLobby(t)
	code, err := l.Link(t.Context(), visitor, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{l.begin(visitor), code}
	files, err := filepath.Glob(filepath.Join(l.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		found = found || strings.Contains(string(content), "user:ada")
		for _, secret := range secrets {
			if strings.Contains(string(content), secret) {
				t.Errorf("%s has a secret", f)
			}
		}
	}
	if !found {
		t.Error("no file has the session")
	}
}

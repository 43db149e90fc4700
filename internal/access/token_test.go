package access_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func newTokens(t *testing.T) (*access.Tokens, *clock, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), filepath.Join(dir, "tokens.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &clock{time.Date(2025, 2, 13, 10, 0, 0, 0, time.UTC)}
	return access.NewTokens(s, c.now), c, dir
}

func TestTokenLifecycle(t *testing.T) {
	tokens, clock, _ := newTokens(t)
	created, bearer, err := tokens.Create(t.Context(),
		access.TokenInput{Name: "Help Desk", Role: access.Administrator, TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(bearer, "sp_") || !created.Expires.Equal(clock.Add(time.Hour)) {
		t.Errorf("created %+v with bearer %q", created, bearer)
	}
	p, err := tokens.Identify(t.Context(), bearer)
	if err != nil || p.ID != "token:"+created.ID || p.Name != "Help Desk" || p.Permissions != nil {
		t.Fatalf("authenticated as %+v, %v", p, err)
	}
	if list, err := tokens.List(t.Context()); err != nil || len(list) != 1 ||
		!reflect.DeepEqual(list[0], created) {
		t.Errorf("listed %+v, %v; want %+v", list, err, created)
	}
	clock.Time = clock.Add(time.Hour - 1)
	if _, err := tokens.Identify(t.Context(), bearer); err != nil {
		t.Errorf("just before it expires: %v", err)
	}
	clock.Time = clock.Add(1)
	if _, err := tokens.Identify(t.Context(), bearer); !errors.Is(err, access.ErrUnauthenticated) {
		t.Errorf("expired: %v", err)
	}
}

func TestRevoke(t *testing.T) {
	tokens, _, _ := newTokens(t)
	first, firstBearer, err := tokens.Create(t.Context(),
		access.TokenInput{Name: "first", Role: access.Administrator})
	if err != nil || !first.Expires.IsZero() {
		t.Fatalf("%+v, %v", first, err)
	}
	// A name that is another token's id must not shield that token.
	_, secondBearer, err := tokens.Create(t.Context(),
		access.TokenInput{Name: first.ID, Role: access.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	if err := tokens.Revoke(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.Identify(t.Context(), firstBearer); !errors.Is(err,
		access.ErrUnauthenticated) {
		t.Errorf("revoked: %v", err)
	}
	if _, err := tokens.Identify(t.Context(), secondBearer); err != nil {
		t.Errorf("not revoked: %v", err)
	}
	if err := tokens.Revoke(t.Context(), "first"); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("revoked twice: %v", err)
	}
}

func TestCreateRefuses(t *testing.T) {
	tokens, _, _ := newTokens(t)
	if _, _, err := tokens.Create(t.Context(),
		access.TokenInput{Name: "taken", Role: access.Administrator}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := tokens.Create(t.Context(),
		access.TokenInput{Name: "taken", Role: access.Administrator}); !errors.Is(err,
		access.ErrExists) {
		t.Errorf("name taken: %v", err)
	}
	for _, name := range []string{"", " x", "x ", "a\nb", "system", "System",
		strings.Repeat("n", 101), "\xff"} {
		if _, bearer, err := tokens.Create(t.Context(),
			access.TokenInput{Name: name, Role: access.Administrator}); err == nil {
			t.Errorf("created %q for the name %q", bearer, name)
		}
	}
	if _, _, err := tokens.Create(t.Context(),
		access.TokenInput{Name: "past", Role: access.Administrator,
			TTL: -time.Second}); err == nil {
		t.Error("created a token that has expired")
	}
}

func TestSecretIsNotStored(t *testing.T) {
	tokens, _, dir := newTokens(t)
	_, bearer, err := tokens.Create(t.Context(),
		access.TokenInput{Name: "one", Role: access.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	secret := bearer[strings.LastIndexByte(bearer[:20], '_')+1:]
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte(secret)) {
			t.Errorf("%s holds the secret", f.Name())
		}
		found = found || bytes.Contains(content, []byte(bearer[3:19])) // the token's id
	}
	if !found {
		t.Error("no file holds the token: the test looks in the wrong place")
	}
}

func FuzzIdentifyToken(f *testing.F) {
	s, err := store.Open(f.Context(), storetest.Location(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	tokens := access.NewTokens(s, time.Now)
	_, bearer, err := tokens.Create(f.Context(),
		access.TokenInput{Name: "one", Role: access.Administrator})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", "sp_", bearer[:19], bearer[:len(bearer)-1], bearer + "x",
		strings.ToUpper(bearer),
		bearer[:20] + strings.Repeat("A", 43), "sp_0123456789abcdef_" + bearer[20:]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, candidate string) {
		defer cost.Input(t)()
		p, err := tokens.Identify(t.Context(), candidate)
		if candidate != bearer && !errors.Is(err, access.ErrUnauthenticated) {
			t.Errorf("%q: %v, %v", candidate, p, err)
		}
	})
}

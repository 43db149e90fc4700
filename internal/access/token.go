// Package access decides who may use the server. Today a caller is known by a local bearer token.
package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// Principal is an authenticated caller.
type Principal struct {
	ID   string
	Name string
}

// Token is a local bearer token, without its secret.
type Token struct {
	ID      string
	Name    string // unique; the name under which its holder's actions are recorded
	Created time.Time
	Expires time.Time // zero: never
}

var (
	// ErrUnauthenticated is returned for a bearer that is malformed, unknown, revoked or expired.
	ErrUnauthenticated = errors.New("the bearer token is not valid")
	// ErrNotFound is returned for a token that does not exist.
	ErrNotFound = errors.New("no such token")
	// ErrExists is returned for a name that another token has.
	ErrExists = errors.New("a token of this name exists")
)

// Store keeps tokens. Secrets never reach it, only their SHA-256.
type Store interface {
	// AddToken stores a new token; ErrExists if its name is taken.
	AddToken(ctx context.Context, t Token, hash [sha256.Size]byte) error
	// Token finds a token and its hash by id; ErrNotFound if there is none.
	Token(ctx context.Context, id string) (Token, [sha256.Size]byte, error)
	// Tokens lists all tokens, by name.
	Tokens(ctx context.Context) ([]Token, error)
	// RemoveToken deletes the token of this id or name; ErrNotFound if there is none.
	RemoveToken(ctx context.Context, idOrName string) error
}

// A bearer is prefix, the token's id, an underscore, and the secret: `sp_0123456789abcdef_…`. The prefix lets secret
// scanners recognise it.
const (
	prefix      = "sp_"
	idBytes     = 8
	secretBytes = 32
	nameLimit   = 100
)

// Tokens issues local bearer tokens and recognises them.
type Tokens struct {
	store Store
	now   func() time.Time
}

// NewTokens keeps its tokens in store. now is the clock by which they expire.
func NewTokens(store Store, now func() time.Time) *Tokens {
	return &Tokens{store: store, now: now}
}

// Create makes a token that is valid for ttl, 0 meaning for ever, and returns its bearer, which cannot be shown again.
// The error is ErrExists when the name is taken, and says what is wrong with a name or ttl that cannot be used.
func (t *Tokens) Create(ctx context.Context, name string, ttl time.Duration) (Token, string, error) {
	if err := checkName(name); err != nil {
		return Token{}, "", err
	}
	if ttl < 0 {
		return Token{}, "", fmt.Errorf("a token cannot be valid for %s: give a positive time, or 0 for no end", ttl)
	}
	random := make([]byte, idBytes+secretBytes)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	token := Token{ID: hex.EncodeToString(random[:idBytes]), Name: name, Created: t.now().UTC()}
	if ttl > 0 {
		token.Expires = token.Created.Add(ttl)
	}
	bearer := prefix + token.ID + "_" + base64.RawURLEncoding.EncodeToString(random[idBytes:])
	if err := t.store.AddToken(ctx, token, sha256.Sum256([]byte(bearer))); err != nil {
		return Token{}, "", fmt.Errorf("creating token %q: %w", name, err)
	}
	return token, bearer, nil
}

func checkName(name string) error {
	switch {
	case strings.TrimSpace(name) != name || name == "":
		return errors.New("a token needs a name without spaces around it")
	case utf8.RuneCountInString(name) > nameLimit:
		return fmt.Errorf("a token's name has at most %d characters", nameLimit)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("a token's name has no control characters")
	case strings.EqualFold(name, action.SystemActor):
		return fmt.Errorf("the name %q is the server's own; choose another", action.SystemActor)
	}
	return nil
}

// List returns all tokens, by name.
func (t *Tokens) List(ctx context.Context) ([]Token, error) { return t.store.Tokens(ctx) }

// Revoke makes the token of this id or name invalid at once; ErrNotFound if there is none.
func (t *Tokens) Revoke(ctx context.Context, idOrName string) error {
	if err := t.store.RemoveToken(ctx, idOrName); err != nil {
		return fmt.Errorf("revoking token %q: %w", idOrName, err)
	}
	return nil
}

// Authenticate returns who holds the bearer; ErrUnauthenticated if nobody does. Other errors are the store's.
func (t *Tokens) Authenticate(ctx context.Context, bearer string) (*Principal, error) {
	id, ok := idOf(bearer)
	if !ok {
		return nil, ErrUnauthenticated
	}
	token, want, err := t.store.Token(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, ErrUnauthenticated
	}
	if err != nil {
		return nil, fmt.Errorf("reading token %s: %w", id, err)
	}
	got := sha256.Sum256([]byte(bearer))
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return nil, ErrUnauthenticated
	}
	if !token.Expires.IsZero() && !t.now().Before(token.Expires) {
		return nil, ErrUnauthenticated
	}
	return &Principal{ID: token.ID, Name: token.Name}, nil
}

func idOf(bearer string) (string, bool) {
	rest, ok := strings.CutPrefix(bearer, prefix)
	if !ok {
		return "", false
	}
	id, secret, ok := strings.Cut(rest, "_")
	if !ok || len(id) != hex.EncodedLen(idBytes) || len(secret) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return "", false
	}
	return id, true
}

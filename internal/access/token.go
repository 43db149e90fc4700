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
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// Token is one of the server's own bearer tokens, without its secret. Groups, Tags and the role are
// those of the role assignment that was created with it; other assignments may name it as a member,
// too.
type Token struct {
	ID string `json:"id"`
	// Name is unique. The holder's actions are recorded under it.
	Name     string    `json:"name"`
	RoleID   string    `json:"roleId"`         // empty: that assignment has been deleted
	Role     string    `json:"role"`           // that role's name
	Groups   []string  `json:"resourceScopes"` // as in RoleAssignment; nil: all devices
	Tags     []string  `json:"roleScopeTagIds"`
	Created  time.Time `json:"createdDateTime"`
	Expires  time.Time `json:"expiresDateTime,omitzero"`  // zero: never
	LastUsed time.Time `json:"lastUsedDateTime,omitzero"` // up to FlushEvery late; zero: never
}

var (
	// ErrUnauthenticated is returned for a bearer token that is malformed, unknown, revoked or
	// expired.
	ErrUnauthenticated = errors.New("the bearer token is not valid")
	// ErrExists is returned for a name that another token has.
	ErrExists = errors.New("a token of this name exists")
)

// A bearer token is tokenPrefix, its id, an underscore, and the secret: `sp_0123456789abcdef_…`.
// The prefix lets secret scanners recognise it.
const (
	tokenPrefix = "sp_"
	idBytes     = 8
	secretBytes = 32
	nameLimit   = 100
)

// Tokens issues and checks the server's own bearer tokens.
type Tokens struct {
	store Store
	now   func() time.Time

	mu   sync.Mutex
	used map[string]time.Time // when tokens were used since the last Flush, by token id
}

// NewTokens returns a service that keeps its tokens in store. now is the clock by which they
// expire.
func NewTokens(store Store, now func() time.Time) *Tokens {
	return &Tokens{store: store, now: now, used: make(map[string]time.Time)}
}

// TokenInput describes a token to create. Role, groups and scope tags are given by id or by name.
type TokenInput struct {
	// By is who creates the token, and can give it no more than they have; nil: the command line of
	// this machine, without limits.
	By     *Principal
	Name   string
	TTL    time.Duration // how long it is valid; 0: forever
	Role   string
	Groups []string // limits the role to these groups of devices; nil: all devices
	Tags   []string // limits the role to these scope tags; nil: no limit to tags
}

// Create creates a token and the role assignment that belongs to it, and returns its bearer, which
// cannot be shown again. The error is ErrExists if the name is taken, an *invalid.Input for input
// that cannot be used, and a *NotHeld if the token could do more than whoever creates it.
func (t *Tokens) Create(ctx context.Context, in TokenInput) (Token, string, error) {
	if err := checkName(in.Name); err != nil {
		return Token{}, "", err
	}
	if in.TTL < 0 {
		return Token{}, "", &invalid.Input{Property: "expiresIn",
			Reason: fmt.Sprintf("a token cannot be valid for %s: "+
				"give a positive time, or 0 for no end", in.TTL)}
	}
	random := make([]byte, idBytes+secretBytes)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	token := Token{ID: hex.EncodeToString(random[:idBytes]), Name: in.Name, Created: t.now().UTC()}
	if in.TTL > 0 {
		token.Expires = token.Created.Add(in.TTL)
	}
	bearer := tokenPrefix + token.ID + "_" + base64.RawURLEncoding.EncodeToString(random[idBytes:])
	err := t.store.UpdateAccess(ctx, func(tx Tx) error {
		role, err := in.resolve(ctx, tx, &token)
		if err != nil {
			return err
		}
		a := token.assignment()
		if err := a.check(); err != nil {
			return err
		}
		if err := in.mayMake(role, a.Area()); err != nil {
			return err
		}
		if err := tx.InsertToken(ctx, token, sha256.Sum256([]byte(bearer))); err != nil {
			return err
		}
		note(ctx, "token", token.ID, token.Name, nil, &token)
		return tx.InsertAssignment(ctx, a)
	})
	if err != nil {
		return Token{}, "", fmt.Errorf("creating token %q: %w", in.Name, err)
	}
	return token, bearer, nil
}

func checkName(name string) error {
	reason := ""
	switch {
	case strings.TrimSpace(name) != name || name == "":
		reason = "a token needs a name without spaces around it"
	case utf8.RuneCountInString(name) > nameLimit:
		reason = fmt.Sprintf("a token's name has at most %d characters", nameLimit)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		reason = "a token's name has no control characters"
	case strings.EqualFold(name, action.SystemActor):
		reason = fmt.Sprintf("the name %q is the server's own; choose another", action.SystemActor)
	default:
		return nil
	}
	return &invalid.Input{Property: "name", Reason: reason}
}

// List returns all tokens, by name.
func (t *Tokens) List(ctx context.Context) (list []Token, err error) {
	err = t.store.ViewAccess(ctx, func(tx Tx) error {
		if list, err = tx.Tokens(ctx); err != nil {
			return err
		}
		for i := range list {
			if err := list[i].nameRole(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// Revoke makes the token of this id or name invalid at once; ErrNotFound if there is none.
func (t *Tokens) Revoke(ctx context.Context, idOrName string) error {
	err := t.store.UpdateAccess(ctx, func(tx Tx) error {
		token, err := tx.TokenNamed(ctx, idOrName)
		if err != nil {
			return err
		}
		return token.revoke(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("revoking token %q: %w", idOrName, err)
	}
	return nil
}

// Identify returns who holds the bearer token; ErrUnauthenticated if nobody does. Other errors are
// the store's.
func (t *Tokens) Identify(ctx context.Context, bearer string) (*Identity, error) {
	id, ok := idOf(bearer)
	if !ok {
		return nil, ErrUnauthenticated
	}
	var token Token
	var want [sha256.Size]byte
	err := t.store.ViewAccess(ctx, func(tx Tx) (err error) {
		token, want, err = tx.Token(ctx, id)
		return err
	})
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
	t.touch(token.ID)
	id = tokenMember + token.ID
	return &Identity{ID: id, Name: token.Name, Members: []string{id}}, nil
}

func idOf(bearer string) (string, bool) {
	rest, ok := strings.CutPrefix(bearer, tokenPrefix)
	if !ok {
		return "", false
	}
	id, secret, ok := strings.Cut(rest, "_")
	if !ok || len(id) != hex.EncodedLen(idBytes) ||
		len(secret) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return "", false
	}
	return id, true
}

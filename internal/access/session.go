package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// How long a session lasts.
const (
	DefaultIdle     = 30 * time.Minute
	SessionLifetime = 12 * time.Hour // even if it is in use all the time
	seenEvery       = time.Minute    // how often at most it is stored that a session is used
)

// Session is a browser that has signed in, as it is stored: without its secret.
type Session struct {
	Hash     [sha256.Size]byte // SHA-256 of the secret
	Identity Identity
	// when it ends in any case; stores return the end of its token, if that is earlier
	Expires time.Time
	Seen    time.Time // when it was last used, up to seenEvery late
}

// TokenID returns the id of the server's own token that was used to sign in; empty: an identity
// provider was used.
func (s *Session) TokenID() string {
	id, _ := strings.CutPrefix(s.Identity.ID, tokenMember)
	if id == s.Identity.ID {
		return ""
	}
	return id
}

// SessionStore keeps sessions, and links that start one. When a token is deleted, its sessions and
// links go with it.
type SessionStore interface {
	// InsertSession stores a session, and deletes those that have ended: whose Expires is before
	// now, or that were last used before idle. The error is ErrNotFound if the session's token does
	// not exist.
	InsertSession(ctx context.Context, s Session, now, idle time.Time) error
	// Session returns a session by the hash of its secret; ErrNotFound if there is none.
	Session(ctx context.Context, hash [sha256.Size]byte) (Session, error)
	// TouchSession stores when a session was used. The session need not exist.
	TouchSession(ctx context.Context, hash [sha256.Size]byte, seen time.Time) error
	// DeleteSession deletes a session, if it exists.
	DeleteSession(ctx context.Context, hash [sha256.Size]byte) error
	// InsertLink stores a link, as a session that has not started, and deletes links that have
	// expired by now.
	InsertLink(ctx context.Context, s Session, now time.Time) error
	// TakeLink deletes a link and returns it; ErrNotFound if there is none. Only one of several
	// concurrent callers gets it.
	TakeLink(ctx context.Context, hash [sha256.Size]byte) (Session, error)
}

// Sessions manages the sessions of people who use the server with a browser. Its methods may be
// called from many goroutines.
type Sessions struct {
	store SessionStore
	idle  time.Duration
	now   func() time.Time
}

// NewSessions returns a service that keeps its sessions in store. A session ends when it has not
// been used for idle; 0: DefaultIdle.
func NewSessions(store SessionStore, idle time.Duration, now func() time.Time) *Sessions {
	if idle == 0 {
		idle = DefaultIdle
	}
	return &Sessions{store: store, idle: idle, now: now}
}

// Begin starts a session and returns its secret, which is not kept anywhere. The error is
// ErrUnauthenticated if the identity's token has been revoked meanwhile.
func (s *Sessions) Begin(ctx context.Context, who *Identity) (secret string, err error) {
	secret, hash := newSecret()
	now := s.now().UTC()
	session := Session{Hash: hash, Identity: *who, Expires: now.Add(SessionLifetime), Seen: now}
	err = s.store.InsertSession(ctx, session, now, now.Add(-s.idle))
	if errors.Is(err, ErrNotFound) {
		return "", ErrUnauthenticated
	}
	if err != nil {
		return "", fmt.Errorf("beginning a session of %s: %w", who.ID, err)
	}
	return secret, nil
}

// Identify returns whose session it is, and counts as a use of the session. The error is
// ErrUnauthenticated if it has ended or never existed.
func (s *Sessions) Identify(ctx context.Context, secret string) (*Identity, error) {
	session, err := s.find(ctx, secret)
	if err != nil {
		return nil, err
	}
	if now := s.now().UTC(); now.Sub(session.Seen) >= seenEvery {
		if err := s.store.TouchSession(ctx, session.Hash, now); err != nil {
			return nil, fmt.Errorf("writing that a session is used: %w", err)
		}
	}
	return &session.Identity, nil
}

// Check does the same as Identify for requests that happen without a person's doing, such as a page
// that keeps itself up to date. It does not count as a use, so the session can still end for lack
// of use.
func (s *Sessions) Check(ctx context.Context, secret string) (*Identity, error) {
	session, err := s.find(ctx, secret)
	if err != nil {
		return nil, err
	}
	return &session.Identity, nil
}

func (s *Sessions) find(ctx context.Context, secret string) (Session, error) {
	session, err := s.store.Session(ctx, sha256.Sum256([]byte(secret)))
	if errors.Is(err, ErrNotFound) {
		return Session{}, ErrUnauthenticated
	}
	if err != nil {
		return Session{}, fmt.Errorf("reading a session: %w", err)
	}
	if now := s.now(); !now.Before(session.Expires) || now.Sub(session.Seen) >= s.idle {
		return Session{}, ErrUnauthenticated
	}
	return session, nil
}

// End ends a session. It does nothing if the session has ended.
func (s *Sessions) End(ctx context.Context, secret string) error {
	if err := s.store.DeleteSession(ctx, sha256.Sum256([]byte(secret))); err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	return nil
}

// Link returns a code that Redeem accepts once, within ttl.
func (s *Sessions) Link(ctx context.Context, who *Identity,
	ttl time.Duration) (code string, err error) {
	code, hash := newSecret()
	now := s.now().UTC()
	if err := s.store.InsertLink(ctx, Session{Hash: hash, Identity: *who, Expires: now.Add(ttl)},
		now); err != nil {
		return "", fmt.Errorf("making a link that signs in %s: %w", who.ID, err)
	}
	return code, nil
}

// Redeem starts the session of a link and returns its secret. The error is ErrUnauthenticated for a
// code that has been used, has expired, or never existed.
func (s *Sessions) Redeem(ctx context.Context,
	code string) (secret string, who *Identity, err error) {
	link, err := s.store.TakeLink(ctx, sha256.Sum256([]byte(code)))
	if errors.Is(err, ErrNotFound) {
		return "", nil, ErrUnauthenticated
	}
	if err != nil {
		return "", nil, fmt.Errorf("redeeming a link: %w", err)
	}
	if !s.now().Before(link.Expires) {
		return "", nil, ErrUnauthenticated
	}
	secret, err = s.Begin(ctx, &link.Identity)
	return secret, &link.Identity, err
}

func newSecret() (secret string, hash [sha256.Size]byte) {
	random := make([]byte, secretBytes)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	secret = base64.RawURLEncoding.EncodeToString(random)
	return secret, sha256.Sum256([]byte(secret))
}

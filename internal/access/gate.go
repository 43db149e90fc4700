// Package access decides who may do what. It authenticates bearer tokens (the server's own, and
// those of an identity provider), knows which roles their holders have, and in which areas of
// devices and payloads each role holds.
//
// It imports action, audit, catalog and fleet, and declares the Store that keeps its tokens and
// roles. It knows nothing of HTTP routes or SQL.
//
// Begin with Principal, a caller and what they may do, and Gate, which authenticates one. Change
// (change.go) says what an operation touches and decides whether a caller may touch all of it. A
// Permit (permit.go) asks the same again in the transaction that writes. Sight (sight.go) filters
// what is shown.
package access

import (
	"context"
	"strings"
)

// Identifier finds who holds a bearer token. The error is ErrUnauthenticated if nobody does.
type Identifier interface {
	Identify(ctx context.Context, bearer string) (*Identity, error)
}

// Granter returns what role assignments give to their members.
type Granter interface {
	Grants(ctx context.Context, members []string) ([]Grant, error)
}

// Gate authenticates callers and finds what they may do.
type Gate struct {
	Tokens   Identifier
	Provider Identifier // for tokens of an identity provider; nil: none is accepted
	Roles    Granter
}

// Authenticate returns the holder of a bearer token, with what they may do. The error is
// ErrUnauthenticated if there is none.
func (g *Gate) Authenticate(ctx context.Context, bearer string) (*Principal, error) {
	from := g.Provider
	if strings.HasPrefix(bearer, tokenPrefix) {
		from = g.Tokens
	}
	if from == nil {
		return nil, ErrUnauthenticated
	}
	identity, err := from.Identify(ctx, bearer)
	if err != nil {
		return nil, err
	}
	return g.Admit(ctx, identity)
}

// Admit returns an identity together with what it may do now.
func (g *Gate) Admit(ctx context.Context, identity *Identity) (*Principal, error) {
	grants, err := g.Roles.Grants(ctx, identity.Members)
	if err != nil {
		return nil, err
	}
	return &Principal{Identity: *identity, Grants: grants}, nil
}

type principalKey struct{}

// WithPrincipal returns a context for calls that the server itself makes on behalf of somebody who
// has signed in.
func WithPrincipal(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalOf returns on whose behalf the server makes a call; nil: the call comes from outside.
func PrincipalOf(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey{}).(*Principal)
	return p
}

// Package access decides who may do what: bearer tokens, of the server's own and of an identity
// provider, roles, and the parts of the fleet and the catalog in which they hold.
//
// It knows devices, payloads and the audit record, and neither HTTP's routes nor SQL. Begin with
// Principal, who is a caller and what they may do, and Gate, which finds out; change.go decides
// what may be touched, and permit.go asks again within the transaction that writes.
package access

import (
	"context"
	"strings"
)

// Identifier knows who holds a bearer; ErrUnauthenticated if nobody does.
type Identifier interface {
	Identify(ctx context.Context, bearer string) (*Identity, error)
}

// Granter knows what role assignments give to their members.
type Granter interface {
	Grants(ctx context.Context, members []string) ([]Grant, error)
}

// Gate finds out who calls and what they may do.
type Gate struct {
	Tokens   Identifier
	Provider Identifier // of an identity provider's tokens; nil: none is accepted
	Roles    Granter
}

// Authenticate returns the holder of a bearer; ErrUnauthenticated if there is none.
func (g *Gate) Authenticate(ctx context.Context, bearer string) (*Principal, error) {
	from := g.Provider
	if strings.HasPrefix(bearer, prefix) {
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

// Admit returns what somebody who is known may do.
func (g *Gate) Admit(ctx context.Context, identity *Identity) (*Principal, error) {
	grants, err := g.Roles.Grants(ctx, identity.Members)
	if err != nil {
		return nil, err
	}
	return &Principal{Identity: *identity, Grants: grants}, nil
}

type principalKey struct{}

// WithPrincipal returns the context of calls that the server itself makes for somebody who has
// signed in.
func WithPrincipal(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalOf returns whom the server makes a call for; nil: the call comes from outside.
func PrincipalOf(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey{}).(*Principal)
	return p
}

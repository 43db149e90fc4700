package access_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// issuerStorage is what the OpenID provider needs for discovery, keys and client credentials. Of
// its other methods none is called.
type issuerStorage struct {
	op.Storage
	address string
	fetches atomic.Int64
	held    sync.RWMutex // for as long as no document is handed out

	mu         sync.Mutex
	keys       []issuerKey // the last one signs
	algorithms []jose.SignatureAlgorithm
}

type issuerKey struct {
	id, use   string
	algorithm jose.SignatureAlgorithm
	private   crypto.Signer
}

func (k issuerKey) ID() string                                  { return k.id }
func (k issuerKey) SignatureAlgorithm() jose.SignatureAlgorithm { return k.algorithm }
func (k issuerKey) Key() any                                    { return k.private }

// publicKey is what of an issuerKey is published.
type publicKey struct{ issuerKey }

func (k publicKey) Algorithm() jose.SignatureAlgorithm { return k.algorithm }
func (k publicKey) Use() string                        { return k.use }
func (k publicKey) Key() any                           { return k.private.Public() }

func newIssuerKey(id string, algorithm jose.SignatureAlgorithm, bits int) (issuerKey, error) {
	k := issuerKey{id: id, algorithm: algorithm}
	var err error
	switch algorithm {
	case jose.ES256:
		k.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA:
		_, k.private, err = ed25519.GenerateKey(rand.Reader)
	default:
		k.private, err = rsa.GenerateKey(rand.Reader, bits)
	}
	return k, err
}

func (s *issuerStorage) SigningKey(context.Context) (op.SigningKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[len(s.keys)-1], nil
}

func (s *issuerStorage) KeySet(context.Context) ([]op.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []op.Key
	for _, k := range s.keys {
		keys = append(keys, publicKey{k})
	}
	return keys, nil
}

func (s *issuerStorage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.algorithms, nil
}

func (s *issuerStorage) Health(context.Context) error { return nil }

// reporter is the one client: an application, which may get a token for itself.
type reporter struct{ op.Client }

func (reporter) GetID() string { return "reporter" }
func (reporter) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeClientCredentials}
}
func (reporter) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }
func (reporter) ClockSkew() time.Duration            { return 0 }
func (reporter) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}
func (reporter) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}
func (reporter) IDTokenUserinfoClaimsAssertion() bool { return false }

type reporterRequest struct{}

func (reporterRequest) GetSubject() string    { return "reporter" }
func (reporterRequest) GetAudience() []string { return []string{audience} }
func (reporterRequest) GetScopes() []string   { return nil }

func (s *issuerStorage) ClientCredentials(_ context.Context, id, secret string) (op.Client, error) {
	if id != "reporter" || secret != "open sesame" {
		return nil, errors.New("no such client")
	}
	return reporter{}, nil
}

func (s *issuerStorage) ClientCredentialsTokenRequest(context.Context, string,
	[]string) (op.TokenRequest, error) {
	return reporterRequest{}, nil
}

func (s *issuerStorage) CreateAccessToken(context.Context,
	op.TokenRequest) (string, time.Time, error) {
	return "1", time.Now().Add(5 * time.Minute), nil
}

func (s *issuerStorage) GetPrivateClaimsFromScopes(context.Context, string, string,
	[]string) (map[string]any, error) {
	return map[string]any{"idtyp": "app", "roles": []string{"DeviceManagementApps.Read.All",
		"Reports.Read"}}, nil
}

// signIn is what the library makes an ID token of.
type signIn struct{ reporterRequest }

func (signIn) GetSubject() string     { return "ada" }
func (signIn) GetAMR() []string       { return []string{"pwd"} }
func (signIn) GetAuthTime() time.Time { return time.Now() }
func (signIn) GetClientID() string    { return audience }

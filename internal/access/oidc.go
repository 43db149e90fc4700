package access

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

const (
	bearerLimit = 16 << 10 // longest bearer token, in bytes; Entra ID's largest have about 12 KiB
	// longest reason of a refusal, in characters; parts of it come from outside
	reasonLimit = 200
	defaultSkew = time.Minute
	mostSkew    = 10 * time.Minute
)

// ProviderConfig configures whose tokens are accepted.
type ProviderConfig struct {
	// Issuer is an https URL, written exactly as in the `iss` of the provider's tokens. With Entra
	// ID it is https://login.microsoftonline.com/<tenant>/v2.0 for tokens of version 2, or
	// https://sts.windows.net/<tenant>/ for those of version 1, never both. Its metadata is read
	// from <Issuer>/.well-known/openid-configuration.
	Issuer string
	// Audience is what `aud` must contain: the name under which the provider knows this server.
	Audience string
	// RolesClaim and GroupsClaim say which claims hold roles and groups: "roles" and "groups" if
	// empty. A dot leads into an object (Keycloak: realm_access.roles), unless a claim has the
	// whole name including the dots.
	RolesClaim, GroupsClaim string
	// Skew is how far the provider's clock and this server's may differ: 0 means a minute, and ten
	// minutes are the most.
	Skew time.Duration
	// CAs to trust for the provider's certificate; nil: the system's.
	CAs *x509.CertPool
	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: nothing is logged
}

// Provider checks the access tokens of one identity provider (OpenID Connect Discovery 1.0; RFC
// 7519; RFC 9068).
type Provider struct {
	config ProviderConfig
	keys   *keyring

	mu       sync.Mutex
	overages time.Time // when it was last logged that a token lists no groups
}

// NewProvider checks the configuration. It does not contact the provider, which may be down; that
// happens when the first token comes. When ctx ends, so do requests to the provider.
func NewProvider(ctx context.Context, config ProviderConfig) (*Provider, error) {
	if err := checkIssuer(config.Issuer); err != nil {
		return nil, fmt.Errorf("the issuer %q cannot be used: %w", config.Issuer, err)
	}
	if config.Audience == "" {
		return nil, errors.New("an identity provider needs an audience, " +
			"or tokens that it issued for others would be accepted")
	}
	if config.Skew < 0 || config.Skew > mostSkew {
		return nil, fmt.Errorf("clocks cannot differ by %s: give 0 to %s", config.Skew, mostSkew)
	}
	if config.Skew == 0 {
		config.Skew = defaultSkew
	}
	if config.RolesClaim == "" {
		config.RolesClaim = "roles"
	}
	if config.GroupsClaim == "" {
		config.GroupsClaim = "groups"
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	return &Provider{config: config, keys: newKeyring(ctx, config)}, nil
}

func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil:
		return err
	case u.Scheme != "https" || u.Host == "":
		return errors.New("it must be an https URL")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(issuer, "#"):
		return errors.New("it must have no user, query or fragment")
	}
	return nil
}

// Identify returns who holds the bearer token. The error wraps ErrUnauthenticated, and says why for
// the log, if this is not a valid access token of this provider for this server. Any other error
// means that this cannot be known because the provider cannot be reached: ask again later.
//
// A token is refused unless all of this holds:
//   - It is signed by a key that the issuer publishes, with an asymmetric algorithm that the
//     issuer's metadata name. none, HS256 and the like never do, nor a key that comes with the
//     token (RFC 8725 sections 3.1 and 3.2).
//   - `iss` is exactly the issuer, and `aud` contains the audience.
//   - `exp` is there and not past, and `nbf` and `iat` are not in the future, give or take the
//     skew.
//   - It is an access token, as far as that can be told: see checkAccessToken.
func (p *Provider) Identify(ctx context.Context, bearer string) (*Identity, error) {
	c, err := p.verifiedClaims(ctx, bearer, p.config.Audience)
	if err != nil {
		return nil, err
	}
	if err := p.checkClaims(c); err != nil {
		return nil, refused(err)
	}
	identity, err := p.identity(c)
	if err != nil {
		return nil, refused(err)
	}
	return identity, nil
}

// verifiedClaims returns the claims of a token that the issuer signed for an audience.
func (p *Provider) verifiedClaims(ctx context.Context, token, audience string) (claims, error) {
	jws, err := parseBearer(token)
	if err != nil {
		return nil, refused(err)
	}
	published, err := p.keys.current(ctx)
	if err != nil {
		return nil, err
	}
	check := &signatureCheck{keys: p.keys, published: published, jws: jws}
	// The library's own check of times allows no skew for exp, and a fixed one for nbf.
	verifier := oidc.NewVerifier(p.config.Issuer, check, &oidc.Config{
		ClientID: audience, SupportedSigningAlgs: published.algorithms, SkipExpiryCheck: true,
	})
	verified, err := verifier.Verify(ctx, token)
	if check.unavailable != nil {
		return nil, check.unavailable
	}
	if err != nil {
		return nil, refused(err)
	}
	c, err := claimsOf(verified)
	if err != nil {
		return nil, refused(err)
	}
	return c, nil
}

// parseBearer reads a compact JWS (RFC 7515 section 7.1) without trusting it, and refuses what no
// key could make valid.
func parseBearer(bearer string) (*jose.JSONWebSignature, error) {
	if len(bearer) > bearerLimit {
		return nil, fmt.Errorf("it has %d bytes, which is more than %d", len(bearer), bearerLimit)
	}
	jws, err := jose.ParseSignedCompact(bearer, asymmetric)
	if err != nil {
		return nil, err
	}
	header := jws.Signatures[0].Header
	if typ, ok := header.ExtraHeaders[jose.HeaderType]; ok && !isAccessTokenType(typ) {
		return nil, fmt.Errorf("its header says that it is of type %v, not an access token", typ)
	}
	if _, ok := header.ExtraHeaders["crit"]; ok {
		return nil,
			errors.New("its header has extensions that must be understood (crit), and none is")
	}
	return jws, nil
}

func refused(reason error) error {
	return fmt.Errorf("%w: %s", ErrUnauthenticated, shorten(reason.Error(), reasonLimit))
}

// shorten cuts text to a number of characters.
func shorten(text string, limit int) string {
	for i := range text {
		if limit == 0 {
			return text[:i]
		}
		limit--
	}
	return text
}

// signatureCheck is the oidc.KeySet for one token. It finds the key that signed the token, and asks
// the issuer for new keys if the token names one that is not known.
type signatureCheck struct {
	keys        *keyring
	published   *published
	jws         *jose.JSONWebSignature
	unavailable error // why the issuer could not be asked; nil: it could, or need not be
}

func (s *signatureCheck) VerifySignature(ctx context.Context, _ string) ([]byte, error) {
	payload, known := s.published.verify(s.jws)
	if payload == nil && !known {
		newer, err := s.keys.newer(ctx)
		if err != nil {
			s.unavailable = err
			return nil, err
		}
		payload, _ = newer.verify(s.jws)
	}
	if payload == nil {
		return nil, errors.New("no key that the issuer publishes has signed it")
	}
	return payload, nil
}

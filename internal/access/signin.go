package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// SignInConfig configures this server as an OpenID Connect client of the identity provider.
type SignInConfig struct {
	ClientID     string
	ClientSecret string // empty: a public client, protected by PKCE alone
	RedirectURL  string // where the provider sends browsers back to; it must be registered there
}

// SignIn lets people sign in at the identity provider: the authorization code flow (OpenID Connect
// Core section 3.1) with PKCE (RFC 7636), state and nonce.
type SignIn struct {
	provider *Provider
	config   SignInConfig

	mu       sync.Mutex
	metadata *oidc.Provider
	failure  error     // why the metadata could not be read; nil: they were
	asked    time.Time // when they were last asked for; zero: never
}

// SignInAttempt holds the secrets of one sign-in. The browser keeps them until it comes back from
// the provider; nobody else learns them.
type SignInAttempt struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // PKCE's code_verifier (RFC 7636)
}

// NewSignIn checks the configuration. It does not contact the provider.
func NewSignIn(provider *Provider, config SignInConfig) (*SignIn, error) {
	if config.ClientID == "" {
		return nil, errors.New("signing in at an identity provider needs the client id " +
			"under which it knows this server")
	}
	if u, err := url.Parse(config.RedirectURL); err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("the redirect URL %q must be an https URL", config.RedirectURL)
	}
	return &SignIn{provider: provider, config: config}, nil
}

// Host returns the provider's host name, to show to people.
func (s *SignIn) Host() string {
	u, _ := url.Parse(s.provider.config.Issuer) // NewProvider has checked it
	return u.Host
}

// Start returns the provider's address to which the browser is to go, and what it must keep.
func (s *SignIn) Start(ctx context.Context) (address string, attempt SignInAttempt, err error) {
	client, err := s.client(ctx)
	if err != nil {
		return "", attempt, err
	}
	attempt = SignInAttempt{State: rand.Text(), Nonce: rand.Text(),
		Verifier: oauth2.GenerateVerifier()}
	return client.AuthCodeURL(attempt.State, oidc.Nonce(attempt.Nonce),
		oauth2.S256ChallengeOption(attempt.Verifier)), attempt, nil
}

// Finish takes the parameters with which the browser came back, and returns who signed in. The ID
// token decides, by the same rules as for access tokens, with two exceptions: its audience is the
// client id, and it does not limit its holder to Graph permissions, because the person's roles here
// do. It is always a person. The error wraps ErrUnauthenticated and says why, for the log; any
// other error means that the provider could not be asked.
func (s *SignIn) Finish(ctx context.Context, attempt SignInAttempt,
	back url.Values) (*Identity, error) {
	if attempt.State == "" || subtle.ConstantTimeCompare([]byte(back.Get("state")),
		[]byte(attempt.State)) != 1 {
		return nil,
			refused(errors.New("the browser came back with another state than it left with"))
	}
	if reason := back.Get("error"); reason != "" {
		return nil, refused(fmt.Errorf("the identity provider said %q: %s", printable(reason),
			printable(back.Get("error_description"))))
	}
	if iss := back.Get("iss"); iss != "" && iss != s.provider.config.Issuer { // RFC 9207
		return nil, refused(fmt.Errorf("the browser came back from %q", iss))
	}
	client, err := s.client(ctx)
	if err != nil {
		return nil, err
	}
	asking, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	tokens, err := client.Exchange(oidc.ClientContext(asking, s.provider.keys.client),
		back.Get("code"), oauth2.VerifierOption(attempt.Verifier))
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) && answer.Response.StatusCode < 500 {
		return nil, refused(fmt.Errorf("the identity provider does not take the code: %s: %s",
			printable(answer.ErrorCode), printable(answer.ErrorDescription)))
	}
	if err != nil {
		return nil, fmt.Errorf("asking the identity provider %s for tokens: %s",
			s.provider.config.Issuer, shorten(err.Error(), 2*reasonLimit))
	}
	idToken, _ := tokens.Extra("id_token").(string)
	if idToken == "" {
		return nil, refused(errors.New("the identity provider gave no ID token"))
	}
	c, err := s.check(ctx, idToken, attempt.Nonce)
	if err != nil {
		return nil, err
	}
	s.addName(asking, c, tokens)
	identity, err := s.provider.person(c)
	if err != nil {
		return nil, refused(err)
	}
	identity.Permissions = nil
	return identity, nil
}

// addName asks the provider's UserInfo endpoint for the person's name, if the ID token has none.
// With this flow a provider needs to tell names only there (OpenID Connect Core section 5.4).
// Nothing else is taken from the answer, and signing in succeeds without one.
func (s *SignIn) addName(ctx context.Context, c claims, tokens *oauth2.Token) {
	names := []string{"preferred_username", "upn", "email", "name"}
	if slices.ContainsFunc(names, c.has) {
		return
	}
	s.mu.Lock()
	metadata := s.metadata
	s.mu.Unlock()
	if !strings.HasPrefix(metadata.UserInfoEndpoint(), "https://") {
		return
	}
	told, err := metadata.UserInfo(oidc.ClientContext(ctx, s.provider.keys.client),
		oauth2.StaticTokenSource(tokens))
	// section 5.3.2: it could be about another person
	if err != nil || told.Subject != c.text("sub") {
		s.provider.config.Log.Warn("the identity provider does not tell a name", "issuer",
			s.provider.config.Issuer, "err", err)
		return
	}
	var info claims
	if told.Claims(&info) != nil {
		return
	}
	for _, name := range names {
		if info.has(name) {
			c[name] = info[name]
		}
	}
}

// check returns the claims of an ID token (OpenID Connect Core section 3.1.3.7).
func (s *SignIn) check(ctx context.Context, idToken, nonce string) (claims, error) {
	c, err := s.provider.verifiedClaims(ctx, idToken, s.config.ClientID)
	if err != nil {
		return nil, err
	}
	if iss := c.text("iss"); iss != s.provider.config.Issuer {
		return nil, refused(fmt.Errorf("its issuer is %q, not %q", iss, s.provider.config.Issuer))
	}
	if err := s.provider.checkTimes(c); err != nil {
		return nil, refused(err)
	}
	if azp := c.text("azp"); azp != s.config.ClientID && (c.has("azp") || len(c.list("aud")) > 1) {
		return nil, refused(fmt.Errorf("it was given to %q, not to this server", azp))
	}
	if subtle.ConstantTimeCompare([]byte(c.text("nonce")), []byte(nonce)) != 1 {
		return nil, refused(errors.New("it has another nonce than the browser left with"))
	}
	return c, nil
}

// client returns the OAuth client, with the endpoints that the provider's metadata name. The
// metadata are read again after keysFresh, or after fetchPause if they could not be read, so that
// visitors cannot make this server flood the provider.
func (s *SignIn) client(ctx context.Context) (*oauth2.Config, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.provider.config.Now()
	age := now.Sub(s.asked)
	if s.asked.IsZero() || age >= keysFresh || s.failure != nil && age >= fetchPause {
		s.metadata, s.failure = s.discover(ctx)
		s.asked = now
	}
	if s.failure != nil {
		return nil, s.failure
	}
	return &oauth2.Config{ClientID: s.config.ClientID, ClientSecret: s.config.ClientSecret,
			RedirectURL: s.config.RedirectURL,
			Endpoint:    s.metadata.Endpoint(),
			Scopes:      []string{oidc.ScopeOpenID, "profile", "email"}},
		nil
}

func (s *SignIn) discover(ctx context.Context) (*oidc.Provider, error) {
	// Others wait for the same answer, so this caller must not be able to cancel it.
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	provider, err := oidc.NewProvider(oidc.ClientContext(asking, s.provider.keys.client),
		s.provider.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("reading how to sign in at %s: %s", s.provider.config.Issuer,
			shorten(err.Error(), 2*reasonLimit))
	}
	endpoint := provider.Endpoint()
	if slices.ContainsFunc([]string{endpoint.AuthURL, endpoint.TokenURL},
		func(u string) bool { return !strings.HasPrefix(u, "https://") }) {
		return nil, fmt.Errorf("signing in at %s: its endpoints %q and %q must be https URLs",
			s.provider.config.Issuer, endpoint.AuthURL, endpoint.TokenURL)
	}
	return provider, nil
}

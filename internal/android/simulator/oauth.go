package simulator

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// The permission that AMAPI wants of a token, and the one that opens everything.
const (
	scopeAMAPI  = "https://www.googleapis.com/auth/androidmanagement"
	scopePubSub = "https://www.googleapis.com/auth/pubsub"
	scopeCloud  = "https://www.googleapis.com/auth/cloud-platform"
)

type serviceAccount struct {
	email, project string
	key            *rsa.PublicKey
}

type bearer struct {
	project string
	scopes  []string
	until   time.Time // by the clock of the machine, which the caller goes by
}

// ServiceAccount makes a service account and returns its file, as Google's console gives it. base
// is the address of this Service, such as "http://127.0.0.1:8080"; an empty project is that of the
// Options.
func (s *Service) ServiceAccount(base, project string) ([]byte, error) {
	if project == "" {
		project = s.options.Project
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counter++
	account := &serviceAccount{project: project, key: &key.PublicKey,
		email: fmt.Sprintf("emm-%d@%s.iam.gserviceaccount.com", s.counter, project)}
	s.accounts[account.email] = account
	return encode(map[string]string{"type": "service_account", "project_id": project,
		"private_key_id": fmt.Sprintf("%040x", s.counter),
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY",
			Bytes: der})),
		"client_email": account.email, "client_id": fmt.Sprintf("1%020d", s.counter),
		"auth_uri": base + "/auth", "token_uri": base + "/token",
		"auth_provider_x509_cert_url": base + "/certs",
		"universe_domain":             "googleapis.com"}), nil
}

// serveToken gives a token for a service account's assertion (RFC 7523; Google Identity, "Using
// OAuth 2.0 for Server to Server Applications").
func (s *Service) serveToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	deny := func(code, text string) {
		write(w, http.StatusBadRequest, encode(map[string]string{"error": code,
			"error_description": text}))
	}
	switch {
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
		deny("unsupported_grant_type", "Invalid grant_type")
		return
	}
	given, refusal := s.readAssertion(r.FormValue("assertion"), r.Host)
	if refusal != "" {
		deny("invalid_grant", refusal)
		return
	}
	token := "ya29." + rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bearers) > 10_000 {
		clear(s.bearers)
	}
	s.bearers[token] = given
	write(w, http.StatusOK, encode(map[string]any{"access_token": token, "token_type": "Bearer",
		"expires_in": int(time.Until(given.until).Seconds())}))
}

// readAssertion returns what an assertion allows, or why it is refused.
func (s *Service) readAssertion(assertion, host string) (bearer, string) {
	parsed, err := jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return bearer{}, "Invalid JWT: it cannot be read"
	}
	var claims struct {
		jwt.Claims
		Scope string `json:"scope"`
	}
	if err := parsed.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return bearer{}, "Invalid JWT: its claims cannot be read"
	}
	s.mu.Lock()
	account := s.accounts[claims.Issuer]
	s.mu.Unlock()
	now := time.Now()
	switch {
	case account == nil:
		return bearer{}, "Invalid grant: account not found"
	case parsed.Claims(account.key, &claims) != nil:
		return bearer{}, "Invalid JWT Signature."
	case !slices.ContainsFunc(claims.Audience,
		func(a string) bool { return strings.HasSuffix(a, "//"+host+"/token") }):
		return bearer{}, "Invalid JWT: the audience is not this endpoint"
	case claims.IssuedAt == nil || claims.Expiry == nil ||
		claims.IssuedAt.Time().After(now.Add(time.Minute)) || claims.Expiry.Time().Before(now) ||
		claims.Expiry.Time().Sub(claims.IssuedAt.Time()) > time.Hour:
		return bearer{}, "Invalid JWT: Token must be a short-lived token (60 minutes)"
	case claims.Scope == "":
		return bearer{}, "Invalid JWT: no scope"
	}
	return bearer{account.project, strings.Fields(claims.Scope), now.Add(time.Hour)}, ""
}

// authenticate returns the project of the caller; mu is held.
func (s *Service) authenticate(c *call) (string, *failure) {
	header := c.request.Header.Get("Authorization")
	token, found := strings.CutPrefix(header, "Bearer ")
	if header == "" && !s.options.RequireToken {
		return s.options.Project, nil
	}
	known, exists := s.bearers[token]
	switch {
	case header == "":
		return "", fail(http.StatusUnauthorized, "Request is missing required authentication "+
			"credential. Expected OAuth 2 access token, login cookie or other valid "+
			"authentication credential.")
	case !found || !exists || time.Now().After(known.until):
		return "", fail(http.StatusUnauthorized, "Request had invalid authentication credentials. "+
			"Expected OAuth 2 access token, login cookie or other valid authentication credential.")
	}
	wanted := scopeAMAPI
	if c.parts[0] == "projects" {
		wanted = scopePubSub
	}
	if !slices.Contains(known.scopes, wanted) &&
		!(wanted == scopePubSub && slices.Contains(known.scopes, scopeCloud)) {
		return "", fail(http.StatusForbidden,
			"Request had insufficient authentication scopes.")
	}
	return known.project, nil
}

// RevokeTokens makes every token that was given invalid.
func (s *Service) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.bearers)
}

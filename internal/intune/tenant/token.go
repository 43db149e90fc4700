package tenant

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/syncpayloads/syncpayloads/internal/backoff"
	"github.com/syncpayloads/syncpayloads/internal/limit"
)

const (
	// renewAhead is how long before its end a token is not used any more.
	renewAhead = 5 * time.Minute
	// largestToken bounds an answer of the token endpoint, in bytes.
	largestToken = 1 << 20
	// After the token endpoint said no, it is asked again after these waits.
	tokenRetryBase = 5 * time.Second
	tokenRetryMost = 5 * time.Minute
)

// assertionType is how a client proves itself by a signed assertion (RFC 7523, section 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// tokens gets tokens for the app by the client credentials flow (RFC 6749, section 4.4), and keeps
// the newest one.
type tokens struct {
	config *Config
	url    string // of the tenant's token endpoint
	scope  string
	http   *http.Client

	mu       sync.Mutex
	value    string
	till     time.Time
	failed   error // what the endpoint said last; nil: it gave a token
	failures int
	again    time.Time // it is not asked before
}

func newTokens(c *Config, authority *url.URL, scope string) (*tokens, error) {
	if c.Tokens != nil {
		return &tokens{config: c}, nil
	}
	if err := c.Credential.check(); err != nil {
		return nil, err
	}
	return &tokens{config: c, scope: scope,
		url: authority.JoinPath(c.TenantID, "oauth2", "v2.0", "token").String(),
		http: &http.Client{Transport: limit.Answers(c.Transport, largestToken),
			CheckRedirect: stay, Timeout: callTimeout}}, nil
}

// get returns a token, a new one if the one that there is ends soon. What the endpoint said no to is
// said again for a while without asking.
func (t *tokens) get(ctx context.Context) (string, error) {
	if t.config.Tokens != nil {
		return t.config.Tokens.Token(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.config.Now()
	if t.value != "" && now.Before(t.till) {
		return t.value, nil
	}
	if t.failed != nil && now.Before(t.again) && t.again.Sub(now) <= tokenRetryMost {
		return "", t.failed
	}
	err := t.fetch(ctx, now)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if t.failed = err; err != nil {
		t.failures++
		t.again = now.Add(backoff.After(tokenRetryBase, tokenRetryMost, 2, t.failures))
		return "", err
	}
	t.failures = 0
	return t.value, nil
}

func (t *tokens) fetch(ctx context.Context, now time.Time) error {
	flow := clientcredentials.Config{ClientID: t.config.ClientID, TokenURL: t.url,
		Scopes: []string{t.scope}, AuthStyle: oauth2.AuthStyleInParams}
	if credential := &t.config.Credential; credential.Secret != "" {
		flow.ClientSecret = credential.Secret
	} else {
		assertion, err := credential.assert(t.config.ClientID, t.url, now,
			t.config.LegacyAssertion)
		if err != nil {
			return err
		}
		flow.EndpointParams = url.Values{"client_assertion_type": {assertionType},
			"client_assertion": {assertion}}
	}
	got, err := flow.Token(context.WithValue(ctx, oauth2.HTTPClient, t.http))
	if err != nil {
		return tokenRefused(err)
	}
	life := time.Until(got.Expiry) // by the machine's clock, as oauth2 counts
	t.value, t.till = got.AccessToken, now.Add(max(life-renewAhead, life/2))
	return nil
}

// drop forgets a token that Graph did not take.
func (t *tokens) drop(value string) {
	if t.config.Tokens != nil {
		t.config.Tokens.Drop(value)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value == value {
		t.value = ""
	}
}

// tokenRefused is why there is no token, with Entra ID's own words.
func tokenRefused(err error) error {
	r := &Refused{Action: "give this app a token", Message: "its token endpoint could not be used"}
	var said *oauth2.RetrieveError
	if !errors.As(err, &said) {
		r.Message = words(err.Error(), mostWords)
		return r
	}
	r.Code = words(said.ErrorCode, 100)
	if said.Response != nil {
		r.Status = said.Response.StatusCode
	}
	// Entra ID adds ids and times in lines of their own.
	description, _, _ := strings.Cut(strings.ReplaceAll(said.ErrorDescription, "\r", ""), "\n")
	description, _, _ = strings.Cut(description, " Trace ID:")
	if description != "" {
		r.Message = words(description, mostWords)
	}
	var more struct {
		TraceID string `json:"trace_id"`
	}
	if wellNested(said.Body) && json.Unmarshal(said.Body, &more) == nil {
		r.RequestID = words(more.TraceID, 100)
	}
	return r
}

// roles are the permissions that a token says the app has. Only Graph can check the token; this is
// read to tell people what is missing.
func roles(token string) []string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(token) > largestToken {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	var claims struct {
		Roles []string `json:"roles"`
	}
	if err != nil || !wellNested(text) || json.Unmarshal(text, &claims) != nil {
		return nil
	}
	slices.Sort(claims.Roles)
	return claims.Roles[:min(len(claims.Roles), 500)]
}

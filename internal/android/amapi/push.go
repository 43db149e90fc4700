package amapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/time/rate"
	"google.golang.org/api/pubsub/v1"

	"github.com/syncpayloads/syncpayloads/internal/limit"
)

// pushPath is where Google pushes messages to.
const pushPath = "/android/push"

const (
	maxPush   = maxMessage + 64<<10 // bytes
	maxBearer = 8 << 10
	// Whoever sends a token of an unknown key waits for the keys, in a place of the devices' lane.
	keysTimeout  = 5 * time.Second
	checksAtOnce = 16
	// pushIssuers are Google's names for itself; see verify.
	pushIssuer    = "https://accounts.google.com"
	pushIssuerOld = "accounts.google.com"
)

// pushKeys checks the tokens that Google signs its pushes with (Google, "Authentication for push
// subscriptions"; OpenID Connect Core 1.0, section 3.1.3.7).
type pushKeys struct {
	now    func() time.Time
	keys   oidc.KeySet
	checks chan struct{} // of tokens that are being checked, and may wait for the keys
}

func newPushKeys(url string, now func() time.Time) *pushKeys {
	fetches := &fetchLimit{next: limit.Answers(newTransport(), 1<<20),
		limiter: rate.NewLimiter(rate.Every(10*time.Second), 5)}
	ctx := oidc.ClientContext(context.Background(), &http.Client{Timeout: keysTimeout,
		Transport: fetches, CheckRedirect: stay})
	return &pushKeys{now: now, keys: oidc.NewRemoteKeySet(ctx, url),
		checks: make(chan struct{}, checksAtOnce)}
}

// fetchLimit bounds how often the keys are fetched: whoever sends a token of an unknown key has
// them fetched.
type fetchLimit struct {
	next    http.RoundTripper
	limiter *rate.Limiter
}

var errFetched = errors.New("the keys of pushes were fetched a moment ago")

// RoundTrip implements http.RoundTripper.
func (f *fetchLimit) RoundTrip(r *http.Request) (*http.Response, error) {
	if !f.limiter.Allow() {
		return nil, errFetched
	}
	return f.next.RoundTrip(r)
}

var (
	errNotGoogle = errors.New("the token is not one of Google's for this server")
	errBusy      = errors.New("too many pushes are being checked")
)

// likely reports whether a token may be one of Google's, by its form alone: a JSON Web Signature
// (RFC 7515, section 7.1) by RS256 whose parts are no longer than theirs.
func likely(token string) bool {
	if len(token) > maxBearer || strings.Count(token, ".") != 2 {
		return false
	}
	head, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	var said struct {
		Algorithm string `json:"alg"`
	}
	return err == nil && json.Unmarshal(text, &said) == nil && said.Algorithm == oidc.RS256
}

// verify reports whether Google signed a token for this server, on behalf of the account that was
// set up; the token is a likely one. errNotGoogle: it did not.
func (p *pushKeys) verify(ctx context.Context, token string, setup *Setup) error {
	if setup.Delivery != Push || setup.PushURL == "" {
		return errNotGoogle
	}
	select {
	case p.checks <- struct{}{}:
		defer func() { <-p.checks }()
	default:
		return errBusy
	}
	verifier := oidc.NewVerifier(pushIssuer, p.keys, &oidc.Config{ClientID: setup.PushURL,
		SupportedSigningAlgs: []string{oidc.RS256}, SkipIssuerCheck: true, Now: p.now})
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		return errors.Join(errNotGoogle, err)
	}
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := verified.Claims(&claims); err != nil {
		return errors.Join(errNotGoogle, err)
	}
	if verified.Issuer != pushIssuer && verified.Issuer != pushIssuerOld || !claims.Verified ||
		!strings.EqualFold(claims.Email, setup.ClientEmail) {
		return errNotGoogle
	}
	return nil
}

// bearer is the token of a request; empty: it has none.
func bearer(r *http.Request) string {
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		return ""
	}
	return token
}

// servePush takes a message that Google pushes. An answer of success acknowledges it.
func (c *Channel) servePush(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	fail := func(status int) { http.Error(w, http.StatusText(status), status) }
	refuse := func(cause error) {
		c.log.Debug("a push is refused", "err", cause)
		w.Header().Set("WWW-Authenticate", "Bearer")
		fail(http.StatusUnauthorized)
	}
	token := bearer(r)
	switch { // what costs nothing to see comes before anything is read
	case !likely(token):
		refuse(errNotGoogle)
		return
	case r.ContentLength > maxPush:
		fail(http.StatusBadRequest)
		return
	}
	setup, err := c.recent.recent(ctx)
	if err == nil {
		err = c.pushes.verify(ctx, token, setup)
	}
	if errors.Is(err, errNotGoogle) {
		refuse(err)
		return
	}
	if err != nil {
		fail(http.StatusServiceUnavailable) // it comes again
		return
	}
	var push struct {
		Message      *pubsub.PubsubMessage `json:"message"`
		Subscription string                `json:"subscription"`
	}
	err = json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPush)).Decode(&push)
	if err != nil || push.Message == nil {
		fail(http.StatusBadRequest)
		return
	}
	if push.Subscription != setup.Subscription {
		w.WriteHeader(http.StatusNoContent) // of another one: nothing for here
		return
	}
	if err := c.takeMessage(ctx, push.Message); err != nil {
		c.log.Warn("a message about an Android device is not taken yet", "err", err)
		fail(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

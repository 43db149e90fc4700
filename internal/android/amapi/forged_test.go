package amapi_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/platform"
)

// pushes is a world whose messages are pushed, and what Google's tokens say there.
type pushes struct {
	*world
	claims simulator.PushClaims
	key    jose.JSONWebKey // the public key that Google signs with
}

func newPushes(t *testing.T, wrap func(http.Handler) http.Handler) *pushes {
	w := newBareWorld(t, simulator.Options{Quota: 1_000_000})
	if wrap != nil {
		w.google.Config.Handler = wrap(w.google.Config.Handler)
	}
	w.setUp(amapi.Push)
	e := w.stepIs(amapi.StepReady)
	p := &pushes{world: w, claims: simulator.PushClaims{Issuer: simulator.Issuer,
		Audience: e.PushURL, Subject: "1", Email: e.ClientEmail, EmailVerified: true,
		IssuedAt: w.clock.Now().Unix(), Expiry: w.clock.Now().Add(time.Hour).Unix()}}
	answer := httptest.NewRecorder()
	w.service.ServeHTTP(answer, httptest.NewRequest("GET", "/certs", nil))
	var keys jose.JSONWebKeySet
	w.must(json.Unmarshal(answer.Body.Bytes(), &keys))
	p.key = keys.Keys[0]
	return p
}

// push sends a message of another subscription with a token: nothing changes but for the answer.
func (p *pushes) push(token string) (status int, shown platform.Shows) {
	r := httptest.NewRequest("POST", "/android/push",
		strings.NewReader(`{"message":{"messageId":"1"},"subscription":"another"}`))
	r.Header.Set("Authorization", "Bearer "+token)
	answer := httptest.NewRecorder()
	p.channel.Handler().ServeHTTP(answer, r)
	return answer.Code, p.channel.Shown(r)
}

// signed signs the claims, with more in the token's head.
func (p *pushes) signed(by jose.SignatureAlgorithm, key any, head map[jose.HeaderKey]any) string {
	p.Helper()
	options := (&jose.SignerOptions{ExtraHeaders: head}).WithType("JWT")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: by,
		Key: jose.JSONWebKey{Key: key, KeyID: p.key.KeyID}}, options)
	p.must(err)
	token, err := jwt.Signed(signer).Claims(p.claims).Serialize()
	p.must(err)
	return token
}

// A token that Google did not sign is refused, whatever its head says that it is signed by: a key
// that everybody knows is no secret, and a key that comes with the token proves nothing.
func TestForgedTokens(t *testing.T) {
	p := newPushes(t, nil)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	p.must(err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p.must(err)
	der, err := x509.MarshalPKIXPublicKey(p.key.Key)
	p.must(err)
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	public, err := p.key.MarshalJSON()
	p.must(err)
	good := p.service.PushToken(p.claims)
	parts := strings.Split(good, ".")
	headed := func(head string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + parts[1] + "."
	}
	for name, tt := range map[string]struct {
		token string
		shown platform.Shows
	}{
		"HS256 with the public key in DER":  {p.signed(jose.HS256, der, nil), platform.ShowsNobody},
		"HS256 with the public key in PEM":  {p.signed(jose.HS256, text, nil), platform.ShowsNobody},
		"HS256 with the public key as JSON": {p.signed(jose.HS256, public, nil), platform.ShowsNobody},
		"HS256 with its modulus": {p.signed(jose.HS256,
			p.key.Key.(*rsa.PublicKey).N.Bytes(), nil), platform.ShowsNobody},
		"none":                  {headed(`{"alg":"none"}`), platform.ShowsNobody},
		"none, in capitals":     {headed(`{"alg":"NONE"}`), platform.ShowsNobody},
		"no algorithm":          {headed(`{}`), platform.ShowsNobody},
		"none, and a signature": {headed(`{"alg":"none"}`) + parts[2], platform.ShowsNobody},
		"two algorithms": {headed(`{"alg":"RS256","alg":"none"}`),
			platform.ShowsNobody},
		"RS256 without a signature": {headed(`{"alg":"RS256","kid":"` + p.key.KeyID + `"}`),
			platform.ShowsSomething},
		"another key by the same name": {p.signed(jose.RS256, other, nil),
			platform.ShowsSomething},
		"another key that comes with it": {p.signed(jose.RS256, other,
			map[jose.HeaderKey]any{"jwk": jose.JSONWebKey{Key: other.Public(),
				KeyID: p.key.KeyID}}), platform.ShowsSomething},
		"another key that is to be fetched": {p.signed(jose.RS256, other,
			map[jose.HeaderKey]any{"jku": p.google.URL + "/certs"}), platform.ShowsSomething},
		"RS512": {p.signed(jose.RS512, other, nil), platform.ShowsNobody},
		"PS256": {p.signed(jose.PS256, other, nil), platform.ShowsNobody},
		"ES256": {p.signed(jose.ES256, curve, nil), platform.ShowsNobody},
		"of other claims": {parts[0] + "." + strings.Split(p.service.PushToken(
			simulator.PushClaims{Issuer: "x"}), ".")[1] + "." + parts[2], platform.ShowsSomething},
		"in four parts": {good + ".x", platform.ShowsNobody},
		"in two parts":  {parts[0] + "." + parts[1], platform.ShowsNobody},
		"a long one": {parts[0] + "." + strings.Repeat("a", 9<<10) + "." + parts[2],
			platform.ShowsNobody},
	} {
		if status, shown := p.push(tt.token); status != http.StatusUnauthorized ||
			shown != tt.shown {
			t.Errorf("%s: %d, shows %d; want 401, %d", name, status, shown, tt.shown)
		}
	}
	if status, shown := p.push(good); status != http.StatusNoContent ||
		shown != platform.ShowsSomething {
		t.Errorf("Google's own: %d, shows %d", status, shown)
	}
}

// While the keys do not come, tokens of unknown keys wait for them in few places, and all others
// are told at once to come again. When the keys are there Google's own is taken.
func TestForgedTokensWhileKeysDoNotCome(t *testing.T) {
	comes, asked := make(chan struct{}), make(chan struct{}, 1000)
	p := newPushes(t, func(google http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/certs" {
				asked <- struct{}{}
				select {
				case <-comes:
				case <-r.Context().Done():
					return
				}
			}
			google.ServeHTTP(w, r)
		})
	})
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	p.must(err)
	forged := p.signed(jose.RS256, other, nil)
	const many = 200
	answers := make(chan int, many)
	for range many {
		go func() {
			status, _ := p.push(forged)
			answers <- status
		}()
	}
	// All but those that wait are answered before any key is there.
	counts := map[int]int{}
	for range many - amapi.ChecksAtOnce {
		counts[<-answers]++
	}
	if counts[http.StatusServiceUnavailable] != many-amapi.ChecksAtOnce {
		t.Errorf("the answers are %v", counts)
	}
	close(comes)
	for range amapi.ChecksAtOnce {
		if status := <-answers; status != http.StatusUnauthorized {
			t.Errorf("a forged token is answered %d", status)
		}
	}
	if n := len(asked); n == 0 || n > 6 {
		t.Errorf("the keys were asked for %d times", n)
	}
	if status, _ := p.push(p.service.PushToken(p.claims)); status != http.StatusNoContent {
		t.Errorf("Google's own is answered %d", status)
	}
}

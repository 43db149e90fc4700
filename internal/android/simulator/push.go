package simulator

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"google.golang.org/api/pubsub/v1"
)

// Issuer is who issues the tokens of pushes, as Google does.
const Issuer = "https://accounts.google.com"

// pushKey signs the tokens of pushes.
type pushKey struct {
	signer jose.Signer
	public jose.JSONWebKeySet
}

func newPushKey() (*pushKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	const id = "simulated-key-1"
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256,
		Key: jose.JSONWebKey{Key: key, KeyID: id}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, err
	}
	return &pushKey{signer, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: &key.PublicKey, KeyID: id, Algorithm: string(jose.RS256), Use: "sig"}}}}, nil
}

// key makes the key when it is first needed; mu is held.
func (s *Service) key() *pushKey {
	if s.pushKey == nil {
		made, err := newPushKey()
		if err != nil {
			panic(err) // only without randomness
		}
		s.pushKey = made
	}
	return s.pushKey
}

// serveKeys answers the keys that pushes are signed with, as a JSON Web Key Set (RFC 7517).
func (s *Service) serveKeys(w http.ResponseWriter) {
	s.mu.Lock()
	keys := s.key().public
	s.mu.Unlock()
	write(w, http.StatusOK, encode(keys))
}

// PushClaims are the claims of a push's token (Pub/Sub, "Authentication for push subscriptions").
type PushClaims struct {
	Issuer        string `json:"iss"`
	Audience      string `json:"aud"`
	Subject       string `json:"sub"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
	IssuedAt      int64  `json:"iat"`
	Expiry        int64  `json:"exp"`
}

// PushToken signs claims with the key of the pushes, so that a test can make any token.
func (s *Service) PushToken(claims PushClaims) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token, err := jwt.Signed(s.key().signer).Claims(claims).Serialize()
	if err != nil {
		panic(err) // the claims are plain
	}
	return token
}

// push is one request to an endpoint.
type push struct {
	subscription string
	config       *pubsub.PushConfig
	message      *queued
	ackID        string
}

// maxPushes is how many messages of a subscription Push takes at a time.
const maxPushes = 100

// pushClient sends pushes. It follows no redirects.
var pushClient = &http.Client{Timeout: 10 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// Push sends what is due to the endpoints of the subscriptions that have one, one after the other,
// and returns how many were taken. What is not taken comes again after the subscription's
// deadline.
func (s *Service) Push(ctx context.Context) int {
	s.mu.Lock()
	now := s.options.Now()
	s.advance(now)
	var pushes []push
	for _, name := range sortedKeys(s.queues) {
		q := s.queues[name]
		if q.config.PushConfig.PushEndpoint == "" {
			continue
		}
		for _, m := range s.deliver(q, maxPushes, now) {
			pushes = append(pushes, push{name, q.config.PushConfig, m, m.ackID})
		}
	}
	s.mu.Unlock()
	taken := 0
	for _, p := range pushes {
		if !s.send(ctx, p, now) {
			continue
		}
		taken++
		s.mu.Lock()
		if q := s.queues[p.subscription]; q != nil {
			q.messages = slices.DeleteFunc(q.messages,
				func(m *queued) bool { return m.ackID == p.ackID })
		}
		s.mu.Unlock()
	}
	return taken
}

// send makes one push (Pub/Sub, "Receive messages"). An answer of 102 or 2xx takes it.
func (s *Service) send(ctx context.Context, p push, now time.Time) bool {
	body := encode(map[string]any{"message": p.message.content, "subscription": p.subscription})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.config.PushEndpoint,
		bytes.NewReader(body))
	if err != nil {
		return false
	}
	request.Header.Set("Content-Type", "application/json")
	if identity := p.config.OidcToken; identity != nil {
		audience := orDefault(identity.Audience, p.config.PushEndpoint)
		request.Header.Set("Authorization", "Bearer "+s.PushToken(PushClaims{Issuer: Issuer,
			Audience: audience, Subject: "1" + identity.ServiceAccountEmail,
			Email: identity.ServiceAccountEmail, EmailVerified: true, IssuedAt: now.Unix(),
			Expiry: now.Add(time.Hour).Unix()}))
	}
	response, err := pushClient.Do(request)
	if err != nil {
		s.options.Log.Debug("simulated Pub/Sub: a push was not taken", "err", err)
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusProcessing || response.StatusCode/100 == 2
}

package access

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/syncpayloads/syncpayloads/internal/lane"
	"github.com/syncpayloads/syncpayloads/internal/limit"
)

const (
	// how long keys are used before it is checked whether they were withdrawn
	keysFresh   = 5 * time.Minute
	keysTrusted = 24 * time.Hour   // how long they are used if the issuer cannot be reached
	fetchPause  = 10 * time.Second // shortest time between two requests because of an unknown key
	// shortest time between two requests to refresh known keys, for which a caller waits
	refreshPause  = time.Minute
	fetchTimeout  = 5 * time.Second
	documentLimit = 1 << 20 // longest document of metadata or of keys, in bytes
	rsaBits       = 2048    // shortest RSA key (RFC 7518 section 3.3)
	// the most keys of one set; a token that names no key is tried with all of them
	keysMost = 100
)

// asymmetric lists the algorithms that are accepted, if the issuer's metadata name them, too.
var asymmetric = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384,
	jose.ES512, jose.EdDSA,
}

// published is what an issuer published at one time.
type published struct {
	keys       []jose.JSONWebKey
	algorithms []string
	at         time.Time
}

// verify returns the payload if one of the keys has signed it, and otherwise nil. known says that
// the token names a key that is here, so that it is of no use to ask for newer keys.
func (p *published) verify(jws *jose.JSONWebSignature) (payload []byte, known bool) {
	header := jws.Signatures[0].Header
	for _, key := range p.keys {
		if header.KeyID != "" && header.KeyID != key.KeyID {
			continue
		}
		known = known || header.KeyID != ""
		if key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		if payload, err := jws.Verify(&key); err == nil {
			return payload, true
		}
	}
	return nil, known
}

// keyring holds the keys of one issuer. It asks the issuer when keys are first needed, when they
// are no longer fresh, and when a token names a key that it does not know (OpenID Connect Core
// section 10.1.1). It never asks more often than once per fetchPause, so nobody can make it flood
// the issuer by sending tokens.
type keyring struct {
	issuer string
	client *http.Client
	// ends requests to the issuer. A caller's context does not, because others wait for the same
	// answer.
	life context.Context
	now  func() time.Time
	log  *slog.Logger

	mu      sync.Mutex
	known   *published    // nil until keys were read once
	tried   time.Time     // when the issuer was last asked
	failure error         // why the last request failed; nil: it did not
	asking  chan struct{} // closed when the request that is under way has ended; nil: none is
}

func newKeyring(ctx context.Context, config ProviderConfig) *keyring {
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        &tls.Config{RootCAs: config.CAs, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: 64 << 10,
		IdleConnTimeout:        time.Minute,
	}
	return &keyring{
		issuer: config.Issuer, life: ctx, now: config.Now, log: config.Log,
		client: &http.Client{Transport: limit.Answers(transport, documentLimit),
			CheckRedirect: staySecure},
	}
}

func staySecure(r *http.Request, via []*http.Request) error {
	if r.URL.Scheme != "https" || len(via) > 3 {
		return fmt.Errorf("it redirects to %s, which is not followed", r.URL.Redacted())
	}
	return nil
}

// current returns what the issuer publishes. If the issuer cannot be reached, it returns what was
// published up to keysTrusted ago.
func (k *keyring) current(ctx context.Context) (*published, error) {
	k.mu.Lock()
	known, now := k.known, k.now()
	due := now.Sub(k.tried) >= refreshPause
	k.mu.Unlock()
	switch {
	case known == nil:
		return k.newer(ctx)
	case now.Sub(known.at) < keysFresh:
		return known, nil
	case !due && now.Sub(known.at) < keysTrusted:
		return known, nil
	}
	newer, err := k.newer(ctx)
	if err != nil && now.Sub(known.at) < keysTrusted && ctx.Err() == nil {
		return known, nil
	}
	return newer, err
}

// newer asks the issuer, or waits for a request that is under way, or returns the last answer if
// that is younger than fetchPause.
func (k *keyring) newer(ctx context.Context) (*published, error) {
	k.mu.Lock()
	if now := k.now(); k.asking == nil && (k.tried.IsZero() || now.Sub(k.tried) >= fetchPause) {
		k.tried, k.asking = now, make(chan struct{})
		go k.ask(now)
	}
	asking := k.asking
	k.mu.Unlock()
	if asking != nil {
		// Anybody can cause this wait, with a token that names a new key. So the caller leaves its
		// place meanwhile, and does not keep others from being worked on.
		err := lane.Outside(ctx, func() error {
			select {
			case <-asking:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		if err != nil {
			return nil, fmt.Errorf("waiting for the keys of %s: %w", k.issuer, err)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.known, k.failure
}

// ask reads the issuer's documents, and keeps what they say, or why they could not be read.
func (k *keyring) ask(now time.Time) {
	read, err := k.read(now)
	k.mu.Lock()
	defer k.mu.Unlock()
	defer func() { close(k.asking); k.asking = nil }()
	if err != nil {
		reason := shorten(err.Error(), 2*reasonLimit) // it may quote the issuer's answer
		k.failure = fmt.Errorf("the keys of the identity provider %s cannot be read "+
			"to check its tokens: %s", k.issuer, reason)
		k.log.Warn("the identity provider's keys cannot be read; it is asked again",
			"issuer", k.issuer, "after", fetchPause, "err", reason)
		return
	}
	if k.known == nil || k.failure != nil {
		k.log.Info("the identity provider's keys are known",
			"issuer", k.issuer, "keys", len(read.keys), "algorithms", read.algorithms)
	}
	k.known, k.failure = read, nil
}

// read reads the issuer's metadata (OpenID Connect Discovery section 4), which must name the issuer
// exactly, and the keys at the address that they give.
func (k *keyring) read(now time.Time) (*published, error) {
	ctx, cancel := context.WithTimeout(k.life, fetchTimeout)
	defer cancel()
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, k.client), k.issuer)
	if err != nil {
		return nil, fmt.Errorf("reading its metadata: %w", err)
	}
	var metadata struct {
		Keys       string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := provider.Claims(&metadata); err != nil {
		return nil, fmt.Errorf("reading its metadata: %w", err)
	}
	read := &published{at: now}
	for _, a := range asymmetric {
		if slices.Contains(metadata.Algorithms, string(a)) {
			read.algorithms = append(read.algorithms, string(a))
		}
	}
	if len(read.algorithms) == 0 {
		return nil,
			fmt.Errorf("it signs with %q only: set it to RS256 or another asymmetric algorithm",
				metadata.Algorithms)
	}
	if !strings.HasPrefix(metadata.Keys, "https://") {
		return nil, fmt.Errorf("its keys are at %q, which is not an https URL", metadata.Keys)
	}
	if read.keys, err = k.readKeys(ctx, metadata.Keys); err != nil {
		return nil, fmt.Errorf("reading %s: %w", metadata.Keys, err)
	}
	return read, nil
}

func (k *keyring) readKeys(ctx context.Context, from string) ([]jose.JSONWebKey, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	response, err := k.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return parseKeys(body)
}

// parseKeys reads a JWK set (RFC 7517 section 5), and leaves out keys that cannot check a
// signature. The library leaves out RSA keys that are so long that checking with them would be too
// expensive.
func parseKeys(document []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, err
	}
	if set.Keys == nil {
		return nil, errors.New("it is not a set of keys")
	}
	if len(set.Keys) > keysMost {
		return nil, fmt.Errorf("it has %d keys: at most %d are read", len(set.Keys), keysMost)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) != nil || !key.IsPublic() || key.Use != "" && key.Use != "sig" {
			continue
		}
		if key, ok := key.Key.(*rsa.PublicKey); ok && key.N.BitLen() < rsaBits {
			continue
		}
		keys = append(keys, key)
	}
	return keys, nil
}

package access_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

func TestProviderFollowsKeyRotation(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	p := newProvider(t, i, clock.now, nil)
	claims := i.claims(clock.now(), nil)
	before := i.sign("first", claims)
	mustAccept(t, p, before)

	i.publish("second", jose.ES256)
	after := i.sign("second", claims)
	clock.move(10 * time.Second)
	mustAccept(t, p, after)
	mustAccept(t, p, before) // still published

	i.do(order{Do: "withdraw", Key: "first"})
	clock.move(5*time.Minute - time.Second)
	mustAccept(t, p, before) // looked at again after five minutes
	clock.move(time.Second)
	mustRefuse(t, p, before, "no key")
	mustAccept(t, p, after)
}

// A token need not name its key.
func TestProviderTriesAllKeys(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	p := newProvider(t, i, clock.now, nil)
	sign := func(key string) string {
		o := order{Do: "sign", Key: key, Header: map[string]any{"kid": nil},
			Payload: encode(t, i.claims(clock.now(), nil))}
		return i.do(o).Token
	}
	mustAccept(t, p, sign("first"))
	i.publish("second", jose.RS256)
	clock.move(10 * time.Second)
	mustAccept(t, p, sign("second"))
	mustAccept(t, p, sign("first"))
}

func TestProviderStartsBeforeTheIssuer(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	i.stop()
	p := newProvider(t, i, clock.now, nil)
	i.restart()
	i.publish("first", jose.RS256)
	token := i.sign("first", i.claims(clock.now(), nil))
	i.stop()
	mustBeUnavailable(t, p, token)
	mustRefuse(t, p, "not a token", "") // that is known without the issuer

	i.restart()
	i.publish("second", jose.ES256)
	token = i.sign("second", i.claims(clock.now(), nil))
	clock.move(9 * time.Second)
	mustBeUnavailable(t, p, token) // not asked again yet
	if n := i.fetches(); n != 0 {
		t.Errorf("the issuer was asked %d times before it was time", n)
	}
	clock.move(time.Second)
	mustAccept(t, p, token)
}

func TestProviderOutlivesTheIssuer(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	p := newProvider(t, i, clock.now, nil)
	claims := i.claims(clock.now(), map[string]any{"exp": clock.now().Add(100 * time.Hour).Unix()})
	known := i.sign("first", claims)
	i.publish("second", jose.ES256)
	mustAccept(t, p, known)
	i.publish("third", jose.ES256)
	unknown := i.sign("third", claims)
	tampered := known[:len(known)-20] + strings.Repeat("A", 20)
	i.stop()

	clock.move(time.Minute)
	mustAccept(t, p, known)
	mustBeUnavailable(t, p, unknown)
	mustRefuse(t, p, tampered, "no key") // its key is known, so that the issuer need not be asked
	clock.move(time.Hour)
	mustAccept(t, p, known)
	mustRefuse(t, p, tampered, "no key")
	clock.move(23 * time.Hour)
	mustBeUnavailable(t, p, known) // nobody has confirmed the key for a day

	i.restart()
	i.publish("fourth", jose.ES256)
	clock.move(10 * time.Second)
	mustRefuse(t, p, known, "no key")
	mustAccept(t, p, i.sign("fourth", claims))
}

func TestProviderAsksSeldom(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	p := newProvider(t, i, clock.now, nil)
	good := i.sign("first", i.claims(clock.now(), nil))
	mallory, err := newIssuerKey("", jose.ES256, 0)
	if err != nil {
		t.Fatal(err)
	}
	flood := func() {
		t.Helper()
		var senders sync.WaitGroup
		for n := range 100 {
			kid := clock.now().Format(time.RFC3339) + strings.Repeat("x", n)
			token := forge(t, mallory.private, jose.ES256, kid, nil,
				encode(t, i.claims(clock.now(), nil)))
			senders.Go(func() {
				if _, err := p.Identify(t.Context(), token); !errors.Is(err,
					access.ErrUnauthenticated) {
					t.Errorf("got error %v, want ErrUnauthenticated", err)
				}
				if _, err := p.Identify(t.Context(), good); err != nil {
					t.Error(err)
				}
			})
		}
		senders.Wait()
	}
	for _, step := range []struct {
		after time.Duration
		want  int // requests so far: two each time, for the metadata and for the keys
	}{{0, 2}, {9 * time.Second, 2}, {time.Second, 4}, {time.Second, 4}, {9 * time.Second, 6}} {
		clock.move(step.after)
		flood()
		if got := i.fetches(); got != step.want {
			t.Errorf("at %s: the issuer was asked %d times, want %d", clock.now(), got, step.want)
		}
	}
}

func TestProviderNeedsTheRealIssuer(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	token := i.sign("first", i.claims(clock.now(), nil))
	_, _, others := newCertificate(t)
	for name, change := range map[string]func(*access.ProviderConfig){
		"certificate of another authority": func(c *access.ProviderConfig) { c.CAs = others },
		"certificate of no authority":      func(c *access.ProviderConfig) { c.CAs = nil },
		"metadata of another issuer":       func(c *access.ProviderConfig) { c.Issuer += "/" },
		"no metadata there": func(c *access.ProviderConfig) {
			c.Issuer += "/tenant"
		},
	} {
		t.Run(name, func(t *testing.T) {
			mustBeUnavailable(t, newProvider(t, i, clock.now, change), token)
		})
	}
}

// Who no longer waits does not end the request on whose answer others wait.
func TestProviderLetsCallersGo(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	p := newProvider(t, i, clock.now, nil)
	token := i.sign("first", i.claims(clock.now(), nil))
	i.do(order{Do: "hold"})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Identify(gone, token); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want that the caller is gone", err)
	}
	clock.move(time.Minute)
	// does not ask a second time
	if _, err := p.Identify(gone, token); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want that the caller is gone", err)
	}
	i.do(order{Do: "release"})
	mustAccept(t, p, token)
	if n := i.fetches(); n != 2 {
		t.Errorf("the issuer was asked %d times, want 2: one answer for all callers", n)
	}
}

// An issuer that does not answer holds up one caller a minute, not all.
func TestProviderDoesNotWaitForKnownKeys(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	p := newProvider(t, i, clock.now, nil)
	token := i.sign("first", i.claims(clock.now(), nil))
	mustAccept(t, p, token)
	clock.move(5 * time.Minute)
	i.do(order{Do: "hold"})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Identify(gone, token); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want that the caller is gone", err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := p.Identify(soon, token); err != nil {
		t.Error(err)
	}
}

func TestProviderEndsWithItsContext(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := access.NewProvider(ctx, access.ProviderConfig{Issuer: i.url, Audience: audience,
		CAs: i.cas, Now: clock.now})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	mustBeUnavailable(t, p, i.sign("first", i.claims(clock.now(), nil)))
}

func TestProviderLeavesOutKeys(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	for _, o := range []order{
		{Key: "for encryption", Algorithm: jose.RS256, Use: "enc"},
		{Key: "short", Algorithm: jose.RS256, Bits: 1024},
		{Key: "last", Algorithm: jose.ES256},
	} {
		o.Do = "publish"
		i.do(o)
	}
	i.do(order{Do: "algorithms", Algorithms: []jose.SignatureAlgorithm{jose.RS256, jose.PS256,
		jose.ES256}})
	p := newProvider(t, i, clock.now, nil)
	claims := i.claims(clock.now(), nil)
	mustRefuse(t, p, i.sign("for encryption", claims), "no key")
	mustRefuse(t, p, i.sign("short", claims), "no key")
	other := order{Do: "sign", Key: "first", Algorithm: jose.PS256, Payload: encode(t, claims)}
	mustRefuse(t, p, i.do(other).Token, "no key") // that key is published for RS256
	mustAccept(t, p, i.sign("last", claims))
}

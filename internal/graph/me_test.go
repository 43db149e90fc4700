package graph_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// provider is an OpenID Connect provider of one key.
type provider struct {
	*httptest.Server
	signer jose.Signer
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{}
	p.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key},
		(&jose.SignerOptions{}).WithHeader("kid", "one"))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	p.Server = httptest.NewTLSServer(mux)
	t.Cleanup(p.Close)
	answer := func(path string, value any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(value)
		})
	}
	answer("/.well-known/openid-configuration", object{"issuer": p.URL, "jwks_uri": p.URL + "/keys",
		"authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
		"id_token_signing_alg_values_supported": []string{"ES256"}})
	answer("/keys", jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "one",
		Algorithm: "ES256", Use: "sig"}}})
	return p
}

// token is one of the provider's with these claims beside those that all have.
func (p *provider) token(t *testing.T, now time.Time, claims object) string {
	t.Helper()
	all := object{"iss": p.URL, "aud": "api", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	for name, value := range claims {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := p.signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// A person of the identity provider is who calls, in Graph's shape. An application is nobody, as in
// Graph, and so is a token of the server's own.
func TestMe(t *testing.T) {
	p := newProvider(t)
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	s := newSite(t, func(c *graph.Config) {
		known, err := access.NewProvider(t.Context(), access.ProviderConfig{Issuer: p.URL,
			Audience: "api", CAs: roots, Now: c.Now})
		if err != nil {
			t.Fatal(err)
		}
		c.Authenticator.(*access.Gate).Provider = known
	})
	person := p.token(t, s.clock.Now(), object{"sub": "pairwise", "oid": "0b1c",
		"preferred_username": "ada@example.com", "scp": "DeviceManagementApps.Read.All"})
	for _, path := range []string{"/beta/me", "/v1.0/me/", "/BETA/Me"} {
		me := s.as(person, http.StatusOK, "GET", path, nil).body
		for name, want := range map[string]any{"id": "0b1c", "displayName": "ada@example.com",
			"userPrincipalName": "ada@example.com", "accountEnabled": true, "givenName": nil,
			"jobTitle": nil} {
			if got, shown := me[name]; got != want || !shown {
				t.Errorf("%s: %s is %v, want %v", path, name, got, want)
			}
		}
		if phones, ok := me["businessPhones"].([]any); !ok || len(phones) != 0 {
			t.Errorf("%s: businessPhones are %v", path, me["businessPhones"])
		}
		if context, _ := me["@odata.context"].(string); !strings.HasSuffix(context,
			"$metadata#users/$entity") {
			t.Errorf("%s: the context is %q", path, context)
		}
	}
	if me := s.as(person, http.StatusOK, "GET", "/beta/me?$select=id,userPrincipalName",
		nil).body; me["displayName"] != nil || me["id"] != "0b1c" || len(me) > 4 {
		t.Errorf("selected: %v", me)
	}
	application := p.token(t, s.clock.Now(), object{"sub": "client", "azp": "client",
		"idtyp": "app", "roles": []string{"DeviceManagementApps.Read.All"}})
	for name, bearer := range map[string]string{"an application": application,
		"a token of the server": s.token} {
		a := s.as(bearer, http.StatusBadRequest, "GET", "/beta/me", nil)
		if a.code() != "BadRequest" || !strings.HasPrefix(a.message(),
			"/me request is only valid with delegated authentication flow") {
			t.Errorf("%s: %s", name, a)
		}
	}
	s.as(application, http.StatusOK, "GET", apps, nil)
	s.as(person+"x", http.StatusUnauthorized, "GET", "/beta/me", nil)
}

// The organization is the same whatever the address is by which somebody comes, and its id the
// tenant of notifications.
func TestOrganizationStaysTheSame(t *testing.T) {
	s := newSite(t, func(c *graph.Config) { c.TrustForwarded = true })
	tenant, err := s.store.Tenant(t.Context())
	if err != nil || len(tenant) != 36 {
		t.Fatal(tenant, err)
	}
	for _, host := range []string{"old.example", "new.example:8443"} {
		list := s.must(http.StatusOK, "GET", "/beta/organization", nil, "X-Forwarded-Host",
			host).values()
		name, _, _ := strings.Cut(host, ":")
		if len(list) != 1 || list[0]["id"] != tenant || list[0]["displayName"] != name {
			t.Errorf("%s: %v", host, list)
		}
		s.must(http.StatusOK, "GET", "/v1.0/organization/"+strings.ToUpper(tenant), nil,
			"X-Forwarded-Host", host)
	}
}

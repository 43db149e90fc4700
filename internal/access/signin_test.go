package access_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// authority is an identity provider whose ID tokens the test makes. Its user has just signed in,
// and the browser is on the way back with a code.
type authority struct {
	*httptest.Server
	t         *testing.T
	key       *rsa.PrivateKey
	address   url.Values // with which the browser came
	status    int        // of the token endpoint; 0: it answers
	claims    map[string]any
	info      map[string]any // what it tells beside the ID token
	exchanged int
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	var err error
	if a.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration",
		func(w http.ResponseWriter, _ *http.Request) {
			a.answer(w, map[string]any{"issuer": a.URL,
				"authorization_endpoint": a.URL + "/authorize",
				"token_endpoint":         a.URL + "/token",
				"userinfo_endpoint":      a.URL + "/userinfo", "jwks_uri": a.URL + "/keys",
				"id_token_signing_alg_values_supported": []string{"RS256"}})
		})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		a.answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: a.key.Public(), KeyID: "k",
			Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", a.token)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, r *http.Request) {
		if a.info == nil || r.Header.Get("Authorization") != "Bearer opaque" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		a.answer(w, a.info)
	})
	a.Server = httptest.NewTLSServer(mux)
	t.Cleanup(a.Close)
	return a
}

func (a *authority) answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(encode(a.t, body))
}

// token gives an ID token to the client that began with this code and PKCE challenge.
func (a *authority) token(w http.ResponseWriter, r *http.Request) {
	a.exchanged++
	if a.status != 0 {
		w.WriteHeader(a.status)
		return
	}
	id, encoded, _ := r.BasicAuth()
	secret, _ := url.QueryUnescape(encoded) // RFC 6749 section 2.3.1; a wrong one is refused
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if id != "console" || secret != "open sesame" || r.FormValue("code") != "code" ||
		r.FormValue("redirect_uri") != redirect ||
		a.address.Get("code_challenge_method") != "S256" ||
		base64.RawURLEncoding.EncodeToString(challenge[:]) != a.address.Get("code_challenge") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	token, err := signWith(a.key, jose.RS256, "k", nil, encode(a.t, a.claims))
	if err != nil {
		a.t.Error(err)
	}
	a.answer(w, map[string]any{"access_token": "opaque", "token_type": "Bearer", "id_token": token})
}

const redirect = "https://mdm.example/console/oidc/callback"

func (a *authority) signIn(now func() time.Time) *access.SignIn {
	a.t.Helper()
	cas := x509.NewCertPool()
	cas.AddCert(a.Certificate())
	p, err := access.NewProvider(a.t.Context(),
		access.ProviderConfig{Issuer: a.URL, Audience: "api", CAs: cas, Now: now})
	if err != nil {
		a.t.Fatal(err)
	}
	s, err := access.NewSignIn(p, access.SignInConfig{ClientID: "console",
		ClientSecret: "open sesame", RedirectURL: redirect})
	if err != nil {
		a.t.Fatal(err)
	}
	return s
}

// start has a browser go to the authority, and returns what it comes back with.
func (a *authority) start(s *access.SignIn, now time.Time,
	others map[string]any) (access.SignInAttempt, url.Values) {
	a.t.Helper()
	address, attempt, err := s.Start(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, a.URL+"/authorize?") {
		a.t.Fatalf("the browser goes to %q, %v", address, err)
	}
	a.address = u.Query()
	if scopes := strings.Fields(a.address.Get("scope")); !slices.Contains(scopes, "openid") ||
		a.address.Get("response_type") != "code" ||
		strings.Contains(address, attempt.Verifier) {
		a.t.Errorf("the browser goes to %q", address)
	}
	a.claims = map[string]any{"iss": a.URL, "aud": "console", "sub": "ada",
		"nonce": a.address.Get("nonce"), "iat": now.Unix(),
		"exp": now.Add(time.Hour).Unix(), "preferred_username": "ada@example.com",
		"groups": []string{"desk"}}
	maps.Copy(a.claims, others)
	maps.DeleteFunc(a.claims, func(_ string, value any) bool { return value == nil })
	return attempt, url.Values{"code": {"code"}, "state": {a.address.Get("state")}}
}

func TestSignInIdentifiesPerson(t *testing.T) {
	a, clock := newAuthority(t), newHands()
	s := a.signIn(clock.now)
	for name, c := range map[string]struct {
		claims map[string]any
		want   access.Identity
	}{
		"person": {nil, access.Identity{ID: "user:ada", Name: "ada@example.com",
			Members: []string{"user:ada", "desk"}}},
		"Entra ID": {map[string]any{"oid": "8e2c", "tid": "t", "ver": "2.0", "groups": nil},
			access.Identity{ID: "user:8e2c", Name: "ada@example.com",
				Members: []string{"user:8e2c", "user:ada"}}},
		"Keycloak": {map[string]any{"typ": "ID", "azp": "console", "at_hash": "x",
			"aud": []string{"console", "account"}},
			access.Identity{ID: "user:ada", Name: "ada@example.com",
				Members: []string{"user:ada", "desk"}}},
		"roles as an application's": {map[string]any{"idtyp": "app",
			"roles": []string{"DeviceManagementApps.ReadWrite.All"}, "groups": nil},
			access.Identity{ID: "user:ada", Name: "ada@example.com",
				Members: []string{"user:ada"}}},
	} {
		attempt, back := a.start(s, clock.now(), c.claims)
		got, err := s.Finish(t.Context(), attempt, back)
		if err != nil || !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, c.want)
		}
	}
}

func TestSignInAsksForName(t *testing.T) {
	a, clock := newAuthority(t), newHands()
	s := a.signIn(clock.now)
	for name, c := range map[string]struct {
		info map[string]any
		want string
	}{
		"told": {map[string]any{"sub": "ada", "name": "Ada", "groups": []string{"admins"},
			"oid": "eve"}, "Ada"},
		"of another":     {map[string]any{"sub": "eve", "name": "Eve"}, "user:ada"},
		"of nobody":      {map[string]any{"name": "Eve"}, "user:ada"},
		"without answer": {nil, "user:ada"},
	} {
		a.info = c.info
		attempt, back := a.start(s, clock.now(), map[string]any{"preferred_username": nil})
		got, err := s.Finish(t.Context(), attempt, back)
		if want := (access.Identity{ID: "user:ada", Name: c.want,
			Members: []string{"user:ada", "desk"}}); err != nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, want)
		}
	}
}

func TestSignInRefuses(t *testing.T) {
	a, clock := newAuthority(t), newHands()
	s := a.signIn(clock.now)
	now := clock.now()
	for name, claims := range map[string]map[string]any{
		"another nonce": {"nonce": "other"}, "no nonce": {"nonce": nil},
		"audience of bearers": {"aud": "api"}, "no audience": {"aud": nil},
		"given to another client":       {"azp": "other"},
		"several audiences, for nobody": {"aud": []string{"console", "api"}},
		"another issuer":                {"iss": "https://other.example"},
		"expired":                       {"exp": now.Add(-2 * time.Minute).Unix()},
		"no end":                        {"exp": nil},
		"from the future":               {"iat": now.Add(2 * time.Minute).Unix()},
		"nobody":                        {"sub": ""},
	} {
		attempt, back := a.start(s, now, claims)
		if got, err := s.Finish(t.Context(), attempt, back); got != nil ||
			!errors.Is(err, access.ErrUnauthenticated) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	for name, change := range map[string]func(*access.SignInAttempt, url.Values){
		"another state": func(_ *access.SignInAttempt,
			back url.Values) {
			back.Set("state", "other")
		},
		"no state at all": func(attempt *access.SignInAttempt,
			back url.Values) {
			attempt.State = ""
			back.Del("state")
		},
		"from another provider": func(_ *access.SignInAttempt,
			back url.Values) {
			back.Set("iss", "https://other.example")
		},
		"with an error": func(_ *access.SignInAttempt,
			back url.Values) {
			back.Set("error", "access_denied")
		},
	} {
		attempt, back := a.start(s, now, nil)
		change(&attempt, back)
		before := a.exchanged
		if got, err := s.Finish(t.Context(), attempt, back); got != nil ||
			!errors.Is(err, access.ErrUnauthenticated) || a.exchanged != before {
			t.Errorf("%s: got %+v, %v, after asking for tokens %d times", name, got, err,
				a.exchanged-before)
		}
	}
	for name, change := range map[string]func(*access.SignInAttempt, url.Values){
		"another code": func(_ *access.SignInAttempt,
			back url.Values) {
			back.Set("code", "stolen")
		},
		"another verifier": func(attempt *access.SignInAttempt,
			_ url.Values) {
			attempt.Verifier = "x"
		},
	} {
		attempt, back := a.start(s, now, nil)
		change(&attempt, back)
		if got, err := s.Finish(t.Context(), attempt, back); got != nil ||
			!errors.Is(err, access.ErrUnauthenticated) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestSignInWhileProviderIsDown(t *testing.T) {
	a, clock := newAuthority(t), newHands()
	s := a.signIn(clock.now)
	attempt, back := a.start(s, clock.now(), nil)
	a.status = http.StatusServiceUnavailable
	if _, err := s.Finish(t.Context(), attempt, back); err == nil ||
		errors.Is(err, access.ErrUnauthenticated) {
		t.Errorf("its token endpoint fails: %v", err)
	}
	a.Close()
	clock.move(5 * time.Minute)
	if _, _, err := s.Start(t.Context()); err == nil {
		t.Error("started although it is down")
	}
}

func TestSignInChecksItsConfiguration(t *testing.T) {
	p, err := access.NewProvider(t.Context(),
		access.ProviderConfig{Issuer: "https://id.example", Audience: "api"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []access.SignInConfig{{RedirectURL: redirect}, {ClientID: "console"},
		{ClientID: "console", RedirectURL: "http://mdm.example/"}} {
		if _, err := access.NewSignIn(p, c); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}

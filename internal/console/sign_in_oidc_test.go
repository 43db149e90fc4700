package console_test

import (
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

// provider is an identity provider with a page on which its user "test-user2" signs in.
type provider struct {
	*httptest.Server
	// in place of the token endpoint, if it says so
	tokens func(http.ResponseWriter, *http.Request) bool
}

func newProvider(t *testing.T, callback string) *provider {
	t.Helper()
	p := &provider{}
	var pages http.Handler
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		if r.URL.Path == "/oauth/token" && p.tokens != nil && p.tokens(w, r) {
			return
		}
		pages.ServeHTTP(w, r)
	}))
	p.StartTLS()
	t.Cleanup(p.Close)
	users := storage.NewStorage(storage.NewUserStore(p.URL))
	storage.RegisterClients(storage.WebClient("console", "open sesame", callback))
	former := slog.Default() // which the pages replace
	pages = exampleop.SetupServer(p.URL, users, slog.New(slog.DiscardHandler), false,
		op.WithLogger(slog.New(slog.DiscardHandler)))
	t.Cleanup(func() { slog.SetDefault(former) })
	return p
}

// newSiteWith is a site whose console people enter at a provider.
func newSiteWith(t *testing.T) (*site, *provider) {
	t.Helper()
	// its address is registered at the provider before the server starts
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	p := newProvider(t, "https://"+address+"/console/oidc/callback")
	cas := x509.NewCertPool()
	cas.AddCert(p.Certificate())
	s := newSite(t, func(c *server.Config) {
		c.Listener, c.URL = listener, "https://"+address
		c.Provider = access.ProviderConfig{Issuer: p.URL, Audience: "api", CAs: cas}
		c.SignIn = access.SignInConfig{ClientID: "console", ClientSecret: "open sesame"}
	})
	s.trust.AddCert(p.Certificate())
	return s, p
}

// toProvider goes to the provider's page on the way to a page of the console.
func (b *browser) toProvider(target string) *page {
	b.Helper()
	p := b.open("/console/sign-in?" + url.Values{"return": {target}}.Encode())
	for _, n := range p.all("a") {
		if href, _ := attribute(n, "href"); strings.HasPrefix(href, "/console/sign-in/oidc") {
			return b.open(href)
		}
	}
	b.Fatalf("there is no way to the provider in %s", p)
	return nil
}

// signInAt fills in the provider's form, and follows until the browser is back.
func (b *browser) signInAt(form *page) *page {
	b.Helper()
	login := *form.url
	login.RawQuery = ""
	values := form.form("username").values
	values.Set("username", "test-user2")
	values.Set("password", "verysecure")
	response, err := b.http.PostForm(login.String(), values)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	return b.open(response.Request.URL.RequestURI())
}

func TestSignInAtProvider(t *testing.T) {
	s, _ := newSiteWith(t)
	_, device := s.enroll("phone")
	b := s.browser()
	form := b.toProvider("/console/devices/" + device)
	if p := b.signInAt(form); p.status != http.StatusForbidden ||
		!strings.Contains(p.text(), "Sign out") {
		t.Fatalf("who has no role is shown %s", p)
	}
	// A role for the user, by the id that the provider gives them, holds at once.
	s.api("POST", "/beta/deviceManagement/roleAssignments",
		map[string]any{"displayName": "users", "members": []string{"user:id2"},
			"scopeType": "allDevices",
			"roleDefinition@odata.bind": "/deviceManagement/roleDefinitions('" +
				access.HelpDeskOperator + "')"}, nil)
	if p := b.open("/console/devices/" + device); p.status != http.StatusOK ||
		!strings.Contains(p.text(), "test-user2 Help Desk Operator") {
		t.Errorf("who has a role is shown %s", p)
	}
	if p := b.open("/console/").form("/sign-out").submit(); p.path() != "/console/sign-in" {
		t.Errorf("signing out leads to %s", p)
	}
}

func TestAttemptsAtProviderAreBound(t *testing.T) {
	s, provider := newSiteWith(t)
	victim, attacker := s.browser(), s.browser()

	// The attacker signs in, stops at the way back, and has the victim's browser go it.
	form := attacker.toProvider("/console/")
	var back string
	attacker.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/console/oidc/callback" {
			back = r.URL.RequestURI()
			return http.ErrUseLastResponse
		}
		return nil
	}
	login := *form.url
	login.RawQuery = ""
	values := form.form("username").values
	values.Set("username", "test-user2")
	values.Set("password", "verysecure")
	response, err := attacker.http.PostForm(login.String(), values)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if back == "" {
		t.Fatal("the provider does not send the browser back")
	}
	victim.toProvider("/console/") // it has an attempt of its own
	for name, path := range map[string]string{"another's state": back,
		"no state": "/console/oidc/callback?code=x",
		"an error": "/console/oidc/callback?error=access_denied"} {
		if p := victim.open(path); p.status != http.StatusUnauthorized ||
			victim.open("/console/").path() != "/console/sign-in" {
			t.Errorf("%s: %s", name, p)
		}
	}
	// What the provider answers decides nothing if it is not meant for this attempt.
	provider.tokens = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"x","token_type":"Bearer","id_token":"eyJhbGciOiJub25lIn0.e30."}`))
		return true
	}
	attacker.http.CheckRedirect = nil
	if p := attacker.open(back); p.status != http.StatusUnauthorized {
		t.Errorf("an unsigned ID token: %s", p)
	}
}

func TestProviderThatIsDown(t *testing.T) {
	s, provider := newSiteWith(t)
	provider.Close()
	b := s.browser()
	b.http.Timeout = 20 * time.Second
	if p := b.toProvider("/console/"); p.status != http.StatusBadGateway ||
		strings.Contains(p.text(), "127.0.0.1") {
		t.Errorf("%s", p)
	}
	if p := s.signedIn(s.token); p.open("/console/").status != http.StatusOK {
		t.Error("a token does not sign in while the provider is down")
	}
}

package tenant_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

func answerDevice(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"id": device})
}

// A certificate that is made here proves the app to a strict token endpoint, each time with another
// assertion; so does a secret. A wrong one is told in Entra ID's words.
func TestCredentials(t *testing.T) {
	clock := newClock()
	site := simulator.New(simulator.Options{Clock: clock})
	server := httptest.NewServer(site)
	t.Cleanup(server.Close)
	contoso := site.AddTenant("Contoso")
	app := contoso.Register("syncpayloads", "DeviceManagementManagedDevices.Read.All",
		"DeviceManagementConfiguration.ReadWrite.All", "User.Read.All")
	pair, err := tenant.NewCertificate("Contoso", clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	credential, err := tenant.ReadCredential(&pair)
	if err != nil {
		t.Fatal(err)
	}
	app.AddCertificate(credential.Certificate)
	other, err := tenant.NewCertificate("other", clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := tenant.ReadCredential(&other)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := tenant.ReadCredential(&keypair.KeyPair{
		KeyPEM: []byte(app.AddSecret(time.Hour * 24 * 365))})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		credential tenant.Credential
		ok         bool
	}{"certificate": {credential, true}, "secret": {secret, true}, "stranger": {stranger, false},
		"wrong secret": {tenant.Credential{Secret: "wrong"}, false}} {
		c, err := tenant.New(tenant.Config{TenantID: contoso.ID, ClientID: app.ID,
			Authority: server.URL, Graph: server.URL, Credential: tt.credential, Now: clock.Now,
			After: clock.After})
		if err != nil {
			t.Fatal(err)
		}
		tried, excess, err := c.Try(t.Context())
		if !tt.ok {
			if err == nil || !strings.Contains(err.Error(), "AADSTS") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !slices.Equal(excess, []string{"DeviceManagementConfiguration.ReadWrite.All",
			"User.Read.All"}) {
			t.Errorf("%s: more than needed: %v", name, excess)
		}
		for _, one := range tried {
			want := !strings.Contains(one.Name, "Apps") && !one.Changes
			if one.Granted != want || one.Works != want || want != (one.Why == "") {
				t.Errorf("%s: %+v", name, one)
			}
		}
		// the token ends, and another one is got by an assertion that was not used before
		clock.After(3 * time.Hour)
		if err := c.Devices(t.Context(), time.Time{},
			func(tenant.Page) (bool, error) { return true, nil }); err != nil {
			t.Errorf("%s: three hours later: %v", name, err)
		}
	}
	if bad := append(site.Unexpected(), site.Forbidden()...); len(bad) > 0 {
		t.Errorf("it was asked %v", bad)
	}
}

// The token is for the Graph that is asked, by the flow of an app alone.
func TestTokenRequest(t *testing.T) {
	var forms []url.Values
	status := http.StatusOK
	s := newService(t, answerDevice)
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		forms = append(forms, r.PostForm)
		if r.URL.Path != "/contoso.example/oauth2/v2.0/token" {
			t.Errorf("asked at %s", r.URL.Path)
		}
		if status != http.StatusOK {
			reply(w, status, map[string]any{"error": "invalid_client", "trace_id": "t-1",
				"error_description": "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: x"})
			return
		}
		reply(w, http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": 3599,
			"access_token": token(1)})
	}))
	t.Cleanup(endpoint.Close)
	c := s.client(func(c *tenant.Config) { c.Authority = endpoint.URL })
	for range 3 {
		if _, err := c.Device(t.Context(), device); err != nil {
			t.Fatal(err)
		}
	}
	if len(forms) != 1 || forms[0].Get("scope") != s.URL+"/.default" ||
		forms[0].Get("grant_type") != "client_credentials" || forms[0].Get("client_id") != "app" ||
		forms[0].Get("client_secret") != "s3cret" {
		t.Errorf("asked for a token with %v", forms)
	}
	s.clock.After(50 * time.Minute)
	if _, err := c.Device(t.Context(), device); err != nil || len(forms) != 1 {
		t.Errorf("%d tokens, %v", len(forms), err)
	}
	s.clock.After(6 * time.Minute)
	status = http.StatusUnauthorized
	for range 5 { // it is not asked again at once
		_, err := c.Device(t.Context(), device)
		const want = "Intune did not give this app a token: 401 invalid_client: AADSTS7000215: " +
			"Invalid client secret provided. (request-id t-1)"
		if err == nil || err.Error() != want {
			t.Fatalf("%v\nwant %s", err, want)
		}
	}
	if len(forms) != 2 {
		t.Errorf("%d tokens were asked for", len(forms))
	}
	status = http.StatusOK
	s.clock.After(6 * time.Second)
	if _, err := c.Device(t.Context(), device); err != nil {
		t.Errorf("it does not recover: %v", err)
	}
}

package access_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

func TestProviderIdentifies(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	p := newProvider(t, i, clock.now, nil)
	for _, c := range identities {
		t.Run(c.name, func(t *testing.T) {
			got := mustAccept(t, p, i.sign("first", i.claims(clock.now(), c.claims)))
			if !reflect.DeepEqual(*got, c.want) {
				t.Errorf("got  %#v\nwant %#v", *got, c.want)
			}
		})
	}
}

func TestProviderLimitsGroups(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	p := newProvider(t, i, clock.now, nil)
	var groups []string
	for n := range 1001 {
		groups = append(groups, fmt.Sprintf("g%d", n))
	}
	got := mustAccept(t, p, i.sign("first", i.claims(clock.now(),
		map[string]any{"groups": groups})))
	if len(got.Members) != 1001 || got.Members[1000] != "g999" {
		t.Errorf("got %d members; want the person and the first 1000 groups", len(got.Members))
	}
}

func TestProviderFindsClaims(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	nested := map[string]any{
		"scp": nil, "idtyp": "app", "azp": "c1",
		"realm_access": map[string]any{"roles": granted},
		"resource_access": map[string]any{"my.api": map[string]any{"roles": granted},
			"my": "x"},
		"https://example.com/roles": granted,
	}
	for _, c := range []struct {
		path  string
		found bool
	}{
		{"realm_access.roles", true},
		{"resource_access.my.api.roles", true},
		{"https://example.com/roles", true},
		{"realm_access", false},
		{"realm_access.roles.more", false},
		{"realm_access.", false},
		{".realm_access.roles", false},
		{"resource_access.my.roles", false},
		{"roles", false},
	} {
		p := newProvider(t, i, clock.now,
			func(config *access.ProviderConfig) { config.RolesClaim = c.path })
		got := mustAccept(t, p, i.sign("first", i.claims(clock.now(), nested)))
		if got.Application != c.found {
			t.Errorf("roles at %q: got %+v; want them found: %v", c.path, got, c.found)
		}
	}
	p := newProvider(t, i, clock.now,
		func(config *access.ProviderConfig) { config.GroupsClaim = "member.of" })
	claims := i.claims(clock.now(), map[string]any{"groups": "no",
		"member": map[string]any{"of": []string{"desk"}}})
	if got := mustAccept(t, p, i.sign("first", claims)); !reflect.DeepEqual(got.Members,
		[]string{"user:ada", "desk"}) {
		t.Errorf("groups at member.of: got members %q", got.Members)
	}
}

// The library's own tokens, from its token endpoint and from a sign-in.
func TestProviderTakesWhatTheIssuerHandsOut(t *testing.T) {
	i := startIssuer(t)
	p := newProvider(t, i, time.Now, nil)
	request, err := http.NewRequest(http.MethodPost, i.url+"/oauth/token",
		strings.NewReader(url.Values{
			"grant_type": {"client_credentials"},
		}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("reporter", url.QueryEscape("open sesame"))
	response, err := i.client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	want := access.Identity{
		ID: "app:reporter", Name: "reporter", Members: []string{"app:reporter"},
		Permissions: []string{"DeviceManagementApps.Read.All"}, Application: true,
	}
	if got := mustAccept(t, p, answer.Token); !reflect.DeepEqual(*got, want) {
		t.Errorf("got  %#v\nwant %#v", *got, want)
	}
	mustRefuse(t, p, i.do(order{Do: "idToken", Payload: []byte(answer.Token)}).Token, "at_hash")
}

func TestProviderWarnsOfMissingGroups(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	var log bytes.Buffer
	p := newProvider(t, i, clock.now,
		func(c *access.ProviderConfig) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	claims := i.claims(clock.now(), map[string]any{"hasgroups": true,
		"exp": clock.now().Add(3 * time.Hour).Unix()})
	token := i.sign("first", claims)
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {time.Second, 1}, {time.Hour - 2*time.Second, 1}, {time.Second, 2}} {
		clock.move(step.after)
		mustAccept(t, p, token)
		if got := strings.Count(log.String(),
			"does not list its holder's groups"); got != step.want {
			t.Errorf("at %s: %d warnings, want %d", clock.now(), got, step.want)
		}
	}
	if strings.Contains(log.String(), token[:40]) {
		t.Error("the log contains the token")
	}
}

func TestProviderAcceptsTypes(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	p := newProvider(t, i, clock.now, nil)
	for _, typ := range []any{nil, "JWT", "jwt", "at+jwt", "application/at+jwt", "AT+JWT"} {
		o := order{Do: "sign", Key: "first", Header: map[string]any{"typ": typ},
			Payload: encode(t, i.claims(clock.now(), nil))}
		mustAccept(t, p, i.do(o).Token)
	}
}

func TestProviderAlgorithms(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	for _, a := range []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.PS384} {
		i.publish(string(a), a)
	}
	claims := i.claims(clock.now(), nil)
	p := newProvider(t, i, clock.now, nil)
	mustAccept(t, p, i.sign("ES256", claims))
	mustAccept(t, p, i.sign("EdDSA", claims))
	// published, but not in the metadata
	mustRefuse(t, p, i.sign("PS384", claims), "unexpected signature algorithm")

	i.do(order{Do: "algorithms", Algorithms: []jose.SignatureAlgorithm{"none", jose.HS256}})
	mustBeUnavailable(t, newProvider(t, i, clock.now, nil), i.sign("first", claims))
}

func TestNewProviderChecksItsConfiguration(t *testing.T) {
	for _, c := range []struct {
		name   string
		config access.ProviderConfig
		want   string
	}{
		{"no issuer", access.ProviderConfig{Audience: "a"}, "https URL"},
		{"plain http", access.ProviderConfig{Issuer: "http://id.example", Audience: "a"},
			"https URL"},
		{"no host", access.ProviderConfig{Issuer: "https:///x", Audience: "a"}, "https URL"},
		{"a query", access.ProviderConfig{Issuer: "https://id.example/?", Audience: "a"}, "query"},
		{"a fragment", access.ProviderConfig{Issuer: "https://id.example/#", Audience: "a"},
			"fragment"},
		{"a user", access.ProviderConfig{Issuer: "https://u:p@id.example/", Audience: "a"}, "user"},
		{"no URL", access.ProviderConfig{Issuer: "https://id.example/%zz", Audience: "a"},
			"escape"},
		{"no audience", access.ProviderConfig{Issuer: "https://id.example"}, "audience"},
		{"negative skew", access.ProviderConfig{Issuer: "https://id.example", Audience: "a",
			Skew: -1}, "differ"},
		{"much skew", access.ProviderConfig{Issuer: "https://id.example", Audience: "a",
			Skew: time.Hour}, "differ"},
	} {
		if _, err := access.NewProvider(t.Context(), c.config); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one about %q", c.name, err, c.want)
		}
	}
}

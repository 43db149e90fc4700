package access_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// Ways in which FuzzIdentify makes a bearer of its input.
const (
	asIs       = iota // the payload is the bearer
	assembled         // of header, payload and signature
	confused          // with an HMAC whose secret is the issuer's public key
	bySomebody        // signed with a key that is not the issuer's
	borrowed          // with the issuer's signature of another token
	byTheIssuer
	ways
)

// here stands in a payload for the issuer's address, which is another one each time.
const here = "https://issuer.example"

func FuzzIdentify(f *testing.F) {
	i, clock := startIssuer(f), newHands()
	p := newProvider(f, i, clock.now,
		func(c *access.ProviderConfig) { c.Log = slog.New(slog.DiscardHandler) })
	good := strings.Split(i.sign("first", i.claims(clock.now(), nil)), ".")
	mallory, err := newIssuerKey("first", jose.ES256, 0)
	if err != nil {
		f.Fatal(err)
	}
	secret := encode(f, i.jwk("first"))

	template := i.claims(clock.now(), map[string]any{"iss": here})
	header, payload := []byte(`{"alg":"RS256","kid":"first","typ":"JWT"}`), encode(f, template)
	for way := range uint8(ways) {
		f.Add(way, header, payload, []byte{})
	}
	f.Add(uint8(asIs), []byte{}, []byte("eyJhbGciOiJub25lIn0.e30."), []byte{})
	f.Add(uint8(asIs), []byte{},
		[]byte(`{"payload":"e30","signatures":[{"protected":"eyJhbGciOiJub25lIn0","signature":""}]}`), []byte{})
	f.Add(uint8(borrowed), []byte{}, []byte{}, []byte{}) // the good token itself
	f.Add(uint8(assembled), []byte(`{"alg":"none"}`), payload, []byte{})
	f.Add(uint8(confused), []byte(`{"alg":"HS256","kid":"first"}`), payload, []byte{})
	f.Add(uint8(assembled),
		[]byte(`{"alg":"RS256","jwk":{"kty":"oct","k":"AA"},"crit":["b64"],"b64":false}`),
		payload, []byte("x"))
	for _, c := range identities {
		claims := i.claims(clock.now(), c.claims)
		claims["iss"] = here
		f.Add(uint8(byTheIssuer), []byte{}, encode(f, claims), []byte{})
	}

	f.Fuzz(func(t *testing.T, way uint8, header, payload, signature []byte) {
		defer cost.Input(t)()
		i.t = t
		payload = []byte(strings.ReplaceAll(string(payload), here, i.url))
		input := segment(header) + "." + segment(payload)
		var bearer string
		switch way % ways {
		case asIs:
			bearer = string(payload)
		case assembled:
			bearer = input + "." + segment(signature)
		case confused:
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(input))
			bearer = input + "." + segment(mac.Sum(nil))
		case bySomebody:
			bearer = forge(t, mallory.private, jose.ES256, "first", nil, payload)
		case borrowed:
			if len(header)+len(payload) == 0 {
				input = good[0] + "." + good[1]
			}
			bearer = input + "." + good[2]
		case byTheIssuer:
			bearer = i.do(order{Do: "sign", Key: "first", Payload: payload}).Token
		}
		identity, err := p.Identify(t.Context(), bearer)
		switch {
		case err != nil:
			if identity != nil || !errors.Is(err, access.ErrUnauthenticated) {
				t.Fatalf("got %+v and error %v, want ErrUnauthenticated", identity, err)
			}
		case way%ways == byTheIssuer:
			checkIdentity(t, identity, payload)
		case !sameContent(bearer, good):
			t.Fatalf("accepted %q, which the issuer did not sign", bearer)
		}
	})
}

// sameContent says whether the bearer has the header and the payload of the good one. Base64 may
// spell them differently.
func sameContent(bearer string, good []string) bool {
	parts := strings.Split(bearer, ".")
	for n := range 2 {
		got, err := base64.RawURLEncoding.DecodeString(parts[n])
		want, _ := base64.RawURLEncoding.DecodeString(good[n])
		if err != nil || string(got) != string(want) {
			return false
		}
	}
	return true
}

// checkIdentity holds of whatever an issuer may write into a token.
func checkIdentity(t *testing.T, got *access.Identity, payload []byte) {
	t.Helper()
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatalf("accepted %q: %v", payload, err)
	}
	kind, id, _ := strings.Cut(got.ID, ":")
	switch {
	case got.Permissions == nil:
		t.Error("its permissions are nil: they do not limit it")
	case kind != map[bool]string{true: "app", false: "user"}[got.Application] || id == "":
		t.Errorf("its id is %q", got.ID)
	case got.Name == "" || utf8.RuneCountInString(got.Name) > 100 ||
		strings.EqualFold(got.Name, "system"):
		t.Errorf("its name is %q", got.Name)
	case got.Members[0] != got.ID || len(got.Members) > 1002:
		t.Errorf("its members are %q", got.Members)
	}
	for _, member := range got.Members[1:] {
		before, _, named := strings.Cut(strings.ToLower(member), ":")
		if named && slices.Contains([]string{"user", "token", "app"}, before) &&
			member != "user:"+claims["sub"].(string) {
			t.Errorf("a group made it %q", member)
		}
	}
	if got.Application {
		for _, name := range []string{"scp", "sid", "email", "name", "upn", "auth_time", "nonce"} {
			if _, ok := claims[name]; ok {
				t.Errorf("an application with %s, which only a person has", name)
			}
		}
		if len(got.Permissions) == 0 || claims["roles"] == nil {
			t.Errorf("an application with permissions %q and roles %v", got.Permissions,
				claims["roles"])
		}
	}
}

package access_test

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
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// Signed by the issuer, and still no bearer for this server.
func TestProviderRefusesClaims(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	p := newProvider(t, i, clock.now, nil)
	for _, c := range []struct {
		name   string
		claims map[string]any
		reason string
	}{
		{"another audience", map[string]any{"aud": "api://other"}, "audience"},
		{"an audience that begins alike", map[string]any{"aud": audience + "/"}, "audience"},
		{"no audience", map[string]any{"aud": nil}, "audience"},
		{"another issuer", map[string]any{"iss": "https://id.example"}, "different provider"},
		{"issuer with a slash", map[string]any{"iss": i.url + "/"}, "different provider"},
		{"Entra ID, the other version", map[string]any{"iss": "https://sts.windows.net/t/"},
			"different provider"},
		{"no issuer", map[string]any{"iss": nil}, "different provider"},
		{"issuer by another name", map[string]any{"iss": nil, "ISS": i.url}, "its issuer is"},
		{"no expiry", map[string]any{"exp": nil}, "no exp"},
		{"expiry by another name", map[string]any{"exp": nil,
			"EXP": clock.now().Add(time.Hour).Unix()}, "no exp"},
		{"expiry is null", map[string]any{"exp": json.RawMessage("null")}, "claims"},
		{"begin is null", map[string]any{"nbf": json.RawMessage("null")}, "nbf is not a time"},
		{"expiry is text", map[string]any{"exp": "4102444800"}, "exp is not a time"},
		{"expiry is far away", map[string]any{"exp": 1e300}, "exp is not a time"},
		{"expiry is negative", map[string]any{"exp": -1}, "exp is not a time"},
		{"begin is far away", map[string]any{"nbf": 1e17}, "nbf is not a time"},
		{"no subject", map[string]any{"sub": nil}, "sub is missing"},
		{"subject is a number", map[string]any{"sub": 7}, "claims"},
		{"subject with a line end", map[string]any{"sub": "ada\n"}, "sub is not made of"},
		{"subject with what cannot be seen", map[string]any{"sub": "a\u200bda"},
			"sub is not made of"},
		{"subject that is not text", map[string]any{"sub": json.RawMessage(`"\ud800"`)},
			"sub is not made of"},
		{"long subject", map[string]any{"sub": strings.Repeat("a", 256)}, "sub is longer"},
		{"bad oid", map[string]any{"oid": " "}, "oid is not made of"},
		{"ID token", map[string]any{"scp": nil, "nonce": "n", "name": "Ada"}, "ID token"},
		{"ID token with roles", map[string]any{"scp": nil, "nonce": "n", "roles": granted,
			"idtyp": "app"}, "ID token"},
		{"ID token with a hash", map[string]any{"at_hash": "x"}, "at_hash"},
		{"ID token of a code", map[string]any{"c_hash": "x"}, "c_hash"},
		{"ID token of Keycloak", map[string]any{"typ": "ID"}, `type "ID"`},
		{"refresh token of Keycloak", map[string]any{"typ": "Refresh"}, `type "Refresh"`},
		{"type is no text", map[string]any{"typ": 1}, `type ""`},
		{"logout token", map[string]any{
			"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}},
		}, "events"},
		{"bound to a key", map[string]any{"cnf": map[string]string{"jkt": "x"}}, "cnf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mustRefuse(t, p, i.sign("first", i.claims(clock.now(), c.claims)), c.reason)
		})
	}
	for name, payload := range map[string]string{
		"not JSON": "hello", "a list": "[]", "nothing": "", "null": "null", "cut off": `{"iss":`,
	} {
		t.Run("payload "+name, func(t *testing.T) {
			mustRefuse(t, p, i.do(order{Do: "sign", Key: "first", Payload: []byte(payload)}).Token,
				"")
		})
	}
	latin := strings.Replace(string(encode(t,
		i.claims(clock.now(), map[string]any{"groups": "x"}))), `"x"`, "\"\xe4\"", 1)
	mustRefuse(t, p, i.do(order{Do: "sign", Key: "first", Payload: []byte(latin)}).Token, "UTF-8")
}

func TestProviderTimes(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	for _, c := range []struct {
		claim  string
		at     time.Duration // from now
		skew   time.Duration
		reason string // empty: accepted
	}{
		{"exp", time.Second, 0, ""},
		{"exp", -59 * time.Second, 0, ""},
		{"exp", -60 * time.Second, 0, "expired at 2026-03-04T09:59:00Z"},
		{"exp", -4 * time.Minute, 5 * time.Minute, ""},
		{"exp", -5 * time.Minute, 5 * time.Minute, "expired"},
		{"nbf", 60 * time.Second, 0, ""},
		{"nbf", 61 * time.Second, 0, "nbf is in the future"},
		{"nbf", 4 * time.Minute, 5 * time.Minute, ""},
		{"iat", 60 * time.Second, 0, ""},
		{"iat", 61 * time.Second, 0, "iat is in the future"},
	} {
		p := newProvider(t, i, clock.now,
			func(config *access.ProviderConfig) { config.Skew = c.skew })
		token := i.sign("first", i.claims(clock.now(),
			map[string]any{c.claim: clock.now().Add(c.at).Unix()}))
		if c.reason == "" {
			mustAccept(t, p, token)
		} else {
			mustRefuse(t, p, token, c.reason)
		}
	}
	p := newProvider(t, i, clock.now, nil)
	token := i.sign("first", i.claims(clock.now(), map[string]any{"nbf": nil, "iat": nil}))
	mustAccept(t, p, token)
	clock.move(time.Hour + time.Minute)
	mustRefuse(t, p, token, "expired")
}

func TestProviderRefusesHeaders(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	p := newProvider(t, i, clock.now, nil)
	for _, c := range []struct {
		header map[string]any
		reason string
	}{
		{map[string]any{"typ": "logout+jwt"}, "logout+jwt"},
		{map[string]any{"typ": "id_token"}, "id_token"},
		{map[string]any{"typ": "dpop+jwt"}, "dpop+jwt"},
		{map[string]any{"typ": ""}, "type"},
		{map[string]any{"typ": []string{"JWT"}}, "type"},
		{map[string]any{"crit": []string{"b64"}}, "crit"},
		{map[string]any{"crit": []string{"exp"}, "exp": 1}, "crit"},
	} {
		o := order{Do: "sign", Key: "first", Header: c.header,
			Payload: encode(t, i.claims(clock.now(), nil))}
		mustRefuse(t, p, i.do(o).Token, c.reason)
	}
}

func segment(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// forge signs the claims with a key that the issuer does not have.
func forge(t testing.TB, key any, a jose.SignatureAlgorithm, kid string, header map[string]any,
	payload []byte) string {
	t.Helper()
	token, err := signWith(key, a, kid, header, payload)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestProviderRefusesForgeries(t *testing.T) {
	i, other, clock := startIssuer(t), startIssuer(t), newHands()
	p := newProvider(t, i, clock.now, nil)
	claims := i.claims(clock.now(), nil)
	payload := encode(t, claims)
	good := i.sign("first", claims)
	mustAccept(t, p, good)
	part := strings.Split(good, ".")
	mallory, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	flipped := []byte(part[2])
	flipped[10] ^= 'A' ^ 'B'
	own := map[string]any{"jwk": jose.JSONWebKey{Key: mallory.Public()}}
	more := encode(t, i.claims(clock.now(),
		map[string]any{"scp": "DeviceManagementRBAC.ReadWrite.All"}))
	forgeries := map[string]string{
		"":           "",
		"a word":     "bearer",
		"two parts":  part[0] + "." + part[1],
		"no payload": part[0] + ".." + part[2],
		"encrypted":  good + ".x.y",
		"truncated":  good[:len(good)-10],
		"too long":   good + strings.Repeat("A", 16<<10),
		"as JSON": `{"protected":"` + part[0] + `","payload":"` + part[1] +
			`","signature":"` + part[2] + `"}`,
		"unsigned": part[0] + "." + part[1] + ".",
		"alg none": segment([]byte(`{"alg":"none","kid":"first"}`)) + "." + part[1] +
			".",
		"alg None": segment([]byte(`{"alg":"None","kid":"first"}`)) + "." + part[1] +
			"." + part[2],
		"no alg": segment([]byte(`{"kid":"first"}`)) + "." + part[1] + "." + part[2],
		"alg twice": segment([]byte(`{"alg":"none","alg":"RS256","kid":"first"}`)) +
			"." + part[1] + "." + part[2],
		"another alg": segment([]byte(`{"alg":"PS256","kid":"first","typ":"JWT"}`)) +
			"." + part[1] + "." + part[2],
		"tampered payload":   part[0] + "." + segment(more) + "." + part[2],
		"tampered signature": part[0] + "." + part[1] + "." + string(flipped),
		"tampered header": segment([]byte(`{"alg":"RS256","kid":"first","typ":"at+jwt"}`)) +
			"." + part[1] + "." + part[2],
		"another key, same kid": forge(t, mallory, jose.RS256, "first", nil, payload),
		"another key, no kid":   forge(t, mallory, jose.RS256, "", nil, payload),
		"kid is a path":         forge(t, mallory, jose.RS256, "../../../dev/null", nil, payload),
		"another issuer":        other.sign("first", claims),
		"its key in jwk":        forge(t, mallory, jose.RS256, "first", own, payload),
		"its key in jwk alone":  forge(t, mallory, jose.RS256, "", own, payload),
	}
	for name, secret := range publicForms(t, i.jwk("first")) {
		for _, a := range []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512} {
			forgeries[string(a)+" keyed with the public key, "+name] = forge(t, secret, a, "first",
				nil, payload)
		}
	}
	mustRefuse(t, p, forgeries["too long"], "more than 16384")
	for name, bearer := range forgeries {
		t.Run(name, func(t *testing.T) { mustRefuse(t, p, bearer, "") })
	}
	mustAccept(t, p, good)
}

// publicForms are the ways in which a server could take an RSA key for the secret of an HMAC.
func publicForms(t *testing.T, key jose.JSONWebKey) map[string][]byte {
	t.Helper()
	public := key.Key.(*rsa.PublicKey)
	pkix, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(public)
	return map[string][]byte{
		"PKIX": pkix, "PKIX PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}),
		"PKCS #1": pkcs1, "PKCS #1 PEM": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY",
			Bytes: pkcs1}),
		"JWK": encode(t, key), "modulus": public.N.Bytes(),
	}
}

// A token may say where its key is to be found; nobody goes there.
func TestProviderIgnoresJKU(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	mallory, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	lure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "m",
			Key: mallory.Public()}}})
	}))
	defer lure.Close()
	p := newProvider(t, i, clock.now, func(c *access.ProviderConfig) {
		c.CAs = i.cas.Clone()
		c.CAs.AddCert(lure.Certificate())
	})
	for _, name := range []string{"jku", "x5u"} {
		header := map[string]any{name: lure.URL + "/keys"}
		mustRefuse(t, p, forge(t, mallory, jose.ES256, "m", header,
			encode(t, i.claims(clock.now(), nil))), "no key")
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the address in the token was asked %d times", n)
	}
}

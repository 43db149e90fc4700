package simulator_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
)

// claims reads an access token as its bearer may: without its signature.
func claims(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func (w *world) credentials(changes ...string) url.Values {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {w.app.ID},
		"client_secret": {w.secret}, "scope": {w.url + "/.default"}}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			form.Del(changes[i])
		} else {
			form.Set(changes[i], changes[i+1])
		}
	}
	return form
}

func TestClientSecret(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	got := claims(t, w.token)
	if got["tid"] != w.tenant.ID || got["appid"] != w.app.ID || got["aud"] != w.url ||
		len(got["roles"].([]any)) != len(allRoles) {
		t.Error(got)
	}
	ended := w.app.AddSecret(-time.Second)
	for name, test := range map[string]struct {
		form   url.Values
		status int
		name   string
		number float64
	}{
		"good":          {w.credentials(), 200, "", 0},
		"wrong secret":  {w.credentials("client_secret", "x"), 401, "invalid_client", 7000215},
		"ended secret":  {w.credentials("client_secret", ended), 401, "invalid_client", 7000222},
		"no secret":     {w.credentials("client_secret", ""), 401, "invalid_client", 7000218},
		"no app":        {w.credentials("client_id", ""), 400, "invalid_request", 900144},
		"another app":   {w.credentials("client_id", "x"), 400, "unauthorized_client", 700016},
		"no grant":      {w.credentials("grant_type", ""), 400, "invalid_request", 900144},
		"another grant": {w.credentials("grant_type", "x"), 400, "unsupported_grant_type", 70003},
		"no scope":      {w.credentials("scope", ""), 400, "invalid_request", 900144},
		"a permission": {w.credentials("scope", w.url+"/"+allRoles[0]), 400, "invalid_scope",
			1002012},
		"another cloud": {w.credentials("scope", "https://graph.microsoft.us/.default"), 400,
			"invalid_resource", 500011},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := w.post("token", test.form)
			if status != test.status || test.name != "" && (body["error"] != test.name ||
				body["error_codes"].([]any)[0] != test.number) {
				t.Errorf("%d %v", status, body)
			}
		})
	}
	nobody := *w
	nobody.tenant = &simulator.Tenant{ID: "nobody"}
	if status, body := nobody.post("token", w.credentials()); status != 400 ||
		body["error_codes"].([]any)[0] != float64(90002) {
		t.Errorf("%d %v", status, body)
	}
}

func TestTokensEnd(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.clock.Advance(60*time.Minute - time.Second)
	w.must(managedDevices)
	w.clock.Advance(30*time.Minute + time.Second)
	r := w.get(managedDevices)
	if r.status != http.StatusUnauthorized || r.code() != "InvalidAuthenticationToken" ||
		r.header.Get("WWW-Authenticate") == "" {
		t.Errorf("%d %s", r.status, r.text)
	}
}

// Two tenants are on one Site: a token of one has nothing of the other.
func TestTenantsAreApart(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	other := w.site.AddTenant("Fabrikam")
	d := other.Enroll(simulator.DeviceOptions{})
	if list := w.must(managedDevices).list(); len(list) != 0 {
		t.Error(list)
	}
	if r := w.get(managedDevices + "/" + d.ID); r.status != http.StatusNotFound {
		t.Error(r.status)
	}
	if status, _ := w.post("token", w.credentials("client_id",
		other.Register("theirs", allRoles...).ID)); status != 400 {
		t.Error(status)
	}
}

var certificateKey = func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}()

func certificate(t *testing.T, ends time.Time) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1),
		Subject:   pkix.Name{CommonName: "syncpayloads"},
		NotBefore: start.Add(-time.Hour), NotAfter: ends}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, certificateKey.Public(),
		certificateKey)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// assertion is what an application signs to show who it is.
type assertion struct {
	algorithm jose.SignatureAlgorithm
	header    string
	sum       []byte
	key       crypto.Signer
	claims    jwt.Claims
}

func (a assertion) sign(t *testing.T) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: a.algorithm, Key: a.key},
		(&jose.SignerOptions{}).WithType("JWT").WithHeader(jose.HeaderKey(a.header),
			base64.RawURLEncoding.EncodeToString(a.sum)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(a.claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestCertificateAssertion(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	c := certificate(t, start.Add(365*24*time.Hour))
	w.app.AddCertificate(c)
	sum, old := sha256.Sum256(c.Raw), sha1.Sum(c.Raw)
	strangers, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	date := jwt.NewNumericDate
	for name, test := range map[string]struct {
		change func(*assertion)
		number int // 0: a token
	}{
		"PS256":        {func(*assertion) {}, 0},
		"RS256":        {func(a *assertion) { a.algorithm = jose.RS256 }, 0},
		"PS512":        {func(a *assertion) { a.algorithm = jose.PS512 }, 50027},
		"x5t":          {func(a *assertion) { a.header, a.sum = "x5t", old[:] }, 700027},
		"another sum":  {func(a *assertion) { a.sum = old[:] }, 700027},
		"another key":  {func(a *assertion) { a.key = strangers }, 700027},
		"issuer":       {func(a *assertion) { a.claims.Issuer = "x" }, 700021},
		"subject":      {func(a *assertion) { a.claims.Subject = "x" }, 700021},
		"audience":     {func(a *assertion) { a.claims.Audience = jwt.Audience{w.url} }, 700023},
		"no end":       {func(a *assertion) { a.claims.Expiry = nil }, 700024},
		"ended":        {func(a *assertion) { a.claims.Expiry = date(start) }, 700024},
		"10 minutes":   {func(a *assertion) { a.claims.Expiry = date(start.Add(600e9)) }, 0},
		"too long":     {func(a *assertion) { a.claims.Expiry = date(start.Add(601e9)) }, 700024},
		"not yet":      {func(a *assertion) { a.claims.NotBefore = date(start.Add(301e9)) }, 700024},
		"no id":        {func(a *assertion) { a.claims.ID = "" }, 50027},
		"used before":  {func(a *assertion) { a.claims.ID = "again" }, 50013},
		"another name": {func(a *assertion) { a.claims.Audience[0] += "x" }, 700023},
		"two audiences": {func(a *assertion) {
			a.claims.Audience = append(a.claims.Audience, "https://else.example")
		}, 700023},
	} {
		t.Run(name, func(t *testing.T) {
			a := assertion{algorithm: jose.PS256, header: "x5t#S256", sum: sum[:],
				key: certificateKey, claims: jwt.Claims{Issuer: w.app.ID, Subject: w.app.ID,
					ID: name, NotBefore: date(start), Expiry: date(start.Add(5 * time.Minute)),
					Audience: jwt.Audience{w.url + "/" + w.tenant.ID + "/oauth2/v2.0/token"}}}
			test.change(&a)
			form := w.credentials("client_secret", "", "client_assertion", a.sign(t),
				"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
			if name == "used before" {
				w.post("token", form)
			}
			status, body := w.post("token", form)
			if test.number == 0 && status != 200 || test.number != 0 && (status != 401 ||
				body["error_codes"].([]any)[0] != float64(test.number)) {
				t.Errorf("%d %v", status, body)
			}
		})
	}
}

// A certificate is good from its first moment to its last.
func TestCertificateWindow(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	c := certificate(t, start.Add(24*time.Hour))
	w.app.AddCertificate(c)
	sum := sha256.Sum256(c.Raw)
	for _, test := range []struct {
		at time.Time
		ok bool
	}{{start.Add(-61 * time.Minute), false}, {start.Add(-time.Hour), true},
		{start.Add(24 * time.Hour), true}, {start.Add(24*time.Hour + time.Second), false}} {
		w.clock.Advance(test.at.Sub(w.clock.Now()))
		a := assertion{algorithm: jose.PS256, header: "x5t#S256", sum: sum[:],
			key: certificateKey, claims: jwt.Claims{Issuer: w.app.ID, Subject: w.app.ID,
				ID: test.at.String(), Expiry: jwt.NewNumericDate(test.at.Add(5 * time.Minute)),
				Audience: jwt.Audience{w.url + "/" + w.tenant.ID + "/oauth2/v2.0/token"}}}
		status, body := w.post("token", w.credentials("client_secret", "", "client_assertion",
			a.sign(t), "client_assertion_type",
			"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
		if test.ok != (status == 200) ||
			!test.ok && body["error_codes"].([]any)[0] != float64(1000502) {
			t.Errorf("%v: %d %v", test.at, status, body)
		}
	}
}

func TestDeviceCode(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	if status, _ := w.post("devicecode", url.Values{"client_id": {w.app.ID},
		"scope": {"offline_access"}}); status != 401 {
		t.Errorf("an app that is not for people: %d", status)
	}
	w.app.GrantDelegated(allRoles...)
	admin := w.tenant.AddAdmin("ada")
	begin := func() (code, userCode string) {
		status, body := w.post("devicecode", url.Values{"client_id": {w.app.ID},
			"scope": {w.url + "/" + allRoles[0] + " " + allRoles[3] + " offline_access"}})
		if status != 200 || body["interval"] != float64(5) {
			t.Fatal(status, body)
		}
		return body["device_code"].(string), body["user_code"].(string)
	}
	poll := func(code string) (string, map[string]any) {
		_, body := w.post("token", url.Values{"client_id": {w.app.ID}, "device_code": {code},
			"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}})
		name, _ := body["error"].(string)
		return name, body
	}
	code, userCode := begin()
	var said []string
	say := func() { name, _ := poll(code); said = append(said, name) }
	say()
	say()
	w.clock.Advance(5 * time.Second)
	say()
	if !admin.EnterCode(userCode) || admin.EnterCode("X") {
		t.Error("the code is not known")
	}
	w.clock.Advance(5 * time.Second)
	name, body := poll(code)
	if want := []string{"authorization_pending", "slow_down",
		"authorization_pending"}; !slices.Equal(said, want) || name != "" {
		t.Fatal(said, name)
	}
	w.token = body["access_token"].(string)
	if got := claims(t, w.token); got["scp"] != allRoles[0]+" "+allRoles[3] {
		t.Error(got)
	}
	w.clock.Advance(2 * time.Hour)
	if status, _ := w.post("token", url.Values{"grant_type": {"refresh_token"},
		"client_id":     {w.tenant.Register("another", allRoles...).ID},
		"refresh_token": {body["refresh_token"].(string)}}); status != 400 {
		t.Errorf("another app has taken a refresh token: %d", status)
	}
	_, body = w.post("token", url.Values{"client_id": {w.app.ID}, "grant_type": {"refresh_token"},
		"refresh_token": {body["refresh_token"].(string)}})
	w.token = body["access_token"].(string)
	w.must(managedDevices)

	code, userCode = begin()
	admin.DeclineCode(userCode)
	if name, _ := poll(code); name != "authorization_declined" {
		t.Error(name)
	}
	code, _ = begin()
	w.clock.Advance(15 * time.Minute)
	if name, _ := poll(code); name != "expired_token" {
		t.Error(name)
	}
}

// A person needs a role of Intune to act, and sees by scope tags; an application does not.
func TestPeopleAreBound(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	p := w.policies("a")
	north := w.tenant.Enroll(simulator.DeviceOptions{Tags: []string{"north"}})
	south := w.tenant.Enroll(simulator.DeviceOptions{Tags: []string{"south"}})
	w.app.GrantDelegated(allRoles...)
	as := func(u *simulator.User) {
		_, body := w.post("devicecode", url.Values{"client_id": {w.app.ID},
			"scope": {w.url + "/.default"}})
		u.EnterCode(body["user_code"].(string))
		_, body = w.post("token", url.Values{"client_id": {w.app.ID},
			"device_code": {body["device_code"].(string)},
			"grant_type":  {"urn:ietf:params:oauth:grant-type:device_code"}})
		w.token = body["access_token"].(string)
	}
	as(w.tenant.AddAdmin("nora", "north"))
	if list := w.must(managedDevices).list(); len(list) != 1 || list[0]["id"] != north.ID {
		t.Error(list)
	}
	w.mustAct(north, p...)
	if r := w.act(south, p...); r.status != http.StatusNotFound {
		t.Errorf("%d %s", r.status, r.text)
	}
	as(w.tenant.AddUser("uma"))
	if r := w.act(north, p...); r.status != http.StatusForbidden {
		t.Errorf("%d %s", r.status, r.text)
	}
}

package mdm_test

import (
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
)

func TestForeignIdentitiesAreRefused(t *testing.T) {
	s := newServer(t, func(c *mdm.Config) { c.CertificateHeader = proxyHeader })
	victim := s.enroll(t, "victim", 1)
	other := s.enroll(t, "other", 2)
	foreign := selfSigned(t, shared.keys[2]())
	lookalike := selfSigned(t, shared.keys[2](), func(c *x509.Certificate) {
		c.Subject, c.SerialNumber = victim.cert.Subject, victim.cert.SerialNumber
	})
	for _, by := range []way{bySignature, byTLS, byHeader} {
		for name, c := range map[string]struct {
			cert *x509.Certificate
			want int
		}{
			"another device's": {other.cert, http.StatusForbidden},
			"a foreign CA's":   {foreign, http.StatusBadRequest},
			"a look-alike":     {lookalike, http.StatusBadRequest},
			"the CA's own":     {s.channel.DeviceCA(), http.StatusBadRequest},
			"a server's of our CA": {s.sign(t, x509.ExtKeyUsageServerAuth),
				http.StatusBadRequest},
			"unrecorded, by our CA":  {s.sign(t, x509.ExtKeyUsageClientAuth), http.StatusForbidden},
			"fresh, not enrolled by": {s.newDevice(t, "x", 2).cert, http.StatusForbidden},
		} {
			if c.cert.Equal(s.channel.DeviceCA()) && by != byHeader {
				continue // its key is not to be had
			}
			impostor := &device{t: t, s: s, udid: "victim", key: shared.keys[2](), cert: c.cert,
				way: by}
			for what, send := range map[string]func() *answered{"idle": impostor.idle,
				"token":     func() *answered { return impostor.tokenUpdate("mine") },
				"check-out": impostor.checkOut} {
				if a := send(); a.status != c.want {
					t.Errorf("%s certificate, way %d, %s: status %d, want %d", name, by, what,
						a.status, c.want)
				}
			}
		}
	}
	nobody := victim.as(byNothing)
	for _, a := range []*answered{nobody.idle(), nobody.authenticate(), nobody.tokenUpdate("mine"),
		nobody.checkOut()} {
		if a.status != http.StatusBadRequest {
			t.Errorf("without identity: status %d", a.status)
		}
	}
	if _, left, contacts := s.engine.counts(); left != 0 || contacts != 0 {
		t.Error("the engine was told of a refused message")
	}
	if e := s.store.enrollment("victim"); string(e.Token) != "token 1" {
		t.Errorf("the token became %q", e.Token)
	}
	victim.want(http.StatusOK, victim.idle())
}

// sign makes a certificate of the device CA that was not issued over SCEP.
func (s *server) sign(t testing.TB, usage x509.ExtKeyUsage) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(99),
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{usage}}
	der, err := x509.CreateCertificate(rand.Reader, template, s.channel.DeviceCA(),
		shared.keys[2]().Public(), caKey(t))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestIdentityExpires(t *testing.T) {
	s := newServer(t, func(c *mdm.Config) { c.IdentityValidity = time.Hour })
	d := s.enroll(t, "1", 1)
	s.pass(2 * time.Hour)
	for _, by := range []way{bySignature, byTLS} {
		d.want(http.StatusBadRequest, d.as(by).idle())
	}
}

func TestProxyHeaderIsOffByDefault(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	d.want(http.StatusBadRequest, d.as(byHeader).idle())
}

func TestTamperedMessages(t *testing.T) {
	s := newServer(t)
	d, other := s.enroll(t, "1", 1), s.enroll(t, "2", 2)
	a := d.idle()
	changed := *a
	changed.raw = []byte(strings.Replace(string(a.raw), "Idle", "idle", 1))
	d.want(http.StatusBadRequest, d.replay(&changed))
	swapped := *other.idle()
	swapped.raw = a.raw
	d.want(http.StatusBadRequest, d.replay(&swapped))
	for _, signature := range []string{"", "x", "AAAA", strings.Repeat("A", 100000),
		a.sent.Header.Get("Mdm-Signature")[:200]} {
		broken := *a
		broken.sent = a.sent.Clone(t.Context())
		broken.sent.Header.Set("Mdm-Signature", signature)
		d.want(http.StatusBadRequest, d.replay(&broken))
	}
}

func TestReplayedAuthenticate(t *testing.T) {
	s := newServer(t)
	d := s.newDevice(t, "1", 1)
	old := d.want(http.StatusOK, d.authenticate())
	d.want(http.StatusOK, d.tokenUpdate("token 1"))
	d.want(http.StatusOK, d.replay(old))
	if n, _, _ := s.engine.counts(); n != 1 {
		t.Errorf("a replay enrolled the device again")
	}
	if e := s.store.enrollment("1"); string(e.Token) != "token 1" || e.Stage != mdm.Reachable {
		t.Errorf("a replay changed the enrollment: %+v", e)
	}

	renewed := s.enroll(t, "1", 2)
	if n, _, _ := s.engine.counts(); n != 2 {
		t.Fatalf("a new identity enrolled the device %d times, want 2", n)
	}
	for name, a := range map[string]*answered{"Authenticate": d.replay(old),
		"a new Authenticate": d.authenticate(), "Idle": d.idle(),
		"TokenUpdate": d.tokenUpdate("token 2"), "CheckOut": d.checkOut()} {
		if a.status != http.StatusForbidden {
			t.Errorf("%s with the earlier identity: status %d", name, a.status)
		}
	}
	if n, left, _ := s.engine.counts(); n != 2 || left != 0 {
		t.Error("the earlier identity reached the engine")
	}
	renewed.want(http.StatusOK, renewed.idle())
}

func TestIdentityBelongsToOneDevice(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	d.udid = "2"
	d.want(http.StatusForbidden, d.authenticate())
	if n, _, _ := s.engine.counts(); n != 1 {
		t.Error("one identity enrolled two devices")
	}
}

func TestAuthenticateIsRepeatedAfterAFailure(t *testing.T) {
	s := newServer(t)
	d := s.newDevice(t, "1", 1)
	s.engine.fail = errBroken
	d.want(http.StatusServiceUnavailable, d.authenticate())
	d.want(http.StatusForbidden, d.tokenUpdate("token 1"))
	d.want(http.StatusForbidden, d.idle())
	d.want(http.StatusOK, d.authenticate())
	d.want(http.StatusOK, d.authenticate())
	if n, _, _ := s.engine.counts(); n != 1 {
		t.Errorf("enrolled %d times", n)
	}
	d.want(http.StatusOK, d.tokenUpdate("token 1"))
}

func TestReplayedTokenUpdate(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	first := d.want(http.StatusOK, d.tokenUpdate("token 1"))
	d.want(http.StatusOK, d.tokenUpdate("token 2"))
	d.want(http.StatusOK, d.replay(first))
	if e := s.store.enrollment("1"); string(e.Token) != "token 2" {
		t.Errorf("a replay put %q back", e.Token)
	}
	for i := range 40 {
		d.want(http.StatusOK, d.tokenUpdate("token "+string(rune('A'+i))))
	}
	if e := s.store.enrollment("1"); len(e.Replaced) > 16 {
		t.Errorf("%d tokens remembered", len(e.Replaced))
	}
	for _, missing := range []string{"Topic", "PushMagic", "Token"} {
		m := d.tokenMessage("token 3")
		delete(m, missing)
		d.want(http.StatusBadRequest, d.checkin(m))
	}
}

func TestReplayedCheckOut(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	leaving := d.want(http.StatusOK, d.checkOut())
	d.want(http.StatusOK, d.replay(leaving))
	d.want(http.StatusForbidden, d.authenticate())
	again := s.enroll(t, "1", 2)
	d.want(http.StatusForbidden, d.replay(leaving))
	if n, left, _ := s.engine.counts(); n != 2 || left != 1 {
		t.Errorf("enrolled %d times and left %d times, want 2 and 1", n, left)
	}
	again.want(http.StatusOK, again.idle())
}

func TestUserChannel(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	for _, user := range []dict{{"UserID": "AAAA"},
		{"UserID": "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "UserShortName": "a@example.com"}} {
		with := func(m dict) dict {
			for k, v := range user {
				m[k] = v
			}
			return m
		}
		d.want(http.StatusOK, d.checkin(with(d.tokenMessage("user token"))))
		d.want(http.StatusGone, d.checkin(with(d.message("UserAuthenticate", nil))))
		if a := d.want(http.StatusOK, d.report(with(dict{"Status": "Idle"}))); len(a.body) != 0 {
			t.Errorf("got a command: %s", a.body)
		}
		d.want(http.StatusOK, d.checkin(with(d.message("CheckOut", nil))))
		d.want(http.StatusBadRequest, d.checkin(with(d.message("Authenticate",
			dict{"Topic": topic}))))
	}
	if _, left, contacts := s.engine.counts(); left != 0 || contacts != 0 {
		t.Error("the user channel reached the engine")
	}
	if e := s.store.enrollment("1"); string(e.Token) != "token 1" {
		t.Errorf("the user's token became the device's: %q", e.Token)
	}
}

func TestMessagesThatAreNotServed(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	d.want(http.StatusOK, d.checkin(d.message("SetBootstrapToken",
		dict{"BootstrapToken": []byte("secret")})))
	if a := d.want(http.StatusOK, d.checkin(d.message("GetBootstrapToken",
		nil))); len(a.body) != 0 {
		t.Errorf("a bootstrap token: %s", a.body)
	}
	d.want(http.StatusNotFound, d.checkin(d.message("DeclarativeManagement",
		dict{"Endpoint": "tokens"})))
	d.want(http.StatusNotFound, d.checkin(d.message("GetToken",
		dict{"TokenServiceType": "com.apple.maid"})))
	d.want(http.StatusNotFound, d.checkin(d.message("GetToken", nil)))
	d.want(http.StatusBadRequest, d.checkin(d.message("Nonsense", nil)))
}

func TestMalformedMessages(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	deep := func(open, shut string, n int) string {
		return `<plist version="1.0"><dict><key>UDID</key><string>1</string><key>Status</key><string>Idle</string><key>x</key>` +
			strings.Repeat(open, n) + strings.Repeat(shut, n) + `</dict></plist>`
	}
	for name, body := range map[string]string{
		"empty": "", "text": "hello", "JSON": "{}", "binary": "bplist00\xd0\x08",
		"no dictionary": "<plist><string>x</string></plist>",
		"no status":     `<plist><dict><key>UDID</key><string>1</string></dict></plist>`,
		"long id": `<plist><dict><key>UDID</key><string>` + strings.Repeat("1", 200) +
			`</string><key>Status</key><string>Idle</string></dict></plist>`,
		"odd id": `<plist><dict><key>UDID</key><string>1&#10;2</string><key>Status</key><string>Idle</string></dict></plist>`,
	} {
		for _, checkin := range []bool{true, false} {
			if a := d.send([]byte(body), checkin); a.status != http.StatusBadRequest {
				t.Errorf("%s (check-in: %t): status %d", name, checkin, a.status)
			}
		}
	}
	for name, body := range map[string]string{
		"a harmless depth":           deep("<array>", "</array>", 20),
		"no device":                  `<plist><dict><key>Status</key><string>Idle</string></dict></plist>`,
		"deep":                       deep("<array>", "</array>", 10000),
		"deep, hidden by comments":   deep("<array><!--</array>-->", "</array>", 1000),
		"deep, hidden by CDATA":      deep("<array><![CDATA[</array>]]>", "</array>", 1000),
		"deep, hidden by prefixes":   deep("<x:array>", "</x:array>", 1000),
		"deep, hidden by attributes": deep(`<array a="/>">`, "</array>", 1000),
	} {
		if a := d.send([]byte(body), false); a.status != http.StatusOK {
			t.Errorf("%s: status %d", name, a.status)
		}
	}
	d.want(http.StatusRequestEntityTooLarge, d.send(make([]byte, 9<<20), false))
	d.want(http.StatusRequestEntityTooLarge, d.send(make([]byte, 1<<20), true))
	resp, err := s.client().Get(s.URL + "/mdm")
	if err != nil {
		t.Fatal(err)
	}
	if _ = resp.Body.Close(); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET /mdm: status %d", resp.StatusCode)
	}
}

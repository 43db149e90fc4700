package mdm_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/smallstep/scep"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

func TestSCEPIssuesDeviceIdentities(t *testing.T) {
	s := newServer(t, func(c *mdm.Config) { c.IdentityValidity = 48 * time.Hour })
	_, _, caps := get(t, s.client(), s.URL+"/scep?operation=GetCACaps")
	if !strings.Contains(string(caps), "SCEPStandard") ||
		strings.Contains(string(caps), "Renewal") {
		t.Errorf("capabilities %q", caps)
	}
	ca := s.authorities(t)[1]
	if !ca.Equal(s.channel.DeviceCA()) {
		t.Error("the second certificate of GetCACert is not the CA's")
	}
	cert := s.newDevice(t, "1", 1).cert
	if err := cert.CheckSignatureFrom(ca); err != nil {
		t.Error(err)
	}
	if cert.Subject.CommonName != "adevice" || strings.Contains(cert.Subject.String(), "Evil") ||
		len(cert.DNSNames) > 0 || cert.IsCA {
		t.Errorf("the request's names went into the certificate: %s, %v", cert.Subject,
			cert.DNSNames)
	}
	if len(cert.ExtKeyUsage) != 1 || cert.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth {
		t.Errorf("extended key usage %v", cert.ExtKeyUsage)
	}
	if left := time.Until(cert.NotAfter); left > 48*time.Hour || left < 47*time.Hour {
		t.Errorf("valid for %s", left)
	}
}

func TestSCEPByGET(t *testing.T) {
	s := newServer(t)
	for name, encoding := range map[string]*base64.Encoding{"standard": base64.StdEncoding,
		"URL": base64.URLEncoding, "raw": base64.RawStdEncoding} {
		_, code := s.link(t, time.Hour)
		message := encoding.EncodeToString(s.request(t, code, shared.keys[1](), scep.PKCSReq))
		for _, query := range []string{url.QueryEscape(message),
			strings.ReplaceAll(message, "/", "%2F")} {
			status, header, body := get(t, s.client(),
				s.URL+"/scep?operation=PKIOperation&message="+query)
			if status != http.StatusOK ||
				header.Get("Content-Type") != "application/x-pki-message" {
				t.Fatalf("%s: status %d: %s", name, status, body)
			}
			if cert, fail := s.openReply(t, body); cert == nil {
				t.Errorf("%s: failInfo %s", name, fail)
			}
		}
	}
}

func TestSCEPChallenges(t *testing.T) {
	s := newServer(t)
	link, code := s.link(t, time.Hour)
	first, _ := s.pkiOperation(t, s.request(t, code, shared.keys[1](), scep.PKCSReq))
	if first == nil {
		t.Fatal("refused")
	}
	if again, fail := s.pkiOperation(t, s.request(t, code, shared.keys[1](),
		scep.PKCSReq)); again == nil || !again.Equal(first) {
		t.Errorf("the same key got another certificate, or failInfo %s", fail)
	}
	if stolen, fail := s.pkiOperation(t, s.request(t, code, shared.keys[2](),
		scep.PKCSReq)); stolen != nil || fail != scep.BadRequest {
		t.Errorf("another key used the challenge again: %v, failInfo %s", stolen != nil, fail)
	}
	if status, _, _ := get(t, s.client(), link); status != http.StatusGone {
		t.Errorf("the used link answers %d", status)
	}
	s.pass(2 * time.Hour)
	if again, _ := s.pkiOperation(t, s.request(t, code, shared.keys[1](),
		scep.PKCSReq)); again == nil || !again.Equal(first) {
		t.Error("a repeated request lost its certificate when the challenge expired")
	}
	_, unused := s.link(t, time.Hour)
	s.pass(time.Hour)
	for name, challenge := range map[string]string{"expired": unused, "none": "",
		"unknown": "guess", "in another case": strings.ToLower(code)} {
		if cert, fail := s.pkiOperation(t, s.request(t, challenge, shared.keys[2](),
			scep.PKCSReq)); cert != nil || fail == "" {
			t.Errorf("challenge %s: accepted", name)
		}
	}
}

func TestSCEPChallengeIsWonOnce(t *testing.T) {
	s := newServer(t)
	_, code := s.link(t, time.Hour)
	var mu sync.Mutex
	var wg sync.WaitGroup
	issued := map[string]bool{}
	for i := range 12 {
		message := s.request(t, code, shared.keys[i%3](), scep.PKCSReq)
		wg.Go(func() {
			cert, _ := s.pkiOperation(t, message)
			mu.Lock()
			defer mu.Unlock()
			if cert != nil {
				issued[string(cert.Raw)] = true
			}
		})
	}
	wg.Wait()
	if len(issued) != 1 {
		t.Errorf("one challenge made %d certificates", len(issued))
	}
}

func TestSCEPRefusesBadRequests(t *testing.T) {
	s := newServer(t)
	_, code := s.link(t, time.Hour)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key  crypto.Signer
		kind scep.MessageType
		want scep.FailInfo
	}{
		"short key":      {short, scep.PKCSReq, scep.BadAlg},
		"elliptic curve": {curve, scep.PKCSReq, scep.BadAlg},
		"update":         {shared.keys[1](), scep.UpdateReq, scep.BadRequest},
		"poll":           {shared.keys[1](), scep.CertPoll, scep.BadCertID},
		"a certificate":  {shared.keys[1](), scep.GetCert, scep.BadRequest},
		"revocations":    {shared.keys[1](), scep.GetCRL, scep.BadRequest},
		"an answer":      {shared.keys[1](), scep.CertRep, scep.BadRequest},
		"an unknown one": {shared.keys[1](), "99", scep.BadRequest},
	} {
		if cert, fail := s.pkiOperation(t, s.request(t, code, c.key, c.kind)); cert != nil ||
			fail != c.want {
			t.Errorf("%s: failInfo %q, want %q", name, string(fail), string(c.want))
		}
	}
	if cert, fail := s.pkiOperation(t, s.envelope(t, forgedRequest(t),
		scep.PKCSReq)); cert != nil || fail != scep.BadMessageCheck {
		t.Errorf("a request not signed by its key: failInfo %q", string(fail))
	}
	other := newServer(t,
		func(c *mdm.Config) { c.Store.(*memoryStore).keyPairs = map[string]keypair.KeyPair{} })
	if cert, fail := s.pkiOperation(t, other.request(t, code, shared.keys[1](),
		scep.PKCSReq)); cert != nil || fail != scep.BadMessageCheck {
		t.Errorf("a request encrypted to another CA: failInfo %q", string(fail))
	}
	if cert, fail := s.pkiOperation(t, s.request(t, code, shared.keys[1](),
		scep.PKCSReq)); cert == nil {
		t.Errorf("the refused requests used the challenge up: failInfo %s", fail)
	}
}

// forgedRequest is a certificate request whose signature is of another request.
func forgedRequest(t *testing.T) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{},
		shared.keys[1]())
	if err != nil {
		t.Fatal(err)
	}
	var csr struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &csr); err != nil {
		t.Fatal(err)
	}
	csr.Signature.Bytes[10] ^= 1
	if der, err = asn1.Marshal(csr); err != nil {
		t.Fatal(err)
	}
	return der
}

func TestSCEPRefusesWhatIsNoSCEP(t *testing.T) {
	s := newServer(t)
	post := func(body string) int {
		resp, err := s.client().Post(s.URL+"/scep?operation=PKIOperation", "",
			strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	for body, want := range map[string]int{"": http.StatusBadRequest,
		"garbage":                  http.StatusBadRequest,
		strings.Repeat("x", 1<<20): http.StatusRequestEntityTooLarge} {
		if got := post(body); got != want {
			t.Errorf("%.10q: status %d, want %d", body, got, want)
		}
	}
	for _, query := range []string{"", "operation=", "operation=Nonsense", "operation=PKIOperation",
		"operation=PKIOperation&message=%%%",
		"operation=PKIOperation&message=" + strings.Repeat("A", 100000)} {
		status, _, _ := get(t, s.client(), s.URL+"/scep?"+query)
		if status != http.StatusBadRequest && status != http.StatusRequestEntityTooLarge {
			t.Errorf("%.40q: status %d", query, status)
		}
	}
}

package mdm_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/smallstep/scep"
	"github.com/smallstep/scep/x509util"
)

// challengeOf reads a downloaded profile, as its thief would.
func challengeOf(t *testing.T, profile []byte) string {
	t.Helper()
	for _, part := range decode(t, profile)["PayloadContent"].([]any) {
		if part := part.(dict); part["PayloadType"] == "com.apple.security.scep" {
			return part["PayloadContent"].(dict)["Challenge"].(string)
		}
	}
	t.Fatal("the profile has no SCEP payload")
	return ""
}

// Of all who have copied a profile, one gets an identity, and enrolls one device.
func TestStolenProfile(t *testing.T) {
	s := newServer(t)
	link, _ := s.link(t, time.Hour)
	var messages [3][]byte
	for i := range messages {
		_, _, profile := get(t, s.client(), link)
		messages[i] = s.request(t, challengeOf(t, profile), shared.keys[i](), scep.PKCSReq)
	}
	var wg sync.WaitGroup
	var certs [3]*x509.Certificate
	for i := range certs {
		wg.Go(func() { certs[i], _ = s.pkiOperation(t, messages[i]) })
	}
	wg.Wait()
	enrolled := 0
	for i, cert := range certs {
		if cert == nil { // who lost comes with a certificate of its own making
			cert = selfSigned(t, shared.keys[i](),
				func(c *x509.Certificate) { c.Issuer = s.channel.DeviceCA().Subject })
		}
		d := &device{t: t, s: s, udid: fmt.Sprint("device", i), key: shared.keys[i](), cert: cert}
		switch a := d.authenticate(); {
		case a.status == http.StatusOK && certs[i] != nil:
			enrolled++
		case a.status != http.StatusBadRequest:
			t.Errorf("device %d: status %d", i, a.status)
		}
	}
	if n, _, _ := s.engine.counts(); n != 1 || enrolled != 1 {
		t.Errorf("%d devices enrolled with one profile", n)
	}
	if status, _, _ := get(t, s.client(), link); status != http.StatusGone {
		t.Errorf("the used link answers %d", status)
	}
}

// Asking again with the same key gets the same certificate, and no second life after the device has
// left.
func TestRepeatedRequestAfterTheDeviceLeft(t *testing.T) {
	s := newServer(t)
	_, code := s.link(t, time.Hour)
	first, _ := s.pkiOperation(t, s.request(t, code, shared.keys[1](), scep.PKCSReq))
	d := &device{t: t, s: s, udid: "1", key: shared.keys[1](), cert: first}
	d.want(http.StatusOK, d.authenticate())
	d.want(http.StatusOK, d.checkOut())
	again, _ := s.pkiOperation(t, s.request(t, code, shared.keys[1](), scep.PKCSReq))
	if again != nil && !again.Equal(first) {
		t.Error("the same challenge gave a new certificate")
	}
	d.want(http.StatusForbidden, d.authenticate())
	d.udid = "2"
	d.want(http.StatusForbidden, d.authenticate())
}

// What a certificate request asks for beyond its key does not come out.
func TestRequestedPrivilegesDoNotComeOut(t *testing.T) {
	s := newServer(t)
	ca := s.channel.DeviceCA()
	marshal := func(v any) []byte {
		der, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	address, err := url.Parse("spiffe://mdm.example/admin")
	if err != nil {
		t.Fatal(err)
	}
	signCertificates, anyUsage := asn1.BitString{Bytes: []byte{0x06}, BitLength: 7},
		asn1.ObjectIdentifier{2, 5, 29, 37, 0}
	_, code := s.link(t, time.Hour)
	template := &x509util.CertificateRequest{ChallengePassword: code}
	template.Subject = ca.Subject
	template.DNSNames, template.EmailAddresses = []string{"mdm.example", "*.example"},
		[]string{"admin@example.com"}
	template.IPAddresses, template.URIs = []net.IP{net.IPv4(127, 0, 0, 1)}, []*url.URL{address}
	template.ExtraExtensions = []pkix.Extension{
		{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true,
			Value: marshal(struct{ CA bool }{true})},
		{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: marshal(signCertificates)},
		{Id: asn1.ObjectIdentifier{2, 5, 29, 37},
			Value: marshal([]asn1.ObjectIdentifier{anyUsage})},
		{Id: asn1.ObjectIdentifier{2, 5, 29, 14}, Value: marshal(ca.SubjectKeyId)},
		{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Value: marshal("admin")},
	}
	der, err := x509util.CreateCertificateRequest(rand.Reader, template, shared.keys[1]())
	if err != nil {
		t.Fatal(err)
	}
	if csr, err := x509.ParseCertificateRequest(der); err != nil || len(csr.Extensions) < 6 ||
		len(csr.DNSNames) != 2 {
		t.Fatalf("the request does not ask for it: %v", err)
	}
	cert, fail := s.pkiOperation(t, s.envelope(t, der, scep.PKCSReq))
	if cert == nil {
		t.Fatalf("failInfo %q", string(fail))
	}
	usage := x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	if cert.IsCA || !cert.BasicConstraintsValid || cert.KeyUsage != usage ||
		!slices.Equal(cert.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}) ||
		len(cert.UnknownExtKeyUsage) > 0 {
		t.Errorf("it may do more than a device: CA %t, usage %b, %v", cert.IsCA, cert.KeyUsage,
			cert.ExtKeyUsage)
	}
	if string(cert.SubjectKeyId) == string(ca.SubjectKeyId) {
		t.Error("it has the CA's key id")
	}
	known := []string{"2.5.29.15", "2.5.29.37", "2.5.29.19", "2.5.29.35", "2.5.29.14"}
	for _, e := range cert.Extensions {
		if !slices.Contains(known, e.Id.String()) {
			t.Errorf("extension %s came out", e.Id)
		}
	}
	if !shared.keys[1]().PublicKey.Equal(cert.PublicKey) {
		t.Error("it is for another key")
	}
}

// A request may be signed with another key than the one to be certified. Whoever wraps a request of
// somebody else's anew gets a certificate for a key that they do not have, and takes nothing from
// who has it.
func TestRequestSignedByAnotherKey(t *testing.T) {
	s := newServer(t)
	_, code := s.link(t, time.Hour)
	template := &x509util.CertificateRequest{ChallengePassword: code}
	template.Subject = pkix.Name{CommonName: "device"}
	der, err := x509util.CreateCertificateRequest(rand.Reader, template, shared.keys[1]())
	if err != nil {
		t.Fatal(err)
	}
	wrapped, fail := s.pkiOperation(t, s.signedEnvelope(t, der, scep.PKCSReq, shared.keys[2]()))
	if wrapped == nil || !shared.keys[1]().PublicKey.Equal(wrapped.PublicKey) {
		t.Fatalf("signed by another key: failInfo %q", string(fail))
	}
	own, fail := s.pkiOperation(t, s.signedEnvelope(t, der, scep.PKCSReq, shared.keys[1]()))
	if own == nil || !own.Equal(wrapped) {
		t.Errorf("the key's owner: failInfo %q, or another certificate", string(fail))
	}
	thief := &device{t: t, s: s, udid: "1", key: shared.keys[2](), cert: wrapped,
		facts: map[string]any{"ProductName": "iPhone15,2"}}
	thief.want(http.StatusBadRequest, thief.authenticate())
}

// A SCEP message that was changed on its way is none.
func TestTamperedSCEPMessage(t *testing.T) {
	s := newServer(t)
	_, code := s.link(t, time.Hour)
	message := s.request(t, code, shared.keys[1](), scep.PKCSReq)
	message[len(message)-20] ^= 1
	resp, err := s.client().Post(s.URL+"/scep?operation=PKIOperation", "application/x-pki-message",
		bytes.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a tampered message: %s", resp.Status)
	}
}

// An identity that was fetched and put by does not outlive its link by much: only a device that
// comes at once enrolls.
func TestParkedIdentity(t *testing.T) {
	s := newServer(t)
	at, late := s.newDevice(t, "1", 1), s.newDevice(t, "2", 2)
	s.pass(23 * time.Hour)
	at.want(http.StatusOK, at.authenticate())
	s.pass(2 * time.Hour)
	late.want(http.StatusForbidden, late.authenticate())
	at.want(http.StatusOK, at.authenticate())
	at.want(http.StatusOK, at.tokenUpdate("token 1"))
	if n, _, _ := s.engine.counts(); n != 1 {
		t.Errorf("%d devices enrolled", n)
	}
}

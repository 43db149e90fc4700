package mdm_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/micromdm/nanomdm/test/protocol"
	"github.com/micromdm/plist"
	"github.com/smallstep/scep"
	"github.com/smallstep/scep/x509util"
)

const topic = "com.apple.mgmt.External.1111"

// device is a device as seen from outside: nanomdm's client transport with an identity.
type device struct {
	t     testing.TB
	s     *server
	udid  string
	key   crypto.PrivateKey
	cert  *x509.Certificate
	facts map[string]any // what Authenticate says besides
	way   way
}

// way is how a device proves who it is.
type way int

const (
	bySignature way = iota
	byTLS
	byHeader
	byNothing
)

// selfSigned is the certificate that signs a SCEP request, and the one of a foreign CA.
func selfSigned(t testing.TB, key *rsa.PrivateKey,
	change ...func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(7),
		Subject:   pkix.Name{CommonName: "SCEP signer"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, c := range change {
		c(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// request makes a SCEP request for key.
func (s *server) request(t testing.TB, challenge string, key crypto.Signer,
	kind scep.MessageType) []byte {
	t.Helper()
	template := &x509util.CertificateRequest{ChallengePassword: challenge}
	template.Subject = pkix.Name{CommonName: "a\x00device\n", Organization: []string{"Evil, Inc."}}
	template.DNSNames = []string{"mdm.example"}
	der, err := x509util.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	return s.envelope(t, der, kind)
}

// requestTo makes a request that is encrypted to these alone.
func (s *server) requestTo(t testing.TB, challenge string, recipients []*x509.Certificate) []byte {
	t.Helper()
	key := shared.keys[1]()
	der, err := x509util.CreateCertificateRequest(rand.Reader,
		&x509util.CertificateRequest{ChallengePassword: challenge}, key)
	if err != nil {
		t.Fatal(err)
	}
	return seal(t, der, scep.PKCSReq, key, recipients)
}

// envelope makes a SCEP request signed by the request's own key, if that is a shared one.
func (s *server) envelope(t testing.TB, csrDER []byte, kind scep.MessageType) []byte {
	t.Helper()
	csr, err := x509.ParseCertificateRequest(csrDER)
	if err != nil {
		t.Fatal(err)
	}
	signer := shared.keys[0]()
	for _, key := range shared.keys[1:] {
		if key().PublicKey.Equal(csr.PublicKey) {
			signer = key()
		}
	}
	return s.signedEnvelope(t, csrDER, kind, signer)
}

func (s *server) signedEnvelope(t testing.TB, csrDER []byte, kind scep.MessageType,
	signer *rsa.PrivateKey) []byte {
	t.Helper()
	return seal(t, csrDER, kind, signer, s.authorities(t))
}

func seal(t testing.TB, csrDER []byte, kind scep.MessageType, signer *rsa.PrivateKey,
	recipients []*x509.Certificate) []byte {
	t.Helper()
	csr, err := x509.ParseCertificateRequest(csrDER)
	if err != nil {
		t.Fatal(err)
	}
	m, err := scep.NewCSRRequest(csr, &scep.PKIMessage{MessageType: kind, Recipients: recipients,
		SignerCert: selfSigned(t, signer), SignerKey: signer})
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

// authorities are the certificates of GetCACert: the registration authority's, and the CA's.
func (s *server) authorities(t testing.TB) []*x509.Certificate {
	t.Helper()
	_, header, chain := get(t, s.client(), s.URL+"/scep?operation=GetCACert&message=example")
	found, err := scep.CACerts(chain)
	if err != nil || len(found) != 2 ||
		header.Get("Content-Type") != "application/x-x509-ca-ra-cert" {
		t.Fatalf("CA certificates: %v, %d of them as %s", err, len(found),
			header.Get("Content-Type"))
	}
	return found
}

// pkiOperation posts a SCEP message and returns the certificate, or why there is none.
func (s *server) pkiOperation(t testing.TB, message []byte) (*x509.Certificate, scep.FailInfo) {
	t.Helper()
	resp, err := s.client().Post(s.URL+"/scep?operation=PKIOperation", "application/x-pki-message",
		bytes.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("SCEP: status %d, %v: %s", resp.StatusCode, err, body)
	}
	return s.openReply(t, body)
}

func (s *server) openReply(t testing.TB, body []byte) (*x509.Certificate, scep.FailInfo) {
	t.Helper()
	if _, err := scep.ParsePKIMessage(body, scep.WithCACerts(s.authorities(t)[:1])); err != nil {
		t.Fatalf("the answer is not the registration authority's: %v", err)
	}
	reply, err := scep.ParsePKIMessage(body)
	if err != nil {
		t.Fatalf("the answer does not carry its signer: %v", err)
	}
	if reply.PKIStatus != scep.SUCCESS {
		return nil, reply.FailInfo
	}
	for _, key := range shared.keys {
		if err = reply.DecryptPKIEnvelope(selfSigned(t, key()), key()); err == nil {
			return reply.Certificate, ""
		}
	}
	t.Fatal(err)
	return nil, ""
}

// newDevice gets an identity over SCEP for a device that has not checked in yet.
func (s *server) newDevice(t testing.TB, udid string, key int) *device {
	t.Helper()
	_, code := s.link(t, time.Hour)
	cert, fail := s.pkiOperation(t, s.request(t, code, shared.keys[key](), scep.PKCSReq))
	if cert == nil {
		t.Fatalf("no certificate: failInfo %s", fail)
	}
	return &device{t: t, s: s, udid: udid, key: shared.keys[key](), cert: cert,
		facts: map[string]any{
			"DeviceName": "A phone", "ProductName": "iPhone15,2", "ModelName": "iPhone",
			"OSVersion": "18.1", "SerialNumber": "C39" + udid}}
}

// enroll takes a device through Authenticate and TokenUpdate.
func (s *server) enroll(t testing.TB, udid string, key int) *device {
	t.Helper()
	d := s.newDevice(t, udid, key)
	d.want(http.StatusOK, d.authenticate())
	d.want(http.StatusOK, d.tokenUpdate("token 1"))
	return d
}

func (d *device) as(w way) *device {
	copied := *d
	copied.way = w
	return &copied
}

type dict = map[string]any

func (d *device) message(kind string, more dict) dict {
	m := dict{"MessageType": kind, "UDID": d.udid}
	for k, v := range more {
		m[k] = v
	}
	return m
}

func (d *device) authenticate() *answered {
	m := d.message("Authenticate", d.facts)
	m["Topic"] = topic
	return d.checkin(m)
}

func (d *device) tokenUpdate(token string) *answered {
	return d.checkin(d.tokenMessage(token))
}

func (d *device) tokenMessage(token string) dict {
	return d.message("TokenUpdate", dict{"Topic": topic, "PushMagic": "magic",
		"Token": []byte(token)})
}

func (d *device) checkOut() *answered {
	return d.checkin(d.message("CheckOut",
		dict{"Topic": topic}))
}

func (d *device) idle() *answered { return d.report(dict{"Status": "Idle"}) }

func (d *device) checkin(m dict) *answered { return d.send(d.plist(m), true) }

// report answers a command, or says Idle.
func (d *device) report(m dict) *answered {
	if m["UDID"] == nil {
		m["UDID"] = d.udid
	}
	return d.send(d.plist(m), false)
}

func (d *device) plist(m dict) []byte {
	b, err := plist.Marshal(m)
	mustPlist(d.t, err)
	return b
}

// answered is a server's answer.
type answered struct {
	status int
	body   []byte
	sent   *http.Request
	raw    []byte // body of the request
}

// send sends body with nanomdm's client.
func (d *device) send(body []byte, checkin bool) *answered {
	d.t.Helper()
	keep := &keeper{client: d.s.client(), raw: body}
	options := []protocol.TransportOption{protocol.WithMDMURLs(d.s.URL+"/mdm", d.s.URL+"/mdm"),
		protocol.WithClient(keep)}
	switch d.way {
	case bySignature:
		options = append(options, protocol.WithSignMessage(), protocol.WithIdentityProvider(
			func(context.Context) (*x509.Certificate, crypto.PrivateKey, error) {
				return d.cert,
					d.key, nil
			}))
	case byTLS:
		keep.client = d.s.client(tls.Certificate{Certificate: [][]byte{d.cert.Raw},
			PrivateKey: d.key})
	case byHeader:
		keep.header = d.cert
	}
	transport, do := protocol.NewTransport(options...),
		(*protocol.Transport).DoReportResultsAndFetchNext
	if checkin {
		do = (*protocol.Transport).DoCheckIn
	}
	resp, err := do(transport, context.Background(), bytes.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	return keep.answer(d.t, resp)
}

// replay sends a request again, as somebody who saw it could.
func (d *device) replay(a *answered) *answered {
	d.t.Helper()
	keep := &keeper{client: d.s.client(), raw: a.raw}
	r := a.sent.Clone(context.Background())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(a.raw)), int64(len(a.raw))
	resp, err := keep.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	return keep.answer(d.t, resp)
}

func (d *device) want(status int, a *answered) *answered {
	d.t.Helper()
	if a.status != status {
		d.t.Fatalf("status %d, want %d; answer %s to %s", a.status, status, a.body, a.raw)
	}
	return a
}

// keeper is an HTTP client that remembers the request.
type keeper struct {
	client *http.Client
	header *x509.Certificate
	sent   *http.Request
	raw    []byte
}

func (k *keeper) Do(r *http.Request) (*http.Response, error) {
	if k.header != nil {
		r.Header.Set(proxyHeader, rfc9440(k.header))
	}
	k.sent = r
	return k.client.Do(r)
}

func (k *keeper) answer(t testing.TB, resp *http.Response) *answered {
	t.Helper()
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &answered{status: resp.StatusCode, body: body, sent: k.sent, raw: k.raw}
}

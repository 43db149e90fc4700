package server_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/micromdm/plist"
	"github.com/smallstep/pkcs7"
	"github.com/smallstep/scep"
	"github.com/smallstep/scep/x509util"

	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// wire is a device made by hand, that sends what a well-behaved one does not.
type wire struct {
	t         *testing.T
	base      string
	http      *http.Client
	udid      string
	challenge string
	key       *rsa.PrivateKey
	identity  *x509.Certificate
}

// newWire is a device that opened the link and has no identity yet.
func newWire(t *testing.T, s *server.Server, udid, link string) *wire {
	t.Helper()
	w := &wire{t: t, base: s.URL(), http: browser(t, trust(t, s)), udid: udid}
	var profile struct {
		PayloadContent []struct {
			PayloadType    string
			PayloadContent any
		}
	}
	status, text := w.do("GET", strings.TrimPrefix(link, s.URL()), nil, nil)
	if err := plist.Unmarshal(text, &profile); err != nil || status != http.StatusOK {
		t.Fatalf("the link answers %d, %v: %s", status, err, text)
	}
	for _, p := range profile.PayloadContent {
		if p.PayloadType == "com.apple.security.scep" {
			w.challenge = p.PayloadContent.(map[string]any)["Challenge"].(string)
		}
	}
	var err error
	if w.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *wire) do(method, path string, header map[string]string, body []byte) (int, []byte) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.base+path, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	res, err := w.http.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, answer
}

// certify asks the device CA for an identity by a challenge, and tells whether there is one.
func (w *wire) certify(challenge string) bool {
	w.t.Helper()
	_, chain := w.do("GET", "/scep?operation=GetCACert", nil, nil)
	authorities, err := scep.CACerts(chain)
	if err != nil {
		w.t.Fatal(err)
	}
	subject := pkix.Name{CommonName: "device"}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: subject,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	self, err := x509.CreateCertificate(rand.Reader, template, template, w.key.Public(), w.key)
	if err != nil {
		w.t.Fatal(err)
	}
	signer, err := x509.ParseCertificate(self)
	if err != nil {
		w.t.Fatal(err)
	}
	der, err := x509util.CreateCertificateRequest(rand.Reader,
		&x509util.CertificateRequest{ChallengePassword: challenge,
			CertificateRequest: x509.CertificateRequest{Subject: subject}}, w.key)
	if err != nil {
		w.t.Fatal(err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		w.t.Fatal(err)
	}
	request, err := scep.NewCSRRequest(csr, &scep.PKIMessage{MessageType: scep.PKCSReq,
		Recipients: authorities, SignerCert: signer, SignerKey: w.key})
	if err != nil {
		w.t.Fatal(err)
	}
	status, answer := w.do("POST", "/scep?operation=PKIOperation", nil, request.Raw)
	reply, err := scep.ParsePKIMessage(answer)
	if err != nil {
		w.t.Fatalf("SCEP: %d, %v: %s", status, err, answer)
	}
	if reply.PKIStatus != scep.SUCCESS {
		return false
	}
	if err := reply.DecryptPKIEnvelope(signer, w.key); err != nil {
		w.t.Fatal(err)
	}
	w.identity = reply.Certificate
	return true
}

const checkin = "application/x-apple-aspen-mdm-checkin"

// message is a property list that says which device sends it.
func (w *wire) message(m map[string]any) []byte {
	w.t.Helper()
	m["UDID"] = w.udid
	text, err := plist.Marshal(m)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// send sends a message to /mdm, signed by the device.
func (w *wire) send(contentType string, body []byte) (int, []byte) {
	w.t.Helper()
	return w.do("PUT", "/mdm", map[string]string{"Content-Type": contentType,
		"Mdm-Signature": w.sign(body)}, body)
}

func (w *wire) sign(body []byte) string {
	w.t.Helper()
	signed, err := pkcs7.NewSignedData(body)
	if err == nil {
		err = signed.AddSigner(w.identity, w.key, pkcs7.SignerInfoConfig{})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	signed.Detach()
	signature, err := signed.Finish()
	if err != nil {
		w.t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(signature)
}

// Whoever copied a link's profile races for its challenge; the database gives it to one.
func TestChallengeIsWonOnceInTheDatabase(t *testing.T) {
	s := start(t, server.Config{DataDir: servertest.Folder(t)})
	link, _, err := s.Channel().EnrollmentLink(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var racers [4]*wire
	for i := range racers {
		racers[i] = newWire(t, s, "x", link)
	}
	var won atomic.Int32
	var race sync.WaitGroup
	for _, w := range racers {
		race.Go(func() {
			if w.certify(w.challenge) {
				won.Add(1)
			}
		})
	}
	race.Wait()
	if n := won.Load(); n != 1 {
		t.Errorf("%d devices got an identity by one challenge", n)
	}
}

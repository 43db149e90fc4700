package simulator_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/micromdm/plist"
	"github.com/smallstep/pkcs7"
	"github.com/smallstep/scep"
)

// authority is the CA of the tests: made once, as RSA keys are slow.
var authority = sync.OnceValue(func() (ca struct {
	certificate *x509.Certificate
	key         *rsa.PrivateKey
}) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1),
		Subject:   pkix.Name{CommonName: "Test CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0), IsCA: true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	ca.key = key
	ca.certificate, err = x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return ca
})

func (s *testServer) serveProfile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	usable := s.codes[r.PathValue("code")]
	s.codes[r.PathValue("code")] = false
	s.mu.Unlock()
	if !usable {
		http.Error(w, "this link was used", http.StatusGone)
		return
	}
	profile := s.enrollmentProfile(r.PathValue("code"))
	if s.signProfile {
		profile = sign(profile)
	}
	w.Header().Set("Content-Type", "application/x-apple-aspen-config; charset=utf-8")
	w.Write(profile)
}

func (s *testServer) enrollmentProfile(challenge string) []byte {
	return encode(map[string]any{"PayloadType": "Configuration", "PayloadVersion": 1,
		"PayloadIdentifier": "com.example.enroll", "PayloadUUID": "E1",
		"PayloadDisplayName": "Enrollment",
		"PayloadContent": []any{
			map[string]any{"PayloadType": "com.apple.security.scep", "PayloadVersion": 1,
				"PayloadUUID":       "S1",
				"PayloadIdentifier": "com.example.enroll.scep", "PayloadContent": map[string]any{
					"URL": s.URL + "/scep", "Challenge": challenge, "Key Type": "RSA",
					"Keysize": 2048,
					"Subject": []any{[]any{[]any{"O", "Example"}}, []any{[]any{"CN", "device"}},
						[]any{[]any{"2.5.4.5", "42"}}}}},
			map[string]any{"PayloadType": "com.apple.mdm", "PayloadVersion": 1, "PayloadUUID": "M1",
				"PayloadIdentifier": "com.example.enroll.mdm", "IdentityCertificateUUID": "S1",
				"Topic":     topic,
				"ServerURL": s.URL + "/mdm", "SignMessage": !s.mutualTLS,
				"CheckOutWhenRemoved": s.checkOutWhenRemoved,
				"AccessRights":        8191}}})
}

func (s *testServer) serveSCEP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Query().Get("operation") {
	case "GetCACaps":
		io.WriteString(w, "POSTPKIOperation\nSHA-256\nAES\n")
	case "GetCACert":
		w.Header().Set("Content-Type", "application/x-x509-ca-cert")
		w.Write(authority().certificate.Raw)
	case "PKIOperation":
		body, _ := io.ReadAll(r.Body)
		reply, err := s.issue(body)
		if err != nil {
			s.problem(fmt.Errorf("SCEP: %w", err))
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/x-pki-message")
		w.Write(reply)
	}
}

func (s *testServer) issue(body []byte) ([]byte, error) {
	ca := authority()
	message, err := scep.ParsePKIMessage(body)
	if err != nil {
		return nil, err
	}
	if err := message.DecryptPKIEnvelope(ca.certificate, ca.key); err != nil {
		return nil, err
	}
	s.mu.Lock()
	_, known := s.codes[message.ChallengePassword]
	s.issued++
	serial := s.issued
	s.mu.Unlock()
	if !known {
		refusal, err := message.Fail(ca.certificate, ca.key, scep.BadRequest)
		return refusal.Raw, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: message.CSR.Subject,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, message.CSR.PublicKey,
		ca.key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	reply, err := message.Success(ca.certificate, ca.key, certificate)
	if err != nil {
		return nil, err
	}
	return reply.Raw, nil
}

func encode(value any) []byte {
	raw, err := plist.Marshal(value)
	if err != nil {
		panic(err)
	}
	return raw
}

func sign(content []byte) []byte {
	signed, err := pkcs7.NewSignedData(content)
	if err == nil {
		err = signed.AddSigner(authority().certificate, authority().key, pkcs7.SignerInfoConfig{})
	}
	if err != nil {
		panic(err)
	}
	raw, err := signed.Finish()
	if err != nil {
		panic(err)
	}
	return raw
}

// profile is a Wi-Fi profile.
func profile(identifier, uuid string) []byte {
	return encode(map[string]any{"PayloadType": "Configuration", "PayloadVersion": 1,
		"PayloadIdentifier": identifier,
		"PayloadUUID":       uuid, "PayloadDisplayName": "Office " + identifier,
		"PayloadContent": []any{
			map[string]any{"PayloadType": "com.apple.wifi.managed", "PayloadVersion": 1,
				"PayloadUUID":       uuid + "-1",
				"PayloadIdentifier": identifier + ".wifi", "SSID_STR": "office",
				"Password": "secret"}}})
}

func certificateOf(t *testing.T, raw []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(raw)
	if block == nil {
		t.Fatal("no PEM block")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func contains(raw []byte, text string) bool { return bytes.Contains(raw, []byte(text)) }

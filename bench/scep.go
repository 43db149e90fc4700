package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"time"

	"github.com/smallstep/scep"
	"github.com/smallstep/scep/x509util"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// scepServer issues identities (RFC 8894).
type scepServer struct {
	url string
	web *http.Client
}

// authorities returns the CA's certificate, with its registration authority's if it has one.
func (s *scepServer) authorities(ctx context.Context) ([]*x509.Certificate, error) {
	der, err := s.exchange(ctx, http.MethodGet, "GetCACert", nil)
	if err != nil {
		return nil, err
	}
	if certificate, err := x509.ParseCertificate(der); err == nil {
		return []*x509.Certificate{certificate}, nil
	}
	return scep.CACerts(der)
}

// certificate gets the identity of a key.
func (s *scepServer) certificate(ctx context.Context, authorities []*x509.Certificate,
	key *simulator.QuickKey, challenge string) (*x509.Certificate, error) {
	subject := pkix.Name{CommonName: "bench"}
	der, err := x509util.CreateCertificateRequest(rand.Reader,
		&x509util.CertificateRequest{ChallengePassword: challenge,
			CertificateRequest: x509.CertificateRequest{Subject: subject,
				SignatureAlgorithm: x509.SHA256WithRSA}}, key)
	if err != nil {
		return nil, err
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: subject,
		NotBefore: time.Now().Add(-time.Hour),
		NotAfter:  time.Now().Add(time.Hour),
		KeyUsage:  x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment}
	if der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(),
		key); err != nil {
		return nil, err
	}
	self, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	request, err := scep.NewCSRRequest(csr, &scep.PKIMessage{MessageType: scep.PKCSReq,
		Recipients: authorities,
		SignerKey:  key, SignerCert: self})
	if err != nil {
		return nil, err
	}
	raw, err := s.exchange(ctx, http.MethodPost, "PKIOperation", request.Raw)
	if err != nil {
		return nil, err
	}
	reply, err := scep.ParsePKIMessage(raw, scep.WithCACerts(authorities))
	if err != nil {
		return nil, err
	}
	if reply.CertRepMessage == nil || reply.PKIStatus != scep.SUCCESS {
		return nil, fmt.Errorf("SCEP: the server refused the certificate")
	}
	if err := reply.DecryptPKIEnvelope(self, key); err != nil {
		return nil, err
	}
	return reply.Certificate, nil
}

func (s *scepServer) exchange(ctx context.Context, method, operation string,
	body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.url+"?operation="+operation,
		bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	answer, err := s.web.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // it has been read
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("SCEP %s: HTTP %d: %.200s", operation, answer.StatusCode, text)
	}
	return text, err
}

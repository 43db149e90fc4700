package mdm

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/keypair"
	"github.com/syncpayloads/syncpayloads/internal/limit"
)

const (
	deviceCAName = "apple device CA"
	caValidity   = 20 * 365 * 24 * time.Hour
	caKeyBits    = 3072
	// how far behind a device's clock may be; its signatures carry its time
	clockSkew     = 24 * time.Hour
	maxCommonName = 64 // RFC 5280, ub-common-name
)

// authority is the CA that issues device identities. Its key signs certificates, and does nothing
// else.
type authority struct {
	certificate *x509.Certificate
	key         *rsa.PrivateKey
	registrar   *registrar
	chain       []byte // the registrar's certificate and its own, as GetCACert gives them
	pool        *x509.CertPool
	now         func() time.Time
	validity    time.Duration
	// whose signature by this CA was checked: that costs most, and its answer never changes
	verified recent[struct{}]
	parsed   recent[*x509.Certificate] // verified ones
}

// loadAuthority reads the device CA and its registrar, or makes them. Of several processes that
// start at once on an empty store, one makes them.
func loadAuthority(ctx context.Context, store Store, now func() time.Time,
	validity time.Duration) (*authority, error) {
	certificate, key, err := loadKeyPair(ctx, store, deviceCAName,
		func() (*keypair.KeyPair, error) { return newAuthorityKeyPair(now()) })
	if err != nil {
		return nil, err
	}
	a := &authority{certificate: certificate, key: key, pool: x509.NewCertPool(), now: now,
		validity: validity,
		verified: recent[struct{}]{limit: maxVerified},
		parsed:   recent[*x509.Certificate]{limit: maxParsed}}
	a.pool.AddCert(certificate)
	return a, a.loadRegistrar(ctx, store)
}

// loadKeyPair reads an RSA key with its certificate, or makes and stores it.
func loadKeyPair(ctx context.Context, store Store, name string,
	create func() (*keypair.KeyPair, error)) (*x509.Certificate, *rsa.PrivateKey, error) {
	stored, err := store.KeyPair(ctx, name)
	if errors.Is(err, ErrNotFound) {
		var made *keypair.KeyPair
		if made, err = create(); err != nil {
			return nil, nil, err
		}
		stored, err = store.AddKeyPair(ctx, name, *made)
	}
	if err != nil {
		return nil, nil, err
	}
	certificate, key, err := parseKeyPair(stored.CertificatePEM, stored.KeyPEM)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	rsaKey, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, nil, fmt.Errorf("%s: its key is not RSA, which SCEP needs", name)
	}
	return certificate, rsaKey, nil
}

func newAuthorityKeyPair(now time.Time) (*keypair.KeyPair, error) {
	key, err := rsa.GenerateKey(rand.Reader, caKeyBits)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "syncpayloads device CA",
			Organization: []string{"syncpayloads"}},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(caValidity),
		IsCA:                  true,
		MaxPathLenZero:        true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	return newKeyPair(template, template, key, key)
}

// newKeyPair certifies a key. The template gets a serial number.
func newKeyPair(template, issuer *x509.Certificate, key,
	issuerKey *rsa.PrivateKey) (_ *keypair.KeyPair, err error) {
	if template.SerialNumber, err = newSerial(); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, issuerKey)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &keypair.KeyPair{
		CertificatePEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		KeyPEM:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}, nil
}

// issue signs an identity for the key of a certificate request. Nothing but the key and a cleaned
// common name is taken from the request.
func (a *authority) issue(csr *x509.CertificateRequest) (*Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	now := a.now()
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject: pkix.Name{CommonName: cleanName(csr.Subject.CommonName),
			Organization: []string{"syncpayloads"}},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(a.validity),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	if template.NotAfter.After(a.certificate.NotAfter) {
		template.NotAfter = a.certificate.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, csr.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	return &Certificate{SHA256: fingerprint(der), Serial: serial.Text(16), DER: der,
		KeySHA256: fingerprint(csr.RawSubjectPublicKeyInfo), NotAfter: template.NotAfter.UTC()}, nil
}

// verify checks that the CA issued the certificate to a device and that it is in force.
func (a *authority) verify(certificate *x509.Certificate) error {
	if certificate.IsCA {
		return errors.New("the certificate is a CA's, not a device's")
	}
	now, sum := a.now(), sha256.Sum256(certificate.Raw)
	if _, known := a.verified.get(sum); known && a.inForce(certificate, now) {
		return nil
	}
	_, err := certificate.Verify(x509.VerifyOptions{Roots: a.pool,
		Intermediates: x509.NewCertPool(), CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err == nil {
		a.verified.put(sum, struct{}{})
	}
	return err
}

// inForce is what of a verified certificate changes with time.
func (a *authority) inForce(certificate *x509.Certificate, now time.Time) bool {
	return !now.Before(certificate.NotBefore) && !now.After(certificate.NotAfter) &&
		!now.After(a.certificate.NotAfter)
}

// cleanName keeps of a common name what is safe to log and to show.
func cleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r >= ' ' && r <= '~' {
			return r
		}
		return -1
	}, name)
	if name = strings.TrimSpace(name[:min(len(name), maxCommonName)]); name == "" {
		return "device"
	}
	return name
}

// newSerial makes a positive serial number of 127 random bits (RFC 5280, section 4.1.2.2).
func newSerial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
}

func fingerprint(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// parseKeyPair reads a PEM certificate and a PEM private key (PKCS #8, PKCS #1 or SEC 1) and checks
// that they belong together.
func parseKeyPair(certPEM, keyPEM []byte) (*x509.Certificate, crypto.Signer, error) {
	block, _ := pem.Decode(certPEM)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, nil,
			errors.New("the certificate is not PEM: it must begin with -----BEGIN CERTIFICATE-----")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("the certificate cannot be read: %w", err)
	}
	if err := limit.Key(certificate.PublicKey); err != nil {
		return nil, nil, fmt.Errorf("the certificate has %w", err)
	}
	if block, _ = pem.Decode(keyPEM); block == nil ||
		!strings.HasSuffix(block.Type, "PRIVATE KEY") {
		return nil, nil,
			errors.New("the private key is not PEM: it must begin with -----BEGIN PRIVATE KEY-----")
	}
	if strings.HasPrefix(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "" {
		return nil, nil,
			errors.New("the private key is encrypted: decrypt it first, for example with openssl pkey")
	}
	if err := limit.PrivateKey(block.Bytes); err != nil {
		return nil, nil, fmt.Errorf("the private key cannot be used: %w", err)
	}
	key, err := parsePrivateKey(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("the private key cannot be read: %w", err)
	}
	public, ok := certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(key.Public()) {
		return nil, nil, errors.New("the private key does not belong to the certificate")
	}
	return certificate, key, nil
}

// signerChain parses the certificates of a key pair: the signer's own and those above it.
func signerChain(pair *tls.Certificate) (leaf *x509.Certificate, parents []*x509.Certificate, err error) {
	for i, der := range pair.Certificate {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, nil, err
		}
		if i == 0 {
			leaf = certificate
		} else {
			parents = append(parents, certificate)
		}
	}
	if leaf == nil {
		return nil, nil, errors.New("there is no certificate to sign with")
	}
	return leaf, parents, nil
}

func parsePrivateKey(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%T cannot sign", key)
	}
	return signer, nil
}

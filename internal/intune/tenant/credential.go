package tenant

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is SHA-1 (RFC 7515, section 4.1.7)
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

// Credential is how the app proves itself: a certificate with its key, or a secret.
type Credential struct {
	Certificate *x509.Certificate
	Key         crypto.Signer // RSA
	Secret      string        // in place of a certificate
}

func (c *Credential) check() error {
	if c.Secret != "" {
		return nil
	}
	if _, ok := c.Key.(*rsa.PrivateKey); !ok || c.Certificate == nil {
		return errors.New("the app needs a certificate with its RSA key, or a secret")
	}
	return nil
}

const (
	// CertificateLife is how long a certificate is good that is made here.
	CertificateLife = 2 * 365 * 24 * time.Hour
	certificateBits = 3072
	// assertionLife is how long an assertion is good. Entra ID takes at most ten minutes.
	assertionLife = 5 * time.Minute
)

// NewCertificate makes a certificate with its key, for an app to prove itself. Its public part is
// uploaded to the app registration; nobody needs to trust it for anything else.
func NewCertificate(name string, now time.Time) (keypair.KeyPair, error) {
	var pair keypair.KeyPair
	key, err := rsa.GenerateKey(rand.Reader, certificateBits)
	if err != nil {
		return pair, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return pair, err
	}
	template := &x509.Certificate{SerialNumber: serial,
		Subject:   pkix.Name{CommonName: words("syncpayloads "+name, 64)},
		NotBefore: now.Add(-time.Hour).UTC(), NotAfter: now.Add(CertificateLife).UTC(),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return pair, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return pair, err
	}
	pair.CertificatePEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pair.KeyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return pair, nil
}

// ReadCredential reads a credential as it is stored: a certificate with its key, or, without a
// certificate, a secret in place of the key.
func ReadCredential(pair *keypair.KeyPair) (Credential, error) {
	if len(pair.CertificatePEM) == 0 {
		return Credential{Secret: string(pair.KeyPEM)}, nil
	}
	certificate, _ := pem.Decode(pair.CertificatePEM)
	key, _ := pem.Decode(pair.KeyPEM)
	if certificate == nil || key == nil {
		return Credential{}, errors.New("the stored certificate is no PEM")
	}
	parsed, err := x509.ParseCertificate(certificate.Bytes)
	if err != nil {
		return Credential{}, fmt.Errorf("the stored certificate: %w", err)
	}
	private, err := x509.ParsePKCS8PrivateKey(key.Bytes)
	if err != nil {
		return Credential{}, errors.New("the stored key of the certificate cannot be read")
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return Credential{}, errors.New("the stored key of the certificate cannot sign")
	}
	c := Credential{Certificate: parsed, Key: signer}
	return c, c.check()
}

// assert makes an assertion that proves the app to a token endpoint once (RFC 7523, section 3;
// Microsoft identity platform, certificate credentials).
func (c *Credential) assert(clientID, audience string, now time.Time,
	legacy bool) (string, error) {
	strong := sha256.Sum256(c.Certificate.Raw)
	algorithm, header, print := jose.PS256, jose.HeaderKey("x5t#S256"), strong[:]
	if legacy {
		weak := sha1.Sum(c.Certificate.Raw) //nolint:gosec // it names the certificate
		algorithm, header, print = jose.RS256, "x5t", weak[:]
	}
	options := (&jose.SignerOptions{}).WithType("JWT").
		WithHeader(header, base64.RawURLEncoding.EncodeToString(print))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: c.Key}, options)
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{"aud": audience, "iss": clientID, "sub": clientID,
		"jti": uuid.NewString(), "nbf": now.Add(-time.Minute).Unix(), "iat": now.Unix(),
		"exp": now.Add(assertionLife).Unix()})
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

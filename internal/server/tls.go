package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/keypair"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

const (
	caName = "server-ca"
	// Apple's platforms refuse TLS server certificates that are valid for longer than 825 days
	// (Apple, "Requirements for trusted certificates in iOS 13 and macOS 10.15").
	serverValidity = 397 * 24 * time.Hour
	renewBefore    = 30 * 24 * time.Hour
	caValidity     = 10 * 365 * 24 * time.Hour
)

// loadIdentity returns the server's certificates: the one for TLS, and the one that signs
// enrollment profiles.
func loadIdentity(ctx context.Context, c Config, st *store.Store,
	host string) (*serverIdentity, error) {
	i, err := loadTLS(ctx, c, st, host)
	if err != nil || c.SigningCertFile == "" && c.SigningKeyFile == "" {
		return i, err
	}
	pair, err := tls.LoadX509KeyPair(c.SigningCertFile, c.SigningKeyFile)
	if err != nil {
		return nil, fmt.Errorf("the signing certificate and key (both files are needed): %w", err)
	}
	i.signer = func() (*tls.Certificate, error) { return &pair, nil }
	return i, nil
}

// loadTLS returns the TLS certificate: the one that was given, or those that an ACME CA issues, or
// one for host from the server's own CA. That CA is made at the first start and kept in the
// database; its certificate is written to DataDir, for clients to trust.
func loadTLS(ctx context.Context, c Config, st *store.Store, host string) (*serverIdentity, error) {
	given := c.TLSCertFile != "" || c.TLSKeyFile != ""
	if given && len(c.ACME.Domains) > 0 {
		return nil, errors.New("a TLS certificate is given, and ACME is to get one: choose")
	}
	if len(c.ACME.Domains) > 0 {
		return loadACME(c, st.ACMECache(), host)
	}
	if given {
		pair, err := tls.LoadX509KeyPair(c.TLSCertFile, c.TLSKeyFile)
		if err != nil {
			return nil, fmt.Errorf("the TLS certificate and key (both files are needed): %w", err)
		}
		return &serverIdentity{certificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &pair, nil
		},
			signer: func() (*tls.Certificate, error) { return &pair, nil }}, nil
	}
	now := c.Clock.Now()
	fresh, err := newCA(now)
	if err != nil {
		return nil, fmt.Errorf("making a CA: %w", err)
	}
	stored, err := st.AddKeyPair(ctx, caName, *fresh)
	if err != nil {
		return nil, fmt.Errorf("keeping the CA: %w", err)
	}
	ca, err := tls.X509KeyPair(stored.CertificatePEM, stored.KeyPEM)
	if err != nil {
		return nil, fmt.Errorf("the server's CA in the database: %w", err)
	}
	caFile, err := filepath.Abs(filepath.Join(c.DataDir, "ca.pem"))
	if err != nil {
		return nil, err
	}
	if err := writePublicFile(caFile, stored.CertificatePEM); err != nil {
		return nil, fmt.Errorf("writing the CA's certificate for clients: %w", err)
	}
	own := &ownCertificate{ca: ca, host: host, now: c.Clock.Now}
	if _, err := own.get(nil); err != nil {
		return nil, err
	}
	return &serverIdentity{certificate: own.get, rootPEM: stored.CertificatePEM, caFile: caFile},
		nil
}

// ownCertificate is the server's certificate from its own CA, renewed while the server runs.
type ownCertificate struct {
	ca   tls.Certificate
	host string
	now  func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
}

func (o *ownCertificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	if o.current != nil && now.Before(o.current.Leaf.NotAfter.Add(-renewBefore)) {
		return o.current, nil
	}
	fresh, err := issue(o.ca, o.host, now)
	if err != nil {
		return nil, fmt.Errorf("making a certificate for %s: %w", o.host, err)
	}
	o.current = fresh
	return fresh, nil
}

// writePublicFile writes a file that everybody may read. It replaces the file at once, so nobody
// reads half of it.
func writePublicFile(path string, content []byte) error {
	fresh := path + ".new"
	if err := os.WriteFile(fresh, content, 0o644); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

func newCA(now time.Time) (*keypair.KeyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := newTemplate("syncpayloads server CA", now, caValidity)
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &keypair.KeyPair{CertificatePEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: der}),
		KeyPEM: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})}, nil
}

// issue makes a server certificate for host, and for localhost.
func issue(ca tls.Certificate, host string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := newTemplate(host, now, serverValidity)
	if err != nil {
		return nil, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	template.DNSNames = []string{"localhost"}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = append(template.IPAddresses, ip)
	} else if host != "localhost" {
		template.DNSNames = append(template.DNSNames, host)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Leaf, key.Public(), ca.PrivateKey)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, ca.Certificate[0]}, PrivateKey: key,
		Leaf: leaf}, nil
}

func newTemplate(name string, now time.Time, valid time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{SerialNumber: serial,
		Subject:   pkix.Name{CommonName: name, Organization: []string{"syncpayloads"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(valid)}, nil
}

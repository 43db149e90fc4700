package server

import (
	"crypto/tls"
	"crypto/x509"

	"golang.org/x/crypto/acme"
)

// serverIdentity holds the certificates by which the server identifies itself.
type serverIdentity struct {
	certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// signs enrollment profiles; nil: they are not signed
	signer func() (*tls.Certificate, error)
	// the CA that devices must be told to trust; nil: they trust it already
	rootPEM []byte
	caFile  string // the certificate of the server's own CA; empty: that is not used
	acme    *acmeCertificates
}

// trust returns the certificates that a device must trust beyond what its enrollment installs. With
// the server's own CA there are none, because the enrollment profile installs that.
func (i *serverIdentity) trust() []*x509.Certificate {
	if i.rootPEM != nil {
		return nil
	}
	shown, err := i.certificate(&tls.ClientHelloInfo{})
	if err != nil {
		return nil
	}
	var chain []*x509.Certificate
	for _, der := range shown.Certificate {
		if c, err := x509.ParseCertificate(der); err == nil {
			chain = append(chain, c)
		}
	}
	return chain
}

// config returns the TLS configuration. It asks devices for their certificate without checking it:
// the channel does that, and answers with an HTTP error instead of a TLS alert.
func (i *serverIdentity) config() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: i.certificate,
		ClientAuth: tls.RequestClientCert,
		NextProtos: []string{"h2", "http/1.1"}}
	if i.acme != nil {
		c.NextProtos = append(c.NextProtos, acme.ALPNProto)
	}
	return c
}

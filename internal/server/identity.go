package server

import (
	"crypto/tls"
	"crypto/x509"

	"golang.org/x/crypto/acme"
)

// serverIdentity is what the server shows of itself.
type serverIdentity struct {
	certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	signer      func() (*tls.Certificate, error) // of enrollment profiles; nil: they are not signed
	// of the CA that devices must be told to trust; nil: they do
	rootPEM []byte
	caFile  string // of the own CA; empty: it issues nothing
	acme    *acmeCertificates
}

// trust is the chain that devices must trust beyond what their enrollment brings: none with the own
// CA, which the enrollment profile installs.
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

// config asks devices for their certificate without judging it: the channel does, and it never
// refuses by TLS alert.
func (i *serverIdentity) config() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: i.certificate,
		ClientAuth: tls.RequestClientCert,
		NextProtos: []string{"h2", "http/1.1"}}
	if i.acme != nil {
		c.NextProtos = append(c.NextProtos, acme.ALPNProto)
	}
	return c
}

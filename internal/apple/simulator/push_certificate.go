package simulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// oidUserID is the attribute of a push certificate's subject that holds its topic (RFC 4519,
// section 2.39).
var oidUserID = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}

// NewPushCertificate makes an MDM push certificate as Apple would issue it, signed by itself, valid
// for a year from notBefore. A Gateway takes it; Apple does not. Certificate and key (PKCS #1) are
// PEM; topic is com.apple.mgmt.External. followed by id, which should be a UUID.
func NewPushCertificate(id string,
	notBefore time.Time) (certificate, key []byte, topic string, err error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, "", fmt.Errorf("push certificate: %w", err)
	}
	topic = "com.apple.mgmt.External." + id
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "APSP:" + id, Country: []string{"US"},
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: oidUserID, Value: topic}}},
		NotBefore: notBefore, NotAfter: notBefore.AddDate(1, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if template.SerialNumber, err = newSerialNumber(); err != nil {
		return nil, nil, "", fmt.Errorf("push certificate: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return nil, nil, "", fmt.Errorf("push certificate: %w", err)
	}
	certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY",
		Bytes: x509.MarshalPKCS1PrivateKey(private)})
	return certificate, key, topic, nil
}

// pushTopic is the topic a push certificate is for.
func pushTopic(certificate *x509.Certificate) string {
	for _, attribute := range certificate.Subject.Names {
		if topic, isText := attribute.Value.(string); isText && attribute.Type.Equal(oidUserID) {
			return topic
		}
	}
	return ""
}

func newSerialNumber() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
}

// newServerCertificate makes a CA and a TLS certificate of it for a host: an IP address or a name.
func newServerCertificate(host string) (caPEM []byte, server tls.Certificate, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, server, err
	}
	now := time.Now()
	ca := &x509.Certificate{Subject: pkix.Name{CommonName: "Simulated push service CA"},
		NotBefore: now.Add(-time.Hour),
		NotAfter:  now.AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{Subject: pkix.Name{CommonName: host}, NotBefore: ca.NotBefore,
		NotAfter:    ca.NotAfter,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if ip := net.ParseIP(host); ip != nil {
		leaf.IPAddresses = []net.IP{ip}
	} else {
		leaf.DNSNames = []string{host}
	}
	if ca.SerialNumber, err = newSerialNumber(); err != nil {
		return nil, server, err
	}
	if leaf.SerialNumber, err = newSerialNumber(); err != nil {
		return nil, server, err
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		return nil, server, err
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, key)
	if err != nil {
		return nil, server, err
	}
	server = tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: key}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}), server, nil
}

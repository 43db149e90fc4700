package mdm

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"github.com/smallstep/scep"

	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

const (
	registrarName    = "apple SCEP RA"
	registrarKeyBits = 2048
)

// forRegistrar is id-kp-cmcRA (RFC 6402, section 2.10). It keeps the registrar from being taken for
// a device.
var forRegistrar = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 28}

// registrar is the CA's registration authority (RFC 8894, section 4.2.1.2): it opens what devices
// send and signs what they get, so that the key that certifies them is never used on what a
// stranger sent. One certificate does both: Apple's devices take either that or two, and want each
// answer signed by it.
type registrar struct {
	certificate *x509.Certificate
	key         *rsa.PrivateKey
}

// loadRegistrar reads the registrar, or makes it, as for a CA from before there was one.
func (a *authority) loadRegistrar(ctx context.Context, store Store) error {
	certificate, key, err := loadKeyPair(ctx, store, registrarName, a.newRegistrarKeyPair)
	if err != nil {
		return err
	}
	if err := certificate.CheckSignatureFrom(a.certificate); err != nil {
		return fmt.Errorf("%s: its certificate is not the device CA's: %w", registrarName, err)
	}
	a.registrar = &registrar{certificate, key}
	// The registrar comes first, for clients that encrypt to the first certificate.
	a.chain, err = scep.DegenerateCertificates([]*x509.Certificate{certificate, a.certificate})
	return err
}

func (a *authority) newRegistrarKeyPair() (*keypair.KeyPair, error) {
	key, err := rsa.GenerateKey(rand.Reader, registrarKeyBits)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "syncpayloads device registration",
			Organization: []string{"syncpayloads"}},
		NotBefore:             a.certificate.NotBefore,
		NotAfter:              a.certificate.NotAfter,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		UnknownExtKeyUsage:    []asn1.ObjectIdentifier{forRegistrar},
		BasicConstraintsValid: true,
	}
	return newKeyPair(template, a.certificate, key, a.key)
}

package mdm

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/cms"
)

const (
	maxSignature = 64 << 10 // bytes of an Mdm-Signature header

	maxVerified = 1 << 16 // limit of authority.verified; about 10 MB when it is full
	maxParsed   = 1 << 12 // limit of authority.parsed; about 30 MB when it is full
)

// verifySignature checks an Mdm-Signature, which is a CMS signature of the body in base64 (Apple,
// "Managing certificates for device management services and devices"), and returns its signer's
// certificate. That the certificate is a device's is not checked.
//
// Reading such a signature costs the PKCS #7 library more than checking it. Of the form that
// readSignedData knows, and by a device of this CA, it is checked here, with the same verdict; all
// else is left to the library, once its form is checked.
func (a *authority) verifySignature(header string,
	body []byte) (certificate *x509.Certificate, err error) {
	defer notPanic(&err)
	if len(header) > maxSignature {
		return nil, errors.New("Mdm-Signature is too long")
	}
	if certificate, ours, err := a.verifyOurs(header, body); ours {
		return certificate, err
	}
	return verifyOthers(header, body)
}

// verifyOthers is verifySignature for all that a device may send, and all that it may not.
func verifyOthers(header string, body []byte) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(header)
	if err != nil {
		return nil, err
	}
	message, err := cms.Parse(der)
	if err != nil {
		return nil, err
	}
	certificate := message.Signer()
	if certificate == nil {
		return nil, errors.New("Mdm-Signature is not by one signer, whose certificate it has")
	}
	message.Content = body
	if err := message.Verify(); err != nil {
		return nil, err
	}
	return certificate, nil
}

// verifyOurs is verifySignature for what needs no library, and reports whether it is that. The
// certificate is then one that this CA issued and that is in force.
func (a *authority) verifyOurs(header string,
	body []byte) (certificate *x509.Certificate, ours bool, err error) {
	der, err := base64.StdEncoding.DecodeString(header)
	if err != nil {
		return nil, false, nil
	}
	message, ok := readSignedData(der)
	if !ok {
		return nil, false, nil
	}
	if certificate = a.device(message.certificate); certificate == nil {
		return nil, false, nil
	}
	if err := message.verify(certificate, body); err != nil {
		return nil, true, fmt.Errorf("Mdm-Signature by %s: %w", certificate.Subject, err)
	}
	return certificate, true, nil
}

// device parses a certificate of a device, or takes the one it parsed before. It returns nil if it
// is none of this CA's or not in force.
func (a *authority) device(der []byte) *x509.Certificate {
	sum := sha256.Sum256(der)
	if certificate, ok := a.parsed.get(sum); ok && a.inForce(certificate, a.now()) {
		return certificate
	}
	// the certificate keeps the bytes it is parsed from
	certificate, err := x509.ParseCertificate(bytes.Clone(der))
	if err != nil || a.verify(certificate) != nil {
		return nil
	}
	a.parsed.put(sum, certificate)
	return certificate
}

// notPanic keeps the server whole: a library that reads what comes from outside may panic on what
// is malformed.
func notPanic(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("malformed: %v", p)
	}
}

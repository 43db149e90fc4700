package cms

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/smallstep/pkcs7"
)

// Tags of ASN.1 (X.690, section 8.1.2).
const (
	sequence  = 0x30
	set       = 0x31
	context0  = 0xa0
	keyID     = 0x80 // subjectKeyIdentifier in a SignerIdentifier
	objectID  = 0x06
	ofContent = 1 // where [0] stands in a ContentInfo
)

var signedData = func() []byte {
	der, err := asn1.Marshal(pkcs7.OIDSignedData)
	if err != nil {
		panic(err) // a constant
	}
	return der[2:]
}()

// prepare bounds what is in a SignedData, and names its signers as the library knows them. It
// leaves other messages.
func prepare(root *element) error {
	if !root.is(sequence) || len(root.children) != 2 || !root.children[0].is(objectID) ||
		!bytes.Equal(root.children[0].content, signedData) {
		return nil
	}
	explicit := &root.children[ofContent]
	if !explicit.is(context0) || len(explicit.children) != 1 || !explicit.children[0].is(sequence) {
		return errors.New("damaged SignedData")
	}
	data := &explicit.children[0]
	var certificates []element
	for i := range data.children {
		switch part := &data.children[i]; {
		case part.is(context0):
			certificates = part.children
			if err := checkCertificates(certificates); err != nil {
				return err
			}
		case part.is(set) && i == len(data.children)-1: // the digest algorithms are a set, too
			if err := nameSigners(part, certificates); err != nil {
				return err
			}
		}
	}
	data.measure()
	explicit.measure()
	root.measure()
	return nil
}

func checkCertificates(certificates []element) error {
	if len(certificates) > maxCertificates {
		return fmt.Errorf("it has %d certificates: at most %d are taken", len(certificates),
			maxCertificates)
	}
	for i := range certificates {
		if size := certificates[i].size(); size > maxCertificate {
			return fmt.Errorf("it has a certificate of %d bytes: at most %d are taken", size,
				maxCertificate)
		}
	}
	return nil
}

// nameSigners names by issuer and serial number what is named by the key's identifier. Neither is
// signed.
func nameSigners(signers *element, certificates []element) error {
	if len(signers.children) > maxSigners {
		return fmt.Errorf("it has %d signers: at most %d are taken", len(signers.children),
			maxSigners)
	}
	for i := range signers.children {
		signer := &signers.children[i]
		if !signer.is(sequence) || len(signer.children) < 2 || !signer.children[1].is(keyID) {
			continue
		}
		name, err := nameOf(signer.children[1].content, certificates)
		if err != nil {
			return err
		}
		signer.children[1] = *name
		signer.measure()
	}
	signers.measure()
	return nil
}

// nameOf returns the IssuerAndSerialNumber of the certificate whose key has the identifier.
func nameOf(id []byte, certificates []element) (*element, error) {
	for i := range certificates {
		certificate, err := x509.ParseCertificate(certificates[i].der())
		if err != nil || len(id) == 0 || !bytes.Equal(keyIDOf(certificate), id) {
			continue
		}
		issuer, err := parse(certificate.RawIssuer)
		if err != nil {
			return nil, err
		}
		serial, err := asn1.Marshal(certificate.SerialNumber)
		if err != nil {
			return nil, err
		}
		number, err := parse(serial)
		if err != nil {
			return nil, err
		}
		name := &element{tag: []byte{sequence}}
		name.add(*issuer)
		name.add(*number)
		return name, nil
	}
	return nil, fmt.Errorf("its signer is named by the key %x, of which it has no certificate", id)
}

// keyIDOf is the identifier of a certificate's key: what it says itself, or else the usual hash
// (RFC 5280, section 4.2.1.2).
func keyIDOf(certificate *x509.Certificate) []byte {
	if len(certificate.SubjectKeyId) > 0 {
		return certificate.SubjectKeyId
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(certificate.RawSubjectPublicKeyInfo, &info); err != nil {
		return nil
	}
	sum := sha1.Sum(info.Key.Bytes)
	return sum[:]
}

// measure sums the lengths of the children anew.
func (e *element) measure() {
	e.length = 0
	for i := range e.children {
		e.length += e.children[i].size()
	}
}

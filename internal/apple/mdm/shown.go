package mdm

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/platform"
)

// signatureHeader has a CMS signature of the body (Apple, "Managing certificates for device
// management services and devices").
const signatureHeader = "Mdm-Signature"

// Shown tells who sends a request to /mdm, as far as can be told without its body: a long one
// should not be read for anybody. What is signed of a body is its digest, which is in the header
// (RFC 5652, section 5.4), so that a device made the signature is known before the body is.
func (c *Channel) Shown(r *http.Request) platform.Shows {
	if header := r.Header.Get(signatureHeader); header != "" {
		return c.ca.shownBy(header)
	}
	if c.config.CertificateHeader != "" && r.Header.Get(c.config.CertificateHeader) != "" {
		return platform.ShowsDevice // the proxy has seen to it, and is trusted
	}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 &&
		c.ca.verify(r.TLS.PeerCertificates[0]) == nil {
		return platform.ShowsDevice
	}
	return platform.ShowsNobody
}

// shownBy tells who made an Mdm-Signature. Devices have been seen to sign the body alone, so that
// of theirs the signature cannot be checked yet: then it counts that there is a certificate of this
// server's. That is no proof, but only who had to do with a device has one.
func (a *authority) shownBy(header string) platform.Shows {
	if len(header) > maxSignature {
		return platform.ShowsNobody
	}
	der, err := base64.StdEncoding.DecodeString(header)
	if err != nil {
		return platform.ShowsNobody
	}
	message, ok := readSignedData(der)
	if !ok {
		if certificate := firstCertificate(der); certificate != nil &&
			a.device(certificate) != nil {
			return platform.ShowsDevice
		}
		return platform.ShowsSomething
	}
	if a.signer(message) == nil {
		return platform.ShowsNobody
	}
	return platform.ShowsDevice
}

// signer is the device that signed the attributes of a message, one of which is the digest of the
// body; nil: none of this server's did.
func (a *authority) signer(message *signedData) *x509.Certificate {
	certificate := a.device(message.certificate)
	if certificate == nil || message.verifyAttributes(certificate) != nil {
		return nil
	}
	return certificate
}

// signerOf is the device that made an Mdm-Signature, of whatever body.
func (a *authority) signerOf(header string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(header[:min(len(header), maxSignature)])
	if err != nil {
		return nil, err
	}
	if message, ok := readSignedData(der); ok {
		if certificate := a.signer(message); certificate != nil {
			return certificate, nil
		}
	}
	return nil, errors.New("Mdm-Signature does not tell whose it is without its body")
}

// firstCertificate finds the first certificate in a CMS message (RFC 5652, section 5.1), whose
// outer elements may be BER of indefinite length; nil: there is none, or none that is found without
// looking further.
func firstCertificate(message []byte) []byte {
	s := berString(message)
	if !s.enter(0x30) || !s.skip(0x06) || !s.enter(0xa0) || !s.enter(0x30) || !s.skip(0x02) ||
		!s.skip(0x31) {
		return nil
	}
	// What is signed, of which only the type is here: nothing in it is looked for.
	if whole := s; !whole.skip(0x30) {
		if !s.enter(0x30) || !s.skip(0x06) || !s.skip(0x00) {
			return nil
		}
	} else {
		s = whole
	}
	if !s.enter(0xa0) {
		return nil
	}
	from := s
	if !s.skip(0x30) {
		return nil
	}
	return from[:len(from)-len(s)]
}

// berString is what is left of a message of BER.
type berString []byte

// enter reads the head of an element of a tag. Where it ends is not looked at.
func (s *berString) enter(tag byte) bool {
	_, rest, ok := s.head(tag)
	if ok {
		*s = rest
	}
	return ok
}

// skip reads an element of a tag and of definite length.
func (s *berString) skip(tag byte) bool {
	n, rest, ok := s.head(tag)
	if !ok || n < 0 || n > len(rest) {
		return false
	}
	*s = rest[n:]
	return true
}

// head reads an element's tag and length; -1: it is indefinite.
func (s *berString) head(tag byte) (n int, rest berString, ok bool) {
	b := *s
	if len(b) < 2 || b[0] != tag {
		return 0, nil, false
	}
	n, b = int(b[1]), b[2:]
	switch {
	case n < 0x80:
		return n, b, true
	case n == 0x80:
		return -1, b, true
	case n > 0x82 || len(b) < n-0x80: // more than 64 KiB, which no header has
		return 0, nil, false
	}
	digits := n - 0x80
	n = 0
	for _, d := range b[:digits] {
		n = n<<8 | int(d)
	}
	return n, b[digits:], true
}

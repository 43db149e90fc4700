// Package cms reads CMS messages (RFC 5652) that come from outside, before anything is known of who
// sent them. The PKCS #7 library must not see such bytes: it lets an element run past the end of
// the one around it and reads what is there again, so that a hundred bytes take all memory; it
// copies what is nested once a level; and it follows keys of any length. Here a message is read
// first, in time and memory of its length, and the library gets what was read, as DER.
package cms

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/smallstep/pkcs7"

	"github.com/syncpayloads/syncpayloads/internal/limit"
)

const (
	maxSigners      = 8
	maxCertificates = 32
	maxCertificate  = 64 << 10 // bytes of one
)

// Message is a CMS message whose form was checked: SignedData, EnvelopedData or EncryptedData.
type Message struct {
	*pkcs7.PKCS7
	DER []byte // the message in definite lengths, its signers named by issuer and serial number
}

// Parse reads a message in BER. A signer that is named by the identifier of its key (RFC 5652,
// section 5.3) is found among the message's certificates. Bytes behind the message are left.
func Parse(b []byte) (message *Message, err error) {
	defer notPanic(&err)
	root, err := parse(b)
	if err != nil {
		return nil, err
	}
	if err := prepare(root); err != nil {
		return nil, err
	}
	message = &Message{DER: root.der()}
	if message.PKCS7, err = pkcs7.Parse(message.DER); err != nil {
		return nil, errors.New("it is no CMS message of a known kind")
	}
	for _, certificate := range message.Certificates {
		if err := limit.Key(certificate.PublicKey); err != nil {
			return nil, err
		}
	}
	return message, nil
}

// Check checks the form of ASN.1 in BER alone: its lengths, how deep it is nested, and how many
// elements it has.
func Check(b []byte) error {
	_, err := parse(b)
	return err
}

// Verify checks all signatures of the message's content. Whether its signers are trusted is not
// checked.
func (m *Message) Verify() (err error) {
	defer notPanic(&err)
	return m.PKCS7.Verify()
}

// Signer is the certificate of the message's only signer, nil if it has none or several.
func (m *Message) Signer() *x509.Certificate { return m.GetOnlySigner() }

// Open decrypts the content with the key of a certificate to which the message is encrypted.
func (m *Message) Open(certificate *x509.Certificate,
	key *rsa.PrivateKey) (content []byte, err error) {
	defer notPanic(&err)
	return m.Decrypt(certificate, key)
}

// The library panics on some malformed messages, for example on padding longer than the text.
func notPanic(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("malformed: %v", p)
	}
}

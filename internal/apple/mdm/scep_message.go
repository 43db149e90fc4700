package mdm

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/smallstep/pkcs7"
	"github.com/smallstep/scep"
	"github.com/smallstep/scep/x509util"

	"github.com/syncpayloads/syncpayloads/internal/cms"
)

const (
	maxTransaction = 255 // characters
	maxNonce       = 64  // bytes; RFC 8894 has 16
)

// The library signs with SHA-1 and encrypts with DES unless told otherwise; RFC 8894 wants SHA-256
// and AES.
func init() {
	pkcs7.ContentEncryptionAlgorithm = pkcs7.EncryptionAlgorithmAES128CBC
	if err := pkcs7.SetDefaultDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256); err != nil {
		panic(err)
	}
}

// Signed attributes of a message (RFC 8894, section 3.2.1).
var (
	messageType    = scepAttribute(2)
	pkiStatus      = scepAttribute(3)
	failInfo       = scepAttribute(4)
	senderNonce    = scepAttribute(5)
	recipientNonce = scepAttribute(6)
	transactionID  = scepAttribute(7)
)

func scepAttribute(n int) asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{2, 16, 840, 1, 113733, 1, 9, n}
}

// pkiMessage is a request whose signature was checked (RFC 8894, section 3.2).
type pkiMessage struct {
	kind        scep.MessageType
	transaction string
	nonce       []byte
	signer      *x509.Certificate // to whom the answer is encrypted
	envelope    []byte
}

// parsePKIMessage reads a message. One that lacks what an answer must repeat cannot be answered,
// and is an error.
func parsePKIMessage(b []byte) (*pkiMessage, error) {
	signed, err := cms.Parse(b)
	if err != nil {
		return nil, err
	}
	m := &pkiMessage{signer: signed.Signer(), envelope: signed.Content}
	if m.signer == nil {
		return nil, errors.New("it is not signed by one signer, whose certificate it has")
	}
	if err := signed.Verify(); err != nil {
		return nil, fmt.Errorf("its signature: %w", err)
	}
	if err := errors.Join(signed.UnmarshalSignedAttribute(messageType, &m.kind),
		signed.UnmarshalSignedAttribute(transactionID, &m.transaction),
		signed.UnmarshalSignedAttribute(senderNonce, &m.nonce)); err != nil {
		return nil,
			errors.New("its message type, transaction id or nonce is missing or no such thing")
	}
	switch {
	case m.transaction == "" || len(m.transaction) > maxTransaction || !isPlain(m.transaction):
		return nil,
			fmt.Errorf("its transaction id is empty, longer than %d characters or not plain ASCII",
				maxTransaction)
	case len(m.nonce) == 0 || len(m.nonce) > maxNonce:
		return nil, fmt.Errorf("its nonce has %d bytes: 1 to %d are accepted", len(m.nonce),
			maxNonce)
	}
	return m, nil
}

func isPlain(text string) bool {
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// open decrypts the certificate request and its challenge.
func (m *pkiMessage) open(by *registrar) (csr *x509.CertificateRequest, challenge string, err error) {
	envelope, err := cms.Parse(m.envelope)
	if err != nil {
		return nil, "", err
	}
	der, err := envelope.Open(by.certificate, by.key)
	if err != nil {
		return nil, "", err
	}
	if err := cms.Check(der); err != nil {
		return nil, "", err
	}
	if csr, err = x509.ParseCertificateRequest(der); err != nil {
		return nil, "", err
	}
	challenge, err = x509util.ParseChallengePassword(der)
	return csr, challenge, err
}

// succeed makes the answer with a certificate (RFC 8894, section 3.3.2.1).
func (m *pkiMessage) succeed(by *registrar, issued *x509.Certificate) ([]byte, error) {
	certificates, err := scep.DegenerateCertificates([]*x509.Certificate{issued})
	if err != nil {
		return nil, err
	}
	envelope, err := pkcs7.Encrypt(certificates, []*x509.Certificate{m.signer})
	if err != nil {
		return nil, fmt.Errorf("encrypting the answer to the requester: %w", err)
	}
	return m.answer(by, envelope, issued, pkcs7.Attribute{Type: pkiStatus, Value: scep.SUCCESS})
}

// fail makes the answer that there is none (RFC 8894, section 3.3.2.2).
func (m *pkiMessage) fail(by *registrar, why scep.FailInfo) ([]byte, error) {
	return m.answer(by, nil, nil, pkcs7.Attribute{Type: pkiStatus, Value: scep.FAILURE},
		pkcs7.Attribute{Type: failInfo, Value: why})
}

func (m *pkiMessage) answer(by *registrar, content []byte, issued *x509.Certificate,
	result ...pkcs7.Attribute) ([]byte, error) {
	nonce := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	answer, err := pkcs7.NewSignedData(content)
	if err != nil {
		return nil, err
	}
	if issued != nil {
		answer.AddCertificate(issued) // some clients look for it before the signer's
	}
	attributes := append(result, pkcs7.Attribute{Type: transactionID, Value: m.transaction},
		pkcs7.Attribute{Type: messageType, Value: scep.CertRep},
		pkcs7.Attribute{Type: senderNonce, Value: nonce},
		pkcs7.Attribute{Type: recipientNonce, Value: m.nonce})
	err = answer.AddSigner(by.certificate, by.key,
		pkcs7.SignerInfoConfig{ExtraSignedAttributes: attributes})
	if err != nil {
		return nil, err
	}
	return answer.Finish()
}

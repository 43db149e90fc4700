package mdm

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/smallstep/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// signedData is a CMS message with one signer and without its content (RFC 5652, sections 5.1 and
// 5.3).
type signedData struct {
	certificate []byte // the only one; DER
	signer      signerName
	hash        crypto.Hash
	attributes  signedAttributes
	algorithm   x509.SignatureAlgorithm
	signature   []byte
}

// signedAttributes are what is signed in place of the content (RFC 5652, section 11).
type signedAttributes struct {
	der           []byte // as they are signed: a SET OF in DER (section 5.4)
	messageDigest []byte // of the content
	signingTime   *time.Time
}

// verify checks that content was signed with the certificate's key (RFC 5652, sections 5.4 and
// 5.6).
func (m *signedData) verify(certificate *x509.Certificate, content []byte) error {
	if err := m.checkSigner(certificate); err != nil {
		return err
	}
	digest := m.hash.New()
	digest.Write(content)
	if !bytes.Equal(digest.Sum(nil), m.attributes.messageDigest) {
		return errors.New("it is of another message, or the message was changed")
	}
	return certificate.CheckSignature(m.algorithm, m.attributes.der, m.signature)
}

// verifyAttributes checks that the attributes, one of which is the digest of a content that is not
// here, were signed with the certificate's key.
func (m *signedData) verifyAttributes(certificate *x509.Certificate) error {
	if err := m.checkSigner(certificate); err != nil {
		return err
	}
	return certificate.CheckSignature(m.algorithm, m.attributes.der, m.signature)
}

// checkSigner checks that the message names the certificate, and a time at which it is in force.
func (m *signedData) checkSigner(certificate *x509.Certificate) error {
	if !m.signer.names(certificate) {
		return errors.New("it names another certificate as its signer's")
	}
	if at := m.attributes.signingTime; at != nil &&
		(at.Before(certificate.NotBefore) || at.After(certificate.NotAfter)) {
		return fmt.Errorf("made at %s, when its certificate was not in force: the device's clock is wrong", at.UTC())
	}
	return nil
}

// Whole elements that messages are compared with, in DER.
var (
	signedDataType = object(pkcs7.OIDSignedData)
	dataType       = object(pkcs7.OIDData)
	versionOne     = []byte{2, 1, 1}
	null           = []byte{5, 0}

	contentType   = object(pkcs7.OIDAttributeContentType)
	messageDigest = object(pkcs7.OIDAttributeMessageDigest)
	signingTime   = object(pkcs7.OIDAttributeSigningTime)
)

var context0 = tag.Tag(0).ContextSpecific().Constructed()

// method is how a signer says that it signs: the algorithm's identifier, and its hash.
type method struct {
	id   string
	hash crypto.Hash
}

var (
	hashes = map[string]crypto.Hash{
		string(object(pkcs7.OIDDigestAlgorithmSHA256)): crypto.SHA256,
		string(object(pkcs7.OIDDigestAlgorithmSHA384)): crypto.SHA384,
		string(object(pkcs7.OIDDigestAlgorithmSHA512)): crypto.SHA512,
	}
	// The identifier of RSA may or may not name the hash (RFC 3370, section 3.2, and RFC 5754,
	// section 3.2).
	algorithms = map[method]x509.SignatureAlgorithm{
		{string(object(pkcs7.OIDEncryptionAlgorithmRSA)), crypto.SHA256}:       x509.SHA256WithRSA,
		{string(object(pkcs7.OIDEncryptionAlgorithmRSA)), crypto.SHA384}:       x509.SHA384WithRSA,
		{string(object(pkcs7.OIDEncryptionAlgorithmRSA)), crypto.SHA512}:       x509.SHA512WithRSA,
		{string(object(pkcs7.OIDEncryptionAlgorithmRSASHA256)), crypto.SHA256}: x509.SHA256WithRSA,
		{string(object(pkcs7.OIDEncryptionAlgorithmRSASHA384)), crypto.SHA384}: x509.SHA384WithRSA,
		{string(object(pkcs7.OIDEncryptionAlgorithmRSASHA512)), crypto.SHA512}: x509.SHA512WithRSA,
		{string(object(pkcs7.OIDDigestAlgorithmECDSASHA256)),
			crypto.SHA256}: x509.ECDSAWithSHA256,
		{string(object(pkcs7.OIDDigestAlgorithmECDSASHA384)),
			crypto.SHA384}: x509.ECDSAWithSHA384,
		{string(object(pkcs7.OIDDigestAlgorithmECDSASHA512)),
			crypto.SHA512}: x509.ECDSAWithSHA512,
	}
)

func object(id asn1.ObjectIdentifier) []byte {
	der, err := asn1.Marshal(id)
	if err != nil {
		panic(err) // a constant
	}
	return der
}

// readSignedData reads a CMS message of exactly this form: DER to its last byte; SignedData without
// content and revocation lists, with one certificate and one signer; the signer named by issuer and
// serial number, with signed attributes and no others, SHA-2, and RSA (PKCS #1 v1.5) or ECDSA.
// False means no more than that the message is not of this form.
func readSignedData(der []byte) (*signedData, bool) {
	m, s := new(signedData), cryptobyte.String(der)
	var info, explicit, data, digests, content, certificates, certificate, signers,
		signer cryptobyte.String
	var hash crypto.Hash
	ok := readLast(&s, &info, tag.SEQUENCE) &&
		skip(&info, signedDataType) && readLast(&info, &explicit, context0) &&
		readLast(&explicit, &data, tag.SEQUENCE) &&
		skip(&data, versionOne) &&
		data.ReadASN1(&digests, tag.SET) && readHash(&digests, &hash) && digests.Empty() &&
		data.ReadASN1(&content, tag.SEQUENCE) && bytes.Equal(content, dataType) &&
		data.ReadASN1(&certificates, context0) &&
		certificates.ReadASN1Element(&certificate, tag.SEQUENCE) && certificates.Empty() &&
		readLast(&data, &signers, tag.SET) && readLast(&signers, &signer, tag.SEQUENCE) &&
		m.readSigner(&signer) && m.hash == hash
	m.certificate = certificate
	return m, ok
}

// readSigner reads the fields of a SignerInfo (RFC 5652, section 5.3).
func (m *signedData) readSigner(s *cryptobyte.String) bool {
	return skip(s, versionOne) && m.signer.read(s) && readHash(s, &m.hash) &&
		m.attributes.read(s) &&
		readAlgorithm(s, m.hash, &m.algorithm) &&
		readLast(s, (*cryptobyte.String)(&m.signature), tag.OCTET_STRING)
}

// signerName tells which certificate is the signer's.
type signerName struct {
	issuer []byte // Name, DER
	serial big.Int
}

func (n *signerName) read(s *cryptobyte.String) bool {
	var name cryptobyte.String
	return s.ReadASN1(&name, tag.SEQUENCE) &&
		name.ReadASN1Element((*cryptobyte.String)(&n.issuer), tag.SEQUENCE) &&
		name.ReadASN1Integer(&n.serial) && name.Empty()
}

func (n *signerName) names(c *x509.Certificate) bool {
	return bytes.Equal(n.issuer, c.RawIssuer) && n.serial.Cmp(c.SerialNumber) == 0
}

// read reads the signed attributes: content type and digest, perhaps the time, each once, with one
// value and in the order of DER. Signed is their encoding as SET OF, not the tag [0] that they have
// in the message.
func (a *signedAttributes) read(s *cryptobyte.String) bool {
	var element, set cryptobyte.String
	if !s.ReadASN1Element(&element, context0) {
		return false
	}
	a.der = bytes.Clone(element)
	a.der[0] = byte(tag.SET)
	if !element.ReadASN1(&set, context0) {
		return false
	}
	typed, before := false, cryptobyte.String(nil)
	for ; !set.Empty(); before = element {
		var attribute, kind, values cryptobyte.String
		if !set.ReadASN1Element(&element, tag.SEQUENCE) || bytes.Compare(before, element) >= 0 {
			return false
		}
		rest := element
		if !rest.ReadASN1(&attribute, tag.SEQUENCE) ||
			!attribute.ReadASN1Element(&kind, tag.OBJECT_IDENTIFIER) ||
			!readLast(&attribute, &values, tag.SET) {
			return false
		}
		ok := false
		switch {
		case bytes.Equal(kind, contentType):
			ok, typed = !typed && bytes.Equal(values, dataType), true
		case bytes.Equal(kind, messageDigest):
			ok = a.messageDigest == nil && readLast(&values, (*cryptobyte.String)(&a.messageDigest),
				tag.OCTET_STRING)
		case bytes.Equal(kind, signingTime):
			ok = a.signingTime == nil && a.readTime(&values)
		}
		if !ok {
			return false
		}
	}
	return typed && a.messageDigest != nil
}

func (a *signedAttributes) readTime(s *cryptobyte.String) bool {
	a.signingTime = new(time.Time)
	if s.PeekASN1Tag(tag.UTCTime) {
		return s.ReadASN1UTCTime(a.signingTime) && s.Empty()
	}
	return s.ReadASN1GeneralizedTime(a.signingTime) && s.Empty()
}

func readHash(s *cryptobyte.String, hash *crypto.Hash) (ok bool) {
	var id cryptobyte.String
	if readAlgorithmID(s, &id) {
		*hash, ok = hashes[string(id)]
	}
	return ok
}

func readAlgorithm(s *cryptobyte.String, hash crypto.Hash,
	algorithm *x509.SignatureAlgorithm) (ok bool) {
	var id cryptobyte.String
	if readAlgorithmID(s, &id) {
		*algorithm, ok = algorithms[method{string(id), hash}]
	}
	return ok
}

// readAlgorithmID reads an AlgorithmIdentifier whose parameters are absent or NULL.
func readAlgorithmID(s, id *cryptobyte.String) bool {
	var fields cryptobyte.String
	return s.ReadASN1(&fields, tag.SEQUENCE) && fields.ReadASN1Element(id, tag.OBJECT_IDENTIFIER) &&
		(fields.Empty() || bytes.Equal(fields, null))
}

// readLast reads an element after which nothing follows.
func readLast(s, out *cryptobyte.String, t tag.Tag) bool { return s.ReadASN1(out, t) && s.Empty() }

// skip skips exactly this element.
func skip(s *cryptobyte.String, element []byte) bool {
	return bytes.HasPrefix(*s, element) && s.Skip(len(element))
}

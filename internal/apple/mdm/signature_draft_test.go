package mdm

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/smallstep/pkcs7"
)

// identity is a device's certificate with its key.
type identity struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// caScalar is the private key of the tests' CA. It is always the same, because a fuzz test has
// several processes: what one of them makes, another must know for its CA's.
var caScalar = bytes.Repeat([]byte{7}, 32)

// testIdentities are a CA and what devices have of it.
var testIdentities = sync.OnceValue(func() (all struct {
	ca                  *authority
	rsa, another, ecdsa identity
	foreign, expired    identity
}) {
	serial := int64(0)
	issue := func(by identity, validity time.Duration, key crypto.Signer) identity {
		serial++
		template := &x509.Certificate{SerialNumber: big.NewInt(serial),
			Subject:   pkix.Name{CommonName: "device"},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(validity),
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		if by.certificate == nil {
			template.Subject.CommonName, template.IsCA, template.BasicConstraintsValid = "CA", true,
				true
			by.certificate = template
		}
		der, err := x509.CreateCertificate(rand.Reader, template, by.certificate, key.Public(),
			by.key)
		must(err)
		c, err := x509.ParseCertificate(der)
		must(err)
		return identity{c, key}
	}
	caKey, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), caScalar)
	must(err)
	ca := issue(identity{key: caKey}, caValidity, caKey)
	all.ca = knowing(ca.certificate)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	all.rsa, all.another = issue(ca, caValidity/2, rsaKey), issue(ca, caValidity/2, rsaKey)
	all.ecdsa, all.expired = issue(ca, caValidity/2, ecKey), issue(ca, -time.Minute, rsaKey)
	// of a CA of the same name
	all.foreign = issue(issue(identity{key: rsaKey}, caValidity, rsaKey), time.Hour, rsaKey)
	return all
})

// knowing is an authority that can check identities but not issue them.
func knowing(ca *x509.Certificate) *authority {
	a := &authority{certificate: ca, pool: x509.NewCertPool(), now: time.Now,
		verified: recent[struct{}]{limit: 8}, parsed: recent[*x509.Certificate]{limit: 8}}
	a.pool.AddCert(ca)
	return a
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

var reported = []byte("<plist><dict><key>Status</key><string>Idle</string></dict></plist>")

// draft is a signature to be made, with all that can be wrong with it.
type draft struct {
	by              identity
	certificates    [][]byte
	name            []byte // of the signer
	version         int
	hash            crypto.Hash
	digest, method  asn1.ObjectIdentifier
	listed          []asn1.ObjectIdentifier // digest algorithms; nil: digest
	attributes      [][]byte
	unsorted        bool   // leaves attributes as they are
	attributesAs    byte   // tag that is signed
	content, behind []byte // of the message
	unsigned        []byte
	signers         int
	change          func([]byte) []byte // of the finished message
}

func element(tag byte, parts ...[]byte) []byte {
	der, err := asn1.Marshal(asn1.RawValue{Class: int(tag >> 6), IsCompound: tag&0x20 != 0,
		Tag: int(tag & 0x1f), Bytes: bytes.Join(parts, nil)})
	must(err)
	return der
}

func value(v any) []byte {
	der, err := asn1.Marshal(v)
	must(err)
	return der
}

func attribute(id asn1.ObjectIdentifier, values ...any) []byte {
	var set [][]byte
	for _, v := range values {
		set = append(set, value(v))
	}
	return element(0x30, value(id), element(0x31, set...))
}

func hashOf(h crypto.Hash, b []byte) []byte {
	w := h.New()
	w.Write(b)
	return w.Sum(nil)
}

func newDraft(by identity) *draft {
	d := &draft{by: by, certificates: [][]byte{by.certificate.Raw}, version: 1, hash: crypto.SHA256,
		digest: pkcs7.OIDDigestAlgorithmSHA256,
		method: pkcs7.OIDEncryptionAlgorithmRSASHA256, attributesAs: 0x31, signers: 1}
	if _, ok := by.key.(*ecdsa.PrivateKey); ok {
		d.method = pkcs7.OIDDigestAlgorithmECDSASHA256
	}
	d.name = element(0x30, by.certificate.RawIssuer, value(by.certificate.SerialNumber))
	d.attributes = [][]byte{attribute(pkcs7.OIDAttributeContentType, pkcs7.OIDData),
		attribute(pkcs7.OIDAttributeSigningTime, time.Now().UTC()),
		attribute(pkcs7.OIDAttributeMessageDigest, hashOf(d.hash, reported))}
	return d
}

func (d *draft) with(h crypto.Hash, digest, method asn1.ObjectIdentifier) {
	d.hash, d.digest, d.method = h, digest, method
	d.attributes[2] = attribute(pkcs7.OIDAttributeMessageDigest, hashOf(h, reported))
}

// signer makes the SignerInfo.
func (d *draft) signer() []byte {
	if !d.unsorted {
		slices.SortFunc(d.attributes, bytes.Compare)
	}
	signed, own := reported, []byte(nil)
	if d.attributes != nil {
		signed, own = element(d.attributesAs, d.attributes...), element(0xa0, d.attributes...)
	}
	signature, err := d.by.key.Sign(rand.Reader, hashOf(d.hash, signed), d.hash)
	must(err)
	return element(0x30, value(d.version), d.name, element(0x30, value(d.digest)), own,
		element(0x30, value(d.method)),
		value(signature), d.unsigned)
}

func (d *draft) der() []byte {
	var listed [][]byte
	if d.listed == nil {
		d.listed = []asn1.ObjectIdentifier{d.digest}
	}
	for _, id := range d.listed {
		listed = append(listed, element(0x30, value(id), value(asn1.NullRawValue)))
	}
	der := element(0x30, value(pkcs7.OIDSignedData),
		element(0xa0, element(0x30, value(1), element(0x31, listed...),
			element(0x30, value(pkcs7.OIDData), d.content), element(0xa0, d.certificates...),
			element(0x31, slices.Repeat([][]byte{d.signer()}, d.signers)...))))
	if d.change != nil {
		return d.change(der)
	}
	return append(der, d.behind...)
}

// asDevicesDo makes the message that Apple's devices have been seen to send: BER of indefinite
// length, SHA-1, and no attributes.
func (d *draft) asDevicesDo([]byte) []byte {
	sum := sha1.Sum(reported)
	signature, err := d.by.key.Sign(rand.Reader, sum[:], crypto.SHA1)
	must(err)
	hash := element(0x30, value(pkcs7.OIDDigestAlgorithmSHA1), value(asn1.NullRawValue))
	signer := element(0x30, value(1), d.name, hash,
		element(0x30, value(pkcs7.OIDEncryptionAlgorithmRSASHA1)), value(signature))
	endless := func(tag byte, parts ...[]byte) []byte {
		return slices.Concat([]byte{tag, 0x80}, bytes.Join(parts, nil), []byte{0, 0})
	}
	return endless(0x30, value(pkcs7.OIDSignedData),
		endless(0xa0, endless(0x30, value(1), element(0x31, hash),
			endless(0x30, value(pkcs7.OIDData)), element(0xa0, d.certificates...),
			element(0x31, signer))))
}

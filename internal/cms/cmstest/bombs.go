// Package cmstest makes messages for tests that take a reader's memory or time, and such as other
// writers of CMS make.
package cmstest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"math/big"
	"slices"
	"time"

	"github.com/smallstep/pkcs7"
)

// Forms are bytes, of at most most, that are small to send and dear to read for who follows their
// lengths.
func Forms(most int) map[string][]byte {
	return map[string][]byte{
		"children past their parents' ends": slices.Concat(bytes.Repeat([]byte{0x30, 6, 0x30, 2},
			26), bytes.Repeat([]byte{5, 0}, 4)),
		"the same, without end": slices.Concat([]byte{0x30, 0x80},
			bytes.Repeat([]byte{0x30, 6, 0x30, 2}, 24), bytes.Repeat([]byte{5, 0}, 4),
			[]byte{0, 0}),
		"nested":             nested(most),
		"nested without end": bytes.Repeat([]byte{0x30, 0x80}, most/2),
		"nested without end, and ended": slices.Concat(bytes.Repeat([]byte{0x30, 0x80}, most/4),
			bytes.Repeat([]byte{0, 0}, most/4)),
		"many elements": wrap(0x30, bytes.Repeat([]byte{5, 0}, most/2-4)),
		"many elements without end": slices.Concat([]byte{0x30, 0x80},
			bytes.Repeat([]byte{5, 0}, most/2-4), []byte{0, 0}),
		"empty ones in each other's place": bytes.Repeat([]byte{0x30, 0x80, 0, 0}, most/4),
		"the greatest length":              {0x30, 0x84, 0x7f, 0xff, 0xff, 0xff},
		"a length of more than 32 bits":    {0x30, 0x88, 1, 0, 0, 0, 0, 0, 0, 0},
		"a tag without end":                bytes.Repeat([]byte{0xff}, most),
	}
}

// wrap makes an element of definite length.
func wrap(tag byte, content []byte) []byte { return append(header(tag, len(content)), content...) }

func header(tag byte, n int) []byte {
	switch {
	case n < 0x80:
		return []byte{tag, byte(n)}
	case n < 1<<16:
		return []byte{tag, 0x82, byte(n >> 8), byte(n)}
	default:
		return []byte{tag, 0x84, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	}
}

// nested are elements in each other, each of which ends where it says.
func nested(most int) []byte {
	var heads [][]byte
	for n := 0; n < most-6; {
		head := header(0x30, n)
		heads, n = append(heads, head), n+len(head)
	}
	slices.Reverse(heads)
	return bytes.Join(heads, nil)
}

// Signatures are messages of the right form, signed over nothing, that are dear to check. Each has
// at most about most bytes.
func Signatures(most int) map[string][]byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	all := map[string][]byte{
		"a signer with a key of 60,000 bits": ofGreatKey(key, 60_000),
		"a bystander with a key of 60,000 bits": message(func(d *pkcs7.SignedData) {
			add(d, Certify(key, key))
			d.AddCertificate(GreatKey(60_000))
		}),
		"many certificates": message(func(d *pkcs7.SignedData) {
			add(d, Certify(key, key))
			for range most / 500 {
				d.AddCertificate(Certify(key, key).Certificate)
			}
		}),
		"many signers": message(func(d *pkcs7.SignedData) {
			signer := Certify(key, key)
			for range most / 600 {
				add(d, signer)
			}
		}),
	}
	return all
}

// Signer is a certificate and its key.
type Signer struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
}

// Certify makes a certificate of a key, with an identifier of it, signed by another.
func Certify(key, by crypto.Signer) Signer {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	must(err)
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "signer"},
		SubjectKeyId: serial.Bytes(),
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	issuer := *template
	issuer.PublicKey = by.Public()
	der, err := x509.CreateCertificate(rand.Reader, template, &issuer, key.Public(), by)
	must(err)
	certificate, err := x509.ParseCertificate(der)
	must(err)
	return Signer{certificate, key}
}

// GreatKey is a certificate of an RSA key that nobody has.
func GreatKey(bits int) *x509.Certificate {
	by, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	return Certify(&greatKey{public(bits)}, by).Certificate
}

func public(bits int) *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return &rsa.PublicKey{N: n.Add(n, big.NewInt(1_000_003)), E: 65537}
}

func ofGreatKey(by crypto.Signer, bits int) []byte {
	key := &greatKey{public(bits)}
	return message(func(d *pkcs7.SignedData) { add(d, Signer{Certify(key, by).Certificate, key}) })
}

// greatKey signs with what is no signature.
type greatKey struct{ public *rsa.PublicKey }

func (k *greatKey) Public() crypto.PublicKey { return k.public }
func (k *greatKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return bytes.Repeat([]byte{1}, k.public.Size()), nil
}

func add(d *pkcs7.SignedData, s Signer) {
	must(d.AddSigner(s.Certificate, s.Key, pkcs7.SignerInfoConfig{}))
}

func message(fill func(*pkcs7.SignedData)) []byte {
	d, err := pkcs7.NewSignedData([]byte("content"))
	must(err)
	d.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	fill(d)
	der, err := d.Finish()
	must(err)
	return der
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// NewSigner is a signer with an RSA key of its own.
func NewSigner() Signer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	return Certify(key, key)
}

// SCEP is a request for a certificate with this content (RFC 8894, section 3.2).
func SCEP(by Signer, content []byte) []byte {
	attribute := func(n int, value any) pkcs7.Attribute {
		return pkcs7.Attribute{Type: asn1.ObjectIdentifier{2, 16, 840, 1, 113733, 1, 9, n},
			Value: value}
	}
	d, err := pkcs7.NewSignedData(content)
	must(err)
	d.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	must(d.AddSigner(by.Certificate, by.Key,
		pkcs7.SignerInfoConfig{ExtraSignedAttributes: []pkcs7.Attribute{
			attribute(2, "19"), attribute(5, bytes.Repeat([]byte{1}, 16)), attribute(7, "1")}}))
	der, err := d.Finish()
	must(err)
	return der
}

// Signed is a message by a number of signers.
func Signed(signers int) []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	return message(func(d *pkcs7.SignedData) {
		for range signers {
			add(d, Certify(key, key))
		}
	})
}

// Nested are elements in each other, so many levels deep.
func Nested(levels int) (b []byte) {
	for range levels {
		b = wrap(0x30, b)
	}
	return b
}

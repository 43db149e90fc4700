package mdm

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/micromdm/nanomdm/cryptoutil"
	"github.com/smallstep/pkcs7"

	"github.com/syncpayloads/syncpayloads/internal/cms"
)

// verdict is what a reader says of a message, and whether it was ours.
type verdict struct{ ours, accepted bool }

// agree checks that our reader, as far as it knows the message, says the same as the library, and
// returns the verdict. The library is given what it would be given anyway.
func agree(t *testing.T, a *authority, der, body []byte) verdict {
	t.Helper()
	header := base64.StdEncoding.EncodeToString(der)
	got, ours, err := a.verifyOurs(header, body)
	var want *x509.Certificate
	checked, wrong := cms.Parse(der)
	if wrong == nil {
		want, wrong = cryptoutil.VerifyMdmSignature(base64.StdEncoding.EncodeToString(checked.DER),
			body)
	}
	if ours && ((err == nil) != (wrong == nil) || err == nil && !got.Equal(want) ||
		err != nil && got != nil) {
		t.Errorf("ours: %v; the library: %v; message %x", err, wrong, der)
	}
	final, failure := a.verifySignature(header, body)
	if (failure == nil) != (wrong == nil) || failure == nil && !final.Equal(want) {
		t.Errorf("in the end: %v; the library: %v; message %x", failure, wrong, der)
	}
	return verdict{ours, failure == nil}
}

func TestReadingOfSignatures(t *testing.T) {
	all := testIdentities()
	accepted, refused := verdict{true, true}, verdict{true, false}
	leftAndAccepted, leftAndRefused := verdict{false, true}, verdict{false, false}
	flip := func(part func(*draft) []byte) func(*draft) {
		return func(d *draft) {
			d.change = func(der []byte) []byte {
				p := part(d)
				der[bytes.LastIndex(der, p)+len(p)-1] ^= 1
				return der
			}
		}
	}
	for _, c := range []struct {
		name   string
		by     identity
		change func(*draft)
		want   verdict
	}{
		{"RSA", all.rsa, func(d *draft) {}, accepted},
		{"RSA without its hash", all.rsa,
			func(d *draft) { d.method = pkcs7.OIDEncryptionAlgorithmRSA }, accepted},
		{"RSA with SHA-384", all.rsa, func(d *draft) {
			d.with(crypto.SHA384, pkcs7.OIDDigestAlgorithmSHA384,
				pkcs7.OIDEncryptionAlgorithmRSASHA384)
		}, accepted},
		{"RSA with SHA-512", all.rsa, func(d *draft) {
			d.with(crypto.SHA512, pkcs7.OIDDigestAlgorithmSHA512, pkcs7.OIDEncryptionAlgorithmRSA)
		}, accepted},
		{"ECDSA", all.ecdsa, func(d *draft) {}, accepted},
		{"ECDSA with SHA-512", all.ecdsa, func(d *draft) {
			d.with(crypto.SHA512, pkcs7.OIDDigestAlgorithmSHA512,
				pkcs7.OIDDigestAlgorithmECDSASHA512)
		}, accepted},
		{"no signing time", all.rsa,
			func(d *draft) { d.attributes = slices.Delete(d.attributes, 1, 2) }, accepted},
		{"signing time far off", all.rsa, func(d *draft) {
			d.attributes[1] = attribute(pkcs7.OIDAttributeSigningTime,
				time.Now().AddDate(30, 0, 0).UTC())
		}, refused},

		{"tampered digest", all.rsa,
			flip(func(d *draft) []byte { return hashOf(d.hash, reported) }), refused},
		{"tampered signing time", all.rsa, func(d *draft) {
			d.change = func(der []byte) []byte {
				// the tenth of the seconds
				i := bytes.Index(der, value(pkcs7.OIDAttributeSigningTime)) + 11 + 2 + 2 + 11
				der[i] = '0' + (der[i]-'0'+1)%6
				return der
			}
		}, refused},
		{"tampered signature", all.rsa, func(d *draft) {
			d.change = func(der []byte) []byte { der[len(der)-1] ^= 1; return der }
		}, refused},
		{"digest of another message", all.rsa, func(d *draft) {
			d.attributes[2] = attribute(pkcs7.OIDAttributeMessageDigest,
				hashOf(d.hash, []byte("other")))
		}, refused},
		{"half a digest", all.rsa, func(d *draft) {
			d.attributes[2] = attribute(pkcs7.OIDAttributeMessageDigest,
				hashOf(d.hash, reported)[:16])
		}, refused},
		{"signed as they are in the message", all.rsa, func(d *draft) { d.attributesAs = 0xa0 },
			refused},
		{"another's key", identity{all.rsa.certificate, all.ecdsa.key}, func(d *draft) {}, refused},
		{"another's certificate alone", all.rsa,
			func(d *draft) { d.certificates[0] = all.ecdsa.certificate.Raw }, refused},
		{"another serial number", all.rsa, func(d *draft) {
			d.name = element(0x30, d.by.certificate.RawIssuer, value(big.NewInt(5)))
		}, refused},
		{"another issuer", all.rsa, func(d *draft) {
			d.name = element(0x30, d.by.certificate.RawSubject,
				value(d.by.certificate.SerialNumber))
		}, refused},
		{"named as another of the same key", all.rsa, func(d *draft) {
			d.certificates[0] = all.another.certificate.Raw
		}, refused},

		{"another's certificate beside", all.rsa, func(d *draft) {
			d.certificates = append(d.certificates, all.another.certificate.Raw)
		}, leftAndAccepted},
		{"another's certificate beside, first", all.rsa, func(d *draft) {
			d.certificates = slices.Insert(d.certificates, 0, all.ecdsa.certificate.Raw)
		}, leftAndAccepted},
		{"no certificate", all.rsa, func(d *draft) { d.certificates = nil }, leftAndRefused},
		{"foreign certificate", all.foreign, func(d *draft) {}, leftAndAccepted},
		{"expired certificate", all.expired, func(d *draft) {
			d.attributes = slices.Delete(d.attributes, 1, 2)
		}, leftAndAccepted},
		{"as devices do", all.rsa, func(d *draft) { d.change = d.asDevicesDo }, leftAndAccepted},
		{"no attributes", all.rsa, func(d *draft) { d.attributes = nil }, leftAndAccepted},
		{"empty attributes", all.rsa, func(d *draft) { d.attributes = [][]byte{} }, leftAndRefused},
		{"no content type", all.rsa,
			func(d *draft) { d.attributes = slices.Delete(d.attributes, 0, 1) }, leftAndAccepted},
		{"another content type", all.rsa, func(d *draft) {
			d.attributes[0] = attribute(pkcs7.OIDAttributeContentType, pkcs7.OIDSignedData)
		}, leftAndAccepted},
		{"content type twice", all.rsa, func(d *draft) {
			d.attributes = append(d.attributes,
				attribute(pkcs7.OIDAttributeContentType, pkcs7.OIDData, pkcs7.OIDData))
		}, leftAndAccepted},
		{"no digest", all.rsa, func(d *draft) { d.attributes = d.attributes[:2] }, leftAndRefused},
		{"digest twice", all.rsa, func(d *draft) {
			d.unsorted, d.attributes = true, append(d.attributes, d.attributes[2])
		}, leftAndAccepted},
		{"two digests", all.rsa, func(d *draft) {
			longer := attribute(pkcs7.OIDAttributeMessageDigest,
				append(hashOf(d.hash, reported), 0))
			d.attributes = append(d.attributes, longer)
		}, leftAndAccepted},
		{"two values of the digest", all.rsa, func(d *draft) {
			d.attributes[2] = attribute(pkcs7.OIDAttributeMessageDigest, hashOf(d.hash, reported),
				hashOf(d.hash, nil))
		}, leftAndAccepted},
		{"an attribute more", all.rsa, func(d *draft) {
			d.attributes = append(d.attributes, attribute(pkcs7.OIDData, 1))
		}, leftAndAccepted},
		{"attributes out of order", all.rsa, func(d *draft) {
			slices.SortFunc(d.attributes, bytes.Compare)
			slices.Reverse(d.attributes)
			d.unsorted = true
		}, leftAndRefused},
		{"unsigned attributes", all.rsa, func(d *draft) {
			d.unsigned = element(0xa1, attribute(pkcs7.OIDData, 1))
		}, leftAndAccepted},
		{"signing time that is none", all.rsa, func(d *draft) {
			d.attributes[1] = attribute(pkcs7.OIDAttributeSigningTime, 7)
		}, leftAndAccepted},
		{"SHA-1", all.rsa, func(d *draft) {
			d.with(crypto.SHA1, pkcs7.OIDDigestAlgorithmSHA1, pkcs7.OIDEncryptionAlgorithmRSASHA1)
		}, leftAndAccepted},
		{"hash of the signature not that of the digest", all.rsa, func(d *draft) {
			d.method = pkcs7.OIDEncryptionAlgorithmRSASHA512
		}, leftAndAccepted},
		{"hash not listed", all.rsa, func(d *draft) {
			d.listed = []asn1.ObjectIdentifier{pkcs7.OIDDigestAlgorithmSHA512}
		}, leftAndAccepted},
		{"RSA's key for ECDSA", all.rsa,
			func(d *draft) { d.method = pkcs7.OIDDigestAlgorithmECDSASHA256 }, refused},
		{"ECDSA's key for RSA", all.ecdsa,
			func(d *draft) { d.method = pkcs7.OIDEncryptionAlgorithmRSA }, refused},
		{"two signers", all.rsa, func(d *draft) { d.signers = 2 }, leftAndRefused},
		{"no signer", all.rsa, func(d *draft) { d.signers = 0 }, leftAndRefused},
		{"newer version", all.rsa, func(d *draft) { d.version = 3 }, leftAndAccepted},
		{"with its content", all.rsa, func(d *draft) { d.content = element(0xa0, value(reported)) },
			leftAndAccepted},
		{"bytes behind", all.rsa, func(d *draft) { d.behind = []byte{0} }, leftAndAccepted},
		{"cut off", all.rsa, func(d *draft) {
			d.change = func(der []byte) []byte { return der[:len(der)-1] }
		}, leftAndRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDraft(c.by)
			c.change(d)
			der := d.der()
			for _, when := range []string{"at first", "again"} {
				if got := agree(t, all.ca, der, reported); got != c.want {
					t.Errorf("%s: %+v, want %+v", when, got, c.want)
				}
			}
			if got := agree(t, all.ca, der, append([]byte(" "), reported...)); got.accepted ||
				got.ours != c.want.ours {
				t.Errorf("of a changed message: %+v", got)
			}
		})
	}
}

// An identity that was accepted is not accepted for ever.
func TestKnownIdentityExpires(t *testing.T) {
	all := testIdentities()
	a := knowing(all.ca.certificate)
	der := newDraft(all.rsa).der()
	if got := agree(t, a, der, reported); got != (verdict{true, true}) {
		t.Fatalf("%+v", got)
	}
	a.now = func() time.Time { return all.rsa.certificate.NotAfter.Add(time.Second) }
	if a.device(all.rsa.certificate.Raw) != nil ||
		(verifier{a}).Verify(context.Background(), all.rsa.certificate) == nil {
		t.Error("the expired identity is still known")
	}
}

// However many devices come, no more than so many of them are remembered, and who keeps coming is.
func TestRecentIsBounded(t *testing.T) {
	r := recent[int]{limit: 4}
	sum := func(i int) (s [32]byte) { s[0] = byte(i); return s }
	for i := range 100 {
		r.put(sum(i), i)
		if v, ok := r.get(sum(0)); !ok || v != 0 {
			t.Fatalf("after %d: the one that keeps coming is forgotten", i)
		}
		if n := len(r.newer) + len(r.older); n > 2*r.limit {
			t.Fatalf("after %d: %d are remembered", i, n)
		}
	}
	if _, ok := r.get(sum(50)); ok {
		t.Error("one that came once is remembered for ever")
	}
}

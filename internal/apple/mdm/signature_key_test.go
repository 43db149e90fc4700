package mdm

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"testing"
)

// A device may name itself by its key, which the PKCS #7 library does not know.
func TestSignatureNamesItsKey(t *testing.T) {
	all := testIdentities()
	var info struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(all.rsa.certificate.RawSubjectPublicKeyInfo, &info); err != nil {
		t.Fatal(err)
	}
	id := sha1.Sum(info.Key.Bytes)
	verify := func(change func(*draft), body []byte) (*x509.Certificate, error) {
		d := newDraft(all.rsa)
		d.version, d.name = 3, element(0x80, id[:])
		change(d)
		return all.ca.verifySignature(base64.StdEncoding.EncodeToString(d.der()), body)
	}
	if c, err := verify(func(*draft) {}, reported); err != nil || !c.Equal(all.rsa.certificate) {
		t.Errorf("%v", err)
	}
	if c, err := verify(func(*draft) {}, append(bytes.Clone(reported), ' ')); err == nil ||
		c != nil {
		t.Error("of another message, and taken")
	}
	if c, err := verify(func(d *draft) { d.by.key = all.ecdsa.key }, reported); err == nil ||
		c != nil {
		t.Error("with another's key, and taken")
	}
	if c, err := verify(func(d *draft) { d.certificates[0] = all.ecdsa.certificate.Raw },
		reported); err == nil || c != nil {
		t.Error("without its certificate, and taken")
	}
}

package cmstest

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"

	"github.com/smallstep/pkcs7"
)

type signedData struct {
	Version      int
	Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
	Content      content
	Certificates asn1.RawValue
	Signers      []signerInfo `asn1:"set"`
}

type content struct {
	Type    asn1.ObjectIdentifier
	Content []byte `asn1:"explicit,optional,omitempty,tag:0"`
}

type signerInfo struct {
	Version   int
	KeyID     []byte `asn1:"tag:0"`
	Digest    pkix.AlgorithmIdentifier
	Signed    asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Signature []byte
}

// ByKeyID signs a content and names the signer by the identifier of its RSA key (RFC 5652, section
// 5.3), as some tools do that sign profiles. A detached message does not have the content.
func ByKeyID(by Signer, text []byte, detached bool) []byte {
	attribute := func(id asn1.ObjectIdentifier, value any) []byte {
		der := marshal(value)
		return marshal(struct {
			Type   asn1.ObjectIdentifier
			Values asn1.RawValue
		}{id, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: der}})
	}
	sum := sha256.Sum256(text)
	attributes := append(attribute(pkcs7.OIDAttributeContentType, pkcs7.OIDData),
		attribute(pkcs7.OIDAttributeMessageDigest, sum[:])...)
	hashed := sha256.Sum256(marshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true,
		Bytes: attributes}))
	signature, err := by.Key.Sign(rand.Reader, hashed[:], crypto.SHA256)
	must(err)
	hash := pkix.AlgorithmIdentifier{Algorithm: pkcs7.OIDDigestAlgorithmSHA256}
	data := signedData{Version: 3, Digests: []pkix.AlgorithmIdentifier{hash},
		Content: content{Type: pkcs7.OIDData, Content: text},
		Certificates: asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true,
			Bytes: by.Certificate.Raw},
		Signers: []signerInfo{{Version: 3, KeyID: by.Certificate.SubjectKeyId, Digest: hash,
			Signed: asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true,
				Bytes: attributes},
			Algorithm: pkix.AlgorithmIdentifier{Algorithm: pkcs7.OIDEncryptionAlgorithmRSA},
			Signature: signature}}}
	if detached {
		data.Content.Content = nil
	}
	return marshal(struct {
		Type asn1.ObjectIdentifier
		Data signedData `asn1:"explicit,tag:0"`
	}{pkcs7.OIDSignedData, data})
}

func marshal(value any) []byte {
	der, err := asn1.Marshal(value)
	must(err)
	return der
}

// Indefinite writes a message anew with a length of its own for no constructed element (X.690,
// section 8.1.3.6).
func Indefinite(der []byte) []byte {
	var out []byte
	for len(der) > 0 {
		var value asn1.RawValue
		rest, err := asn1.Unmarshal(der, &value)
		must(err)
		if der = rest; !value.IsCompound {
			out = append(out, value.FullBytes...)
			continue
		}
		out = append(append(append(out, value.FullBytes[0], 0x80), Indefinite(value.Bytes)...), 0,
			0)
	}
	return out
}

package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/smallstep/pkcs7"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// signer makes the Mdm-Signature header of one device. Of the signed data only the message's digest
// and the signature change from message to message, so it is built once and those two are replaced
// in it.
type signer struct {
	key        *simulator.QuickKey
	signed     []byte // the CMS SignedData
	attributes []byte // its signed attributes, as they are hashed
	digest     []byte // the place of the message's digest in signed
	inHashed   []byte // the same in attributes
	signature  []byte // the place of the signature in signed
	text       []byte // signed in base64
}

func newSigner(key *simulator.QuickKey, certificate *x509.Certificate) (*signer, error) {
	message := []byte("template")
	data, err := pkcs7.NewSignedData(message)
	if err != nil {
		return nil, err
	}
	data.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := data.AddSigner(certificate, key, pkcs7.SignerInfoConfig{}); err != nil {
		return nil, err
	}
	data.Detach()
	s := &signer{key: key}
	if s.signed, err = data.Finish(); err != nil {
		return nil, err
	}
	if err := s.findPlaces(sha256.Sum256(message)); err != nil {
		return nil, fmt.Errorf("the signed data is not as expected: %w", err)
	}
	s.text = make([]byte, base64.StdEncoding.EncodedLen(len(s.signed)))
	return s, s.check(message)
}

// signerInfo is SignerInfo of RFC 5652, section 5.3.
type signerInfo struct {
	Version    int
	Identifier asn1.RawValue
	Digest     asn1.RawValue
	Attributes asn1.RawValue `asn1:"tag:0"`
	Algorithm  asn1.RawValue
	Signature  []byte
}

func (s *signer) findPlaces(digest [sha256.Size]byte) error {
	var content struct {
		Type    asn1.ObjectIdentifier
		Content struct {
			Version      int
			Digests      asn1.RawValue
			Content      asn1.RawValue
			Certificates asn1.RawValue `asn1:"tag:0"`
			Signers      []signerInfo  `asn1:"set"`
		} `asn1:"explicit,tag:0"`
	}
	if _, err := asn1.Unmarshal(s.signed, &content); err != nil {
		return err
	}
	if len(content.Content.Signers) != 1 {
		return fmt.Errorf("it has %d signers", len(content.Content.Signers))
	}
	info := content.Content.Signers[0]
	attributes := place(s.signed, info.Attributes.FullBytes)
	s.attributes = bytes.Clone(attributes)
	// hashed as the SET that they are, not with their tag in the message (RFC 5652, section 5.4)
	s.attributes[0] = 0x31
	s.digest, s.inHashed, s.signature = place(attributes, digest[:]),
		place(s.attributes, digest[:]), place(s.signed, info.Signature)
	if s.digest == nil || s.inHashed == nil || s.signature == nil {
		return errors.New("it lacks the digest or the signature")
	}
	return nil
}

// place is where part is in whole, as a slice of whole.
func place(whole, part []byte) []byte {
	i := bytes.Index(whole, part)
	if i < 0 {
		return nil
	}
	return whole[i : i+len(part)]
}

func (s *signer) check(message []byte) error {
	s.header(message)
	parsed, err := pkcs7.Parse(s.signed)
	if err != nil {
		return err
	}
	parsed.Content = message
	return parsed.Verify()
}

// header returns the value of Mdm-Signature for a message. It is valid until the next call.
func (s *signer) header(message []byte) []byte {
	digest := sha256.Sum256(message)
	copy(s.digest, digest[:])
	copy(s.inHashed, digest[:])
	s.key.SignSHA256(sha256.Sum256(s.attributes), s.signature)
	base64.StdEncoding.Encode(s.text, s.signed)
	return s.text
}

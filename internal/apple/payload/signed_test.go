package payload_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"maps"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/smallstep/pkcs7"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/cms/cmstest"
	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// sign wraps content in a PKCS#7 signed message as profile signing tools do.
func sign(t testing.TB, content []byte) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7),
		Subject:   pkix.Name{CommonName: "Signer"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	message, err := pkcs7.NewSignedData(content)
	if err != nil {
		t.Fatal(err)
	}
	message.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := message.AddSigner(cert, key, pkcs7.SignerInfoConfig{}); err != nil {
		t.Fatal(err)
	}
	signed, err := message.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func encrypted(t testing.TB, content []byte) []byte {
	t.Helper()
	before := pkcs7.ContentEncryptionAlgorithm
	pkcs7.ContentEncryptionAlgorithm = pkcs7.EncryptionAlgorithmDESCBC
	defer func() { pkcs7.ContentEncryptionAlgorithm = before }()
	b, err := pkcs7.EncryptUsingPSK(content, bytes.Repeat([]byte{1}, 8))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSignedVersionNeedsAUUIDOfItsOwn(t *testing.T) {
	ctx := t.Context()
	s, err := store.Open(ctx, storetest.Location(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c := catalog.New(s, catalog.MustForms(payload.Forms()), time.Now, uuid.NewString)
	file := func(id, ssid string) []byte {
		return sign(t, xmlList(t, top(dict{"PayloadUUID": id}, with(wifi, dict{"SSID_STR": ssid}))))
	}
	p, err := c.Create(ctx, catalog.Input{ODataType: payload.IOSCustomConfiguration,
		DisplayName: "Office", File: file("U-1", "one")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Update(ctx, p.ID, catalog.Patch{File: file("u-1", "two")})
	var invalid *invalid.Input
	if !errors.As(err, &invalid) || invalid.Property != "payload" ||
		!strings.Contains(invalid.Reason, "give it a new PayloadUUID") {
		t.Errorf("a signed file with a former UUID: %v", err)
	}
	second := file("U-2", "two")
	got, err := c.Update(ctx, p.ID, catalog.Patch{File: second})
	if err != nil || got.Version != 2 || got.Revision != "u-2" ||
		string(got.Content) != string(second) {
		t.Errorf("a signed file with a new UUID: %+v, %v", got, err)
	}
}

// Some tools name the signer by its key.
func TestSignerNamedByItsKey(t *testing.T) {
	file := cmstest.ByKeyID(cmstest.NewSigner(), xmlList(t, top(nil, wifi)), false)
	for form, file := range map[string][]byte{"DER": file, "BER": cmstest.Indefinite(file)} {
		if p, err := payload.ParseProfile(file); err != nil || !p.Signed {
			t.Errorf("%s: %v", form, err)
		}
	}
	changed := bytes.Replace(file, []byte("SSID_STR"), []byte("SSID_STX"), 1)
	if _, err := payload.ParseProfile(changed); err == nil ||
		!strings.Contains(err.Error(), "changed after it was signed") {
		t.Errorf("changed after it was signed: %v", err)
	}
}

// An upload takes memory and time of its length, however it is made.
func TestSignedBombs(t *testing.T) {
	all := cmstest.Signatures(256 << 10)
	maps.Copy(all, cmstest.Forms(payload.MaxProfileSize))
	for name, bomb := range all {
		t.Run(name, func(t *testing.T) {
			defer cost.Bound(t, 16<<20, time.Second)()
			if _, err := payload.ParseProfile(bomb); err == nil {
				t.Errorf("%d bytes were taken", len(bomb))
			}
		})
	}
}

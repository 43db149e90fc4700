package cms_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/cms"
	"github.com/syncpayloads/syncpayloads/internal/cms/cmstest"
	"github.com/syncpayloads/syncpayloads/internal/cost"
)

func TestSignerNamedByItsKey(t *testing.T) {
	signer := cmstest.NewSigner()
	text := bytes.Repeat([]byte("a profile "), 100)
	der := cmstest.ByKeyID(signer, text, false)
	m, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(); err != nil || !bytes.Equal(m.Content, text) || m.Signer() == nil ||
		!m.Signer().Equal(signer.Certificate) {
		t.Errorf("signer %v, %v", m.Signer(), err)
	}
	changed := bytes.Replace(der, []byte("a profile "), []byte("A profile "), 1)
	if m, err := cms.Parse(changed); err != nil || m.Verify() == nil {
		t.Errorf("a changed content: read %v, and verified", err)
	}
	stranger := signer
	stranger.Certificate = cmstest.NewSigner().Certificate
	if m, err := cms.Parse(cmstest.ByKeyID(stranger, text, false)); err != nil ||
		m.Verify() == nil {
		t.Errorf("signed with another key: read %v, and verified", err)
	}
	id := signer.Certificate.SubjectKeyId
	last := bytes.LastIndex(der, id)
	unknown := slices.Clone(der)
	unknown[last] ^= 1
	if _, err := cms.Parse(unknown); err == nil ||
		!strings.Contains(err.Error(), "no certificate") {
		t.Errorf("a key that no certificate has: %v", err)
	}
}

// A message in BER is read as the same message in DER is.
func TestIndefiniteLengths(t *testing.T) {
	signer, text := cmstest.NewSigner(), []byte("a profile")
	der := cmstest.ByKeyID(signer, text, false)
	m, err := cms.Parse(cmstest.Indefinite(der))
	if err != nil || m.Verify() != nil || !bytes.Equal(m.Content, text) {
		t.Fatalf("%v, content %q", err, m.Content)
	}
	plain, err := cms.Parse(der)
	if err != nil || !bytes.Equal(m.DER, plain.DER) {
		t.Errorf("%v, or another message", err)
	}
	if behind, err := cms.Parse(append(slices.Clone(der), 0, 0, 1)); err != nil ||
		!bytes.Equal(behind.DER, plain.DER) {
		t.Errorf("with bytes behind: %v", err)
	}
	for n := range der {
		if _, err := cms.Parse(der[:n]); err == nil {
			t.Fatalf("cut off after %d of %d bytes, and taken", n, len(der))
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, bomb := range cmstest.Forms(1 << 10) {
		f.Add(bomb)
	}
	signer := cmstest.NewSigner()
	der := cmstest.ByKeyID(signer, []byte("content"), false)
	f.Add(der)
	f.Add(cmstest.Indefinite(der))
	f.Add(cmstest.SCEP(signer, []byte("content")))
	f.Fuzz(func(t *testing.T, b []byte) {
		defer cost.Input(t)()
		m, err := cms.Parse(b)
		if err != nil {
			return
		}
		if cms.Check(b) != nil {
			t.Error("Check refuses what Parse takes")
		}
		again, err := cms.Parse(m.DER)
		if err != nil || !bytes.Equal(again.DER, m.DER) {
			t.Errorf("read again it is another message, or none: %v", err)
		}
		_ = m.Verify()
	})
}

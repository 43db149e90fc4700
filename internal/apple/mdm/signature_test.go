package mdm_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/smallstep/pkcs7"
)

// signer is one signer of an Mdm-Signature.
type signer struct {
	cert *x509.Certificate
	key  crypto.PrivateKey
}

func (d *device) signer() signer { return signer{d.cert, d.key} }

// sign makes an Mdm-Signature of body by all signers.
func sign(t *testing.T, body []byte, by ...signer) string {
	t.Helper()
	return base64.StdEncoding.EncodeToString(signed(t, body, true, nil, by...))
}

// signed makes a CMS SignedData, with further certificates before the signers' own.
func signed(t *testing.T, body []byte, detached bool, first []*x509.Certificate,
	by ...signer) []byte {
	t.Helper()
	sd, err := pkcs7.NewSignedData(body)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range first {
		sd.AddCertificate(c)
	}
	for _, s := range by {
		if err := sd.AddSigner(s.cert, s.key, pkcs7.SignerInfoConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	if detached {
		sd.Detach()
	}
	der, err := sd.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// put sends a message to /mdm and returns the status.
func (s *server) put(t *testing.T, client *http.Client, body []byte, signature string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+"/mdm",
		bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if signature != "" {
		r.Header.Set("Mdm-Signature", signature)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func TestForgedSignatures(t *testing.T) {
	g := newSiege(t)
	other := g.enroll(t, "other", 2)
	g.remember()
	victim, mallory := g.victim.signer(), signer{other.cert, other.key}
	// A certificate of one's own with the name and number by which a signature names the victim's.
	template := *g.victim.cert
	issuer := &x509.Certificate{RawSubject: g.victim.cert.RawIssuer,
		PublicKey: shared.keys[0]().Public()}
	der, err := x509.CreateCertificate(rand.Reader, &template, issuer, shared.keys[2]().Public(),
		shared.keys[0]())
	if err != nil {
		t.Fatal(err)
	}
	namesake, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	body := g.victim.plist(dict{"UDID": "victim", "Status": "Idle"})
	own := other.plist(dict{"UDID": "other", "Status": "Idle"})
	forged := signer{g.victim.cert, other.key}
	b64 := base64.StdEncoding.EncodeToString
	beside := func(by ...signer) string {
		return b64(signed(t, body, true, []*x509.Certificate{g.victim.cert}, by...))
	}
	for name, c := range map[string]struct {
		signature string
		want      int
	}{
		"by another key in the victim's name": {sign(t, body, forged), http.StatusBadRequest},
		"by another device":                   {sign(t, body, mallory), http.StatusForbidden},
		"by a namesake": {sign(t, body, signer{namesake, other.key}),
			http.StatusBadRequest},
		"by a namesake, the victim's beside it": {beside(signer{namesake, other.key}),
			http.StatusBadRequest},
		"by another device, the victim's beside": {beside(mallory), http.StatusForbidden},
		"by the victim over another message":     {sign(t, own, victim), http.StatusBadRequest},
		"of another message that it has in it": {b64(signed(t, own, false, nil, victim)),
			http.StatusBadRequest},
		"by the victim, and one more": {sign(t, body, victim, mallory),
			http.StatusBadRequest},
		"by one more, and the victim": {sign(t, body, mallory, victim),
			http.StatusBadRequest},
		"by another device, and a forged one": {sign(t, body, mallory, forged),
			http.StatusBadRequest},
		"by nobody":                    {sign(t, body), http.StatusBadRequest},
		"by nobody, with the victim's": {beside(), http.StatusBadRequest},
		"none":                         {"", http.StatusBadRequest},
		"spaces":                       {"  ", http.StatusBadRequest},
		"the victim's certificate":     {b64(g.victim.cert.Raw), http.StatusBadRequest},
		"the victim's, twice in the header's text": {sign(t, body, victim) + sign(t, body, victim),
			http.StatusBadRequest},
	} {
		if status := g.put(t, g.client(), body, c.signature); status != c.want {
			t.Errorf("a signature %s: status %d, want %d", name, status, c.want)
		}
		g.unharmed(t, name)
	}
	if status := g.put(t, g.client(), body, sign(t, body, victim)); status != http.StatusOK {
		t.Errorf("the victim's own signature: status %d", status)
	}
}

package console_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// sendFiles posts a form of files by the names of their fields. The other fields are empty, as
// browsers send them.
func (b *browser) sendFiles(path string, files map[string][]byte) *page {
	b.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for field, content := range files {
		part, err := w.CreateFormFile(field, field+".pem")
		if err == nil {
			_, err = part.Write(content)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.Context(), "POST", b.server.URL()+path, &body)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := b.http.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	return &page{b, response.StatusCode, response.Header, response.Request.URL, string(text)}
}

func TestPushCertificate(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.token)
	p := b.open(b.open("/console/health").leads("Renew")).has(http.StatusOK, "Apple account")
	p.controlsHaveNames()
	certificate, key, topic, err := simulator.NewPushCertificate(uuid.NewString(), s.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	text := func(certificate, key []byte) url.Values {
		return url.Values{"certificate": {string(certificate)}, "key": {string(key)}}
	}
	b.send(p.path(), text(certificate, nil), "", nil).has(http.StatusBadRequest,
		"was not set. ‘Private key’ is required")
	refused := b.send(p.path(), text([]byte("<i>no certificate"), key), "",
		nil).has(http.StatusBadRequest, "‘Certificate’")
	if !strings.HasPrefix(refused.filled("certificate"), "<i>no certificate") ||
		strings.Contains(refused.body, "PRIVATE KEY-----\n") ||
		strings.Contains(refused.body, "<i>") {
		t.Errorf("the form comes back as %s", refused.body)
	}
	b.send(p.path(), text(certificate, key), "", nil).has(http.StatusOK,
		"The push certificate is set", topic)

	_, otherKey, _, err := simulator.NewPushCertificate(uuid.NewString(), s.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	b.send(p.path(), text(certificate, otherKey), "", nil).has(http.StatusBadRequest, "was not set")
	reader := s.signedIn(s.bearer("reader", access.ReadOnlyOperator, 0))
	reader.send(p.path(), text(certificate, key), "", nil).has(http.StatusForbidden,
		"no role or permission")
	b.open("/console/audit").has(http.StatusOK, "Set the push certificate")
}

func TestPushCertificateAsFiles(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.token)
	certificate, key, topic, err := simulator.NewPushCertificate(uuid.NewString(), s.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	b.sendFiles("/console/health/push", map[string][]byte{"certificate-file": certificate,
		"key-file": key}).has(http.StatusOK, "The push certificate is set", topic)
	b.sendFiles("/console/health/push", map[string][]byte{"certificate-file": key,
		"key-file": key}).has(http.StatusBadRequest, "‘Certificate’")
	b.sendFiles("/console/health/push", map[string][]byte{"certificate-file": make([]byte,
		1<<20)}).has(http.StatusRequestEntityTooLarge)
}

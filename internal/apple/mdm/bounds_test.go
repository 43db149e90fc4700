package mdm_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/cms/cmstest"
	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// A device that has an identity sends no report that takes more than its length. What is read of it
// is taken.
func TestReportsOfManyElements(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	const head = "<plist version=\"1.0\"><dict><key>UDID</key><string>1</string><key>Status</key><string>Idle</string><key>X</key>"
	for name, body := range map[string]string{
		"elements": head + "<array>" + strings.Repeat("<true/>", 1<<18) +
			"</array></dict></plist>",
		"attributes": head + "<array " + strings.Repeat("a=\"\" ", 1<<18) +
			"/></dict></plist>",
		"hidden attributes": head + "<array " + strings.Repeat("a=\">\" ", 1<<18) +
			"/></dict></plist>",
	} {
		end := cost.Bound(t, 32<<20, time.Second)
		status := d.send([]byte(body), false).status
		end()
		if status != http.StatusOK {
			t.Errorf("%s: status %d", name, status)
		}
		t.Logf("%s: %d bytes", name, len(body))
	}
	d.want(http.StatusOK, d.idle())
}

// Nobody uploads a push certificate that takes long to read.
func TestGreatPushCertificates(t *testing.T) {
	s := newServer(t)
	encode := func(kind string,
		der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	small, great := encode("CERTIFICATE", selfSigned(t, shared.keys[1]()).Raw),
		encode("CERTIFICATE", cmstest.GreatKey(100_000).Raw)
	key := encode("RSA PRIVATE KEY", make([]byte, 100_000))
	for name, certificate := range map[string][]byte{"certificate": great, "private key": small} {
		end := cost.Bound(t, 4<<20, time.Second)
		_, err := s.channel.SetPushCertificate(t.Context(), certificate, key)
		end()
		refused := new(mdm.PushCertificateRefused)
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), name) ||
			!strings.Contains(err.Error(), "8192 bits") &&
				!strings.Contains(err.Error(), "at most 8192") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What says that it is APNs does not fill the server's memory.
func TestEndlessPushAnswer(t *testing.T) {
	written := make(chan int64, 1)
	apns := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"reason":"`)
		n, _ := io.Copy(w, io.LimitReader(endless{}, 256<<20))
		written <- n
	}))
	apns.EnableHTTP2 = true
	apns.StartTLS()
	t.Cleanup(apns.Close)
	s := newServer(t, func(c *mdm.Config) {
		c.APNsURL, c.APNsCAs = apns.URL, x509.NewCertPool()
		c.APNsCAs.AddCert(apns.Certificate())
	})
	s.enroll(t, "1", 1)
	certificate, key := pushCertificate(t, 1, topic, time.Hour)
	if _, err := s.channel.SetPushCertificate(t.Context(), certificate, key); err != nil {
		t.Fatal(err)
	}
	defer cost.Bound(t, 64<<20, 2*time.Second)()
	if err := s.channel.Wake(t.Context(), "device of 1"); err == nil {
		t.Error("the push was taken")
	}
	if n := <-written; n > 16<<20 {
		t.Errorf("%d bytes of its answer were taken", n)
	}
}

// endless is a long word.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a'
	}
	return len(b), nil
}

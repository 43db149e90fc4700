package mdm_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/engine"
)

// pushService is APNs as seen from a provider: HTTP/2 with client certificates.
type pushService struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	reason string
	pushes chan *http.Request
	bodies chan string
}

func newPushService(t *testing.T) *pushService {
	t.Helper()
	p := &pushService{status: http.StatusOK, pushes: make(chan *http.Request, 10),
		bodies: make(chan string, 10)}
	p.Server = httptest.NewUnstartedServer(p)
	p.EnableHTTP2 = true
	p.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	p.StartTLS()
	t.Cleanup(p.Close)
	return p
}

func (p *pushService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	p.pushes <- r
	p.bodies <- string(body)
	w.WriteHeader(p.status)
	if p.status != http.StatusOK {
		_, _ = io.WriteString(w, `{"reason":"`+p.reason+`"}`)
	}
}

func (p *pushService) answer(status int, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.reason = status, reason
}

func (p *pushService) configure(c *mdm.Config) {
	c.APNsURL, c.APNsCAs = p.URL, x509.NewCertPool()
	c.APNsCAs.AddCert(p.Certificate())
}

func (p *pushService) next(t *testing.T) (*http.Request, string) {
	t.Helper()
	select {
	case r := <-p.pushes:
		return r, <-p.bodies
	case <-time.After(10 * time.Second):
		t.Fatal("no push came")
		return nil, ""
	}
}

func pushCertificate(t *testing.T, key int, userID string,
	life time.Duration) (certPEM, keyPEM []byte) {
	t.Helper()
	cert := selfSigned(t, shared.keys[key](), func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "APSP:1", ExtraNames: []pkix.AttributeTypeAndValue{
			{Type: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}, Value: userID}}}
		c.NotAfter = time.Now().Add(life)
	})
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}),
		pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY",
			Bytes: x509.MarshalPKCS1PrivateKey(shared.keys[key]())})
}

func TestPushCertificate(t *testing.T) {
	s, ctx := newServer(t), context.Background()
	if _, err := s.channel.PushCertificate(ctx); !errors.Is(err, mdm.ErrNoPushCertificate) {
		t.Errorf("no certificate yet: %v", err)
	}
	good, goodKey := pushCertificate(t, 1, topic, 48*time.Hour)
	other, otherKey := pushCertificate(t, 2, "com.example.app", time.Hour)
	_, wrongKey := pushCertificate(t, 2, topic, time.Hour)
	expired, _ := pushCertificate(t, 1, topic, -time.Minute)
	plain := selfSigned(t, shared.keys[1]())
	for want, c := range map[string][2][]byte{
		"certificate is not PEM":             {[]byte("x"), goodKey},
		"private key is not PEM":             {good, []byte("x")},
		"does not belong to the certificate": {good, wrongKey},
		"com.apple.mgmt":                     {other, otherKey},
		"not an MDM push certificate": {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
			Bytes: plain.Raw}), goodKey},
		"expired at": {expired, goodKey},
		"private key is encrypted": {good,
			pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}})},
		"the private key cannot be read": {good,
			pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}})},
		"the certificate cannot be read": {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
			Bytes: []byte{1}}), goodKey},
	} {
		if _, err := s.channel.SetPushCertificate(ctx, c[0], c[1]); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if _, err := s.channel.PushCertificate(ctx); !errors.Is(err, mdm.ErrNoPushCertificate) {
		t.Errorf("a refused certificate was stored: %v", err)
	}
	if _, err := s.channel.SetPushCertificate(ctx, good, goodKey); err != nil {
		t.Fatal(err)
	}
	p, err := s.channel.PushCertificate(ctx)
	if err != nil || p.Topic != topic || p.Subject != "APSP:1" ||
		time.Until(p.Expires) < 47*time.Hour {
		t.Errorf("got %+v, %v", p, err)
	}
	link, _ := s.link(t, time.Hour)
	if _, _, profile := get(t, s.client(), link); !strings.Contains(string(profile), topic) ||
		strings.Contains(string(profile), mdm.PlaceholderTopic) {
		t.Error("the enrollment profile does not have the certificate's topic")
	}
}

func TestWake(t *testing.T) {
	apns := newPushService(t)
	s, ctx := newServer(t, apns.configure), context.Background()
	certPEM, keyPEM := pushCertificate(t, 1, topic, 48*time.Hour)
	d := s.newDevice(t, "1", 1)
	if err := s.channel.Wake(ctx, "device of 1"); !errors.Is(err, mdm.ErrNoPushToken) {
		t.Errorf("unknown device: %v", err)
	}
	d.want(http.StatusOK, d.authenticate())
	if err := s.channel.Wake(ctx, "device of 1"); !errors.Is(err, mdm.ErrNoPushToken) {
		t.Errorf("before TokenUpdate: %v", err)
	}
	if _, err := s.channel.SetPushCertificate(ctx, certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	d.want(http.StatusOK, d.tokenUpdate("token 1"))
	apns.next(t) // its work waits for it
	d.want(http.StatusOK, d.tokenUpdate("token 2"))
	r, body := apns.next(t)
	if r.URL.Path != "/3/device/"+hex.EncodeToString([]byte("token 2")) ||
		body != `{"mdm":"magic"}` || r.ProtoMajor != 2 ||
		r.Header.Get("apns-push-type") != "mdm" || r.Header.Get("apns-expiration") == "" ||
		len(r.TLS.PeerCertificates) != 1 ||
		r.TLS.PeerCertificates[0].Subject.CommonName != "APSP:1" {
		t.Errorf("push %s %s %v: %s", r.Proto, r.URL, r.Header, body)
	}
	if err := s.channel.Wake(ctx, "device of 1"); err != nil {
		t.Error(err)
	}
	apns.next(t)

	var rejected *mdm.PushRejected
	apns.answer(http.StatusTooManyRequests, "TooManyRequests")
	if err := s.channel.Wake(ctx, "device of 1"); !errors.As(err, &rejected) ||
		rejected.Reason != "TooManyRequests" {
		t.Errorf("too many: %v", err)
	}
	apns.answer(http.StatusGone, "Unregistered")
	if err := s.channel.Wake(ctx, "device of 1"); !errors.As(err, &rejected) ||
		rejected.Reason != "Unregistered" {
		t.Errorf("unregistered: %v", err)
	}
	if err := s.channel.Wake(ctx, "device of 1"); !errors.Is(err, mdm.ErrNoPushToken) {
		t.Errorf("after its token was given up: %v", err)
	}
	apns.answer(http.StatusOK, "")
	d.want(http.StatusOK, d.tokenUpdate("token 1"))
	if e := s.store.enrollment("1"); string(e.Token) != "token 1" {
		t.Errorf("the device cannot come back with an earlier token: %q", e.Token)
	}

	s.pass(72 * time.Hour)
	if err := s.channel.Wake(ctx, "device of 1"); err == nil ||
		!strings.Contains(err.Error(), "expired") {
		t.Errorf("expired certificate: %v", err)
	}
	otherTopic, otherKey := pushCertificate(t, 2, "com.apple.mgmt.External.2222", 200*time.Hour)
	if _, err := s.channel.ReplacePushCertificate(ctx, otherTopic, otherKey); err != nil {
		t.Fatal(err)
	}
	if err := s.channel.Wake(ctx, "device of 1"); err == nil ||
		!strings.Contains(err.Error(), "enroll again") {
		t.Errorf("another topic: %v", err)
	}
}

func TestWakeWithoutPushCertificate(t *testing.T) {
	s := newServer(t)
	s.enroll(t, "1", 1)
	if err := s.channel.Wake(context.Background(), "device of 1"); !errors.Is(err,
		mdm.ErrNoPushCertificate) {
		t.Errorf("error %v", err)
	}
}

func TestWakeDoesNotTrustAnyPushService(t *testing.T) {
	apns := newPushService(t)
	s, ctx := newServer(t, func(c *mdm.Config) { c.APNsURL = apns.URL }), context.Background()
	certPEM, keyPEM := pushCertificate(t, 1, topic, 48*time.Hour)
	if _, err := s.channel.SetPushCertificate(ctx, certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	s.enroll(t, "1", 1)
	if err := s.channel.Wake(ctx, "device of 1"); err == nil ||
		!strings.Contains(err.Error(), "certificate") {
		t.Errorf("error %v, want one of its certificate", err)
	}
	if len(apns.pushes) > 0 {
		t.Error("a push went out")
	}
}

// A certificate with which devices could not be woken any more is refused, unless it is forced.
func TestPushCertificateOfAnotherTopic(t *testing.T) {
	apns := newPushService(t)
	s, ctx := newServer(t, apns.configure), context.Background()
	const another = "com.apple.mgmt.External.2222"
	certPEM, keyPEM := pushCertificate(t, 1, topic, 48*time.Hour)
	otherPEM, otherKey := pushCertificate(t, 2, another, 48*time.Hour)
	s.enroll(t, "1", 1)
	var refused *mdm.OtherTopic
	if _, err := s.channel.SetPushCertificate(ctx, otherPEM, otherKey); !errors.As(err, &refused) ||
		refused.Devices != 1 || refused.Topic != another {
		t.Fatalf("the first certificate, of another topic: %v", err)
	}
	if _, err := s.channel.PushCertificate(ctx); !errors.Is(err, mdm.ErrNoPushCertificate) {
		t.Errorf("a refused certificate was stored: %v", err)
	}
	for range 2 { // set, and renewed
		if _, err := s.channel.SetPushCertificate(ctx, certPEM, keyPEM); err != nil {
			t.Fatal(err)
		}
	}
	if n, _, err := s.channel.UnwakeableDevices(ctx, nil); n != 0 || err != nil {
		t.Errorf("%d devices cannot be woken, %v", n, err)
	}
	if _, err := s.channel.SetPushCertificate(ctx, otherPEM, otherKey); !errors.As(err, &refused) {
		t.Fatalf("a certificate of another topic: %v", err)
	}
	if p, err := s.channel.ReplacePushCertificate(ctx, otherPEM, otherKey); err != nil ||
		p.Topic != another {
		t.Fatalf("forced: %+v, %v", p, err)
	}
	if n, names, err := s.channel.UnwakeableDevices(ctx, nil); n != 1 || len(names) != 1 ||
		err != nil {
		t.Errorf("%d devices cannot be woken, %v, %v", n, names, err)
	}
	var why engine.Unwakeable
	if err := s.channel.Wake(ctx, "device of 1"); !errors.As(err, &why) ||
		!strings.Contains(why.Unwakeable(), topic) || !strings.Contains(why.Unwakeable(), another) {
		t.Errorf("waking the device: %v", err)
	}
}

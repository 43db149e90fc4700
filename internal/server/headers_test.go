package server_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// trust is the TLS configuration of a client that trusts the server's own CA.
func trust(t *testing.T, s *server.Server) *tls.Config {
	t.Helper()
	ca, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &tls.Config{RootCAs: pool}
}

func browser(t *testing.T, c *tls.Config) *http.Client {
	transport := &http.Transport{TLSClientConfig: c}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute,
		CheckRedirect: func(*http.Request,
			[]*http.Request) error {
			return http.ErrUseLastResponse
		}}
}

func address(s *server.Server) string { return strings.TrimPrefix(s.URL(), "https://") }

// checkHeaders checks what every answer has.
func checkHeaders(t *testing.T, what string, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
	} {
		if got := h.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %s is %q, want %q", what, name, got, want)
		}
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	s := start(t, server.Config{DataDir: servertest.Folder(t)})
	client := browser(t, trust(t, s))
	link, _, err := s.Channel().EnrollmentLink(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, bearer, err := s.Tokens().Create(t.Context(),
		access.TokenInput{Name: "me", Role: access.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, path string
		token        bool
		want         int
	}{
		{"GET", "/healthz", false, 200},
		{"GET", "/readyz", false, 200},
		{"HEAD", "/readyz", false, 200},
		{"PUT", "/readyz", false, 401},
		{"GET", "/", false, 401},
		{"GET", "/beta/deviceManagement/managedDevices", false, 401},
		{"GET", "/beta/deviceManagement/managedDevices", true, 200},
		{"DELETE", "/beta/deviceManagement/managedDevices", true, 405},
		{"GET", "/nothing", true, 404},
		{"GET", "/mdm", false, 405},
		{"PUT", "/mdm", false, 400},
		{"GET", "/scep", false, 400},
		{"GET", "/scep?operation=GetCACert", false, 200},
		{"DELETE", "/scep", false, 405},
		{"GET", "/enroll/x", false, 404},
		{"GET", "/enroll//x", false, 401},
		{"GET", strings.TrimPrefix(link, s.URL()), false, 200},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, s.URL()+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.token {
			r.Header.Set("Authorization", "Bearer "+bearer)
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		what := c.method + " " + c.path
		if res.StatusCode != c.want {
			t.Errorf("%s: %s, want %d", what, res.Status, c.want)
		}
		checkHeaders(t, what, res.Header)
		if res.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: localhost, under the server's own CA, is bound to HTTPS", what)
		}
	}
	if res := raw(t, s,
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("OPTIONS *: %s", res.Status)
	} else {
		checkHeaders(t, "OPTIONS *", res.Header)
	}
}

// raw sends a request as it is written.
func raw(t *testing.T, s *server.Server, request string) *http.Response {
	t.Helper()
	conn, err := tls.Dial("tcp", address(s), trust(t, s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// A stream flushes and sets deadlines through the writer: it must not be a wrapped one.
func TestHeadersLeaveStreamsAlone(t *testing.T) {
	s := start(t, server.Config{DataDir: servertest.Folder(t)})
	_, bearer, err := s.Tokens().Create(t.Context(),
		access.TokenInput{Name: "me", Role: access.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	for _, second := range []bool{false, true} {
		client := browser(t, trust(t, s))
		client.Transport.(*http.Transport).ForceAttemptHTTP2 = second
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL()+"/api/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+bearer)
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		checkHeaders(t, "/api/events", res.Header)
		line, err := bufio.NewReader(res.Body).ReadString('\n')
		if err != nil || line == "" || (res.ProtoMajor == 2) != second {
			t.Errorf("%s: the stream begins with %q, %v", res.Proto, line, err)
		}
		_ = res.Body.Close()
	}
}

// selfSigned writes a certificate for the names, and its key.
func selfSigned(t *testing.T, names ...string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"),
		filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der},
		keyFile: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestStrictTransportSecurity(t *testing.T) {
	certFile, keyFile := selfSigned(t, "mdm.example")
	for host, want := range map[string]string{"mdm.example": "max-age=63072000", "localhost": "",
		"LOCALHOST":     "",
		"mdm.localhost": "", "127.0.0.1": "", "192.0.2.1": "", "[::1]": ""} {
		socket, _ := held(t)
		start := server.Config{DataDir: servertest.Folder(t), Listen: socket.Addr(),
			URL:         "https://" + host,
			TLSCertFile: certFile, TLSKeyFile: keyFile, Log: slog.New(slog.DiscardHandler)}
		beginOn(t, socket, start)
		res, err := browser(t, &tls.Config{InsecureSkipVerify: true}).Get("https://" +
			start.Listen + "/enroll/x")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got := res.Header.Get("Strict-Transport-Security"); got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

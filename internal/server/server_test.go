package server_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

func start(t *testing.T, c server.Config) *server.Server {
	t.Helper()
	c.Listen, c.Log = "127.0.0.1:0", slog.New(slog.DiscardHandler)
	s, err := server.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

// presented is the certificate that the server shows, by a chain that a client with the CA file at
// that time accepts.
func presented(t *testing.T, s *server.Server, now func() time.Time) *x509.Certificate {
	t.Helper()
	ca, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	conn, err := tls.Dial("tcp", strings.TrimPrefix(s.URL(), "https://"),
		&tls.Config{RootCAs: pool, Time: now})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}

func TestCertificateIsRenewed(t *testing.T) {
	c := clocktest.New(time.Now())
	s := start(t, server.Config{DataDir: t.TempDir(), Clock: c})
	first := presented(t, s, c.Now)
	c.Advance(300 * 24 * time.Hour)
	if second := presented(t, s, c.Now); !second.Equal(first) {
		t.Error("renewed long before it expires")
	}
	c.Advance(90 * 24 * time.Hour)
	if third := presented(t, s, c.Now); third.Equal(first) ||
		third.NotAfter.Sub(c.Now()) < 300*24*time.Hour {
		t.Errorf("a week before it expires the certificate is valid until %s", third.NotAfter)
	}
}

func TestCAStaysOverRestarts(t *testing.T) {
	dir := t.TempDir()
	read := func() string {
		s := start(t, server.Config{DataDir: dir})
		ca, err := os.ReadFile(s.CAFile())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		return string(ca)
	}
	if first := read(); first != read() {
		t.Error("clients that trusted the CA are lost after a restart")
	}
}

func TestBadConfigurations(t *testing.T) {
	for name, c := range map[string]struct {
		config server.Config
		says   string
	}{
		"http":          {server.Config{URL: "http://mdm.example"}, "https"},
		"no host":       {server.Config{URL: "https://"}, "https"},
		"half a pair":   {server.Config{TLSCertFile: "x.pem"}, "both files"},
		"half a signer": {server.Config{SigningKeyFile: "x.pem"}, "both files"},
	} {
		t.Run(name, func(t *testing.T) {
			c.config.DataDir, c.config.Listen = t.TempDir(), "127.0.0.1:0"
			if _, err := server.Start(t.Context(), c.config); err == nil ||
				!strings.Contains(err.Error(), c.says) {
				t.Errorf("started with %v", err)
			}
		})
	}
}

// A file that is no database is refused, not overwritten.
func TestForeignFile(t *testing.T) {
	dir := t.TempDir()
	foreign := strings.Repeat("not a database. ", 1000)
	if err := os.WriteFile(dir+"/syncpayloads.db", []byte(foreign), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Start(t.Context(), server.Config{DataDir: dir,
		Listen: "127.0.0.1:0"}); err == nil {
		t.Fatal("started on a foreign file")
	}
	if after, _ := os.ReadFile(dir + "/syncpayloads.db"); string(after) != foreign {
		t.Error("the foreign file was changed")
	}
}

// A running server answers without a token on /healthz and /readyz only.
func TestOpenPaths(t *testing.T) {
	s := start(t, server.Config{DataDir: servertest.Folder(t)})
	ca, _ := os.ReadFile(s.CAFile())
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200,
		"/beta/deviceManagement/managedDevices": 401, "/": 401, "/enroll/x": 404} {
		res, err := client.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", path, res.StatusCode, body, want)
		}
	}
}

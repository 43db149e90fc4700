package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
	"github.com/smallstep/pkcs7"

	"github.com/syncpayloads/syncpayloads/internal/activation"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// The CA validates at once, and takes every nonce.
func TestMain(m *testing.M) {
	_ = os.Setenv("PEBBLE_VA_NOSLEEP", "1")
	_ = os.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	os.Exit(servertest.Main(m))
}

const acmeDomain = "mdm.acme.example"

// acmeCA is Pebble, Let's Encrypt's ACME server for tests: it visits every domain on loopback, at
// port.
type acmeCA struct {
	*httptest.Server
	roots  *x509.CertPool
	orders atomic.Int32
}

func newACMECA(t *testing.T, port int, validity time.Duration) *acmeCA {
	t.Helper()
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	profiles := map[string]ca.Profile{"default": {ValidityPeriod: uint64(validity / time.Second)}}
	authority := ca.New(quiet, store, "", "ecdsa", 0, 1, profiles)
	validator := va.New(quiet, 0, port, true, loopbackDNS(t), store)
	front := wfe.New(quiet, store, validator, authority, nil, true, false, 1, 1)
	handler := front.Handler()
	c := &acmeCA{roots: x509.NewCertPool()}
	c.roots.AddCert(authority.GetRootCert(0).Cert)
	c.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/order-plz" {
			c.orders.Add(1)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

// loopbackDNS is a name server by which every name leads to this machine.
func loopbackDNS(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{Listener: listener, Handler: dns.HandlerFunc(func(w dns.ResponseWriter,
		q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		if question := q.Question[0]; question.Qtype == dns.TypeA {
			answer.Answer = []dns.RR{&dns.A{A: net.IPv4(127, 0, 0, 1),
				Hdr: dns.RR_Header{Name: question.Name, Rrtype: dns.TypeA, Class: dns.ClassINET,
					Ttl: 1}}}
		}
		_ = w.WriteMsg(answer)
	})}
	go func() { _ = s.ActivateAndServe() }()
	t.Cleanup(func() { _ = s.Shutdown() })
	return listener.Addr().String()
}

// held is a socket that no other test can have, whichever server listens on it.
func held(t *testing.T) (s *activation.Socket, port int) {
	t.Helper()
	s, err := activation.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	_, number, err := net.SplitHostPort(s.Addr())
	if err == nil {
		port, err = strconv.Atoi(number)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s, port
}

// config is of a server that gets its certificate from the CA.
func (c *acmeCA) config(dir string, s *activation.Socket, log io.Writer) server.Config {
	return server.Config{DataDir: dir, Listen: s.Addr(), URL: "https://" + acmeDomain,
		Log: slog.New(slog.NewTextHandler(log, nil)),
		ACME: server.ACME{Domains: []string{acmeDomain}, Email: "admin@acme.example",
			Directory: c.URL + wfe.DirectoryPath, AcceptTerms: true,
			RootPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
				Bytes: c.Certificate().Raw})}}
}

// beginOn starts a server on a socket.
func beginOn(t *testing.T, s *activation.Socket, c server.Config) *server.Server {
	t.Helper()
	var err error
	if c.Listener, err = s.Listener(); err != nil {
		t.Fatal(err)
	}
	return begin(t, c)
}

func begin(t *testing.T, c server.Config) *server.Server {
	t.Helper()
	s, err := server.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

// client reaches the server as a browser that trusts the CA.
func (c *acmeCA) client(t *testing.T, listen string) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.roots},
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, listen)
		}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

func handshake(listen string, c *tls.Config) (*x509.Certificate, error) {
	conn, err := tls.Dial("tcp", listen, c)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

func TestACMECertificate(t *testing.T) {
	socket, port := held(t)
	dir := t.TempDir()
	authority := newACMECA(t, port, 90*24*time.Hour)
	var logged buffer
	config := authority.config(dir, socket, &logged)
	s := beginOn(t, socket, config)
	trusting := &tls.Config{RootCAs: authority.roots, ServerName: acmeDomain}
	leaf, err := handshake(config.Listen, trusting)
	if err != nil {
		t.Fatalf("the first handshake: %v; the server says %s", err, logged.String())
	}
	if names := leaf.DNSNames; len(names) != 1 || names[0] != acmeDomain {
		t.Errorf("the certificate is for %v", names)
	}
	for name, c := range map[string]*tls.Config{"no name": {InsecureSkipVerify: true},
		"another case": {RootCAs: authority.roots, ServerName: strings.ToUpper(acmeDomain)}} {
		if again, err := handshake(config.Listen, c); err != nil || !again.Equal(leaf) {
			t.Errorf("%s: another certificate, or %v", name, err)
		}
	}
	for _, name := range []string{"other.acme.example", "acme.example", "x." + acmeDomain,
		"localhost"} {
		if c, err := handshake(config.Listen,
			&tls.Config{InsecureSkipVerify: true, ServerName: name}); err == nil {
			t.Errorf("%s got the certificate of %v", name, c.DNSNames)
		}
	}
	authority.checkProfile(t, s, config)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	beginOn(t, socket, config)
	if again, err := handshake(config.Listen, trusting); err != nil || !again.Equal(leaf) {
		t.Errorf("a restart lost the certificate, or %v", err)
	}
	if n := authority.orders.Load(); n != 1 {
		t.Errorf("%d orders, want 1", n)
	}
	if text := logged.String(); !strings.Contains(text, "TLS certificate in use") ||
		strings.Contains(text, "level=ERROR") {
		t.Errorf("the log: %s", text)
	}
}

// checkProfile checks that enrollment profiles are signed with the certificate, and bring the
// private CA's root.
func (c *acmeCA) checkProfile(t *testing.T, s *server.Server, config server.Config) {
	t.Helper()
	link, _, err := s.Channel().EnrollmentLink(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.client(t, config.Listen).Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || res.ProtoMajor != 2 {
		t.Fatalf("%s %s %v: %s", res.Proto, res.Status, err, body)
	}
	if res.Header.Get("Strict-Transport-Security") == "" {
		t.Error("browsers are not told to use HTTPS only")
	}
	profile, err := pkcs7.Parse(body)
	if err != nil {
		t.Fatalf("the profile is not signed: %v", err)
	}
	if err := profile.VerifyWithChain(c.roots); err != nil {
		t.Errorf("the profile's signature: %v", err)
	}
	if root := "com.apple.security.root"; !bytes.Contains(profile.Content, []byte(root)) {
		t.Errorf("the profile has no %s", root)
	}
}

func TestACMECertificateIsRenewed(t *testing.T) {
	t.Parallel()
	socket, port := held(t)
	authority := newACMECA(t, port, 8*time.Second)
	config := authority.config(t.TempDir(), socket, io.Discard)
	beginOn(t, socket, config)
	trusting := &tls.Config{RootCAs: authority.roots, ServerName: acmeDomain}
	first, err := handshake(config.Listen, trusting)
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		now, err := handshake(config.Listen, trusting)
		if err != nil {
			t.Fatalf("%s before it expires: %v", time.Until(first.NotAfter), err)
		}
		if !now.Equal(first) {
			return
		}
	}
}

func TestACMEFailure(t *testing.T) {
	t.Parallel()
	socket, _ := held(t)
	other, elsewhere := held(t) // where the domain's port leads
	_ = other.Close()
	authority := newACMECA(t, elsewhere, time.Hour)
	var logged buffer
	config := authority.config(t.TempDir(), socket, &logged)
	beginOn(t, socket, config)
	for range 5 {
		if _, err := handshake(config.Listen,
			&tls.Config{InsecureSkipVerify: true, ServerName: acmeDomain}); err == nil {
			t.Fatal("a certificate without proof")
		}
	}
	text := logged.String()
	if strings.Count(text, "level=ERROR") != 1 || !strings.Contains(text, "port 443") ||
		!strings.Contains(text, acmeDomain) ||
		!strings.Contains(text, authority.URL) {
		t.Errorf("the log: %s", text)
	}
	// autocert itself orders a second time to try another challenge
	if n := authority.orders.Load(); n > 2 {
		t.Errorf("%d orders for one try", n)
	}
}

// A certificate that the CA does not renew is told of before it expires.
func TestACMERenewalThatFails(t *testing.T) {
	t.Parallel()
	socket, port := held(t)
	authority := newACMECA(t, port, 8*time.Second)
	var logged buffer
	config := authority.config(t.TempDir(), socket, &logged)
	beginOn(t, socket, config)
	trusting := &tls.Config{RootCAs: authority.roots, ServerName: acmeDomain}
	if _, err := handshake(config.Listen, trusting); err != nil {
		t.Fatal(err)
	}
	authority.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		if _, err := handshake(config.Listen, trusting); err != nil {
			t.Fatalf("expired, and nobody was told: %v; the log: %s", err, logged.String())
		}
		if text := logged.String(); strings.Contains(text, "level=ERROR") {
			if !strings.Contains(text, "was not renewed") ||
				strings.Count(text, "level=ERROR") != 1 {
				t.Errorf("the log: %s", text)
			}
			return
		}
	}
}

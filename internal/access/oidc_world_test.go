package access_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const audience = "api://syncpayloads"

// issuer is an identity provider in a process of its own.
type issuer struct {
	t          testing.TB
	url        string
	cas        *x509.CertPool
	chain, own []byte
	process    *exec.Cmd
	orders     io.WriteCloser
	replies    *json.Decoder
}

// startIssuer runs an identity provider until the test ends. It signs with the RSA key "first".
func startIssuer(t testing.TB) *issuer {
	t.Helper()
	i := &issuer{t: t}
	i.chain, i.own, i.cas = newCertificate(t)
	t.Cleanup(i.stop)
	i.start("127.0.0.1:0")
	i.publish("first", jose.RS256)
	return i
}

func (i *issuer) start(address string) {
	i.t.Helper()
	i.process = exec.Command(os.Args[0])
	i.process.Env = append(os.Environ(), issuerVariable+"=1")
	i.process.Stderr = os.Stderr
	orders, err := i.process.StdinPipe()
	if err != nil {
		i.t.Fatal(err)
	}
	replies, err := i.process.StdoutPipe()
	if err != nil {
		i.t.Fatal(err)
	}
	if err := i.process.Start(); err != nil {
		i.t.Fatal(err)
	}
	i.orders, i.replies = orders, json.NewDecoder(replies)
	i.url = "https://" + i.do(order{Do: "serve", Address: address, Chain: i.chain,
		Own: i.own}).Address
}

// stop kills the process, if it runs.
func (i *issuer) stop() {
	if i.process == nil || i.process.Process == nil || i.process.ProcessState != nil {
		return
	}
	_ = i.process.Process.Kill()
	_ = i.process.Wait() // it was killed
}

// restart runs it again, at the same address, without any key.
func (i *issuer) restart() {
	i.t.Helper()
	i.start(strings.TrimPrefix(i.url, "https://"))
}

func (i *issuer) do(o order) reply {
	i.t.Helper()
	var r reply
	if err := json.NewEncoder(i.orders).Encode(o); err != nil {
		i.t.Fatal(err)
	}
	if err := i.replies.Decode(&r); err != nil {
		i.t.Fatal(err)
	}
	if r.Err != "" {
		i.t.Fatalf("%s: %s", o.Do, r.Err)
	}
	return r
}

func (i *issuer) publish(key string, algorithm jose.SignatureAlgorithm) {
	i.t.Helper()
	i.do(order{Do: "publish", Key: key, Algorithm: algorithm})
}

// sign returns a token with these claims, signed with the key of this id.
func (i *issuer) sign(key string, claims map[string]any) string {
	i.t.Helper()
	return i.do(order{Do: "sign", Key: key, Payload: encode(i.t, claims)}).Token
}

// fetches is how often its metadata and its keys were read, together.
func (i *issuer) fetches() int {
	i.t.Helper()
	return i.do(order{Do: "fetches"}).Fetches
}

// client trusts the issuer's certificate.
func (i *issuer) client() *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: i.cas}}
	i.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// jwk reads a public key from the issuer.
func (i *issuer) jwk(id string) jose.JSONWebKey {
	i.t.Helper()
	response, err := i.client().Get(i.url + "/keys")
	if err != nil {
		i.t.Fatal(err)
	}
	defer response.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
		i.t.Fatal(err)
	}
	return set.Key(id)[0]
}

// claims are those of a valid delegated token, with others added; nil removes a claim.
func (i *issuer) claims(now time.Time, others map[string]any) map[string]any {
	claims := map[string]any{
		"iss": i.url, "aud": audience, "sub": "ada", "scp": "DeviceManagementApps.Read.All",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	maps.Copy(claims, others)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return claims
}

func encode(t testing.TB, value any) []byte {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// newCertificate makes a CA and a certificate of it for 127.0.0.1.
func newCertificate(t testing.TB) (chain, own []byte, cas *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "issuer"}, IsCA: true,
		BasicConstraintsValid: true,
		NotBefore:             time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	chain = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	cas = x509.NewCertPool()
	cas.AppendCertsFromPEM(chain)
	return chain, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), cas
}

// hands are a clock that the test moves.
type hands struct {
	mu sync.Mutex
	at time.Time
}

func newHands() *hands { return &hands{at: time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)} }

func (h *hands) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hands) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

// newProvider accepts the issuer's tokens. change may alter how.
func newProvider(t testing.TB, i *issuer, now func() time.Time,
	change func(*access.ProviderConfig)) *access.Provider {
	t.Helper()
	config := access.ProviderConfig{
		Issuer: i.url, Audience: audience, CAs: i.cas, Now: now,
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if change != nil {
		change(&config)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	p, err := access.NewProvider(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// mustRefuse fails the test unless the bearer is refused for a reason that contains the text.
func mustRefuse(t testing.TB, p *access.Provider, bearer, reason string) {
	t.Helper()
	identity, err := p.Identify(t.Context(), bearer)
	if !errors.Is(err, access.ErrUnauthenticated) {
		t.Fatalf("got %+v and error %v; want ErrUnauthenticated because of %q", identity, err,
			reason)
	}
	if identity != nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("got %+v and error %q; want no identity, and reason %q", identity, err, reason)
	}
}

// mustBeUnavailable fails the test unless the error says that the issuer cannot be asked.
func mustBeUnavailable(t testing.TB, p *access.Provider, bearer string) {
	t.Helper()
	identity, err := p.Identify(t.Context(), bearer)
	if err == nil || errors.Is(err, access.ErrUnauthenticated) || identity != nil {
		t.Fatalf("got %+v and error %v; want an error that is not ErrUnauthenticated", identity,
			err)
	}
}

func mustAccept(t testing.TB, p *access.Provider, bearer string) *access.Identity {
	t.Helper()
	identity, err := p.Identify(t.Context(), bearer)
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

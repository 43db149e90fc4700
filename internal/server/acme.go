package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
	"golang.org/x/sync/singleflight"

	"github.com/syncpayloads/syncpayloads/internal/backoff"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/limit"
)

// ACME is how the server gets and renews its TLS certificate by itself (RFC 8555). The CA looks for
// the proof at port 443 of each domain (TLS-ALPN-01, RFC 8737), which must lead to where the server
// listens.
type ACME struct {
	// names to get a certificate for, the host of Config.URL among them; none: ACME is off
	Domains   []string
	Email     string // to whom the CA writes; empty: to nobody
	Directory string // URL of the CA's directory; default: Let's Encrypt's
	// of a private CA: who its directory is, and for devices to trust; empty: everybody knows the
	// CA
	RootPEM     []byte
	AcceptTerms bool // the CA's terms of service are accepted; required
}

const (
	// Let's Encrypt takes five failed validations of a name an hour: tries come 2, 4, 8 minutes and
	// so on apart.
	acmeFirstWait   = 2 * time.Minute
	acmeLongestWait = time.Hour
	acmeTimeout     = 30 * time.Second // of one request to the CA
	// bytes of its answer; a chain of certificates has a few thousand
	acmeAnswer = 1 << 20

	acmeAdvice = "check that the domain and its port 443 lead to this server, and that the server reaches the CA's directory"
)

// check refuses what the CA could not issue, or devices would not find.
func (a *ACME) check(host string) error {
	for _, d := range a.Domains {
		if net.ParseIP(d) != nil || !strings.Contains(strings.Trim(d, "."), ".") ||
			strings.ContainsFunc(d, notOfDomain) {
			return fmt.Errorf("ACME domain %q: want a full domain name, in its ASCII form, such as mdm.example.com", d)
		}
	}
	if !slices.ContainsFunc(a.Domains, func(d string) bool { return strings.EqualFold(d, host) }) {
		return fmt.Errorf("the URL's host %q is not among the ACME domains: set the URL to https://%s, or add the host",
			host, a.Domains[0])
	}
	if !a.AcceptTerms {
		return errors.New("the terms of service of the ACME CA are not accepted: read them, then say so")
	}
	if u, err := url.Parse(a.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("ACME directory %q: want the https:// URL of the CA's directory",
			a.Directory)
	}
	return nil
}

func notOfDomain(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' &&
		r != '.'
}

// loadACME returns the identity that the CA gives the server, as soon as somebody asks for it.
func loadACME(c Config, cache autocert.Cache, host string) (*serverIdentity, error) {
	a := c.ACME
	if a.Directory == "" {
		a.Directory = acme.LetsEncryptURL
	}
	if err := a.check(host); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	if len(a.RootPEM) > 0 {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(a.RootPEM) {
			return nil, errors.New("the ACME CA's root has no certificate in PEM")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	m := &acmeCertificates{host: strings.ToLower(host), domains: a.Domains, directory: a.Directory,
		clock: c.Clock, log: c.Log,
		cache: &closableCache{Cache: cache, log: c.Log}, ended: make(chan struct{}),
		tries: make(map[string]*acmeTry)}
	m.manager = &autocert.Manager{Prompt: autocert.AcceptTOS, Cache: m.cache,
		HostPolicy: autocert.HostWhitelist(a.Domains...),
		Email:      a.Email, Client: &acme.Client{DirectoryURL: a.Directory,
			UserAgent: "syncpayloads",
			HTTPClient: &http.Client{Transport: limit.Answers(transport, acmeAnswer),
				Timeout: acmeTimeout}}}
	return &serverIdentity{certificate: m.get,
		signer:  func() (*tls.Certificate, error) { return m.certificate(m.host) },
		rootPEM: a.RootPEM, acme: m}, nil
}

// acmeCertificates gets certificates from an ACME CA. autocert does the work; this holds back after
// failures, and says in the log what became of it.
type acmeCertificates struct {
	manager   *autocert.Manager
	cache     *closableCache
	host      string // whose certificate a client gets that names none
	domains   []string
	directory string
	clock     engine.Clock
	log       *slog.Logger
	ended     chan struct{}

	asking singleflight.Group
	mu     sync.Mutex
	tries  map[string]*acmeTry
}

// acmeTry is how it went with one domain.
type acmeTry struct {
	err      error
	failures int
	again    time.Time // not to ask before
	expires  time.Time // of the certificate that was logged last
	warned   time.Time // when it was logged that it should have been renewed
}

// get is for tls.Config.GetCertificate. The CA's own visit is recognized by its only protocol (RFC
// 8737, section 3).
func (a *acmeCertificates) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) {
		return a.manager.GetCertificate(hello)
	}
	if hello.ServerName == "" {
		return a.certificate(a.host)
	}
	return a.certificate(strings.ToLower(strings.TrimSuffix(hello.ServerName, ".")))
}

// certificate returns the certificate of a domain, and waits for the CA if there is none yet.
func (a *acmeCertificates) certificate(domain string) (*tls.Certificate, error) {
	if err := a.manager.HostPolicy(context.Background(), domain); err != nil {
		return nil, err
	}
	got, err, _ := a.asking.Do(domain, func() (any, error) { return a.ask(domain) })
	if err != nil {
		return nil, err
	}
	return got.(*tls.Certificate), nil
}

func (a *acmeCertificates) ask(domain string) (*tls.Certificate, error) {
	if err := a.heldBack(domain); err != nil {
		return nil, err
	}
	// Always as to a client that takes ECDSA: one that knows only RSA must not make the server
	// order another certificate.
	certificate, err := a.manager.GetCertificate(&tls.ClientHelloInfo{ServerName: domain,
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}})
	a.note(domain, certificate, err)
	return certificate, err
}

func (a *acmeCertificates) heldBack(domain string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.tries[domain]; t != nil && t.err != nil && a.clock.Now().Before(t.again) {
		return t.err
	}
	return nil
}

// note remembers how asking went, and logs what is new.
func (a *acmeCertificates) note(domain string, got *tls.Certificate, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now, t := a.clock.Now(), a.tries[domain]
	if t == nil {
		t = &acmeTry{}
		a.tries[domain] = t
	}
	if t.err = err; err != nil {
		t.failures++
		t.again = now.Add(backoff.After(acmeFirstWait, acmeLongestWait, 2, t.failures))
		a.log.Error("the CA issued no TLS certificate; "+acmeAdvice, "domain", domain, "directory",
			a.directory,
			"err", err, "again", t.again.UTC())
		return
	}
	t.failures = 0
	leaf := got.Leaf
	if !leaf.NotAfter.Equal(t.expires) {
		t.expires = leaf.NotAfter
		a.log.Info("TLS certificate in use", "domain", domain, "issuer", leaf.Issuer.CommonName,
			"expires", leaf.NotAfter)
	}
	// autocert renews when a third of the lifetime is left, and tells nobody when it cannot.
	late := leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 6)
	if now.After(late) && now.Sub(t.warned) >= time.Hour {
		t.warned = now
		a.log.Error("the TLS certificate expires and was not renewed; "+acmeAdvice, "domain",
			domain, "directory", a.directory,
			"expires", leaf.NotAfter)
	}
}

// obtain gets what is missing before a device has to wait for it.
func (a *acmeCertificates) obtain() {
	for _, domain := range a.domains {
		go a.insist(strings.ToLower(domain))
	}
}

// insist asks until there is a certificate.
func (a *acmeCertificates) insist(domain string) {
	for {
		if _, err := a.certificate(domain); err == nil {
			return
		}
		select {
		case <-a.ended:
			return
		case <-a.clock.After(acmeFirstWait):
		}
	}
}

// close keeps autocert's timers, which cannot be stopped, from the database.
func (a *acmeCertificates) close() {
	close(a.ended)
	a.cache.close()
}

// closableCache is a cache that is closed before its database is.
type closableCache struct {
	autocert.Cache
	log    *slog.Logger
	mu     sync.RWMutex
	closed bool
}

var errCacheClosed = errors.New("the server has ended")

func (c *closableCache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

func (c *closableCache) use(fn func() error) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return errCacheClosed
	}
	return fn()
}

func (c *closableCache) Get(ctx context.Context, name string) (data []byte, err error) {
	err = c.use(func() error {
		data, err = c.Cache.Get(ctx, name)
		return err
	})
	return data, err
}

// Put logs a failure, of which autocert says nothing.
func (c *closableCache) Put(ctx context.Context, name string, data []byte) error {
	err := c.use(func() error { return c.Cache.Put(ctx, name, data) })
	if err != nil {
		c.log.Error("what the ACME CA issued is not kept; it is ordered again after a restart",
			"name", name, "err", err)
	}
	return err
}

func (c *closableCache) Delete(ctx context.Context, name string) error {
	return c.use(func() error { return c.Cache.Delete(ctx, name) })
}

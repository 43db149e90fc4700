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

// ACME configures how the server gets and renews its TLS certificate by itself (RFC 8555). The CA
// checks each domain at its port 443 (TLS-ALPN-01, RFC 8737), which must lead to the server's
// listener.
type ACME struct {
	// Domains are the names to get certificates for, the host of Config.URL among them; none: ACME
	// is off.
	Domains   []string
	Email     string // where the CA may send mail; empty: nowhere
	Directory string // https URL of the CA's directory; default: Let's Encrypt's
	// RootPEM is the root certificate of a private CA. The server trusts it for the CA's directory,
	// and devices are told to trust it. Empty: the CA is a public one.
	RootPEM     []byte
	AcceptTerms bool // accepts the CA's terms of service; required
}

const (
	// Let's Encrypt allows five failed validations of a name an hour, so attempts come 2, 4, 8
	// minutes and so on apart.
	acmeFirstWait   = 2 * time.Minute
	acmeLongestWait = time.Hour
	acmeTimeout     = 30 * time.Second // for one request to the CA
	// the most bytes of an answer of the CA; a certificate chain has a few thousand
	acmeAnswer = 1 << 20

	acmeAdvice = "check that the domain and its port 443 lead to this server, and that the server reaches the CA's directory"
)

// check refuses domains that the CA could not certify, or where devices would not find the server.
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

// loadACME returns an identity whose certificates the CA issues. Nothing is asked of the CA before
// somebody needs a certificate.
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

// acmeCertificates gets certificates from an ACME CA. autocert does the work; this type waits after
// failures, and logs what happened.
type acmeCertificates struct {
	manager   *autocert.Manager
	cache     *closableCache
	host      string // a client that names no host gets this one's certificate
	domains   []string
	directory string
	clock     engine.Clock
	log       *slog.Logger
	ended     chan struct{}

	asking singleflight.Group
	mu     sync.Mutex
	tries  map[string]*acmeTry
}

// acmeTry is the result of the last attempt for one domain.
type acmeTry struct {
	err      error
	failures int
	again    time.Time // when to ask again, after a failure
	expires  time.Time // when the certificate expires that was last logged
	warned   time.Time // when it was last logged that renewal is late
}

// get is the server's tls.Config.GetCertificate. The CA's own check is recognized by its only
// protocol (RFC 8737, section 3).
func (a *acmeCertificates) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) {
		return a.manager.GetCertificate(hello)
	}
	if hello.ServerName == "" {
		return a.certificate(a.host)
	}
	return a.certificate(strings.ToLower(strings.TrimSuffix(hello.ServerName, ".")))
}

// certificate returns a domain's certificate. If there is none yet, it waits for the CA.
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
	if err := a.lastFailure(domain); err != nil {
		return nil, err
	}
	// Always ask as a client that supports ECDSA. A client that supports only RSA must not make the
	// server order a second certificate.
	certificate, err := a.manager.GetCertificate(&tls.ClientHelloInfo{ServerName: domain,
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}})
	a.recordResult(domain, certificate, err)
	return certificate, err
}

func (a *acmeCertificates) lastFailure(domain string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.tries[domain]; t != nil && t.err != nil && a.clock.Now().Before(t.again) {
		return t.err
	}
	return nil
}

// recordResult remembers how an attempt went, and logs what is new.
func (a *acmeCertificates) recordResult(domain string, got *tls.Certificate, err error) {
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
	// autocert renews when a third of the lifetime is left, and does not report when it cannot. So
	// a renewal is late when only a sixth is left.
	late := leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 6)
	if now.After(late) && now.Sub(t.warned) >= time.Hour {
		t.warned = now
		a.log.Error("the TLS certificate expires and was not renewed; "+acmeAdvice, "domain",
			domain, "directory", a.directory,
			"expires", leaf.NotAfter)
	}
}

// obtainAll gets missing certificates now, so that no device has to wait for one.
func (a *acmeCertificates) obtainAll() {
	for _, domain := range a.domains {
		go a.obtain(strings.ToLower(domain))
	}
}

// obtain asks until there is a certificate.
func (a *acmeCertificates) obtain(domain string) {
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

// close ends the use of the database. autocert's timers cannot be stopped, and could fire later.
func (a *acmeCertificates) close() {
	close(a.ended)
	a.cache.close()
}

// closableCache is an autocert.Cache that refuses everything once it is closed, which happens
// before its database is.
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

// Put implements autocert.Cache. It logs failures, because autocert does not.
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

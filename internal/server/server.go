// Package server puts the rooms of the house together into a running server: database, engine, channels, the Graph
// surface and TLS. The program and the end-to-end tests start it the same way.
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
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/channel/apple"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/graph"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// DatabaseFile is the name of the database in Config.DataDir.
const DatabaseFile = "syncpayloads.db"

// DefaultRestoreAfter is after how long the server restores by itself what a call removed.
const DefaultRestoreAfter = 8 * time.Hour

// DefaultKeepEvents is how long events are kept.
const DefaultKeepEvents = 30 * 24 * time.Hour

// Config is what a server is made of. DataDir is required; the zero value of the rest has a default, but RestoreAfter,
// whose zero is never.
type Config struct {
	DataDir string // holds the database and the CA's certificate
	Listen  string // host:port; default 127.0.0.1:8443
	URL     string // where clients and devices reach the server, https://host[:port]; default: made of Listen

	TLSCertFile, TLSKeyFile string // PEM; empty: a certificate of the server's own CA
	// SigningCertFile and SigningKeyFile sign enrollment profiles, PEM. Empty: TLSCertFile and TLSKeyFile do, if given;
	// a signature of the server's own CA would say nothing to a device that does not know it yet.
	SigningCertFile, SigningKeyFile string
	TrustForwarded                  bool   // believe a proxy's X-Forwarded-Proto and X-Forwarded-Host
	CertificateHeader               string // in which a proxy passes a device's certificate; empty: none does

	RestoreAfter time.Duration
	KeepEvents   time.Duration // how long a stream can be resumed, and changes looked up; default DefaultKeepEvents
	Policy       action.Policy

	APNsURL string
	APNsCAs *x509.CertPool

	Clock engine.Clock // default: the system's
	Log   *slog.Logger
}

// Server is a running server.
type Server struct {
	url     string
	caFile  string
	store   *store.Store
	engine  *engine.Engine
	events  *live.Log
	catalog *catalog.Catalog
	tokens  *access.Tokens
	channel *apple.Channel
	http    *http.Server
	stop    context.CancelFunc
	done    chan struct{}
	err     error // what ended the server; read it when done is closed
	closed  atomic.Bool
}

// Start opens the database and serves until Close.
func Start(ctx context.Context, c Config) (*Server, error) {
	c = withDefaults(c)
	st, err := store.Open(ctx, filepath.Join(c.DataDir, DatabaseFile))
	if err != nil {
		return nil, err
	}
	s, err := assemble(ctx, c, st)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return s, nil
}

func withDefaults(c Config) Config {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8443"
	}
	if c.KeepEvents <= 0 {
		c.KeepEvents = DefaultKeepEvents
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Clock == nil {
		c.Clock = engine.SystemClock{}
	}
	return c
}

func assemble(ctx context.Context, c Config, st *store.Store) (*Server, error) {
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", c.Listen, err)
	}
	s, err := build(ctx, c, st, listener.Addr())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	g, running := errgroup.WithContext(running)
	g.Go(func() error { return s.engine.Run(running) })
	g.Go(func() error { return s.dropEvents(running, c) })
	// Streams never end by themselves: the log lets its readers go when the server begins to close.
	following, letGo := context.WithCancel(running)
	s.http.RegisterOnShutdown(letGo)
	g.Go(func() error { defer letGo(); return s.events.Run(following) })
	g.Go(func() error {
		if err := s.http.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	go func() {
		s.err = g.Wait()
		close(s.done)
	}()
	return s, nil
}

func build(ctx context.Context, c Config, st *store.Store, addr net.Addr) (*Server, error) {
	s := &Server{store: st, done: make(chan struct{}), url: strings.TrimSuffix(c.URL, "/")}
	if s.url == "" {
		s.url = localURL(c.Listen, addr)
	}
	u, err := url.Parse(s.url)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("URL %q: want https://host[:port]; Graph clients send no token over http", s.url)
	}
	identity, err := loadIdentity(ctx, c, st, u.Hostname())
	if err != nil {
		return nil, err
	}
	s.caFile = identity.caFile
	s.events = live.NewLog(st, c.Log)
	s.engine = engine.New(engine.Config{Store: st, Clock: c.Clock, Policy: c.Policy, RestoreAfter: c.RestoreAfter, Log: c.Log,
		Committed: s.events.Notify})
	s.catalog = catalog.New(st, c.Clock.Now, uuid.NewString)
	s.tokens = access.NewTokens(st, c.Clock.Now)
	s.channel, err = apple.New(ctx, apple.Config{URL: s.url, Store: st, Engine: s.engine, Log: c.Log, Now: c.Clock.Now,
		CertificateHeader: c.CertificateHeader, RootCAPEM: identity.rootPEM, Signer: identity.signer,
		APNsURL: c.APNsURL, APNsCAs: c.APNsCAs})
	if err != nil {
		return nil, err
	}
	s.engine.Attach(s.channel, fleet.IOS, fleet.IPadOS, fleet.MacOS, fleet.TVOS)
	s.http = &http.Server{
		Handler:           s.routes(c),
		TLSConfig:         identity.config(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// dropEvents deletes old events from time to time.
func (s *Server) dropEvents(ctx context.Context, c Config) error {
	for {
		if err := s.events.Drop(ctx, c.Clock.Now().Add(-c.KeepEvents)); err != nil && ctx.Err() == nil {
			c.Log.Error("old events stay", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-c.Clock.After(time.Hour):
		}
	}
}

// routes gives devices their paths and everything else to the Graph surface.
func (s *Server) routes(c Config) http.Handler {
	devices := s.channel.Handler()
	mux := http.NewServeMux()
	mux.Handle("/mdm", devices)
	mux.Handle("/scep", devices)
	mux.Handle("/enroll/", devices)
	mux.Handle("/", graph.New(graph.Config{Engine: s.engine, Events: s.events, Devices: s.store, Catalog: s.catalog, Enroller: s.channel,
		PushCertificates: pushCertificates{s.channel}, Authenticator: s.tokens, BaseURL: c.URL, TrustForwarded: c.TrustForwarded, Busy: store.Busy,
		Now: c.Clock.Now, Log: c.Log}))
	return mux
}

// localURL names the address that was listened on as a client on this machine would.
func localURL(listen string, addr net.Addr) string {
	host, _, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	_, port, _ := net.SplitHostPort(addr.String())
	return "https://" + net.JoinHostPort(host, port)
}

// URL is where clients and devices reach the server.
func (s *Server) URL() string { return s.url }

// CAFile is the certificate that clients must trust, as a PEM file; empty when the server was given a certificate.
func (s *Server) CAFile() string { return s.caFile }

// Tokens makes and checks bearer tokens.
func (s *Server) Tokens() *access.Tokens { return s.tokens }

// Catalog holds policies and apps.
func (s *Server) Catalog() *catalog.Catalog { return s.catalog }

// Channel is the Apple MDM channel.
func (s *Server) Channel() *apple.Channel { return s.channel }

// Engine runs the actions.
func (s *Server) Engine() *engine.Engine { return s.engine }

// Done is closed when the server has ended, by Close or by an error.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err is the error that ended the server, nil while it runs and after Close.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Close lets running requests end, until ctx does, and closes the database. Closing again does nothing.
func (s *Server) Close(ctx context.Context) error {
	if s.closed.Swap(true) {
		return nil
	}
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	s.stop()
	<-s.done
	return errors.Join(err, s.err, s.store.Close())
}

type serverIdentity struct {
	certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	signer      *tls.Certificate // of enrollment profiles; nil: they are not signed
	rootPEM     []byte           // of the own CA; nil if the certificate was given
	caFile      string
}

// config asks devices for their certificate without judging it: the channel does, and it never refuses by TLS alert.
func (i *serverIdentity) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: i.certificate, ClientAuth: tls.RequestClientCert}
}

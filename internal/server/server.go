// Package server puts the packages of the project together into a running server: database, engine,
// channels, Graph API, console and TLS. It may import everything except the program. The program
// and the end-to-end tests start a server the same way.
//
// Begin with Config and Start; build shows how the parts are connected. A connection goes through
// door.go (acceptor: the TLS handshake) and connections.go (how many are open); a request then goes
// through admission.go (how many are worked on) to routes. budget.go and shares.go decide from whom
// memory and connections are taken back when they become scarce.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/console"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/graph"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/notify"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// Server is a running server.
type Server struct {
	url       string
	caFile    string
	store     *store.Store
	engine    *engine.Engine
	events    *live.Log
	forms     *catalog.Forms
	catalog   *catalog.Catalog
	tokens    *access.Tokens
	roles     *access.Roles
	gate      *access.Gate
	notify    *notify.Service
	tenant    string // the GUID by which others know the server
	sessions  *access.Sessions
	signIn    *access.SignIn // nil: people cannot sign in at an identity provider
	platforms platforms
	http      *http.Server
	acceptor  *acceptor
	admission *admission
	acme      *acmeCertificates // nil: the TLS certificate comes from elsewhere
	stop      context.CancelFunc
	done      chan struct{}
	err       error // why the server ended; read it only when done is closed
	closed    atomic.Bool
}

// Start opens the database and serves until Close.
func Start(ctx context.Context, c Config) (*Server, error) {
	c = withDefaults(c)
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("making the server's folder: %w", err)
	}
	st, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	s, err := assemble(ctx, c, st)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return s, nil
}

func assemble(ctx context.Context, c Config, st *store.Store) (*Server, error) {
	if err := st.Hold(); err != nil {
		return nil, err
	}
	listener, err := c.listen()
	if err != nil {
		return nil, err
	}
	s, err := build(ctx, c, st, listener.Addr())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	g, running := errgroup.WithContext(running)
	g.Go(func() error { return s.engine.Run(running) })
	g.Go(func() error { return s.notify.Run(running) })
	g.Go(func() error { return s.platforms.run(running) })
	g.Go(func() error { return s.dropEvents(running, c) })
	g.Go(func() error { st.Follow(running, func() { s.events.Notify(nil) }); return nil })
	g.Go(func() error { s.tokens.Run(running, c.Clock.After, logLastUseError(c.Log)); return nil })
	// Streams never end by themselves, so the log releases its readers when the server begins to
	// close.
	following, release := context.WithCancel(running)
	s.http.RegisterOnShutdown(release)
	g.Go(func() error { defer release(); return s.events.Run(following) })
	secured := s.acceptor.start(listener)
	g.Go(func() error {
		if err := s.http.Serve(secured); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	go func() {
		s.err = g.Wait()
		close(s.done)
	}()
	if s.acme != nil {
		s.acme.obtainAll()
	}
	return s, nil
}

func build(ctx context.Context, c Config, st *store.Store, addr net.Addr) (*Server, error) {
	s := &Server{store: st, done: make(chan struct{}), url: strings.TrimSuffix(c.URL, "/")}
	if s.url == "" {
		s.url = localURL(c.Listen, addr)
	}
	u, err := url.Parse(s.url)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil,
			fmt.Errorf("URL %q: want https://host[:port]; Graph clients send no token over http",
				s.url)
	}
	identity, err := loadIdentity(ctx, c, st, u.Hostname())
	if err != nil {
		return nil, err
	}
	s.caFile, s.acme = identity.caFile, identity.acme
	s.events = live.NewLog(st, c.Log)
	s.events.Encode = graph.EncodeEvents(s.platforms.explain)
	s.platforms.list = append(ownPlatforms(c, st), c.Platforms...)
	if s.forms, err = s.platforms.forms(); err != nil {
		return nil, err
	}
	s.engine = engine.New(engine.Config{Store: st, Risks: s.forms.Risks, Clock: c.Clock,
		Policy: c.Policy, RestoreAfter: c.RestoreAfter, Log: c.Log,
		Committed: s.events.Notify,
		Forget: func(ctx context.Context, id fleet.DeviceID) error {
			return s.catalog.DeleteDevice(ctx, id)
		}})
	s.catalog = catalog.New(st, s.forms, c.Clock.Now, uuid.NewString)
	s.catalog.Told = func() { s.events.Notify(nil) }
	s.tokens, s.roles = access.NewTokens(st, c.Clock.Now), access.NewRoles(st, uuid.NewString)
	s.gate = &access.Gate{Tokens: s.tokens, Roles: s.roles}
	var provider *access.Provider
	if c.Provider.Issuer != "" {
		c.Provider.Now, c.Provider.Log = c.Clock.Now, c.Log
		if provider, err = access.NewProvider(ctx, c.Provider); err != nil {
			return nil, err
		}
		s.gate.Provider = provider
	}
	if err := s.useConsole(c, provider); err != nil {
		return nil, err
	}
	if s.tenant, err = st.Tenant(ctx); err != nil {
		return nil, fmt.Errorf("reading the server's own id: %w", err)
	}
	if s.notify, err = s.newNotify(c); err != nil {
		return nil, err
	}
	if err := s.openChannels(ctx, c, identity); err != nil {
		return nil, err
	}
	capacity, open := c.Capacity.withDefaults(c.MaxConnections),
		newConnections(c.MaxConnections, c.Clock.Now, c.Log)
	s.acceptor = newAcceptor(capacity, identity.config(), open, c.Log)
	s.admission = newAdmission(capacity, c.TrustForwarded, c.Clock.Now, s.platforms.paths,
		s.routes(c, identity))
	s.http = &http.Server{
		Handler: open.markHandled(withSecurityHeaders(s.admission,
			mayRequireHTTPS(u.Hostname(), identity))),
		// tells net/http that HTTP/2 is offered; the acceptor does the handshakes
		TLSConfig: identity.config(),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return open.withConnection(graph.WithConnection(ctx, conn), conn)
		},
		ConnState:         open.stateChanged,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       capacity.Window,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		HTTP2:             http2Bounds(capacity),
		// so that OPTIONS * is answered with the same headers as everything else
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// dropEvents deletes old events, old actions and old idempotency keys, once an hour.
func (s *Server) dropEvents(ctx context.Context, c Config) error {
	for {
		if err := s.events.Drop(ctx, c.Clock.Now().Add(-c.KeepEvents)); err != nil &&
			ctx.Err() == nil {
			c.Log.Error("old events stay", "err", err)
		}
		if err := s.engine.ForgetActions(ctx, c.Clock.Now().Add(-c.KeepActions)); err != nil &&
			ctx.Err() == nil {
			c.Log.Error("old actions stay", "err", err)
		}
		if err := s.engine.ForgetKeys(ctx); err != nil && ctx.Err() == nil {
			c.Log.Error("old idempotency keys stay", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-c.Clock.After(time.Hour):
		}
	}
}

// record is the audit record for writing (of refusals) and for reading.
type record struct {
	*audit.Recorder
	*store.Store
}

// routes gives channels and the console their paths, and everything else to the Graph API.
func (s *Server) routes(c Config, identity *serverIdentity) http.Handler {
	mux := http.NewServeMux()
	s.platforms.paths.mount(mux)
	mux.Handle("GET "+readyPath, &readiness{ping: s.store.Ping, ending: s.acceptor.closing.Load,
		now: c.Clock.Now, log: c.Log})
	version, _ := Version()
	recorded := record{audit.NewRecorder(s.store, c.Clock.Now, uuid.NewString), s.store}
	limiter := graph.NewLimiter(c.RateLimit, c.RateBurst, c.Clock.Now)
	api := graph.New(graph.Config{Engine: lookingEngine{s.engine, s.IntuneChannel()}, Events: s.events, History: s.store,
		Durable: s.store.Durable, Devices: s.store, Kinds: s.platforms.kinds(), Catalog: s.catalog, Forms: s.forms,
		Enroller: s.Channel(), PushCertificates: pushCertificates{s.Channel()},
		Android: androidSetUp{s.AndroidChannel()},
		Explain: s.platforms.explain, Authenticator: s.gate,
		Roles: s.roles, Tokens: s.tokens, Subscriptions: s.notify, Version: version,
		Tenant:         s.tenant,
		TLSCertificate: identity.leaf,
		Audit:          recorded, Trust: identity.trust, RefuseStranding: c.RefuseStranding,
		RateLimit: c.RateLimit, RateBurst: c.RateBurst, Limiter: limiter,
		BaseURL: c.URL, OwnURL: s.url, TrustForwarded: c.TrustForwarded, Busy: store.Busy,
		Now: c.Clock.Now, Log: c.Log})
	mux.Handle("/console/", s.console(c, api, limiter, recorded))
	mux.Handle("/", console.Home(api))
	return withoutRedirects(mux, api)
}

// withoutRedirects gives paths with empty or dotted segments to refusing. http.ServeMux would
// redirect them to the cleaned path, and clients would follow to something that they did not mean:
// deleting a group's member with an empty id would delete the group.
func withoutRedirects(mux, refusing http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; strings.HasPrefix(p, "/") && path.Clean(p) != p &&
			path.Clean(p)+"/" != p {
			refusing.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// localURL returns the URL by which a client on this machine reaches the address that is listened
// on.
func localURL(listen string, addr net.Addr) string {
	host, _, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	_, port, _ := net.SplitHostPort(addr.String())
	return "https://" + net.JoinHostPort(host, port)
}

// URL returns where clients and devices reach the server.
func (s *Server) URL() string { return s.url }

// CAFile returns the path of the CA certificate that clients must trust, PEM; empty when the server
// was given a certificate.
func (s *Server) CAFile() string { return s.caFile }

// Tokens returns the service for bearer tokens.
func (s *Server) Tokens() *access.Tokens { return s.tokens }

// Roles returns the service for roles and role assignments.
func (s *Server) Roles() *access.Roles { return s.roles }

// Catalog returns the service for policies and apps.
func (s *Server) Catalog() *catalog.Catalog { return s.catalog }

// Engine returns what runs the actions.
func (s *Server) Engine() *engine.Engine { return s.engine }

// Done is closed when the server has ended, by Close or by an error.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err returns the error that ended the server; nil while it runs and after Close.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Close lets running requests end, until ctx ends, and then closes the database. It may be called
// again.
func (s *Server) Close(ctx context.Context) error {
	if s.closed.Swap(true) {
		return nil
	}
	err := s.acceptor.drain(ctx, s.http)
	s.stop()
	<-s.done
	if s.acme != nil {
		s.acme.close()
	}
	return errors.Join(err, s.err, s.store.Close())
}

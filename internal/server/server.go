// Package server puts the rooms of the house together into a running server: database, engine,
// channels, the Graph surface and TLS. The program and the end-to-end tests start it the same way.
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
	sessions  *access.Sessions
	signIn    *access.SignIn // nil: nobody signs in at an identity provider
	platforms platforms
	http      *http.Server
	door      *door
	admission *admission
	acme      *acmeCertificates // nil: the TLS certificate comes from elsewhere
	stop      context.CancelFunc
	done      chan struct{}
	err       error // what ended the server; read it when done is closed
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
	g.Go(func() error { s.tokens.Run(running, c.Clock.After, lastUseLost(c.Log)); return nil })
	// Streams never end by themselves: the log lets its readers go when the server begins to close.
	following, letGo := context.WithCancel(running)
	s.http.RegisterOnShutdown(letGo)
	g.Go(func() error { defer letGo(); return s.events.Run(following) })
	entrance := s.door.open(listener)
	g.Go(func() error {
		if err := s.http.Serve(entrance); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	go func() {
		s.err = g.Wait()
		close(s.done)
	}()
	if s.acme != nil {
		s.acme.obtain()
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
	if s.notify, err = s.newNotify(ctx, c); err != nil {
		return nil, err
	}
	if err := s.openChannels(ctx, c, identity); err != nil {
		return nil, err
	}
	capacity, open := c.Capacity.withDefaults(c.MaxConnections),
		newConnections(c.MaxConnections, c.Clock.Now, c.Log)
	s.door = newDoor(capacity, identity.config(), open, c.Log)
	s.admission = newAdmission(capacity, c.TrustForwarded, c.Clock.Now, s.platforms.paths,
		s.routes(c, identity))
	s.http = &http.Server{
		Handler:   open.handling(secured(s.admission, strictTransport(u.Hostname(), identity))),
		TLSConfig: identity.config(), // tells that HTTP/2 is spoken; the door shakes hands
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return open.with(graph.WithConnection(ctx, conn), conn)
		},
		ConnState:         open.changed,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       capacity.Window,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		HTTP2:             http2Bounds(capacity),
		// OPTIONS * is answered with the headers of every other answer.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// dropEvents deletes old events, actions, and keys of calls, from time to time.
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

// record is the audit record: who writes refusals, and who reads it.
type record struct {
	*audit.Recorder
	*store.Store
}

// routes gives devices and the console their paths, and everything else to the Graph surface.
func (s *Server) routes(c Config, identity *serverIdentity) http.Handler {
	mux := http.NewServeMux()
	s.platforms.paths.mount(mux)
	mux.Handle("GET "+readyPath, &readiness{ping: s.store.Ping, ending: s.door.closing.Load,
		now: c.Clock.Now, log: c.Log})
	version, _ := Version()
	recorded := record{audit.NewRecorder(s.store, c.Clock.Now, uuid.NewString), s.store}
	limiter := graph.NewLimiter(c.RateLimit, c.RateBurst, c.Clock.Now)
	api := graph.New(graph.Config{Engine: lookingEngine{s.engine, s.IntuneChannel()}, Events: s.events, History: s.store,
		Durable: s.store.Durable, Devices: s.store, Catalog: s.catalog, Forms: s.forms,
		Enroller: s.Channel(), PushCertificates: pushCertificates{s.Channel()},
		Android: androidSetUp{s.AndroidChannel()},
		Explain: s.platforms.explain, Authenticator: s.gate,
		Roles: s.roles, Tokens: s.tokens, Subscriptions: s.notify, Version: version,
		TLSCertificate: identity.leaf,
		Audit:          recorded, Trust: identity.trust, RefuseStranding: c.RefuseStranding,
		RateLimit: c.RateLimit, RateBurst: c.RateBurst, Limiter: limiter,
		BaseURL: c.URL, OwnURL: s.url, TrustForwarded: c.TrustForwarded, Busy: store.Busy,
		Now: c.Clock.Now, Log: c.Log})
	mux.Handle("/console/", s.console(c, api, limiter, recorded))
	mux.Handle("/", console.Home(api))
	return unredirected(mux, api)
}

// unredirected gives paths with empty or dotted segments to refusing. The mux would answer them
// with a redirect to another thing, and clients follow: what deletes a member without an id would
// delete its group.
func unredirected(mux, refusing http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; strings.HasPrefix(p, "/") && path.Clean(p) != p &&
			path.Clean(p)+"/" != p {
			refusing.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
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

// CAFile is the certificate that clients must trust, as a PEM file; empty when the server was given
// a certificate.
func (s *Server) CAFile() string { return s.caFile }

// Tokens makes and checks bearer tokens.
func (s *Server) Tokens() *access.Tokens { return s.tokens }

// Roles keeps roles and who has them.
func (s *Server) Roles() *access.Roles { return s.roles }

// Catalog holds policies and apps.
func (s *Server) Catalog() *catalog.Catalog { return s.catalog }

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

// Close lets running requests end, until ctx does, and closes the database. Closing again does
// nothing.
func (s *Server) Close(ctx context.Context) error {
	if s.closed.Swap(true) {
		return nil
	}
	err := s.door.drain(ctx, s.http)
	s.stop()
	<-s.done
	if s.acme != nil {
		s.acme.close()
	}
	return errors.Join(err, s.err, s.store.Close())
}

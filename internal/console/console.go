// Package console is the server's web pages, for people. Every page is rendered here, and every one
// works without a script; the script keeps it up to date. The console is the API's first user: it
// knows nothing but the API's handler, which it calls in-process for whoever has signed in, so that
// each sees and does exactly what they may anywhere else.
//
// To add a page: a line in routes, a handler of a visit, a template of the handler's name, and a
// line in navigation. What only one platform's devices need has its pages in a file of its own, and a
// line in platform_pages.go.
package console

import (
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/lane"
	"github.com/syncpayloads/syncpayloads/internal/platform"
)

// Gate knows what somebody who has signed in may do.
type Gate interface {
	Admit(ctx context.Context, who *access.Identity) (*access.Principal, error)
}

// Recorder keeps the record of who signed in.
type Recorder interface {
	Record(ctx context.Context, e audit.Entry) error
}

// Config is what the console is made of. The first group is required; the zero value of the rest
// has a default.
type Config struct {
	API      http.Handler // the Graph surface and the server's own
	Sessions *access.Sessions
	Tokens   access.Identifier // of the local tokens that people sign in with
	Gate     Gate
	Audit    Recorder
	Forms    *catalog.Forms    // of what the catalog takes
	Nouns    map[string]string // what people call the things of the audit record (graph.Nouns)

	Platforms []platform.Description // whose devices there are

	SignIn *access.SignIn // nil: nobody signs in at an identity provider
	// scheme and host by which browsers reach the server; empty: as the request says
	URL            string
	TrustForwarded bool // believe X-Forwarded-For; a proxy must set it
	// Limit takes a page from what a caller may ask for, by their id; if nothing is left it tells
	// when there will be. What a page asks of the API does not count again. nil: there is no limit.
	Limit func(caller string) (wait time.Duration, ok bool)
	// what the server does where an action does not choose; 0: it restores nothing by itself
	RestoreAfter time.Duration
	// how often a stream looks whether its session still stands; default 15 seconds
	Recheck time.Duration
	Now     func() time.Time
	Log     *slog.Logger
}

const defaultRecheck = 15 * time.Second

// console is the running console.
type console struct {
	config   Config
	pages    map[string]*template.Template
	parts    *template.Template // of pages
	kinds    fleet.Kinds        // of the devices of all platforms
	assets   *assets
	failures *throttle
	asking   *lane.Lane // those for whom the identity provider is asked
}

// New returns the console, which answers everything under /console/.
func New(c Config) http.Handler {
	if c.Recheck == 0 {
		c.Recheck = defaultRecheck
	}
	if c.Limit == nil {
		c.Limit = func(string) (time.Duration, bool) { return 0, true }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &console{config: c, assets: loadAssets(), failures: newThrottle(c.Now),
		asking: lane.New(askAtOnce, askWaiting)}
	s.pages, s.parts = loadPages(s.assets)
	for _, one := range c.Platforms {
		s.kinds = append(s.kinds, one.Kinds...)
	}
	mux := http.NewServeMux()
	for _, rt := range openRoutes() {
		mux.Handle(rt.pattern, s.open(rt))
	}
	for _, rt := range routes() {
		mux.Handle(rt.pattern, s.private(rt))
	}
	mux.Handle(assetPattern, s.assets)
	mux.Handle("/console/", s.private(route{handle: (*visit).missing}))
	protection := http.NewCrossOriginProtection()
	if c.URL != "" {
		// Behind a proxy the request's own Host may be another. The server has seen that it is a
		// URL.
		_ = protection.AddTrustedOrigin(strings.TrimSuffix(c.URL, "/"))
	}
	protection.SetDenyHandler(s.open(route{handle: (*visit).crossOrigin}))
	return secured(protection.Handler(mux))
}

// secured sets the headers of everything that the console sends. Nothing but the console's own
// files runs or is shown in its pages, no other site frames them, and their addresses are told to
// no other site.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy",
			"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
				"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		// Not no-referrer: with that, browsers hide the origin of a form from the check that it is
		// the console's own.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// Home sends browsers that ask for the server's root to the console, and everybody else to next.
func Home(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" && r.Method == http.MethodGet &&
			strings.Contains(r.Header.Get("Accept"), "text/html") {
			http.Redirect(w, r, "/console/", http.StatusSeeOther)
			return
		}
		next.ServeHTTP(w, r)
	})
}

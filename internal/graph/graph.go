// Package graph is the HTTP surface that admins' tools use: Microsoft Graph's resources and actions
// under /beta and /v1.0, with Graph's names, shapes and errors, and the server's own under /api. It
// says what resources there are, who may do what to them, and what is recorded of it. How requests
// are read and answers are written is package odata's; what a call does is decided by the services
// that the surface is given.
//
// Begin reading with routes, then with one resource: role_scope_tag.go is a short one.
package graph

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// Engine runs actions on devices. All methods return fleet.ErrNotFound for a device that does not
// exist.
type Engine interface {
	// Start begins an action. A set that cannot be carried out is an *action.Refusal.
	Start(ctx context.Context, device fleet.DeviceID, c engine.Call) error
	// Actions returns the latest action of each name.
	Actions(ctx context.Context, device fleet.DeviceID) ([]*action.Action, error)
	// Payloads returns what is assigned to the device or held off it, as it stands.
	Payloads(ctx context.Context, device fleet.DeviceID) ([]*action.Payload, error)
	// SetTag names the set that is off the device as it stands.
	SetTag(ctx context.Context, device fleet.DeviceID) (string, error)
	// Preview tells what a call would do, with the certificate chain by which devices trust the
	// server.
	Preview(ctx context.Context, device fleet.DeviceID, c engine.Call,
		server []*x509.Certificate) (*engine.Preview, error)
	// Retire asks the device to leave management; forget says that its record then goes, too. The
	// error is also engine.ErrNotManaged, engine.ErrNotManagedHere or a *engine.CannotRetireError.
	Retire(ctx context.Context, device fleet.DeviceID, forget bool) error
	// Sync asks the device to connect and tell its inventory.
	Sync(ctx context.Context, device fleet.DeviceID) error
}

// Devices reads managed devices.
type Devices interface {
	// Device returns one; fleet.ErrNotFound if there is none.
	Device(ctx context.Context, id fleet.DeviceID) (*fleet.Device, error)
	Devices(ctx context.Context, q query.Query) (query.Page[fleet.Device], error)
	CountDevices(ctx context.Context, where fleet.Condition) (int, error)
	// Place returns what decides who reaches a device; fleet.ErrNotFound if there is none.
	Place(ctx context.Context, id fleet.DeviceID) (fleet.Place, error)
}

// Events is the log of what changes.
type Events interface {
	// Standing returns how actions stand, of one device or of all, and the position after which to
	// follow; fleet.ErrNotFound if there is no such device.
	Standing(ctx context.Context, device fleet.DeviceID) ([]live.Standing, int64, error)
	// Reader follows the events after a position; live.ErrGone if some are not kept any more.
	Reader(ctx context.Context, device fleet.DeviceID, after int64) (*live.Reader, error)
}

// Authenticator knows who holds a bearer token; access.ErrUnauthenticated if nobody does.
type Authenticator interface {
	Authenticate(ctx context.Context, bearer string) (*access.Principal, error)
}

// Config is what the surface is made of. The first group is required; the zero value of the rest
// has a default.
type Config struct {
	Engine           Engine
	Events           Events
	History          engine.History
	Devices          Devices
	Kinds            fleet.Kinds // what devices are, as their platforms say
	Catalog          Catalog
	Forms            *catalog.Forms // the types of policies and apps that Catalog takes
	Enroller         Enroller
	PushCertificates PushCertificates
	Android          Android
	// Explain finds the words for a failure, as the platform of the device has them; empty: it has
	// none.
	Explain func(code action.Code, detail string) (meaning, advice string)
	// why the database may lose what is answered; nil: it is not asked
	Durable       func(context.Context) error
	Authenticator Authenticator
	Roles         Roles
	Tokens        Tokens
	Subscriptions Subscriptions
	Audit         Audit
	// Tenant is the GUID by which the server is known, whatever its address is.
	Tenant string

	// scheme and host by which callers reach the server; empty: as a trusted proxy says, or OwnURL
	BaseURL        string
	OwnURL         string // the server's own name for itself; empty: as the request says
	TrustForwarded bool   // believe X-Forwarded-Proto and X-Forwarded-Host; a proxy must set them
	// bytes of the largest request body, as sent and as decompressed; 0: 8 MiB
	MaxBody int64
	Busy    func(error) bool
	// Trust returns the certificate chain that devices must trust beyond what their enrollment
	// brings; default: none.
	Trust           func() []*x509.Certificate
	RefuseStranding bool // refuse sets that may cut a device off
	// requests a second of one caller, who may send RateBurst at once; 0: any number
	RateLimit float64
	RateBurst int
	// that counts callers elsewhere, too; default: one of RateLimit and RateBurst
	Limiter *Limiter
	// TLSCertificate returns what the server shows of itself, to warn before it expires; default:
	// it is not known.
	TLSCertificate func() *x509.Certificate
	Version        string    // of the program
	Started        time.Time // when the server began to run; default: now
	Now            func() time.Time
	Log            *slog.Logger
}

// defaultMaxBody has room for a file of 5 MiB in base64: the largest that a form takes.
const defaultMaxBody = 8 << 20

// server is the running surface.
type server struct {
	config   Config
	mux      *http.ServeMux
	protocol *odata.Service // what its requests share
	explain  explainer      // of failures
	// categories are Graph's words for what operations belong to, by the first part of their names.
	categories map[string]string
	// payloadShapes are what policies and apps are served with, and listings what the options of
	// their lists take.
	payloadShapes *payloadShapes
	policyShape   *shape
	devices       *deviceSurface
	listings      map[*payloadKind]*odata.Listing
}

// New returns the surface. It answers every path, those it does not know with 404.
func New(c Config) http.Handler {
	if c.MaxBody == 0 {
		c.MaxBody = defaultMaxBody
	}
	if c.Busy == nil {
		c.Busy = func(error) bool { return false }
	}
	if c.Trust == nil {
		c.Trust = func() []*x509.Certificate { return nil }
	}
	if c.TLSCertificate == nil {
		c.TLSCertificate = func() *x509.Certificate { return nil }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Started.IsZero() {
		c.Started = c.Now()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Limiter == nil {
		c.Limiter = NewLimiter(c.RateLimit, c.RateBurst, c.Now)
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	all := routes()
	s := &server{
		config:     c,
		mux:        http.NewServeMux(),
		protocol:   odata.NewService(newModel(all, c.Forms), c.MaxBody),
		explain:    explained(c.Explain),
		categories: categoriesOf(all),

		payloadShapes: newPayloadShapes(c.Forms),
		policyShape:   newPolicyShape(c.Forms),
		devices:       newDeviceSurface(c.Kinds),
		listings:      make(map[*payloadKind]*odata.Listing),
	}
	for _, k := range payloadKinds() {
		s.listings[k] = k.listing(c.Forms)
	}
	for _, rt := range all {
		s.mux.Handle(rt.method+" "+rt.pattern, s.serve(rt))
	}
	return s
}

// call is one request and its answer.
type call struct {
	server *server
	config *Config // the server's
	req    *odata.Request
	route  route
	// caller is who calls; nil until that is known, and where anybody may.
	caller *access.Principal
	// scope is where the caller may do what the route does.
	scope fleet.Scope
	// key is that of the call; nil: it has none.
	key *engine.Key
	// decisions hold in the transaction of each write, too.
	decisions []access.Permit
}

func (s *server) newCall(w http.ResponseWriter, r *http.Request) *call {
	return &call{server: s, config: &s.config, req: s.protocol.NewRequest(w, r, s.baseOf(r))}
}

// authenticate finds out who calls.
func (c *call) authenticate() error {
	if known := access.PrincipalOf(c.req.Context()); known != nil {
		own := *known // whose grants the call reads anew
		c.caller = &own
		return nil
	}
	scheme, bearer, _ := strings.Cut(c.req.HTTP.Header.Get("Authorization"), " ")
	err := access.ErrUnauthenticated
	if strings.EqualFold(scheme, "Bearer") {
		c.caller, err = c.config.Authenticator.Authenticate(c.req.Context(),
			strings.TrimSpace(bearer))
	}
	if err == nil {
		return c.admit()
	}
	return unauthenticated(err)
}

// baseOf is the scheme and host by which the caller of a request reaches the server.
func (s *server) baseOf(r *http.Request) string {
	if s.config.BaseURL != "" {
		return s.config.BaseURL
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	// Whoever sends a request chooses its Host, and a link may be read by somebody else.
	if own, err := url.Parse(s.config.OwnURL); err == nil && own.Host != "" {
		scheme, host = own.Scheme, own.Host
	}
	if s.config.TrustForwarded {
		if proto := firstOf(r.Header.Get("X-Forwarded-Proto")); proto == "http" ||
			proto == "https" {
			scheme = proto
		}
		if forwarded := firstOf(r.Header.Get("X-Forwarded-Host")); forwarded != "" {
			host = forwarded
		}
	}
	return (&url.URL{Scheme: scheme, Host: host}).String()
}

// firstOf is the first element of a header's list: with several proxies, the outermost one's.
func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(first)
}

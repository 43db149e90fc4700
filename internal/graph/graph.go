// Package graph is the HTTP surface that admins' tools use: Microsoft Graph's resources and actions under /beta, with
// Graph's names, shapes and errors, and the server's own under /api. It decodes and encodes; what a call does is decided
// by the services it is given.
package graph

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/semaphore"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// Engine runs actions on devices. All methods return fleet.ErrNotFound for a device that does not exist.
type Engine interface {
	// Start begins an action. A set that cannot be carried out is an *action.Refusal.
	Start(ctx context.Context, device fleet.DeviceID, c engine.Call) error
	// Actions returns the latest action of each name.
	Actions(ctx context.Context, device fleet.DeviceID) ([]*action.Action, error)
	// Payloads returns what is assigned to the device or held off it, as it stands.
	Payloads(ctx context.Context, device fleet.DeviceID) ([]*action.Payload, error)
	// SetTag names the set that is off the device as it stands.
	SetTag(ctx context.Context, device fleet.DeviceID) (string, error)
	// Preview tells what a call would do, with the certificate chain by which devices trust the server.
	Preview(ctx context.Context, device fleet.DeviceID, c engine.Call, server []*x509.Certificate) (*engine.Preview, error)
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
	// Standing returns how actions stand, of one device or of all, and the position behind which to follow;
	// fleet.ErrNotFound if there is no such device.
	Standing(ctx context.Context, device fleet.DeviceID) ([]live.Standing, int64, error)
	// Reader follows the events behind a position; live.ErrGone if some are not kept any more.
	Reader(ctx context.Context, device fleet.DeviceID, after int64) (*live.Reader, error)
}

// Authenticator knows who holds a bearer token; access.ErrUnauthenticated if nobody does.
type Authenticator interface {
	Authenticate(ctx context.Context, bearer string) (*access.Principal, error)
}

// Config is what the surface is made of. The first group is required; the zero value of the rest has a default.
type Config struct {
	Engine           Engine
	Events           Events
	History          engine.History
	Devices          Devices
	Catalog          Catalog
	Forms            *catalog.Forms // the types of policies and apps that Catalog takes
	Enroller         Enroller
	PushCertificates PushCertificates
	// Explain finds the words for a failure, as the platform of the device has them; empty: it has none.
	Explain       func(code action.Code, detail string) (meaning, advice string)
	Durable       func(context.Context) error // why the database may lose what is answered; nil: it is not asked
	Authenticator Authenticator
	Roles         Roles
	Tokens        Tokens
	Subscriptions Subscriptions
	Audit         Audit

	BaseURL        string // scheme and host by which callers reach the server; empty: as a trusted proxy says, or OwnURL
	OwnURL         string // the server's own name for itself; empty: as the request says
	TrustForwarded bool   // believe X-Forwarded-Proto and X-Forwarded-Host; a proxy must set them
	MaxBody        int64  // bytes of the largest request body, as sent and as decompressed; 0: 8 MiB
	Busy           func(error) bool
	// Trust returns the certificate chain that devices must trust beyond what their enrollment brings; default: none.
	Trust           func() []*x509.Certificate
	RefuseStranding bool    // refuse sets that may cut a device off
	RateLimit       float64 // requests a second of one caller, who may send RateBurst at once; 0: any number
	RateBurst       int
	Limiter         *Limiter // that counts callers elsewhere, too; default: one of RateLimit and RateBurst
	// TLSCertificate returns what the server shows of itself, to warn before it expires; default: it is not known.
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
	Config
	mux        *http.ServeMux
	routes     []route
	paths      *pathTree           // of routes
	bodies     *semaphore.Weighted // bytes of large bodies that are decompressed and parsed
	schema     *schema             // of $metadata
	explain    explainer           // of failures
	metadata   map[string][]byte   // $metadata of each version
	models     map[string]*model   // what each version has
	types      map[string]typeName // of what routes answer with, by the path without version and ids
	categories map[string]string   // Graph's words for what operations belong to, by the first part of their names
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
	s := &server{Config: c, mux: http.NewServeMux(), routes: routes(), schema: newGraphSchema(c.Forms), explain: explained(c.Explain), bodies: semaphore.NewWeighted(bodiesAtOnce)}
	s.types, s.categories = answerTypes(s.routes), categoriesOf(s.routes)
	s.models = make(map[string]*model)
	for _, version := range []string{versionPath, stableVersion} {
		s.models[version] = newModel(s.routes, version, s.types)
	}
	s.metadata = documents(s.schema, s.models)
	s.paths = newPathTree(s.routes)
	for _, rt := range s.routes {
		s.mux.Handle(rt.method+" "+rt.pattern, s.serve(rt))
	}
	return s
}

// call is one request and its answer.
type call struct {
	*server
	w               http.ResponseWriter
	r               *http.Request
	requestID       string
	clientRequestID string
	options         url.Values
	route           route
	caller          *access.Principal
	scope           fleet.Scope // where the caller may do what the route does
	format          format
	preferences     []string
	match           []string        // of If-Match; none: there is no condition
	key             *engine.Key     // of the call; nil: it has none
	decisions       []access.Permit // that hold in the transaction of each write, too
}

const clientRequestIDLimit = 128

func (s *server) newCall(w http.ResponseWriter, r *http.Request) *call {
	c := &call{server: s, w: w, r: r}
	c.requestID, c.clientRequestID = identify(w, r)
	return c
}

// identify gives a request its ids, and its answer the headers that every answer has.
func identify(w http.ResponseWriter, r *http.Request) (requestID, clientRequestID string) {
	requestID, clientRequestID = uuid.NewString(), r.Header.Get("client-request-id")
	if clientRequestID == "" || len(clientRequestID) > clientRequestIDLimit {
		clientRequestID = requestID
	}
	w.Header().Set("request-id", requestID)
	w.Header().Set("client-request-id", clientRequestID)
	w.Header().Set("OData-Version", "4.0")
	w.Header().Set("Cache-Control", "no-store")
	return requestID, clientRequestID
}

// authenticate finds out who calls.
func (c *call) authenticate() error {
	if known := access.PrincipalOf(c.r.Context()); known != nil {
		own := *known // whose grants the call reads anew
		c.caller = &own
		return nil
	}
	scheme, bearer, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	err := access.ErrUnauthenticated
	if strings.EqualFold(scheme, "Bearer") {
		c.caller, err = c.Authenticator.Authenticate(c.r.Context(), strings.TrimSpace(bearer))
	}
	if err == nil {
		return c.admit()
	}
	return unauthenticated(err)
}

// base is the scheme and host by which the caller reaches the server.
func (c *call) base() string {
	if c.BaseURL != "" {
		return c.BaseURL
	}
	scheme, host := "http", c.r.Host
	if c.r.TLS != nil {
		scheme = "https"
	}
	// Whoever sends a request chooses its Host, and who reads a link may be somebody else.
	if own, err := url.Parse(c.OwnURL); err == nil && own.Host != "" {
		scheme, host = own.Scheme, own.Host
	}
	if c.TrustForwarded {
		if proto := firstOf(c.r.Header.Get("X-Forwarded-Proto")); proto == "http" || proto == "https" {
			scheme = proto
		}
		if forwarded := firstOf(c.r.Header.Get("X-Forwarded-Host")); forwarded != "" {
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

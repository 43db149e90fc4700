// Package graph is the HTTP surface that admins' tools use: Microsoft Graph's resources and actions under /beta, with
// Graph's names, shapes and errors, and the server's own under /api. It decodes and encodes; what a call does is decided
// by the services it is given.
package graph

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

// Engine runs actions on devices. All methods return fleet.ErrNotFound for a device that does not exist.
type Engine interface {
	// Start begins an action. A set that cannot be carried out is an *action.Refusal.
	Start(ctx context.Context, device fleet.DeviceID, c engine.Call) error
	// Actions returns the latest action of each name.
	Actions(ctx context.Context, device fleet.DeviceID) ([]*action.Action, error)
	// Payloads returns what is assigned to the device or held off it, as it stands.
	Payloads(ctx context.Context, device fleet.DeviceID) ([]*action.Payload, error)
	// Sync asks the device to connect and tell its inventory.
	Sync(ctx context.Context, device fleet.DeviceID) error
}

// Devices reads managed devices.
type Devices interface {
	// Device returns one; fleet.ErrNotFound if there is none.
	Device(ctx context.Context, id fleet.DeviceID) (*fleet.Device, error)
	Devices(ctx context.Context, q fleet.Query) ([]fleet.Device, error)
	CountDevices(ctx context.Context, where fleet.Condition) (int, error)
}

// Events is the log of what changes.
type Events interface {
	// Standing returns how actions stand, of one device or of all, and the position behind which to follow;
	// fleet.ErrNotFound if there is no such device.
	Standing(ctx context.Context, device fleet.DeviceID) ([]live.Standing, int64, error)
	// Follow yields the events behind a position as they come; live.ErrGone if some are not kept any more.
	Follow(ctx context.Context, device fleet.DeviceID, after int64) iter.Seq2[live.Event, error]
}

// Authenticator knows who holds a bearer token; access.ErrUnauthenticated if nobody does.
type Authenticator interface {
	Authenticate(ctx context.Context, bearer string) (*access.Principal, error)
}

// Config is what the surface is made of. The first group is required; the zero value of the rest has a default.
type Config struct {
	Engine           Engine
	Events           Events
	Devices          Devices
	Catalog          Catalog
	Enroller         Enroller
	PushCertificates PushCertificates
	Authenticator    Authenticator

	BaseURL        string // scheme and host by which callers reach the server; empty: as the request says
	TrustForwarded bool   // believe X-Forwarded-Proto and X-Forwarded-Host; a proxy must set them
	MaxBody        int64  // bytes of a request body, as sent and as decompressed; 0: 8 MiB
	Busy           func(error) bool
	Now            func() time.Time
	Log            *slog.Logger
}

// defaultMaxBody has room for the largest profile in base64 (catalog.MaxProfileSize).
const defaultMaxBody = 8 << 20

// server is the running surface.
type server struct {
	Config
	mux    *http.ServeMux
	routes []route
}

// New returns the surface. It answers every path, those it does not know with 404.
func New(c Config) http.Handler {
	if c.MaxBody == 0 {
		c.MaxBody = defaultMaxBody
	}
	if c.Busy == nil {
		c.Busy = func(error) bool { return false }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	s := &server{Config: c, mux: http.NewServeMux(), routes: routes()}
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
	caller          *access.Principal
}

const clientRequestIDLimit = 128

func (s *server) newCall(w http.ResponseWriter, r *http.Request) *call {
	c := &call{server: s, w: w, r: r, requestID: uuid.NewString()}
	c.clientRequestID = r.Header.Get("client-request-id")
	if c.clientRequestID == "" || len(c.clientRequestID) > clientRequestIDLimit {
		c.clientRequestID = c.requestID
	}
	w.Header().Set("request-id", c.requestID)
	w.Header().Set("client-request-id", c.clientRequestID)
	w.Header().Set("OData-Version", "4.0")
	w.Header().Set("Cache-Control", "no-store")
	return c
}

// authenticate finds out who calls.
func (c *call) authenticate() error {
	scheme, bearer, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	err := access.ErrUnauthenticated
	if strings.EqualFold(scheme, "Bearer") {
		c.caller, err = c.Authenticator.Authenticate(c.r.Context(), strings.TrimSpace(bearer))
	}
	if err == nil {
		return nil
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

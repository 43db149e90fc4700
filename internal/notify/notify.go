// Package notify tells webhooks of changes, as Microsoft Graph's change notifications do: who
// subscribes to devices gets a POST when one of them changes. Each subscription follows the event
// log from a position of its own, kept in the database, so that nothing is lost over restarts and a
// slow receiver keeps nobody waiting.
//
// It knows who may see what (access) and the event log (live), and no route of the API. Begin with
// Service: run.go finds what is due, visit.go is one look at a subscription, message.go makes what
// is sent, client.go sends it to addresses that are allowed.
package notify

import (
	"context"
	"crypto/x509"
	"iter"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

// How long a subscription lives, and how patient the server is with its receiver (Microsoft Graph,
// "Receive change notifications through webhooks").
const (
	MaxLifetime      = 30 * 24 * time.Hour
	MaxPerOwner      = 100
	DeliveryTimeout  = 3 * time.Second
	HandshakeTimeout = 10 * time.Second
	// what fails for so long is passed over, and the receiver told that it missed something
	GiveUpAfter = 4 * time.Hour
)

const (
	atOnce      = 16  // deliveries under way
	perDelivery = 100 // notifications in one POST
	readBatch   = 512 // events read from the store in one go
	// after which another process may take over a subscription; far above the timeouts
	lease     = 30 * time.Second
	pollEvery = time.Second // how soon is seen what is due by the clock
	moment    = 200 * time.Millisecond
	// at most so late is seen that an owner without events has lost their rights
	lookEvery      = time.Hour
	pausedEvery    = time.Minute // at most so late is seen that an owner has their rights again
	backoffBase    = time.Second
	backoffMost    = 10 * time.Minute
	remindBefore   = 24 * time.Hour // its expiry, or in the last quarter of a shorter life
	tryAgainAfter  = 5 * time.Second
	clientStateMax = 255
	urlMax         = 2048
)

// Admitter returns what somebody may do now who was known at some time.
type Admitter interface {
	Admit(ctx context.Context, identity *access.Identity) (*access.Principal, error)
}

// Events tells when there are new events.
type Events interface {
	Follow(ctx context.Context, device fleet.DeviceID, after int64) iter.Seq2[live.Event, error]
}

// Config is what the service is made of. The first group is required; the zero value of the rest
// has a default.
type Config struct {
	Store    Store
	Events   Events
	Access   Admitter
	Devices  access.Places
	Payloads access.PayloadTags
	Tenant   string // a GUID by which receivers know this server

	AllowHTTP bool           // receivers need no TLS
	Allow     []netip.Prefix // private and other special addresses that receivers may have
	RootCAs   *x509.CertPool // that receivers' certificates may come from; default: the system's
	Resolver  *net.Resolver  // of receivers' names; default: the system's

	DeliveryTimeout  time.Duration // default DeliveryTimeout
	HandshakeTimeout time.Duration // default HandshakeTimeout
	Now              func() time.Time
	Log              *slog.Logger
}

// Service keeps subscriptions and delivers their notifications.
type Service struct {
	config     Config
	client     *client
	node       string        // names this process in claims
	slots      chan struct{} // one is taken by each delivery under way
	handshakes *handshakes
	grown      chan struct{} // there are new events
	freed      chan struct{} // a delivery has ended
	workers    sync.WaitGroup
}

// New returns the service. It delivers once Run runs.
func New(c Config) *Service {
	if c.DeliveryTimeout == 0 {
		c.DeliveryTimeout = DeliveryTimeout
	}
	if c.HandshakeTimeout == 0 {
		c.HandshakeTimeout = HandshakeTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{
		config:     c,
		client:     newClient(c),
		node:       uuid.NewString(),
		slots:      make(chan struct{}, atOnce),
		handshakes: newHandshakes(),
		grown:      make(chan struct{}, 1),
		freed:      make(chan struct{}, 1),
	}
}

// now is the time in UTC, to the microsecond that stores keep.
func (s *Service) now() time.Time { return s.config.Now().UTC().Truncate(time.Microsecond) }

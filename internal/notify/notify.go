// Package notify sends Microsoft Graph's change notifications: whoever subscribes to devices gets a
// POST at their webhook when one of them changes. Each subscription follows the event log from its
// own position, which is kept in the database. So nothing is lost when the server restarts, and a
// slow receiver delays nobody else.
//
// It imports access (who may see what), live (the event log), audit, lane and fleet, and knows no
// route of the API.
//
// Begin with Service. run.go finds subscriptions with something to do, visit.go does one step for
// one of them, message.go makes the notifications, client.go sends them, and address.go decides
// which addresses are allowed.
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

// Limits of subscriptions, and how long the server waits for a receiver (Microsoft Graph, "Receive
// change notifications through webhooks").
const (
	MaxLifetime      = 30 * 24 * time.Hour
	MaxPerOwner      = 100
	DeliveryTimeout  = 3 * time.Second
	HandshakeTimeout = 10 * time.Second
	// Changes that could not be delivered for so long are skipped, and the receiver is told that it
	// missed some.
	GiveUpAfter = 4 * time.Hour
)

const (
	deliveriesAtOnce         = 16  // deliveries at the same time
	notificationsPerDelivery = 100 // notifications in one POST
	readBatch                = 512 // events read from the store at once
	// how long a subscription is claimed; then another process may take it over. Far longer than
	// the timeouts.
	lease      = 30 * time.Second
	pollEvery  = time.Second // how often to look for what is due by the clock
	gatherTime = 200 * time.Millisecond
	// how often an owner's rights are checked while there are no events
	lookEvery = time.Hour
	// how often it is checked whether a paused owner has their rights again
	pausedEvery = time.Minute
	backoffBase = time.Second
	backoffMost = 10 * time.Minute
	// how long before its expiry, or in the last quarter of a shorter life
	remindBefore   = 24 * time.Hour
	tryAgainAfter  = 5 * time.Second
	clientStateMax = 255
	urlMax         = 2048
)

// Admitter returns what somebody may do now, given the identity that was stored.
type Admitter interface {
	Admit(ctx context.Context, identity *access.Identity) (*access.Principal, error)
}

// Events yields new events; it is a live.Log.
type Events interface {
	Follow(ctx context.Context, device fleet.DeviceID, after int64) iter.Seq2[live.Event, error]
}

// Config configures the service. The first group is required; the zero value of the rest means a
// default.
type Config struct {
	Store    Store
	Events   Events
	Access   Admitter
	Devices  access.Places
	Payloads access.PayloadTags
	Tenant   string // a GUID that identifies this server to receivers

	AllowHTTP bool           // allow receivers without TLS
	Allow     []netip.Prefix // private and other special addresses that receivers may have
	RootCAs   *x509.CertPool // CAs to trust for receivers' certificates; default: the system's
	Resolver  *net.Resolver  // for receivers' names; default: the system's

	DeliveryTimeout  time.Duration // default DeliveryTimeout
	HandshakeTimeout time.Duration // default HandshakeTimeout
	Now              func() time.Time
	Log              *slog.Logger
}

// Service manages subscriptions and delivers their notifications.
type Service struct {
	config      Config
	client      *client
	node        string        // identifies this process in claims
	slots       chan struct{} // holds one value for each delivery that is under way
	handshakes  *handshakes
	eventsAdded chan struct{} // has a value when there are new events
	slotFreed   chan struct{} // has a value when a delivery has ended
	workers     sync.WaitGroup
}

// New returns a service. It delivers while Run runs.
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
		config:      c,
		client:      newClient(c),
		node:        uuid.NewString(),
		slots:       make(chan struct{}, deliveriesAtOnce),
		handshakes:  newHandshakes(),
		eventsAdded: make(chan struct{}, 1),
		slotFreed:   make(chan struct{}, 1),
	}
}

// now returns the time in UTC, to the microsecond, which is what stores keep.
func (s *Service) now() time.Time { return s.config.Now().UTC().Truncate(time.Microsecond) }

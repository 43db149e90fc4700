// Package mdm speaks Apple's MDM protocol to devices: enrollment, identity, check-ins, commands and
// push. It turns the engine's tasks into commands and the devices' answers into outcomes, and knows
// none of the rules.
package mdm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/keylock"
	"github.com/syncpayloads/syncpayloads/internal/platform"
)

// Engine is what the channel drives. *engine.Engine implements it.
type Engine interface {
	// Enroll creates or renews a managed device by its UDID and starts it clean.
	Enroll(ctx context.Context, d fleet.Device, unsupported string) (fleet.DeviceID, error)
	// Unenroll ends the management of a device.
	Unenroll(ctx context.Context, device fleet.DeviceID) error
	// Idle says that the device has nothing to answer and returns its next task, nil if there is
	// none.
	Idle(ctx context.Context, device fleet.DeviceID) (*engine.Task, error)
	// Answer applies an answer and returns the next task, nil if there is none.
	Answer(ctx context.Context, device fleet.DeviceID, r engine.Report) (*engine.Task, error)
}

// Defaults of Config.
const (
	// DefaultIdentityValidity is longer than devices usually live, because a device gets a new
	// identity only by enrolling again: one that expires leaves the device out of reach.
	DefaultIdentityValidity = 5 * 365 * 24 * time.Hour
	// PlaceholderTopic is in enrollment profiles as long as there is no push certificate.
	PlaceholderTopic = "com.apple.mgmt.External.00000000-0000-0000-0000-000000000000"
	// DefaultAPNsURL is Apple's push service.
	DefaultAPNsURL = "https://api.push.apple.com"
)

// Config is what a channel is made of. URL, Store and Engine are required.
type Config struct {
	URL    string // where devices reach this server: https://host[:port], without a path
	Store  Store
	Engine Engine
	// Busy reports whether a failure of Store or Engine passes by itself: devices are then told to
	// come again, 503, where any other is 500. A deadline that has run out always does. nil: every
	// failure does.
	Busy func(error) bool
	Log  *slog.Logger
	Now  func() time.Time

	Organization     string        // shown on devices; default "syncpayloads"
	IdentityValidity time.Duration // of device certificates; default DefaultIdentityValidity
	PlaceholderTopic string        // default PlaceholderTopic

	// Roles tells what who made a link may still do; nil: links do not depend on it until a device
	// comes.
	Roles access.Granter
	// Record adds what is refused to the audit record; nil: it is only logged.
	Record func(context.Context, audit.Entry) error

	// CertificateHeader names the request header in which a TLS-terminating proxy passes the
	// device's certificate (RFC 9440, or URL-encoded PEM as nginx does). The proxy must delete the
	// header from what clients send. Empty: off.
	CertificateHeader string

	// CA of this server's TLS certificate, put into enrollment profiles; empty: devices know it
	RootCAPEM []byte
	// Signer returns what signs an enrollment profile at the moment; nil: they are not signed.
	Signer func() (*tls.Certificate, error)

	APNsURL string         // default DefaultAPNsURL
	APNsCAs *x509.CertPool // whom to believe that it is APNs; nil: the system's
}

// Channel is the Apple MDM channel.
type Channel struct {
	config Config
	// store and engine are the config's, with failures that pass by themselves marked.
	store  Store
	engine Engine
	log    *slog.Logger
	now    func() time.Time

	ca     *authority
	pusher pusher
	// checkIns keeps the check-ins of one enrollment in order within this process.
	checkIns keylock.Locks
}

var _ platform.Channel = (*Channel)(nil)

// New makes a channel, and its device CA if the store has none yet.
func New(ctx context.Context, cfg Config) (*Channel, error) {
	if cfg.Store == nil || cfg.Engine == nil {
		return nil, errors.New("apple channel: Store and Engine are required")
	}
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" ||
		u.RawQuery != "" {
		return nil,
			fmt.Errorf("apple channel: URL %q: want https://host[:port], devices accept nothing else", cfg.URL)
	}
	cfg.URL = "https://" + u.Host
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Organization == "" {
		cfg.Organization = "syncpayloads"
	}
	if cfg.IdentityValidity <= 0 {
		cfg.IdentityValidity = DefaultIdentityValidity
	}
	if cfg.PlaceholderTopic == "" {
		cfg.PlaceholderTopic = PlaceholderTopic
	}
	if cfg.APNsURL == "" {
		cfg.APNsURL = DefaultAPNsURL
	}
	c := &Channel{config: cfg, log: cfg.Log, now: cfg.Now}
	c.store, c.engine = markedStore{cfg.Store, cfg.passing}, markedEngine{cfg.Engine, cfg.passing}
	if c.ca, err = loadAuthority(ctx, cfg.Store, cfg.Now, cfg.IdentityValidity); err != nil {
		return nil, fmt.Errorf("apple channel: device CA: %w", err)
	}
	if c.pusher.apns, err = url.Parse(cfg.APNsURL); err != nil || c.pusher.apns.Scheme != "https" ||
		c.pusher.apns.Host == "" {
		return nil, fmt.Errorf("apple channel: APNs URL %q: want https://host[:port]", cfg.APNsURL)
	}
	c.pusher.cas = cfg.APNsCAs
	return c, nil
}

// DeviceCA is the certificate of the CA that issues device identities, for the TLS server's list of
// acceptable client certificate issuers.
func (c *Channel) DeviceCA() *x509.Certificate { return c.ca.certificate }

// Paths are those that Handler serves.
func (c *Channel) Paths() []string { return []string{"/mdm", "/scep", "/enroll/"} }

// Handler serves what devices ask for: /mdm, /scep and /enroll/{code}. To accept identities by
// mutual TLS the server must ask for client certificates without verifying them
// (tls.RequestClientCert); the channel verifies them. While the store or the engine cannot do its
// work the answer is 503 with Retry-After.
func (c *Channel) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("PUT /mdm", c.mdmHandler())
	mux.HandleFunc("GET /scep", c.serveSCEP)
	mux.HandleFunc("POST /scep", c.serveSCEP)
	mux.HandleFunc("GET /enroll/{code}", c.serveEnrollmentProfile)
	return sayWhen(mux)
}

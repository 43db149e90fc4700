package server

import (
	"crypto/x509"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/platform"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// DatabaseFile is the name of the database in Config.DataDir, unless Config.Database says where it
// is.
const DatabaseFile = "syncpayloads.db"

// DefaultRestoreAfter is the time after which the server restores by itself what a call removed.
const DefaultRestoreAfter = 8 * time.Hour

// DefaultKeepEvents is how long events are kept.
const DefaultKeepEvents = 30 * 24 * time.Hour

// DefaultKeepActions is how long actions are kept.
const DefaultKeepActions = 90 * 24 * time.Hour

// Config configures a server. DataDir is required. The zero value of any other field means its
// default, except for RestoreAfter, where zero means never.
type Config struct {
	DataDir string // the folder of the CA's certificate and of the SQLite database
	// Database is a postgres:// URL, which any number of servers may share, or the path of a SQLite
	// file; default: DatabaseFile in DataDir.
	Database string
	// Store is an open database, in place of Database. The server closes it, even if it does not
	// start.
	Store  *store.Store
	Listen string // host:port; default 127.0.0.1:8443
	// Listener is an open socket, in place of Listen. If Start fails, the caller closes it.
	Listener net.Listener
	// URL is where clients and devices reach the server, https://host[:port]; default: made from
	// Listen.
	URL string

	// PEM; empty: ACME's certificate, or else one from the server's own CA
	TLSCertFile, TLSKeyFile string
	ACME                    ACME // gets the certificate from a public or private CA
	// SigningCertFile and SigningKeyFile sign enrollment profiles, PEM. Empty: the TLS certificate
	// signs them, if it was given or is ACME's; otherwise they are not signed, because a signature
	// by the server's own CA would mean nothing to a device that does not know that CA yet.
	SigningCertFile, SigningKeyFile string
	// TrustForwarded believes X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-For. Set it only
	// behind a proxy that sets or removes them.
	TrustForwarded bool
	// CertificateHeader is the header in which a proxy passes on a device's certificate; empty:
	// none does.
	CertificateHeader string

	// Provider is the identity provider whose tokens are accepted, beside the server's own tokens;
	// without an Issuer: none.
	Provider access.ProviderConfig
	// SignIn lets people sign in to the console at the Provider; without a ClientID they cannot.
	// RedirectURL is made from URL.
	SignIn access.SignInConfig
	// SessionIdle is the time without activity after which the console signs somebody out; default
	// access.DefaultIdle.
	SessionIdle time.Duration

	RestoreAfter time.Duration
	// RefuseStranding refuses to remove what may cut a device off from the server.
	RefuseStranding bool
	// RateLimit is how many requests a second one caller may send, and RateBurst how many of them
	// at once; 0: no limit.
	RateLimit float64
	RateBurst int
	Capacity  Capacity // how much the server works on at the same time
	// MaxConnections is how many connections may be open; default: four fifths of the files that
	// the system lets the process open, and at most 200,000.
	MaxConnections int
	// KeepEvents is how long events are kept: for so long a stream can be resumed and changes can
	// be looked up; default DefaultKeepEvents.
	KeepEvents time.Duration
	// KeepActions is how long after its start an ended action stays in its device's history;
	// default DefaultKeepActions. A device's newest action of each name is always kept.
	KeepActions time.Duration
	Policy      action.Policy

	APNsURL string
	APNsCAs *x509.CertPool

	Android android.Options // the addresses of Google's services that manage Android devices

	Notify Notify // where change notifications may be sent

	// Platforms are families of devices beside Apple's and Android's.
	Platforms []platform.Platform

	Clock engine.Clock // default: the system's
	Log   *slog.Logger
}

func withDefaults(c Config) Config {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8443"
	}
	if c.Database == "" {
		c.Database = filepath.Join(c.DataDir, DatabaseFile)
	}
	if c.MaxConnections <= 0 {
		c.MaxConnections = defaultConnections()
	}
	if c.KeepEvents <= 0 {
		c.KeepEvents = DefaultKeepEvents
	}
	if c.KeepActions <= 0 {
		c.KeepActions = DefaultKeepActions
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Clock == nil {
		c.Clock = engine.SystemClock{}
	}
	return c
}

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

// DefaultRestoreAfter is after how long the server restores by itself what a call removed.
const DefaultRestoreAfter = 8 * time.Hour

// DefaultKeepEvents is how long events are kept.
const DefaultKeepEvents = 30 * 24 * time.Hour

// DefaultKeepActions is how long actions are kept.
const DefaultKeepActions = 90 * 24 * time.Hour

// Config is what a server is made of. DataDir is required; the zero value of the rest has a
// default, but RestoreAfter, whose zero is never.
type Config struct {
	DataDir string // holds the CA's certificate and the database
	// Database is a postgres:// URL, which any number of servers may share, or the path of a SQLite
	// file; default: DatabaseFile in DataDir.
	Database string
	// in place of Database: it is open already, and the server closes it, also if it does not start
	Store  *store.Store
	Listen string // host:port; default 127.0.0.1:8443
	// a socket that is open already, in place of Listen; who gives it closes it if Start fails
	Listener net.Listener
	// where clients and devices reach the server, https://host[:port]; default: made of Listen
	URL string

	TLSCertFile, TLSKeyFile string // PEM; empty: ACME, or else a certificate of the server's own CA
	ACME                    ACME   // gets the certificate from a CA
	// SigningCertFile and SigningKeyFile sign enrollment profiles, PEM. Empty: the TLS certificate
	// does, if it was given or is ACME's; a signature of the server's own CA would say nothing to a
	// device that does not know it yet.
	SigningCertFile, SigningKeyFile string
	// believe a proxy's X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-For
	TrustForwarded bool
	// in which a proxy passes a device's certificate; empty: none does
	CertificateHeader string

	// whose tokens are accepted beside the server's own; no Issuer: nobody's
	Provider access.ProviderConfig
	// SignIn lets people sign in to the console at the Provider; no ClientID: they cannot.
	// RedirectURL is made of URL.
	SignIn access.SignInConfig
	// after which the console signs out who does nothing; default access.DefaultIdle
	SessionIdle time.Duration

	RestoreAfter time.Duration
	// RefuseStranding refuses to remove what may cut a device off from the server.
	RefuseStranding bool
	// RateLimit is how many requests a second one caller may send, and RateBurst how many of them
	// at once; 0: any number.
	RateLimit float64
	RateBurst int
	Capacity  Capacity // how much is worked on at the same time
	// MaxConnections is how many connections may be open; default: as many as the system lets the
	// process have, but for a fifth of them, and at most 200,000.
	MaxConnections int
	// how long a stream can be resumed, and changes looked up; default DefaultKeepEvents
	KeepEvents time.Duration
	// KeepActions is how long after its start an ended action stays in its device's history;
	// default DefaultKeepActions. The newest of each name stays.
	KeepActions time.Duration
	Policy      action.Policy

	APNsURL string
	APNsCAs *x509.CertPool

	Android android.Options // where Google's services are that manage Android devices

	Notify Notify // where notifications may go

	// Platforms are families of devices beside the program's own.
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

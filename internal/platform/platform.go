// Package platform says what a family of devices needs of a running server, and what it brings. A
// platform is one folder beside this one, and one line where the server is put together
// (server/platforms.go); no other room knows which there are.
//
// It may import what the rooms below the server declare (catalog, engine, fleet, access, audit),
// and no platform.
package platform

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Platform is a family of devices.
type Platform interface {
	// Forms are the types of policies and apps that its devices can be given.
	Forms() []*catalog.Form
	// Devices are what its devices run. Its channel serves them.
	Devices() []fleet.Platform
	// Explain finds the words for a failure: what a code means, and what to try; empty: it has
	// none, or another platform's device told of it. detail is a device's own words, of any length,
	// which may say more than the code.
	Explain(code action.Code, detail string) (meaning, advice string)
	// Open begins to speak with devices.
	Open(ctx context.Context, site Site) (Channel, error)
}

// Manager is a Platform whose devices another system manages: its channel speaks to that.
type Manager interface {
	Platform
	// Authority is the system.
	Authority() fleet.Authority
}

// Channel speaks with the devices of a platform.
type Channel interface {
	engine.Channel
	// Paths are those that its devices use. One that ends with / stands for all that begin with it.
	// Their requests wait in the devices' lane, and no other handler has them.
	Paths() []string
	Handler() http.Handler
	// Shown tells who sends a request to one of its paths, as far as can be told before the body is
	// read.
	Shown(r *http.Request) Shows
}

// Runner is a Channel that has something to do beside answering devices. The server calls Run when
// it starts, and ends ctx when it ends. An error of Run ends the server.
type Runner interface {
	Run(ctx context.Context) error
}

// Shows is what a request shows of its sender before its body is read. Whoever shows nothing is not
// let to send much.
type Shows int

const (
	ShowsSomething Shows = iota // only the whole body tells whose it is
	ShowsNobody                 // it will be refused
	// a device of this server sent it, or somebody who has seen a request of one
	ShowsDevice
)

// Site is the running server, as a channel sees it.
type Site struct {
	// URL is where devices reach the server: https://host[:port], without a path.
	URL    string
	Engine *engine.Engine
	// Roles tells what whoever made an enrollment link may still do.
	Roles access.Granter
	// Record adds what is refused to the audit record.
	Record func(context.Context, audit.Entry) error
	// RootCAPEM is the CA of the server's TLS certificate, which devices must be told to trust;
	// empty: they do.
	RootCAPEM []byte
	// Signer returns what signs what devices are to trust at enrollment, at the moment; nil:
	// nothing does.
	Signer func() (*tls.Certificate, error)
	// Busy reports whether a failure of the database passes by itself: devices are then told to
	// come again.
	Busy func(error) bool
	Now  func() time.Time
	// After rings when a time has passed on the same clock.
	After func(time.Duration) <-chan time.Time
	Log   *slog.Logger
}

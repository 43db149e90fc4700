// Package apple is the platform of Apple's devices: iPhone, iPad, Mac and Apple TV. It puts
// together what they can be given (payload) and how the server speaks with them (mdm). Nothing else
// of the server imports those two but the store, which keeps what mdm declares; simulator has
// simulated devices, for tests and the demo.
package apple

import (
	"context"
	"crypto/x509"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/platform"
)

// Platform is Apple's. Store is required.
type Platform struct {
	Store mdm.Store
	// CertificateHeader names the header in which a proxy passes a device's certificate; empty:
	// none does.
	CertificateHeader string
	// APNsURL is Apple's push service, and APNsCAs whom to believe that it is; the zero values have
	// defaults.
	APNsURL string
	APNsCAs *x509.CertPool
}

var _ platform.Platform = Platform{}

// Forms implements platform.Platform.
func (Platform) Forms() []*catalog.Form { return payload.Forms() }

// Devices implements platform.Platform.
func (Platform) Devices() []fleet.Platform {
	return []fleet.Platform{fleet.IOS, fleet.IPadOS, fleet.MacOS, fleet.TVOS}
}

// Explain implements platform.Platform.
func (Platform) Explain(code action.Code, detail string) (meaning, advice string) {
	return mdm.Explain(code, detail)
}

// Open implements platform.Platform. The channel is a *mdm.Channel.
func (p Platform) Open(ctx context.Context, site platform.Site) (platform.Channel, error) {
	return mdm.New(ctx, mdm.Config{URL: site.URL, Store: p.Store, Engine: site.Engine,
		Busy: site.Busy, Log: site.Log, Now: site.Now,
		Roles: site.Roles, Record: site.Record, CertificateHeader: p.CertificateHeader,
		RootCAPEM: site.RootCAPEM,
		Signer:    site.Signer, APNsURL: p.APNsURL, APNsCAs: p.APNsCAs})
}

// Package android is the platform of Android devices that Google's Android Management API manages.
// It puts together what they can be given (payload) and how the server speaks with them, through
// Google (amapi). Nothing else of the server imports those two but the store, which keeps what
// amapi declares; simulator has Google's services with simulated devices, for tests and the demo.
package android

import (
	"context"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/platform"
)

// Options say where Google's services are, and how much they may be asked; the zero value is
// Google's own.
type Options struct {
	Endpoints amapi.Endpoints
	// PerSecond is how many queries a second this process may ask. Google's quota is 1,000 in 100
	// seconds for all servers of a project together; default 8.
	PerSecond float64
}

// Platform is Android's. Store is required.
type Platform struct {
	Store   amapi.Store
	Options Options
}

var _ platform.Platform = Platform{}

// Forms implements platform.Platform.
func (Platform) Forms() []*catalog.Form { return payload.Forms() }

// Devices implements platform.Platform.
func (Platform) Devices() []fleet.Platform { return []fleet.Platform{fleet.Android} }

// Explain implements platform.Platform.
func (Platform) Explain(code action.Code, detail string) (meaning, advice string) {
	return payload.Explain(code, detail)
}

// Open implements platform.Platform. The channel is a *amapi.Channel.
func (p Platform) Open(_ context.Context, site platform.Site) (platform.Channel, error) {
	return amapi.New(amapi.Config{URL: site.URL, Store: p.Store, Engine: site.Engine,
		Roles: site.Roles, Record: site.Record, Now: site.Now, After: site.After, Log: site.Log,
		Endpoints: p.Options.Endpoints, PerSecond: p.Options.PerSecond})
}

// Package intune is what the server is given to mirror the devices that Intune tenants manage. It
// has no types of policies or apps of its own: what a tenant assigns is only shown here. Package
// tenant asks Intune, package channel mirrors, and nothing else of the server imports these two but
// the store, which keeps what channel declares.
package intune

import (
	"context"
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/intune/channel"
	"github.com/syncpayloads/syncpayloads/internal/platform"
)

// Platform is the devices of Intune tenants. Store is required.
type Platform struct {
	Store     channel.Store
	Transport http.RoundTripper // speaks to Microsoft; nil: one with bounds
}

var _ platform.Manager = Platform{}

// Forms implements platform.Platform.
func (Platform) Forms() []*catalog.Form { return nil }

// Devices implements platform.Platform.
func (Platform) Devices() []fleet.Platform {
	return []fleet.Platform{fleet.IOS, fleet.IPadOS, fleet.Android}
}

// Authority implements platform.Manager.
func (Platform) Authority() fleet.Authority { return channel.Authority }

// Explain implements platform.Platform: Intune's own words say all that there is to say.
func (Platform) Explain(action.Code, string) (meaning, advice string) { return "", "" }

// Open implements platform.Platform. The channel is a *channel.Channel.
func (p Platform) Open(_ context.Context, site platform.Site) (platform.Channel, error) {
	return channel.New(channel.Config{Store: p.Store, Engine: site.Engine, Now: site.Now,
		After: site.After, Log: site.Log, Transport: p.Transport})
}

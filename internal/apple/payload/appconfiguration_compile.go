package payload

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// configurations compiles the form of managed app configurations.
type configurations struct{}

// ReadFile implements catalog.Compiler; app configurations have no file.
func (configurations) ReadFile([]byte) (any, error) { return nil, nil }

// Risks implements catalog.Compiler.
func (configurations) Risks([]byte, []*x509.Certificate) ([]catalog.Risk, error) { return nil, nil }

// Inspect implements catalog.Compiler: each key is a setting.
func (configurations) Inspect(content []byte) (*catalog.Inspection, error) {
	var c AppConfiguration
	err := json.Unmarshal(content, &c)
	return &catalog.Inspection{Settings: len(c.Configuration)}, err
}

// Compile implements catalog.Compiler.
func (configurations) Compile(ctx context.Context, _ *catalog.Form, d *catalog.Draft,
	look catalog.Lookup) (*catalog.Content, error) {
	c := &catalog.Content{IdentifiedBy: targetedApps, PlatformsBy: targetedApps,
		SubType: KindApplication}
	if d.Old != nil {
		c.Identifier, c.Platforms = d.Old.Identifier, d.Old.Platforms
	}
	if _, given := d.Changed[targetedApps]; given || d.Old == nil {
		app, err := targetOf(ctx, d.Properties, look)
		if err != nil {
			return nil, err
		}
		if d.Old == nil {
			c.Platforms = app.Platforms
		}
		c.Identifier = app.Identifier
	}
	dict, err := readConfiguration(d.Properties)
	if err != nil {
		return nil, err
	}
	c.Revision = ConfigurationRevision(dict)
	if c.Installed, err = json.Marshal(AppConfiguration{BundleID: c.Identifier,
		Configuration: dict}); err != nil {
		return nil, err
	}
	var delivered AppConfiguration
	if err := json.Unmarshal(c.Installed, &delivered); err != nil ||
		ConfigurationRevision(delivered.Configuration) != c.Revision {
		return nil, &invalid.Input{Property: listedSettings,
			Reason: "a key or value has characters that a property list cannot hold"}
	}
	return c, keepsBundleID(d.Old, c)
}

// targetOf is the app that a configuration is for. It has its bundle id and platforms.
func targetOf(ctx context.Context, props catalog.Properties,
	look catalog.Lookup) (*catalog.Payload, error) {
	id, err := readTargetedApp(props)
	if err != nil {
		return nil, err
	}
	app, err := look.Payload(ctx, action.PayloadID(id))
	if err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return nil, err
	}
	if err != nil || app.Type != action.Application || app.Family() != fleet.IOS {
		return nil, &invalid.Input{Property: targetedApps,
			Reason: fmt.Sprintf("%s is not an iOS app of the catalog: add the app first", id)}
	}
	return app, nil
}

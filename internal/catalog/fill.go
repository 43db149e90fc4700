package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// fill sets what follows from a payload's properties. resolve: find the targeted app in the catalog.
func (p *Payload) fill(ctx context.Context, tx Tx, props properties, resolve bool) (err error) {
	switch p.Type {
	case action.Application:
		err = fillApp(p, props)
	case action.AppConfiguration:
		if resolve {
			err = p.target(ctx, tx, props)
		}
		if err == nil {
			err = p.configure(props)
		}
	case action.ConfigurationPolicy:
		err = p.compile(props)
	default:
		err = p.checkChannel(props)
	}
	if err != nil {
		return err
	}
	p.Properties, err = json.Marshal(props)
	return err
}

// checkChannel refuses what no channel could deliver.
func (p *Payload) checkChannel(props properties) error {
	const name = "deploymentChannel"
	channel, err := read[string](props, name, "a string")
	switch {
	case err != nil || channel == "":
		return err
	case p.ODataType != MacOSCustomConfiguration:
		return &Invalid{Property: name, Reason: "is a property of " + MacOSCustomConfiguration + " only"}
	case channel != "deviceChannel":
		return &Invalid{Property: name, Reason: fmt.Sprintf("is %.60q; this server delivers over \"deviceChannel\" only", channel)}
	}
	return nil
}

// target takes bundle id and platforms from the app that the configuration is for.
func (p *Payload) target(ctx context.Context, tx Tx, props properties) error {
	id, err := props.targetedApp()
	if err != nil {
		return err
	}
	app, err := tx.Payload(ctx, action.PayloadID(id))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err != nil || !sees(ctx, app) || app.Type != action.Application || app.Family() != fleet.IOS {
		return &Invalid{Property: "targetedMobileApps", Reason: fmt.Sprintf("%s is not an iOS app of the catalog: add the app first", id)}
	}
	if p.Identifier == "" {
		p.Platforms = app.Platforms
	}
	p.Identifier = app.Identifier
	return nil
}

func (p *Payload) configure(props properties) error {
	dict, err := props.appConfiguration()
	if err != nil {
		return err
	}
	p.SubType, p.Revision = KindApplication, ConfigurationRevision(dict)
	if p.Content, err = json.Marshal(AppConfiguration{BundleID: p.Identifier, Configuration: dict}); err != nil {
		return err
	}
	var delivered AppConfiguration
	if err := json.Unmarshal(p.Content, &delivered); err != nil || ConfigurationRevision(delivered.Configuration) != p.Revision {
		return &Invalid{Property: "settings", Reason: "a key or value has characters that a property list cannot hold"}
	}
	return nil
}

// identifiedBy is the Graph property that the payload's identifier comes from.
func (p *Payload) identifiedBy() string {
	switch {
	case p.Type == action.DeviceConfiguration:
		return "payload"
	case p.Type == action.AppConfiguration:
		return "targetedMobileApps"
	case p.ODataType == MacOSPkgApp:
		return "primaryBundleId"
	default:
		return "bundleId"
	}
}

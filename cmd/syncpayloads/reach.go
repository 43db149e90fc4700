package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/client/direct"
)

// service is what commands need of a server, or of Microsoft Graph itself.
type service interface {
	Devices(ctx context.Context, o client.DeviceOptions) iter.Seq2[client.Device, error]
	Device(ctx context.Context, idOrName string) (*client.Device, error)
	SyncDevice(ctx context.Context, deviceID string) error
	Payloads(ctx context.Context, deviceID string) ([]client.Payload, error)
	PayloadSet(ctx context.Context, deviceID string) ([]client.Payload, string, error)
	SyncPayloads(ctx context.Context, deviceID string, set []client.Selection,
		o client.SyncOptions) error
	ActionResults(ctx context.Context, deviceID string) ([]client.ActionResult, error)
	Watch(ctx context.Context, deviceID string) iter.Seq2[client.Update, error]
}

// graphFlags are for Microsoft Graph in place of a server.
type graphFlags struct {
	Authority   string        `help:"With Microsoft Graph as --url: where its tokens come from; without it, the cloud's own." placeholder:"URL" group:"Microsoft Graph"`
	Tenant      string        `help:"The directory's id or domain, for an app that proves itself." placeholder:"ID" group:"Microsoft Graph"`
	ClientID    string        `name:"client-id" help:"The app's client id. Its secret is SYNCPAYLOADS_CLIENT_SECRET in the environment." placeholder:"ID" group:"Microsoft Graph"`
	Certificate string        `help:"File with the app's certificate and key, in place of a secret." placeholder:"FILE" predictor:"file" group:"Microsoft Graph"`
	Poll        time.Duration `help:"How often to look at an action there; without it, every 15s for 5m, every minute for 1h, then every 5m." placeholder:"DURATION" group:"Microsoft Graph"`
}

// reachable has the flags of a command that a server or Microsoft Graph itself can serve.
type reachable struct {
	connection `embed:""`
	graphFlags `embed:""`
}

// toGraph reports whether the command is to speak with Microsoft Graph itself.
func (c *reachable) toGraph() bool { return c.Authority != "" || direct.IsGraph(c.URL) }

// reach returns a server, or Microsoft Graph itself.
func (c *reachable) reach() (service, error) {
	if !c.toGraph() {
		return c.open()
	}
	config := direct.Config{URL: c.URL, Authority: c.Authority, TenantID: c.Tenant,
		ClientID: c.ClientID, Token: c.Token, Secret: os.Getenv("SYNCPAYLOADS_CLIENT_SECRET"),
		CertificateFile: c.Certificate, Poll: c.Poll}
	if config.Token == "" && config.Secret == "" && config.CertificateFile == "" {
		folder, err := loginFolder()
		if err != nil {
			return nil, err
		}
		login, err := direct.OpenLogin(folder, c.URL)
		if err != nil {
			return nil, err
		}
		if login != nil {
			config.Tokens = login
		}
	}
	opened, err := direct.New(config)
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	return opened, nil
}

// sayWhose says whose word the statuses are, unless programs read the output.
func (c *reachable) sayWhose(out io.Writer, json bool) {
	if c.toGraph() && !json {
		fmt.Fprintln(out, "Statuses are reported by Intune.")
	}
}

// reportedState is the state of a payload as Intune reports it. What no action named is only known
// to be assigned.
func reportedState(p client.Payload) string {
	if !p.Removed && p.Presence == client.Unknown && p.Work == client.WorkIdle {
		return "assigned"
	}
	return payloadState(p)
}

// reportedRestore is when Intune restores a payload by itself.
func reportedRestore(p client.Payload) string {
	if !p.Removed {
		return ""
	}
	return "by Intune, 8 to 24 hours after"
}

// find returns who serves, and a device given by id or name.
func (c *reachable) find(ctx context.Context,
	idOrName string) (service, *client.Device, error) {
	opened, err := c.reach()
	if err != nil {
		return nil, nil, err
	}
	device, err := opened.Device(ctx, idOrName)
	return opened, device, err
}

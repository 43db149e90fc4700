package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/client"
	android "github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// demoHardware are the devices of the demonstration. The walk is on the first.
var demoHardware = []simulator.Config{
	{Kind: simulator.IPhone, Seed: 1, Name: "Anna-iPhone", Supervised: true},
	{Kind: simulator.IPhone, Seed: 2, Name: "Ben-iPhone"},
	{Kind: simulator.IPad, Seed: 3, Name: "Reception-iPad", Supervised: true},
	{Kind: simulator.Mac, Seed: 4, Name: "Studio-Mac", Supervised: true},
	{Kind: simulator.AppleTV, Seed: 5, Name: "Lobby-AppleTV", Supervised: true},
}

// demoFaults make devices take as long as a person likes to watch.
var demoFaults = simulator.Faults{Busy: 1500 * time.Millisecond, AppLooks: 2,
	AppTime: 1200 * time.Millisecond}

// demoDevice is a simulated device, as the server knows it and as it is itself.
type demoDevice struct {
	id, name, platform string
	*simulator.Device  // nil: it is an Android one
	android            *android.Device
}

// demoFleet is the world around the demonstration's server: devices, Apple's push service, Google's
// services for Android, a web server with the manifest of a package.
type demoFleet struct {
	log        *slog.Logger
	gateway    *simulator.Gateway
	gatewayCAs *x509.CertPool
	manifests  *manifestServer
	google     *demoGoogle
	transport  *http.Transport
	fleet      *simulator.Fleet
	devices    []*demoDevice
	stop       context.CancelFunc
	stopped    chan struct{}
}

func startDemoFleet(ctx context.Context, log *slog.Logger) (*demoFleet, error) {
	gateway, err := simulator.NewGateway(simulator.GatewayOptions{RequireClientCert: true,
		Log: log})
	if err != nil {
		return nil, err
	}
	manifests, err := startManifestServer(log)
	if err != nil {
		return nil, errors.Join(err, gateway.Close())
	}
	google, err := startDemoGoogle(ctx, "127.0.0.1:0", android.Options{RequireToken: true,
		PullWait: 5 * time.Second, Delay: 800 * time.Millisecond, Log: log})
	if err != nil {
		return nil, errors.Join(err, manifests.close(), gateway.Close())
	}
	f := &demoFleet{log: log, gateway: gateway, gatewayCAs: x509.NewCertPool(),
		manifests: manifests, google: google}
	f.gatewayCAs.AppendCertsFromPEM(gateway.CA())
	return f, nil
}

// stopDevices ends the devices' connections, which would keep a server from closing.
func (f *demoFleet) stopDevices() {
	if f.stop != nil {
		f.stop()
		<-f.stopped
		f.transport.CloseIdleConnections()
	}
}

func (f *demoFleet) close() {
	f.stopDevices()
	if err := errors.Join(f.google.close(), f.manifests.close(),
		f.gateway.Close()); err != nil {
		f.log.Warn("ending the simulated devices", "err", err)
	}
}

// enroll makes the server able to wake devices, and the devices managed.
func (f *demoFleet) enroll(ctx context.Context, c *client.Client, caFile string) error {
	if err := setSimulatedPushCertificate(ctx, c); err != nil {
		return err
	}
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(ca)
	trusted.AddCert(f.manifests.certificate)
	f.transport = transportTrusting(trusted)
	f.fleet = simulator.NewFleet(simulator.Options{Transport: f.transport, Gateway: f.gateway,
		Apps: demoStore,
		Keys: simulator.NewKeyPool(2), RetryAfter: time.Second, Log: f.log})
	f.run(ctx)
	enrolling, limited := errgroup.WithContext(ctx)
	for _, config := range demoHardware {
		device := &demoDevice{name: config.Name, Device: f.fleet.Add(config)}
		device.SetFaults(demoFaults)
		f.devices = append(f.devices, device)
		enrolling.Go(func() error {
			// a push that came before it had finished enrolling found nobody
			defer f.fleet.Wake(device.Device)
			return device.join(limited, c)
		})
	}
	if err := enrolling.Wait(); err != nil {
		return err
	}
	return f.enrollAndroids(ctx, c)
}

// enrollAndroids sets Android up and has its devices managed.
func (f *demoFleet) enrollAndroids(ctx context.Context, c *client.Client) error {
	if err := f.google.setUp(ctx, c); err != nil {
		return fmt.Errorf("setting up Android: %w", err)
	}
	for _, hardware := range demoAndroids {
		hardware.options.Faults = demoAndroidFaults
		device, err := f.google.enroll(ctx, c, hardware.mode, hardware.serial, hardware.options)
		if err != nil {
			return err
		}
		f.devices = append(f.devices, device)
	}
	return nil
}

func (f *demoFleet) run(ctx context.Context) {
	running, stop := context.WithCancel(ctx)
	f.stop, f.stopped = stop, make(chan struct{})
	go func() {
		defer close(f.stopped)
		f.fleet.Run(running)
	}()
}

func transportTrusting(pool *x509.CertPool) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return transport
}

// join enrolls the device by a link of its own and finds out its id.
func (d *demoDevice) join(ctx context.Context, c *client.Client) error {
	// Those of an earlier run enroll anew.
	link, err := c.CreateEnrollmentWith(ctx, client.EnrollmentOptions{ExpiresIn: time.Hour,
		Replace: true})
	if err != nil {
		return err
	}
	if err := d.Enroll(ctx, link.URL); err != nil {
		return err
	}
	found, err := c.Device(ctx, d.name)
	if err != nil {
		return err
	}
	d.id, d.platform = found.ID, found.OperatingSystem
	return nil
}

// setSimulatedPushCertificate gives the server a push certificate that a simulated push service
// takes, unless it has one.
func setSimulatedPushCertificate(ctx context.Context, c *client.Client) error {
	if _, err := c.PushCertificate(ctx); !client.IsNotFound(err) {
		return err
	}
	certificate, key, _, err := simulator.NewPushCertificate("00000000-0000-4000-8000-000000000001",
		time.Now().Add(-time.Minute))
	if err != nil {
		return err
	}
	if _, err := c.SetPushCertificate(ctx, certificate, key); err != nil {
		return fmt.Errorf("setting a push certificate: %w", err)
	}
	return nil
}

// has tells whether the device itself has a profile or app, whatever the server believes.
func (d *demoDevice) has(identifier string) bool {
	if d.android != nil {
		return hasAndroid(d.android, identifier)
	}
	for _, profile := range d.Profiles() {
		if profile.Identifier == identifier {
			return true
		}
	}
	for _, app := range d.Apps() {
		if app.Identifier == identifier && app.Installed() {
			return true
		}
	}
	return false
}

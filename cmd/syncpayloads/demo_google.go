package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

// demoGoogle is Google as the demonstration has it: its Android Management API and Pub/Sub,
// simulated on this machine, with devices behind it that act by themselves.
type demoGoogle struct {
	service *simulator.Service
	url     string
	http    *http.Server
	stop    context.CancelFunc
	stopped chan struct{}
}

// startDemoGoogle serves it on an address of this machine; port 0: any free one.
func startDemoGoogle(ctx context.Context, listen string, o simulator.Options) (*demoGoogle, error) {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("the simulated Android Management API: %w", err)
	}
	g := &demoGoogle{service: simulator.NewService(o), url: "http://" + listener.Addr().String(),
		stopped: make(chan struct{})}
	g.http = &http.Server{Handler: g.service, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug)}
	running, stop := context.WithCancel(ctx)
	g.stop = stop
	go g.http.Serve(listener) //nolint:errcheck // ends with close
	go func() {
		defer close(g.stopped)
		g.service.Run(running)
	}()
	return g, nil
}

// useInPlaceOfGoogle has a server manage Android devices through a service at another address than
// Google's. simulator.Service says what is where.
func useInPlaceOfGoogle(c *server.Config, address string) {
	address = strings.TrimSuffix(address, "/")
	e := &c.Android.Endpoints
	e.API, e.PubSub = address+"/", address+"/"
	e.Token, e.PushKeys = address+"/token", address+"/certs"
}

// close ends the devices and the service.
func (g *demoGoogle) close() error {
	g.stop()
	<-g.stopped
	return g.http.Close()
}

// setUp makes the server's enterprise, as an admin does it. A server that has one from an earlier
// run keeps it: the simulated service, which begins anew, gets one of the same name.
func (g *demoGoogle) setUp(ctx context.Context, c *client.Client) error {
	now, err := c.Android(ctx)
	if err != nil {
		return err
	}
	key, err := g.service.ServiceAccount(g.url, now.Project)
	if err != nil {
		return fmt.Errorf("making a service account: %w", err)
	}
	token := ""
	if now.Enterprise != "" {
		g.service.Restore(now.Enterprise)
	}
	if now, err = c.SetAndroidServiceAccount(ctx, key); err != nil {
		return err
	}
	if now.Enterprise == "" {
		link, err := c.BeginAndroidSignup(ctx, "")
		if err != nil {
			return err
		}
		if token, err = g.signUp(ctx, link); err != nil {
			return err
		}
	}
	_, err = c.FinishAndroidSignup(ctx, token, "")
	return err
}

// signUp follows a link as an admin does, and returns the token of the address that it leads back
// to.
func (g *demoGoogle) signUp(ctx context.Context, link string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return "", err
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	answer, err := browser.Do(r)
	if err != nil {
		return "", fmt.Errorf("signing up: %w", err)
	}
	_ = answer.Body.Close() // it says nothing
	back, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || back.Query().Get("enterpriseToken") == "" {
		return "", fmt.Errorf("the sign-up led to %s %q", answer.Status,
			answer.Header.Get("Location"))
	}
	return back.Query().Get("enterpriseToken"), nil
}

// enrollTime is how long the server may take to hear of a device.
const enrollTime = time.Minute

// enroll enrolls a device with a token of its own, and returns it as the server has it.
func (g *demoGoogle) enroll(ctx context.Context, c *client.Client, mode client.AndroidMode,
	serial string, o simulator.DeviceOptions) (*demoDevice, error) {
	token, err := c.CreateAndroidToken(ctx, client.AndroidTokenOptions{Mode: mode, OneTime: true,
		ExpiresIn: time.Hour})
	if err != nil {
		return nil, err
	}
	began := time.Now()
	device, err := g.service.Enroll(token.Value, serial, o)
	if err != nil {
		return nil, fmt.Errorf("enrolling %s: %w", serial, err)
	}
	ctx, cancel := context.WithTimeout(ctx, enrollTime)
	defer cancel()
	for {
		for found, err := range c.Devices(ctx, client.DeviceOptions{
			Filter: "serialNumber eq '" + serial + "' and managementState eq 'managed'"}) {
			if err != nil {
				return nil, err
			}
			// one of an earlier run enrolls anew
			if !found.Enrolled.Before(began.Truncate(time.Second)) {
				return &demoDevice{id: found.ID, name: found.Name, platform: found.OperatingSystem,
					android: device}, nil
			}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, fmt.Errorf("the server does not hear of %s: %w", serial,
				context.Cause(ctx))
		}
	}
}

// demoAndroids are the Android devices of the demonstration.
var demoAndroids = []struct {
	mode    client.AndroidMode
	serial  string
	options simulator.DeviceOptions
}{
	{client.AndroidFullyManaged, "39DEMO01", simulator.DeviceOptions{Brand: "Google",
		Model: "Pixel 9"}},
	{client.AndroidDedicated, "39DEMO02", simulator.DeviceOptions{Brand: "Samsung",
		Model: "Galaxy Tab S10"}},
}

// demoAndroidFaults make devices take as long as a person likes to watch.
var demoAndroidFaults = simulator.Faults{AppTime: 1200 * time.Millisecond, AppReports: 1}

// The Android part of the demonstration's catalog, by how a device shows that it has it.
const (
	androidWiFi        = "Office Wi-Fi (Android)"
	androidRules       = "Android restrictions"
	androidTimesheets  = "Timesheets"
	androidNetwork     = "network:"
	androidSetting     = "setting:"
	timesheetsPackage  = "com.example.timesheets"
	androidOfficeSSID  = "Example Office"
	androidRulesMarker = "screenCaptureDisabled"
)

// androidItems are what the Android devices are given.
func androidItems() []demoItem {
	return []demoItem{
		{collection: configurations, identifier: androidNetwork + androidOfficeSSID,
			body: map[string]any{
				"@odata.type": "#microsoft.graph.androidDeviceOwnerWiFiConfiguration",
				"displayName": androidWiFi, "networkName": "Office", "ssid": androidOfficeSSID,
				"wiFiSecurityType":     "wpaPersonal",
				"preSharedKey":         "correct horse battery staple",
				"connectAutomatically": true}},
		{collection: configurations, identifier: androidSetting + androidRulesMarker,
			body: map[string]any{
				"@odata.type": "#microsoft.graph.androidDeviceOwnerGeneralDeviceConfiguration",
				"displayName": androidRules, "screenCaptureBlocked": true,
				"factoryResetBlocked": true, "bluetoothBlockConfiguration": true}},
		{collection: apps, identifier: timesheetsPackage, body: map[string]any{
			"@odata.type": "#microsoft.graph.androidManagedStoreApp",
			"displayName": androidTimesheets, "publisher": "Example",
			"packageId": timesheetsPackage}},
	}
}

// hasAndroid tells whether an Android device itself has what an identifier stands for.
func hasAndroid(d *simulator.Device, identifier string) bool {
	if ssid, ok := strings.CutPrefix(identifier, androidNetwork); ok {
		for _, network := range d.Networks() {
			if network.SSID == ssid {
				return true
			}
		}
		return false
	}
	if name, ok := strings.CutPrefix(identifier, androidSetting); ok {
		_, set := d.Settings()[name]
		return set
	}
	return d.Has(identifier)
}

package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/simulator"
)

type simulateCommand struct {
	connection `embed:""`
	Devices    int           `help:"How many devices." default:"10"`
	Kind       string        `help:"iPhone, iPad, Mac, AppleTV, or mixed." enum:"iPhone,iPad,Mac,AppleTV,mixed" default:"mixed"`
	Seed       uint64        `help:"Of the first device: the same seed is the same device." default:"1000"`
	Duration   time.Duration `help:"How long to go on; 0: until interrupted." default:"0" placeholder:"DURATION"`
	Poll       time.Duration `help:"How often each device connects by itself; 0: only when pushed." default:"10s"`
	NotNow     float64       `help:"Probability that a device answers NotNow." default:"0" placeholder:"P" group:"Troubles, each from 0 to 1"`
	Transient  float64       `help:"Probability of an error that passes." default:"0" placeholder:"P" group:"Troubles, each from 0 to 1"`
	Lost       float64       `help:"Probability that an answer gets lost." default:"0" placeholder:"P" group:"Troubles, each from 0 to 1"`
	APNsListen string        `name:"apns-listen" help:"Run a push service here; start the server with --apns-url and --apns-ca." placeholder:"HOST:PORT"`
	APNsCAFile string        `name:"apns-ca-file" help:"Where to write that push service's CA certificate." default:"simulated-apns-ca.pem" predictor:"file"`
	JSON       bool          `name:"json" help:"Print the counts at the end as JSON."`
}

// Validate refuses what cannot be meant.
func (s *simulateCommand) Validate() error {
	for name, p := range map[string]float64{"not-now": s.NotNow, "transient": s.Transient, "lost": s.Lost} {
		if !(p >= 0 && p <= 1) {
			return fmt.Errorf("--%s is a probability, from 0 to 1", name)
		}
	}
	if s.Devices < 1 {
		return errors.New("--devices must be at least 1")
	}
	if s.Poll < 0 || s.Poll == 0 && s.APNsListen == "" {
		return errors.New("--poll 0 needs --apns-listen: otherwise no device would ever connect")
	}
	return nil
}

// simulation is the counts of a run.
type simulation struct {
	Devices     int                     `json:"devices"`
	Connections int64                   `json:"connections"`
	Commands    int64                   `json:"commands"`
	Failures    int64                   `json:"connectionsEndedEarly"`
	Pushes      *simulator.GatewayStats `json:"pushes,omitempty"`
}

// Run enrolls the devices and lets them live.
func (s *simulateCommand) Run(ctx context.Context, out io.Writer) error {
	c, err := s.open()
	if err != nil {
		return err
	}
	gateway, err := s.gateway(ctx, c)
	if err != nil {
		return err
	}
	if gateway != nil {
		defer gateway.Close() //nolint:errcheck // the program ends
	}
	fleet, err := s.fleet(ctx, c, gateway)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		fleet.Run(running)
	}()
	err = s.live(ctx, c, fleet)
	stop()
	<-ended
	if err != nil {
		return err
	}
	return s.print(out, fleet, gateway)
}

// live enrolls the devices and waits for the end.
func (s *simulateCommand) live(ctx context.Context, c *client.Client, fleet *simulator.Fleet) error {
	if err := s.enroll(ctx, c, fleet); err != nil {
		return fmt.Errorf("enrolling: %w", err)
	}
	fmt.Fprintf(os.Stderr, "%d devices enrolled\n", s.Devices)
	limited, cancel := ctx, context.CancelFunc(func() {})
	if s.Duration > 0 {
		limited, cancel = context.WithTimeout(ctx, s.Duration)
	}
	defer cancel()
	ticker := time.NewTicker(10 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-limited.Done():
			return nil
		case <-ticker.C:
			now := fleet.Stats()
			fmt.Fprintf(os.Stderr, "%d connections, %d commands, %d ended early\n", now.Connections, now.Commands, now.Failures)
		}
	}
}

const enrollAtOnce = 8

func (s *simulateCommand) enroll(ctx context.Context, c *client.Client, fleet *simulator.Fleet) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(enrollAtOnce)
	mixed := []simulator.Kind{simulator.IPhone, simulator.IPad, simulator.Mac, simulator.AppleTV}
	for i := range s.Devices {
		kind := simulator.Kind(s.Kind)
		if s.Kind == "mixed" {
			kind = mixed[i%len(mixed)]
		}
		device := fleet.Add(simulator.Config{Kind: kind, Seed: s.Seed + uint64(i), Supervised: true})
		device.SetFaults(simulator.Faults{NotNow: s.NotNow, Transient: s.Transient, LostAnswer: s.Lost, Busy: 2 * time.Second,
			AppLooks: 2})
		group.Go(func() error {
			link, err := c.CreateEnrollment(ctx, time.Hour)
			if err != nil {
				return err
			}
			defer fleet.Wake(device) // a push that came before it had finished enrolling found nobody
			return device.Enroll(ctx, link.URL)
		})
	}
	return group.Wait()
}

func (s *simulateCommand) fleet(ctx context.Context, c *client.Client, gateway *simulator.Gateway) (*simulator.Fleet, error) {
	store, err := appStore(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("reading which apps there are: %w", err)
	}
	options := simulator.Options{Apps: store, Gateway: gateway, PollEvery: s.Poll, Keys: simulator.NewKeyPool(16),
		RetryAfter: 2 * time.Second, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	if s.CA != "" {
		text, err := os.ReadFile(s.CA)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(text)
		options.Transport = transportTrusting(pool)
	}
	return simulator.NewFleet(options), nil
}

// appStore makes the simulated app store of what the server's catalog has from Apple's.
func appStore(ctx context.Context, c *client.Client) (map[int64]string, error) {
	found := make(map[int64]string)
	var list struct {
		Value []struct {
			BundleID    string `json:"bundleId"`
			AppStoreURL string `json:"appStoreUrl"`
			StoreID     int64  `json:"storeId"`
		} `json:"value"`
	}
	if err := c.Do(ctx, http.MethodGet, apps+"?$top=1000", nil, &list); err != nil {
		return nil, err
	}
	for _, app := range list.Value {
		id := app.StoreID
		if _, after, ok := strings.Cut(app.AppStoreURL, "/id"); ok && id == 0 {
			_, _ = fmt.Sscanf(after, "%d", &id) // the server accepted the address; one without a number is no store app
		}
		if id != 0 {
			found[id] = app.BundleID
		}
	}
	return found, nil
}

// startTime is how long the server may take to start once the push service's CA has been written.
const startTime = 2 * time.Minute

// gateway runs the push service, if wanted, and waits for the server, which needs its CA to start.
func (s *simulateCommand) gateway(ctx context.Context, c *client.Client) (*simulator.Gateway, error) {
	if s.APNsListen == "" {
		return nil, nil
	}
	gateway, err := simulator.NewGateway(simulator.GatewayOptions{Address: s.APNsListen})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(s.APNsCAFile, gateway.CA(), 0o644); err != nil {
		return nil, errors.Join(fmt.Errorf("writing the push service's CA: %w", err), gateway.Close())
	}
	fmt.Fprintf(os.Stderr, "The push service runs. Start the server now, if it is not running yet, with:\n"+
		"  --apns-url %s --apns-ca %s\n", gateway.URL(), s.APNsCAFile)
	if err := untilServing(ctx, c); err != nil {
		return nil, errors.Join(err, gateway.Close())
	}
	return gateway, nil
}

func untilServing(ctx context.Context, c *client.Client) error {
	limited, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		err := setSimulatedPushCertificate(limited, c)
		var answer *client.Error
		if err == nil || errors.As(err, &answer) {
			return err
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-limited.Done():
			return err
		}
	}
}

func (s *simulateCommand) print(out io.Writer, fleet *simulator.Fleet, gateway *simulator.Gateway) error {
	stats := fleet.Stats()
	counts := simulation{Devices: s.Devices, Connections: stats.Connections, Commands: stats.Commands, Failures: stats.Failures}
	if gateway != nil {
		pushes := gateway.Stats()
		counts.Pushes = &pushes
	}
	if s.JSON {
		return printJSON(out, counts)
	}
	fmt.Fprintf(out, "%d devices: %d connections, %d commands, %d connections ended early\n", counts.Devices, counts.Connections,
		counts.Commands, counts.Failures)
	if counts.Pushes != nil {
		fmt.Fprintf(out, "pushes: %d delivered, %d ignored, %d refused\n", counts.Pushes.Delivered, counts.Pushes.Ignored,
			counts.Pushes.Refused)
	}
	return nil
}

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
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

type simulateCommand struct {
	connection    `embed:""`
	Devices       int           `help:"How many devices." default:"10"`
	Kind          string        `help:"iPhone, iPad, Mac, AppleTV, or mixed." enum:"iPhone,iPad,Mac,AppleTV,mixed" default:"mixed"`
	Seed          uint64        `help:"Of the first device: the same seed is the same device." default:"1000"`
	Duration      time.Duration `help:"How long to go on; 0: until interrupted." default:"0" placeholder:"DURATION"`
	Poll          time.Duration `help:"How often each device connects by itself; 0: only when pushed." default:"10s"`
	AtOnce        int           `name:"connections" help:"How many devices are connected at the same time, each over HTTP/1.1; the others wait." default:"64"`
	Calls         float64       `help:"How many syncPayloads calls a second to make: one device after the other loses everything and gets it back." default:"0" placeholder:"N"`
	Burst         bool          `help:"Once enrolled, let all devices come back within one second, and end when every one has been served."`
	NotNow        float64       `help:"Probability that a device answers NotNow." default:"0" placeholder:"P" group:"Troubles, each from 0 to 1"`
	Transient     float64       `help:"Probability of an error that passes." default:"0" placeholder:"P" group:"Troubles, each from 0 to 1"`
	Lost          float64       `help:"Probability that an answer gets lost." default:"0" placeholder:"P" group:"Troubles, each from 0 to 1"`
	APNsListen    string        `name:"apns-listen" help:"Run a push service here; start the server with --apns-url and --apns-ca." placeholder:"HOST:PORT"`
	APNsCAFile    string        `name:"apns-ca-file" help:"Where to write that push service's CA certificate." default:"simulated-apns-ca.pem" predictor:"file"`
	Android       int           `help:"How many Android devices beside them, behind a simulated Google that runs here; start the server with --android-url." default:"0" placeholder:"N" group:"Android devices"`
	AndroidListen string        `help:"Where that simulated Google listens." default:"127.0.0.1:8790" placeholder:"HOST:PORT" group:"Android devices"`
	JSON          bool          `name:"json" help:"Print the figures at the end as JSON."`
	Plot          string        `help:"Draw throughput and latency over time, as SVG." placeholder:"FILE" predictor:"file"`
}

// Validate refuses what cannot be meant.
func (s *simulateCommand) Validate() error {
	for name, p := range map[string]float64{"not-now": s.NotNow, "transient": s.Transient,
		"lost": s.Lost} {
		if !(p >= 0 && p <= 1) {
			return fmt.Errorf("--%s is a probability, from 0 to 1", name)
		}
	}
	if s.Devices < 1 || s.AtOnce < 1 {
		return errors.New("--devices and --connections must be at least 1")
	}
	if s.Android < 0 || s.Android > mostAndroids {
		return fmt.Errorf("--android is how many devices, from 0 to %d", mostAndroids)
	}
	if s.Calls < 0 || s.Calls > mostCalls {
		return fmt.Errorf("--calls is how many a second, from 0 to %d", mostCalls)
	}
	if s.Poll < 0 || s.Poll == 0 && s.APNsListen == "" {
		return errors.New("--poll 0 needs --apns-listen: otherwise no device would ever connect")
	}
	return nil
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
	run := &simulation{command: s, client: c, gateway: gateway, figures: newFigures()}
	if s.Android > 0 {
		google, err := s.startAndroids(ctx, c)
		if err != nil {
			return fmt.Errorf("the Android devices: %w", err)
		}
		defer google.close() //nolint:errcheck // the program ends
		run.androids = &google.figures
	}
	if err := run.newFleet(ctx); err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run.fleet.Run(running)
	}()
	err = run.live(ctx)
	stop()
	<-ended
	if err != nil {
		return err
	}
	return run.print(out)
}

// simulation is a run of the command.
type simulation struct {
	command   *simulateCommand
	client    *client.Client
	gateway   *simulator.Gateway // nil: there is none
	transport *http.Transport
	fleet     *simulator.Fleet
	figures   *figures
	androids  *androidFigures // nil: there are none

	enrolling time.Duration
	memory    float64 // KiB a device
	// from the first device's return until all were served; nil: there was none
	burst *time.Duration
}

// live enrolls the devices and waits for the end.
func (r *simulation) live(ctx context.Context) error {
	if err := r.enroll(ctx); err != nil {
		return fmt.Errorf("enrolling: %w", err)
	}
	fmt.Fprintf(os.Stderr, "%d devices enrolled in %s, %.1f KiB of memory each\n",
		r.command.Devices, r.enrolling.Round(time.Second), r.memory)
	if err := r.figures.learnIDs(ctx, r.client); err != nil {
		return err
	}
	limited, cancel := context.WithCancel(ctx)
	if r.command.Duration > 0 {
		limited, cancel = context.WithTimeout(ctx, r.command.Duration)
	}
	defer cancel()
	group, limited := errgroup.WithContext(limited)
	group.Go(func() error { r.figures.run(limited); return nil })
	group.Go(func() error { return r.command.follow(limited, r.transport.Clone(), r.figures) })
	group.Go(func() error { return r.command.call(limited, r.client, r.figures) })
	group.Go(func() error { r.printFigures(limited); return nil })
	if r.command.Burst {
		group.Go(func() error { defer cancel(); return r.comeBack(limited) })
	}
	return group.Wait()
}

// printFigures prints from time to time how it goes.
func (r *simulation) printFigures(ctx context.Context) {
	ticker := time.NewTicker(10 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			now := r.fleet.Stats()
			w := r.figures.summarize()
			fmt.Fprintf(os.Stderr,
				"%d connections, %d commands, %d ended early; %.1f calls/s, %.0f round trips/s\n",
				now.Connections,
				now.Commands, now.Failures, float64(w.calls)/w.seconds,
				float64(w.roundTrips)/w.seconds)
		}
	}
}

// burstTime is within which all devices come back.
const burstTime = time.Second

// comeBack lets all devices connect as those of a site do whose network comes back.
func (r *simulation) comeBack(ctx context.Context) error {
	if err := r.figures.untilAllServed(ctx); err != nil {
		return ended(ctx)
	}
	r.figures.expectAll()
	began := time.Now()
	r.fleet.WakeAll(burstTime)
	if err := r.figures.untilAllServed(ctx); err != nil {
		return ended(ctx)
	}
	took := time.Since(began)
	r.burst = &took
	return nil
}

const enrollAtOnce = 8

func (r *simulation) enroll(ctx context.Context) error {
	s := r.command
	before, began := memoryInUse(), time.Now()
	mixed := []simulator.Kind{simulator.IPhone, simulator.IPad, simulator.Mac, simulator.AppleTV}
	devices := make([]*simulator.Device, s.Devices)
	for i := range devices {
		kind := simulator.Kind(s.Kind)
		if s.Kind == "mixed" {
			kind = mixed[i%len(mixed)]
		}
		devices[i] = r.fleet.Add(simulator.Config{Kind: kind, Seed: s.Seed + uint64(i),
			Supervised: true})
		devices[i].SetFaults(simulator.Faults{NotNow: s.NotNow, Transient: s.Transient,
			LostAnswer: s.Lost, Busy: 2 * time.Second,
			AppLooks: 2})
		r.figures.add(devices[i])
	}
	r.figures.expectAll()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(enrollAtOnce)
	for _, device := range devices {
		group.Go(func() error {
			// Those of an earlier run enroll anew.
			link, err := r.client.CreateEnrollmentWith(ctx,
				client.EnrollmentOptions{ExpiresIn: time.Hour, Replace: true})
			if err != nil {
				return err
			}
			// a push that came before it had finished enrolling found nobody
			defer r.fleet.Wake(device)
			return device.Enroll(ctx, link.URL)
		})
	}
	err := group.Wait()
	r.enrolling, r.memory = time.Since(began), max(0, memoryInUse()-before)/1024/float64(s.Devices)
	return err
}

// memoryInUse is what of this process's memory is in use, in bytes, after a collection.
func memoryInUse() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse + m.StackInuse)
}

// sharedKeys is how many RSA keys the devices share. Each has a certificate of its own.
const sharedKeys = 16

func (r *simulation) newFleet(ctx context.Context) error {
	s := r.command
	store, err := appStore(ctx, r.client)
	if err != nil {
		return fmt.Errorf("reading which apps there are: %w", err)
	}
	r.transport = http.DefaultTransport.(*http.Transport).Clone()
	if s.CA != "" {
		text, err := os.ReadFile(s.CA)
		if err != nil {
			return err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(text)
		r.transport = transportTrusting(pool)
	}
	// Over HTTP/2 all devices would be one connection, which is as unlike them as can be.
	r.transport.Protocols = new(http.Protocols)
	r.transport.Protocols.SetHTTP1(true)
	r.transport.MaxIdleConns, r.transport.MaxIdleConnsPerHost = 0, s.AtOnce
	r.fleet = simulator.NewFleet(simulator.Options{Apps: store, Gateway: r.gateway,
		PollEvery: s.Poll, Workers: s.AtOnce,
		Keys: simulator.NewKeyPool(sharedKeys), RetryAfter: 2 * time.Second, JournalSize: -1,
		Transport: r.transport, Observer: r.figures,
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	return nil
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
			// the server accepted the address; one without a number is no store app
			_, _ = fmt.Sscanf(after, "%d", &id)
		}
		if id != 0 {
			found[id] = app.BundleID
		}
	}
	return found, nil
}

package simulator

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options is what the devices of a fleet share. The zero value works.
type Options struct {
	// Transport carries all requests; nil: a copy of http.DefaultTransport. A private CA goes into
	// its TLSClientConfig.
	Transport *http.Transport
	Timeout   time.Duration // of one request; 0: one minute
	// present the identity in TLS, too; costs every device connections of its own
	MutualTLS bool
	Clock     Clock            // nil: the system's
	Keys      *KeyPool         // nil: every enrollment makes a key of its own
	Apps      map[int64]string // the app store: store id to bundle id
	Gateway   *Gateway         // where pushes come from; nil: only Wake wakes a device

	Workers     int           // connections at the same time; 0: 64
	PollEvery   time.Duration // enrolled devices connect by themselves at this interval; 0: never
	RetryAfter  time.Duration // until a device that was interrupted connects again; 0: ten seconds
	JournalSize int           // commands a device remembers; 0: 100; negative: none
	Log         *slog.Logger  // nil: slog.Default

	Observer Observer // nil: nobody is told of what the devices say
}

// Observer is told of what devices report, from many goroutines. Its methods must not wait.
type Observer interface {
	// Reporting is called before an answer to a command is sent.
	Reporting(*Device)
	// Answered is called when the server's answer is there, unless that is an error.
	Answered(*Device, Exchange)
}

// Exchange is a status report of a device and the server's answer to it.
type Exchange struct {
	Idle bool          // the report answered no command
	Last bool          // the server had no further command
	Took time.Duration // from the report's first byte to the answer's last, by the system's clock
}

// Fleet holds many devices and, while it runs, connects those that are woken.
type Fleet struct {
	options   Options
	clock     Clock
	transport *http.Transport
	web       *http.Client // downloads: follows redirects
	mdm       *http.Client // MDM messages: a device refuses redirects
	profiles  profileCache
	schedule  schedule
	stats     counters

	mu      sync.Mutex
	devices []*Device
}

type counters struct{ connections, commands, failures atomic.Int64 }

// Stats counts what the devices of a fleet did.
type Stats struct {
	Connections int64 // begun
	Commands    int64 // taken, those included that a fault lost
	Failures    int64 // connections that ended early
}

// NewFleet makes a fleet without devices.
func NewFleet(options Options) *Fleet {
	if options.Transport == nil {
		options.Transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	if options.Clock == nil {
		options.Clock = systemClock{}
	}
	if options.Log == nil {
		options.Log = slog.Default()
	}
	options.Workers = orDefault(options.Workers, 64)
	options.JournalSize = orDefault(options.JournalSize, 100)
	options.Timeout = orDefault(options.Timeout, time.Minute)
	options.RetryAfter = orDefault(options.RetryAfter, 10*time.Second)
	fleet := &Fleet{options: options, clock: options.Clock, transport: options.Transport,
		web: &http.Client{Transport: options.Transport, Timeout: options.Timeout},
		mdm: &http.Client{Transport: options.Transport, Timeout: options.Timeout,
			CheckRedirect: refuseRedirect}}
	fleet.schedule.init()
	return fleet
}

func orDefault[T comparable](value, byDefault T) T {
	var zero T
	if value == zero {
		return byDefault
	}
	return value
}

// refuseRedirect: Apple, MCMDMErrorDomain 12006 "Redirect refused".
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Add makes a device, which is not enrolled yet.
func (f *Fleet) Add(cfg Config) *Device {
	device := newDevice(f, cfg)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.devices = append(f.devices, device)
	return device
}

// Devices returns all devices in the order they were added.
func (f *Fleet) Devices() []*Device {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.devices)
}

// Stats returns the counts so far.
func (f *Fleet) Stats() Stats {
	return Stats{f.stats.connections.Load(), f.stats.commands.Load(), f.stats.failures.Load()}
}

// Wake makes a device connect, now or when a worker is free. One that is connected connects once
// more afterwards. Before Run it only notes the wish.
func (f *Fleet) Wake(device *Device) { f.schedule.wake(device) }

// Idle reports whether no device is connected or about to be; those that come by themselves later
// are not counted.
func (f *Fleet) Idle() bool { return f.schedule.idle() }

// Run connects devices as they are woken, are due to poll, or have to come back, until ctx ends. It
// returns when all connections have ended. A fleet runs once.
func (f *Fleet) Run(ctx context.Context) {
	stop := context.AfterFunc(ctx, f.schedule.close)
	defer stop()
	var running sync.WaitGroup
	running.Go(func() { f.schedule.watch(ctx, f.clock) })
	for range f.options.Workers {
		running.Go(func() { f.work(ctx) })
	}
	running.Wait()
}

func (f *Fleet) work(ctx context.Context) {
	for {
		device, ok := f.schedule.take()
		if !ok {
			return
		}
		if f.options.PollEvery > 0 && device.Enrolled() {
			f.wakeAfter(device, f.options.PollEvery)
		}
		if err := device.Connect(ctx); err != nil && !errors.Is(err, ErrLost) && ctx.Err() == nil {
			f.options.Log.Debug("simulated device: connection ended early", "device",
				device.Facts().DeviceName, "err", err)
		}
		f.schedule.finish(device)
	}
}

// startPolling spreads the first polls over the interval, so that a fleet enrolled at once does not
// come at once.
func (f *Fleet) startPolling(d *Device) {
	if f.options.PollEvery <= 0 {
		return
	}
	d.mu.Lock()
	share := d.random.Float64()
	d.mu.Unlock()
	f.wakeAfter(d, time.Duration(share*float64(f.options.PollEvery)))
}

// WakeAll makes every device connect, one after the other, the last of them after a time. With 0
// all come at once.
func (f *Fleet) WakeAll(within time.Duration) {
	devices := f.Devices()
	for i, d := range devices {
		f.wakeAfter(d, within*time.Duration(i)/time.Duration(len(devices)))
	}
}

func (f *Fleet) wakeAfter(d *Device, after time.Duration) {
	f.schedule.wakeAt(d, f.clock.Now().Add(after))
}

func (f *Fleet) key(bits int) (identityKey, error) {
	if f.options.Keys == nil {
		return generateKey(bits)
	}
	return f.options.Keys.key(bits)
}

func (f *Fleet) expectPushes(e *enrollment, d *Device) {
	if f.options.Gateway != nil {
		f.options.Gateway.register(e.token, e.Topic, d)
	}
}

func (f *Fleet) forgetPushes(e *enrollment) {
	if f.options.Gateway != nil && e != nil {
		f.options.Gateway.unregister(e.token)
	}
}

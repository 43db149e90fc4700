// Package simulator has simulated Apple devices that speak the MDM protocol over HTTP as real ones
// do: they enroll from an enrollment profile over SCEP, check in, take commands and answer from
// stores of their own, which the commands change. A Fleet runs many of them in one process; a
// Gateway stands in for Apple's push service.
//
// Where Apple's documentation says how a device behaves, that is done; the names of the pages are
// in the comments.
package simulator

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

var (
	// ErrNotEnrolled is returned for a device that has no enrollment profile.
	ErrNotEnrolled = errors.New("the device is not enrolled")
	// ErrOffline is returned while a device has no network.
	ErrOffline = errors.New("the device is offline")
	// ErrLost is returned for a connection that a fault ended: a command or an answer never
	// arrived.
	ErrLost = errors.New("the connection was lost")
)

// Config is one device to simulate.
type Config struct {
	Kind           Kind
	Seed           uint64 // the same seed is the same device, and takes the same random decisions
	Name           string // DeviceName; empty: one made of the model and the serial number
	Supervised     bool
	UserEnrollment bool // enrolls as a person's own device, without UDID and serial number
}

// Device is a simulated device. All methods may be called at any time, from several goroutines.
type Device struct {
	fleet *Fleet
	kind  Kind
	// held for a whole connection, enrollment or check-out: a device does one at a time
	session sync.Mutex

	mu             sync.Mutex // guards all below
	facts          Facts
	random         *rand.Rand
	enrollment     *enrollment // nil: not enrolled
	profiles       []installedProfile
	apps           map[string]*app
	configurations map[string]map[string]any
	faults         Faults
	hooks          []Hook
	oddity         Oddity // nil: messages are as usual
	journal        journal
	late           late
	locked         bool
	offline        bool
	owesConnection bool // has to connect as soon as it is unlocked or online

	run   runState    // guarded by fleet.schedule.mu
	timer *timerEntry // likewise
}

type installedProfile struct {
	*Profile
	fromEnrollment bool
}

func newDevice(fleet *Fleet, cfg Config) *Device {
	random := rand.New(rand.NewPCG(cfg.Seed, 0x9e3779b97f4a7c15))
	return &Device{fleet: fleet, kind: cfg.Kind, random: random, facts: newFacts(cfg, random),
		journal: journal{limit: fleet.options.JournalSize}}
}

// Kind returns the hardware.
func (d *Device) Kind() Kind { return d.kind }

// Facts returns what the device tells of itself.
func (d *Device) Facts() Facts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.facts
}

// Enrolled tells whether the device has an enrollment profile.
func (d *Device) Enrolled() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.enrollment != nil
}

// Profiles returns the installed profiles in the order of their installation, the enrollment
// profile among them.
func (d *Device) Profiles() []Profile {
	d.mu.Lock()
	defer d.mu.Unlock()
	profiles := make([]Profile, 0, len(d.profiles))
	for _, installed := range d.profiles {
		profiles = append(profiles, *installed.Profile)
	}
	return profiles
}

// Apps returns the apps that MDM commands brought, whatever became of them, by bundle id. Reading
// is no look in the sense of Faults.AppLooks.
func (d *Device) Apps() []App {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.fleet.clock.Now()
	apps := make([]App, 0, len(d.apps))
	for _, bundleID := range slices.Sorted(maps.Keys(d.apps)) {
		apps = append(apps, d.apps[bundleID].seen(now))
	}
	return apps
}

// Configurations returns the managed app configurations by bundle id. Read them only.
func (d *Device) Configurations() map[string]map[string]any {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.configurations)
}

// Journal returns the last commands the device took, oldest first, at most Options.JournalSize.
func (d *Device) Journal() []Entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.journal.list()
}

// SetFaults replaces the device's random faults.
func (d *Device) SetFaults(faults Faults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = faults
}

// AddHook makes the next matching command or commands come out as the hook says, before any random
// fault. Hooks are tried in the order they were added.
func (d *Device) AddHook(hook Hook) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if hook.Times == 0 {
		hook.Times = 1
	}
	d.hooks = append(d.hooks, hook)
}

// ClearHooks drops all hooks.
func (d *Device) ClearHooks() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hooks = nil
}

// SetLocked locks the device with its passcode: it answers NotNow to every command but those that
// Apple guarantees to execute. When unlocked it connects by itself, if it had answered NotNow.
func (d *Device) SetLocked(locked bool) {
	d.mu.Lock()
	d.locked = locked
	connect := !locked && d.takeDebt()
	d.mu.Unlock()
	if connect {
		d.fleet.Wake(d)
	}
}

// SetOnline takes the device's network away or gives it back. When back it connects by itself, if
// it was woken or interrupted meanwhile.
func (d *Device) SetOnline(online bool) {
	d.mu.Lock()
	d.offline = !online
	connect := online && d.takeDebt()
	d.mu.Unlock()
	if connect {
		d.fleet.Wake(d)
	}
}

// takeDebt tells whether the device has to connect now; mu is held.
func (d *Device) takeDebt() bool {
	if !d.owesConnection || d.locked || d.offline {
		return false
	}
	d.owesConnection = false
	return true
}

// Wipe erases the device as a reset by its owner does: stores and enrollment are gone, and the
// server is not told. The hardware stays the same.
func (d *Device) Wipe() {
	d.mu.Lock()
	enrollment := d.enrollment
	d.enrollment, d.profiles, d.apps, d.configurations = nil, nil, nil, nil
	d.owesConnection = false
	d.mu.Unlock()
	d.fleet.forgetPushes(enrollment)
}

// pushed takes a push notification. One with another magic is not for the present enrollment, so it
// is ignored.
func (d *Device) pushed(magic string) bool {
	d.mu.Lock()
	known := d.enrollment != nil && d.enrollment.magic == magic
	offline := d.offline
	if known && offline {
		// the push service keeps the last notification for a device that is away
		d.owesConnection = true
	}
	d.mu.Unlock()
	if known && !offline {
		d.fleet.Wake(d)
	}
	return known
}

// connectLater makes the device connect by itself after a time, for which it was busy or had no
// connection.
func (d *Device) connectLater(after time.Duration) {
	d.fleet.wakeAfter(d, after)
}

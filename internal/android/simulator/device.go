package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/api/androidmanagement/v1"
)

var (
	// ErrNotEnrolled is returned for a device that is not managed, or no longer.
	ErrNotEnrolled = errors.New("the device is not enrolled")
	// ErrOffline is returned while a device has no network.
	ErrOffline = errors.New("the device is offline")
	// ErrNotAllowed is returned when the device's policy does not let its user do something.
	ErrNotAllowed = errors.New("the device's policy does not allow this")
)

// Device is a simulated device, from one enrollment to its end. What it has is its own, and changes
// only when it takes a policy or its user does something. All methods may be called at any time,
// from several goroutines.
type Device struct {
	service *Service // whose mu guards all below
	options DeviceOptions
	serial  string

	// what the service knows
	enterprise  *enterprise // nil: its enrollment ended
	deletedFrom *enterprise // not nil: a call deleted it
	name        string
	policyName  string
	state       string // ACTIVE or DISABLED
	disabled    message
	reported    *androidmanagement.Device // the last report
	previous    []string                  // names under which it was enrolled before
	enrolledAt  time.Time
	tokenName   string
	tokenData   string
	held        [][]byte // reports that wait for others
	operations  map[string]*operation
	pending     []*operation // commands that it did not take yet

	// what the device itself has
	taken    *policy   // the version that it took; nil: none
	takenAt  time.Time // when it last asked for its policy
	refusals []Refusal
	apps     map[string]*app
	saved    map[string]bool // networks that its user saved, by SSID
	keyed    map[string][]*androidmanagement.KeyedAppState
	removed  []string // packages that went, for reports
	active   string   // the state that it took; empty: ACTIVE
	forced   string   // see SetAppliedState
	lost     bool
	offline  bool
	gone     bool // its user reset it, or it wiped itself
	wiped    bool
	faults   Faults
	deadline time.Time // until when it wants a policy
	due      time.Time // when it acts by itself, while it is in the schedule
	place    int       // in the schedule; -1: not there
}

// DeviceOptions is the hardware and how it is enrolled. The zero value is a company-owned phone.
type DeviceOptions struct {
	Brand, Model    string   // empty: "Example" and "Phone 1"
	AndroidVersion  string   // empty: "16"
	APILevel        int64    // 0: 36
	PersonallyOwned bool     // a person's own device, which gets a work profile
	SystemApps      []string // packages that came with it
	Faults          Faults

	mode Mode
}

// Mode is how a device is managed.
type Mode string

const (
	FullyManaged  Mode = "COBO" // fully managed, used by one person
	Dedicated     Mode = "COSU" // fully managed, used by nobody in particular
	WorkProfile   Mode = "COPE" // a work profile on a company-owned device
	PersonalOwned Mode = "BYOD" // a work profile on a person's own device
)

// Name returns the device's name at the service.
func (d *Device) Name() string { return d.name }

// Serial returns the serial number.
func (d *Device) Serial() string { return d.serial }

// Mode returns how it is managed.
func (d *Device) Mode() Mode { return d.options.mode }

// Enrolled tells whether the device itself is still managed, whatever the service knows.
func (d *Device) Enrolled() bool { return locked(d, func() bool { return !d.gone }) }

// Wiped tells whether the service or a command erased the device.
func (d *Device) Wiped() bool { return locked(d, func() bool { return d.wiped }) }

func locked[T any](d *Device, read func() T) T {
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	return read()
}

// PolicyVersion returns the name and version of the policy that the device has taken; 0 is none.
func (d *Device) PolicyVersion() (string, int64) {
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	if d.taken == nil {
		return "", 0
	}
	return d.taken.name, d.taken.version
}

// Settings returns what applies to the device: the policy that it took, without what it could not
// apply, its applications and its networks. A field that is not there has its default. Each call
// returns a copy of its own, with numbers as json.Number.
func (d *Device) Settings() map[string]any {
	return locked(d, func() map[string]any {
		if d.taken == nil {
			return map[string]any{}
		}
		m := d.taken.message()
		for _, r := range d.refusals {
			r.drop(m)
		}
		delete(m, "applications")
		delete(m, "openNetworkConfiguration")
		return m
	})
}

// Configurations returns the managed configurations by package.
func (d *Device) Configurations() map[string]map[string]any {
	return locked(d, func() map[string]map[string]any {
		found := make(map[string]map[string]any)
		for i, asked := range d.policyDocument().Applications {
			path := fmt.Sprintf("applications[%d].managedConfiguration", i)
			if len(asked.ManagedConfiguration) == 0 || slices.ContainsFunc(d.refusals,
				func(r Refusal) bool { return r.FieldPath == path }) {
				continue
			}
			var m map[string]any
			if err := json.Unmarshal(asked.ManagedConfiguration, &m); err != nil {
				panic(err) // it was encoded here
			}
			found[asked.PackageName] = m
		}
		return found
	})
}

// Kiosk returns the package that the device is locked to; empty: none.
func (d *Device) Kiosk() string {
	return locked(d, func() string {
		for _, asked := range d.policyDocument().Applications {
			if a := d.apps[asked.PackageName]; asked.InstallType == "KIOSK" && a != nil &&
				a.State == Installed {
				return asked.PackageName
			}
		}
		return ""
	})
}

// policyDocument is the policy that the device took; mu is held.
func (d *Device) policyDocument() *androidmanagement.Policy {
	if d.taken == nil {
		return new(androidmanagement.Policy)
	}
	return convert[androidmanagement.Policy](d.taken.message())
}

// Network is a Wi-Fi network that a device has.
type Network struct {
	GUID     string // empty: its user saved it
	Name     string
	SSID     string
	Security string
}

// Networks returns the networks that the device has, those of its policy first.
func (d *Device) Networks() []Network {
	return locked(d, func() []Network {
		networks, _ := d.networks(d.policyDocument())
		for _, ssid := range slices.Sorted(maps.Keys(d.saved)) {
			networks = append(networks, Network{Name: ssid, SSID: ssid})
		}
		return networks
	})
}

// Certificates returns the GUIDs of the authorities that the device trusts, and their certificates
// in base64.
func (d *Device) Certificates() map[string]string {
	return locked(d, func() map[string]string {
		found := make(map[string]string)
		read, _ := readONC(d.policyDocument())
		for _, certificate := range read.Certificates {
			if certificate.Type == "Authority" && d.refusalOfNetwork(certificate.GUID) == nil {
				found[certificate.GUID] = certificate.X509
			}
		}
		return found
	})
}

// SetFaults replaces the device's faults.
func (d *Device) SetFaults(f Faults) {
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	d.faults = f
}

// SetOnline takes the device's network away or gives it back.
func (d *Device) SetOnline(online bool) {
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	d.offline = !online
	if online && !d.gone {
		d.service.actLater(d)
	}
}

// Package fleet holds the managed devices: who they are, how they are enrolled, and what they told
// of themselves.
//
// It is nearly a leaf, and knows no platform's protocol. Begin with Device; query.go names what
// lists of devices are limited and sorted by, scope.go which part of the fleet somebody reaches.
package fleet

import (
	"cmp"
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// DeviceID is the managedDevice id: a GUID in lower case, made by the server at the first
// enrollment.
type DeviceID string

// ErrNotFound is returned for a device that does not exist.
var ErrNotFound = errors.New("no such device")

// Platform is what a device runs. Payloads are made for a platform.
type Platform string

const (
	IOS    Platform = "iOS"
	IPadOS Platform = "iPadOS"
	MacOS  Platform = "macOS"
	TVOS   Platform = "tvOS"

	Android Platform = "Android"
)

// Family is the platform by which those are called that share identifiers: a payload for one of
// them can be one for another. A platform of which nothing is said here is a family of its own.
func (p Platform) Family() Platform {
	if p == IPadOS || p == TVOS {
		return IOS
	}
	return p
}

// Device is one managed device.
type Device struct {
	ID           DeviceID
	Name         string
	Platform     Platform
	Manufacturer string
	Model        string // marketing name or product type
	OSVersion    string
	SerialNumber string
	WiFiMAC      string // of the Wi-Fi interface, as the device writes it
	UDID         string // the hardware's id, or the enrollment id of a user enrollment
	Supervised   bool
	UserEnrolled bool // enrolled by a person on their own device
	// EnrollmentType is how it enrolled, by Graph's name of it, where the platform knows more kinds
	// than a person's and an organization's; empty: UserEnrolled says all.
	EnrollmentType string
	Enrolled       bool
	EnrolledAt     time.Time
	LastSync       time.Time // last contact; up to a minute late on disk
	Tags           []string  // ids of scope tags, at least one
	ManagedName    string    // by which admins call it; empty: by Name
	Notes          string    // what admins noted
	Owner          Owner     // as an admin said; empty: nobody said
	Leaving        Leaving
	Joins          []string // ids of the groups that it joins when it is made; not read back

	// Authority is the system that manages the device and speaks to it. A channel to that system
	// serves it.
	Authority Authority
}

// Owner is whose a device is, as Graph's ownerType says it.
type Owner string

// The owners.
const (
	OwnerUnknown  Owner = "unknown"
	OwnedByOrg    Owner = "company"
	OwnedByPerson Owner = "personal"
)

// Edit is what an admin changes of a device. Nil: it stays.
type Edit struct {
	Tags        []string
	ManagedName *string // empty: the device's own again
	Notes       *string
	Owner       *Owner
}

// CalledName is the name by which admins call a device: the one that they gave it, or else its own.
func (d *Device) CalledName() string { return cmp.Or(d.ManagedName, d.Name) }

// Leaving is what an admin wants of a device that is still managed.
type Leaving int64

const (
	Stays   Leaving = iota
	Retires         // it leaves management
	Deleted         // it leaves management, and its record goes
)

// Authority is a system that manages devices. The zero value is this server itself.
type Authority string

// ThisServer manages the devices that enroll here.
const ThisServer Authority = ""

// Facts is what an inventory of class Facts tells of a device: a Device of which only what is not
// empty was told, and of those fields only that a device tells of itself (see described).
type Facts struct {
	Device     Device
	Supervised *bool // in place of the Device's; nil: it was not told
}

// described are the texts that a device says of itself.
func (d *Device) described() []*string {
	return []*string{&d.Name, &d.Manufacturer, &d.Model, &d.OSVersion, &d.SerialNumber, &d.WiFiMAC}
}

// longestWord is the most characters that are kept of what a device says of itself, in each field.
const longestWord = 256

// bounded is a device's word as it is kept. A device can say anything, and of any length.
func bounded(word string) string { return plaintext.Cut(plaintext.Storable(word), longestWord) }

// Bound cuts what a device says of itself to what is kept. The UDID stays: cut, it could be another
// device's.
func (d *Device) Bound() {
	for _, field := range d.described() {
		*field = bounded(*field)
	}
}

// Learn takes over what an inventory told.
func (d *Device) Learn(f *Facts) {
	known := d.described()
	for i, told := range f.Device.described() {
		if *told != "" {
			*known[i] = bounded(*told)
		}
	}
	if f.Device.Platform != "" {
		d.Platform = f.Device.Platform
	}
	if f.Supervised != nil {
		d.Supervised = *f.Supervised
	}
}

// Package fleet holds the managed devices: who they are, how they are enrolled, and what they told of themselves.
package fleet

import (
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// DeviceID is the managedDevice id: a GUID in lower case, made by the server at the first enrollment.
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
)

// Device is one managed device.
type Device struct {
	ID           DeviceID
	Name         string
	Platform     Platform
	Manufacturer string
	Model        string // marketing name or product type
	OSVersion    string
	SerialNumber string
	UDID         string // the hardware's id, or the enrollment id of a user enrollment
	Supervised   bool
	UserEnrolled bool // enrolled by a person on their own device
	Enrolled     bool
	EnrolledAt   time.Time
	LastSync     time.Time // last contact; up to a minute late on disk
	Tags         []string  // ids of scope tags, at least one
	Joins        []string  // ids of the groups that it joins when it is made; not read back

	// Authority is the system that manages the device and speaks to it. A channel to that system serves it.
	Authority Authority
}

// Authority is a system that manages devices. The zero value is this server itself.
type Authority string

// ThisServer manages the devices that enroll here.
const ThisServer Authority = ""

// Facts is what an inventory of class Facts tells of a device. Empty fields change nothing.
type Facts struct {
	Name, Model, OSVersion, SerialNumber string
	Platform                             Platform
	Supervised                           *bool
}

// longestWord is the most characters that are kept of what a device says of itself, in each field.
const longestWord = 256

// bounded is a device's word as it is kept. A device can say anything, and of any length.
func bounded(word string) string { return plaintext.Cut(plaintext.Storable(word), longestWord) }

// Bound cuts what a device says of itself to what is kept. The UDID stays: cut, it could be another device's.
func (d *Device) Bound() {
	for _, field := range []*string{&d.Name, &d.Manufacturer, &d.Model, &d.OSVersion, &d.SerialNumber} {
		*field = bounded(*field)
	}
}

// Learn takes over what an inventory told.
func (d *Device) Learn(f *Facts) {
	take := func(to *string, from string) {
		if from != "" {
			*to = bounded(from)
		}
	}
	take(&d.Name, f.Name)
	take(&d.Model, f.Model)
	take(&d.OSVersion, f.OSVersion)
	take(&d.SerialNumber, f.SerialNumber)
	if f.Platform != "" {
		d.Platform = f.Platform
	}
	if f.Supervised != nil {
		d.Supervised = *f.Supervised
	}
}

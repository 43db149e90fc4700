package platform

import "github.com/syncpayloads/syncpayloads/internal/fleet"

// Describer is a Platform that says what people and Graph call its devices, and how they are
// enrolled. The devices of one that does not are shown with what holds for all.
type Describer interface {
	Describe() Description
}

// Description is what pages and the API say of a platform's devices.
type Description struct {
	// Name is what people call the platform. Pages that only it has are found by it (package
	// console, platform_pages.go).
	Name string
	// Kinds has one kind for each of the platform's Devices, in the order in which people choose
	// from them.
	Kinds []fleet.Kind
	// ByLink is how a device enrolls with a link that it opens; nil: it does not.
	ByLink *LinkEnrollment
}

// LinkEnrollment is what people have to know to enroll a device with a link.
type LinkEnrollment struct {
	Device string // what the link enrolls, with its article, such as "a phone"
	Guides []Guide
	Hint   string // what may go wrong, for all of them; empty: nothing is known to
}

// Guide is what to do on a device of some model. Names of what is on its screen stand between
// asterisks.
type Guide struct {
	Models string // what people call them
	Steps  []string
}

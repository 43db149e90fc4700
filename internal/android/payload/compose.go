// Package payload is what Android devices can be given through the Android Management API: apps of
// the managed Play store, their configurations, restrictions, networks, certificates and VPNs. Its
// forms say what admins give, its compilers make fragments of a policy of it, and Compose makes the
// one policy of a device of all that it is to have. It imports the catalog, whose forms it fills
// in, and Google's types; it knows nothing of devices or of how Google is spoken to.
//
// Begin reading at Forms, then Compose.
package payload

import (
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// Item is a payload as the channel has it of the engine's document.
type Item struct {
	Spec    action.Spec
	Content []byte // what the form compiled: a Fragment as canonical JSON
	Name    string // what people call it; empty: that of Spec
	Created time.Time
	// Made is the package of the app that Google made of the content's WebApp. Where it is empty,
	// Awaits says why; with a Code of the table of codes it was refused.
	Made   string
	Awaits string
	Code   int64
}

// Off is a payload that must not be on the device.
type Off struct {
	Item
	// HeldOff says that an action removed it; else its assignment ended.
	HeldOff bool
}

// Composition is the one policy of a device, and what is in it.
type Composition struct {
	// Document is an androidmanagement.Policy as canonical JSON: the whole one, so that it is sent
	// without an update mask. It holds no name and no version.
	Document []byte
	// Hash is the SHA-256 of Document, in hexadecimal: it changes when the device is to get
	// something else, and never else.
	Hash string
	// Manifest says whose what is. It marshals to JSON, and is kept with the version that Google
	// gave the document.
	Manifest Manifest

	ages []action.PayloadID // the oldest first
}

// Manifest says of one version of a device's policy what is in it and whose that is.
type Manifest struct {
	// Entries has every payload that was composed, by its id.
	Entries map[action.PayloadID]Entry `json:"entries"`
	// Fields has whose the fields are. A field is named by its path in the policy, with what
	// elements of lists are known by in place of their index:
	// advancedSecurityOverrides.untrustedAppsPolicy, applications[com.example.app].installType,
	// passwordPolicies[SCOPE_DEVICE].passwordMinimumLength,
	// openNetworkConfiguration.NetworkConfigurations[<GUID>].
	Fields map[string][]action.PayloadID `json:"fields"`
	// What the elements of the lists of the document are known by, by index: non-compliance details
	// name them by that.
	Packages     []string `json:"packages,omitempty"`     // of applications
	Scopes       []string `json:"scopes,omitempty"`       // of passwordPolicies
	Networks     []string `json:"networks,omitempty"`     // of NetworkConfigurations
	Certificates []string `json:"certificates,omitempty"` // of Certificates
}

// Listing is where a document has a payload.
type Listing string

const (
	// Wanted is in the document.
	Wanted Listing = "wanted"
	// LeftOut was to be in the document, and could not: Code and Why say why.
	LeftOut Listing = "leftOut"
	// Coming is to be in the document, and waits for something at Google: Why says for what.
	Coming Listing = "coming"
	// HeldOff is off by an action: the document lacks it, and an app is blocked.
	HeldOff Listing = "heldOff"
	// Ended is not assigned any more: the document lacks it, and an app is blocked until it is not
	// given to Compose any more.
	Ended Listing = "ended"
)

// Entry is one payload in a version of a device's policy.
type Entry struct {
	Name       string       `json:"name"`
	Version    int64        `json:"version"`
	Revision   string       `json:"revision"` // of the content that the document has, or lacks
	Identifier string       `json:"identifier"`
	Class      action.Class `json:"class"`
	Kind       Kind         `json:"kind"`
	Listing    Listing      `json:"listing"`
	// Package is the app that an app payload is, that a configuration is for, or that makes a VPN's
	// connections; else empty.
	Package string `json:"package,omitempty"`
	// WiFiGUID is by what details name a network; empty: it is none.
	WiFiGUID string `json:"wifiGuid,omitempty"`
	// Fields are those that it sets in the document, as Manifest.Fields names them, sorted. They
	// are empty where it is off.
	Fields []string `json:"fields,omitempty"`
	// Code and Why say why it was LeftOut: a number of the table of codes (see Explain). Of one that
	// is Coming there is Why alone.
	Code int64  `json:"code,omitempty"`
	Why  string `json:"why,omitempty"`
	// Notes are for people, and belong into the final detail: "Camera is set by ‘Y’".
	Notes []string `json:"notes,omitempty"`
	// Remains is what stays of it although it is off, or what applies instead: see
	// Manifest.Remains.
	Remains string `json:"remains,omitempty"`
	// KeptBy are payloads that want the same app. It is not blocked then, and stays on the device
	// although this payload is off.
	KeptBy []action.PayloadID `json:"keptBy,omitempty"`
}

// Payload finds what there is of a payload.
func (m *Manifest) Payload(id action.PayloadID) (Entry, bool) {
	e, ok := m.Entries[id]
	return e, ok
}

// Remains says what stays on the device although a payload is off it, or which defaults apply in
// its place; empty: nothing is to be said.
func (m *Manifest) Remains(id action.PayloadID) string { return m.Entries[id].Remains }

package simulator

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/google/uuid"
)

// Kind is the hardware that is simulated. It decides the platform's rules: which commands exist,
// which errors come.
type Kind string

const (
	IPhone  Kind = "iPhone"
	IPad    Kind = "iPad"
	Mac     Kind = "Mac"
	AppleTV Kind = "AppleTV"
)

// Facts is what a device tells of itself in Authenticate and DeviceInformation. EnrollmentID is set
// on a user enrollment, which hides UDID and SerialNumber from the server.
type Facts struct {
	UDID, SerialNumber, EnrollmentID string
	WiFiMAC                          string
	DeviceName                       string
	Model, ModelName, ProductName    string
	OSVersion, BuildVersion          string
	Supervised                       bool
}

var models = map[Kind]Facts{
	IPhone: {Model: "MTP03", ModelName: "iPhone", ProductName: "iPhone15,4", OSVersion: "18.5",
		BuildVersion: "22F76"},
	IPad: {Model: "MPQ03", ModelName: "iPad", ProductName: "iPad13,18", OSVersion: "18.5",
		BuildVersion: "22F76"},
	Mac: {Model: "Mac16,10", ModelName: "Mac mini", ProductName: "Mac16,10", OSVersion: "15.5",
		BuildVersion: "24F74"},
	AppleTV: {Model: "MN873", ModelName: "Apple TV", ProductName: "AppleTV14,1", OSVersion: "18.5",
		BuildVersion: "22L572"},
}

// serialLetters is the alphabet of Apple's randomized serial numbers: no vowels, no I and O that
// look like digits.
const serialLetters = "CDFGHJKLMNPQRTVWXY0123456789"

// newFacts derives identity from random, so the same seed is always the same device.
func newFacts(cfg Config, random *rand.Rand) Facts {
	facts := models[cfg.Kind]
	facts.Supervised = cfg.Supervised && !cfg.UserEnrollment
	serial := make([]byte, 10)
	for i := range serial {
		serial[i] = serialLetters[random.IntN(len(serialLetters))]
	}
	facts.SerialNumber = string(serial)
	facts.UDID = fmt.Sprintf("%08X-%016X", random.Uint32(), random.Uint64())
	if cfg.Kind == Mac {
		facts.UDID = randomUUID(random)
	}
	facts.WiFiMAC = macAddress(facts.UDID)
	facts.DeviceName = cfg.Name
	if facts.DeviceName == "" {
		facts.DeviceName = fmt.Sprintf("%s %s", facts.ModelName, facts.SerialNumber)
	}
	if cfg.UserEnrollment {
		facts.EnrollmentID = randomUUID(random)
	}
	return facts
}

// macAddress is a device's address on networks, which its identity tells. It is one that no maker
// has (IEEE 802, locally administered).
func macAddress(udid string) string {
	sum := sha256.Sum256([]byte(udid))
	return fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", sum[0], sum[1], sum[2], sum[3], sum[4])
}

func randomUUID(random *rand.Rand) string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(random.Uint32())
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // version 4, RFC 9562 section 5.4
	return strings.ToUpper(id.String())
}

// identify adds the ids that every message of the device carries.
func (f *Facts) identify(message map[string]any) {
	if f.EnrollmentID != "" {
		message["EnrollmentID"] = f.EnrollmentID
		return
	}
	message["UDID"] = f.UDID
}

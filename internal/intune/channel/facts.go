package channel

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// notYet is why a device that could be acted on is not.
const notYet = "this server mirrors the devices of Intune, and does not start actions there yet: " +
	"use Intune's own admin center"

// platformOf is what a device runs, by Intune's word; false: it runs something of which no device
// is mirrored, because the action does not exist for it.
func platformOf(os string) (fleet.Platform, bool) {
	os = strings.ToLower(os)
	switch {
	case os == "ios":
		return fleet.IOS, true
	case os == "ipados":
		return fleet.IPadOS, true
	case strings.HasPrefix(os, "android"):
		return fleet.Android, true
	}
	return "", false
}

// corporate are the enrollments of Android devices that the action exists for ("Remove apps and
// configuration", Microsoft Intune).
var corporate = map[string]bool{"androidEnterpriseDedicatedDevice": true,
	"androidEnterpriseFullyManaged": true, "androidEnterpriseCorporateWorkProfile": true}

// unsupported says why the action is not possible on a device; empty: it is.
func unsupported(s *Settings, d *tenant.Device, p fleet.Platform) string {
	switch {
	case p == fleet.Android && !corporate[d.EnrollmentType]:
		return fmt.Sprintf("Intune removes and restores nothing on Android devices that are "+
			"enrolled as '%s', only on dedicated, fully managed and corporate-owned work profile "+
			"devices", word(cmp.Or(d.EnrollmentType, "unknown")))
	case d.ManagementState != "managed":
		return fmt.Sprintf("Intune says that the device's management state is '%s', not 'managed'",
			word(cmp.Or(d.ManagementState, "unknown")))
	case s.ReadOnly:
		return "its tenant is connected to be read only: this server changes nothing there"
	default:
		return notYet
	}
}

func word(text string) string { return plaintext.Cut(plaintext.OneLine(text), 100) }

// facts are a device of Intune's as the fleet knows devices. now bounds its last contact.
func (p *pass) facts(d *tenant.Device, runs fleet.Platform, now time.Time) *fleet.Device {
	f := &fleet.Device{ID: fleet.DeviceID(d.ID), Name: cmp.Or(d.Name, d.ManagedName), Platform: runs,
		Manufacturer: d.Manufacturer, Model: d.Model, OSVersion: d.OSVersion,
		SerialNumber: d.SerialNumber, UDID: "intune:" + d.ID, Supervised: d.Supervised,
		UserEnrolled: d.Owner == "personal", EnrollmentType: word(d.EnrollmentType), Enrolled: true,
		EnrolledAt: past(d.Enrolled, now), LastSync: past(d.LastSync, now),
		Authority: Authority}
	if tag := p.tenant.Settings.Tag; tag != "" {
		f.Tags = []string{tag}
	}
	f.Bound()
	return f
}

// past is a time of Intune's as it is kept: none is before 1970 or to come.
func past(at, now time.Time) time.Time {
	if at.Year() < 1970 {
		return time.Time{}
	}
	if at.After(now) {
		at = now
	}
	return at.UTC().Truncate(time.Microsecond)
}

// details are what the channel remembers of a device.
func (p *pass) details(d *tenant.Device, runs fleet.Platform) Details {
	return Details{Platform: runs, UserID: word(d.UserID), AzureID: word(d.AzureID),
		State: word(d.ManagementState), Unsupported: unsupported(&p.tenant.Settings, d, runs)}
}

// digest tells whether something of a device changed, but for its last contact.
func digest(facts *fleet.Device, details *Details) string {
	told := *facts
	told.LastSync, told.Tags = time.Time{}, nil
	text, err := json.Marshal([]any{told, details})
	if err != nil {
		panic("intune: a device has no JSON: " + err.Error()) // texts and times marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// notedSettings is what the audit record keeps of a tenant's settings.
func notedSettings(s *Settings) json.RawMessage {
	text, err := json.Marshal(s)
	if err != nil {
		panic("intune: settings have no JSON: " + err.Error()) // texts and times marshal
	}
	return text
}

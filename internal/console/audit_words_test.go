package console

import (
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// Every operation of the API, and what devices, browsers and commands do, is said in words.
func TestActivitiesHaveWords(t *testing.T) {
	words := auditWords{graph.Nouns(catalog.MustForms(payload.Forms()))}
	others := []string{sessionSignIn, sessionSignOut, "managedDevices.enroll",
		"managedDevices.reenroll", "managedDevices.checkOut"}
	for _, name := range append(graph.Activities(), others...) {
		if said := words.activity(name); said == name || strings.Contains(said, "%") {
			t.Errorf("%s is said as %q", name, said)
		}
	}
	for name, want := range map[string]string{
		"configurationPolicies.create":   "Make a new settings catalog policy",
		"mobileApps.assign":              "Assign an app",
		"actions.events":                 "See what became of an action",
		"auditEvents.get":                "See an audit record",
		"managedDevices.checkOut":        "A device left management",
		"androidEnterprise.get":          "See an Android enterprise",
		"androidEnrollmentTokens.delete": "Delete an Android enrollment token",
		"unknown":                        "unknown",
		"unknown.create":                 "unknown.create",
		"groups.unknown":                 "groups.unknown",
	} {
		if said := words.activity(name); said != want {
			t.Errorf("%s is said as %q, want %q", name, said, want)
		}
	}
}

package fleet_test

import (
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Stored payloads have their family's name, so it never changes.
func TestFamily(t *testing.T) {
	for platform, want := range map[fleet.Platform]fleet.Platform{fleet.IOS: "iOS",
		fleet.IPadOS: "iOS", fleet.TVOS: "iOS",
		fleet.MacOS: "macOS", "another": "another"} {
		if got := platform.Family(); got != want {
			t.Errorf("%s is of family %s, want %s", platform, got, want)
		}
	}
}

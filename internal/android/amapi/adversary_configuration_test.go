package amapi_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

func aConfiguration(w *world) action.PayloadID {
	w.app(exampleApp)
	return w.create("androidManagedStoreAppConfiguration", "Server", fmt.Sprintf(
		`{"packageId":%q,"payloadJson":%q}`, exampleApp, base64.StdEncoding.EncodeToString(
			[]byte(`{"managedProperty":[{"key":"server","valueString":"a.example"}]}`))))
}

var removedConfigurationRows = []evidenceRow{
	{"a configuration", aConfiguration, lists("INSTALLED"), action.Removed, 0, ""},
}

var restoredConfigurationRows = []evidenceRow{
	{"a configuration", aConfiguration, lists("INSTALLED"), action.Succeeded, 0, ""},
	{"a configuration without its app", aConfiguration, unlisted, action.InProgress, 0,
		exampleApp},
	{"a configuration that its app complains of", aConfiguration, lists("INSTALLED",
		&androidmanagement.KeyedAppState{Key: "server", Severity: "ERROR", Message: "no host"}),
		action.Succeeded, 0, "no host"},
	{"a configuration that is refused", aConfiguration, all(lists("INSTALLED"),
		says(androidmanagement.NonComplianceDetail{SettingName: "applications",
			FieldPath:           "applications[0].managedConfiguration",
			NonComplianceReason: "INVALID_VALUE"})), action.Error, 1004, "INVALID_VALUE"},
}

// The configuration of an app counts when the app is there, and the app's own errors do not undo it.
func TestWhatOneReportProvesOfAConfiguration(t *testing.T) {
	checkRows(t, removedConfigurationRows, restoredConfigurationRows)
}

package payload_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
)

const prefers = "com.apple.managedclient.preferences_"

// Preferences of apps are payloads of their own, whose type is the domain, with keys in the app's
// own case, and dictionaries where the app has such.
func TestPreferences(t *testing.T) {
	settings := settingsOf(
		choice(prefers+"smartscreenenabled", "true"),
		choice(prefers+"experimentationandconfigurationservicecontrol", "2"),
		choice(prefers+"sslversionmin", "2"),
		choice(prefers+"enforcementlevel", "2"),
		choice(prefers+"enforcementlevel_antivirusengine", "2"),
		choice(prefers+"enforcementlevel_tamperprotection", "1"),
		group(prefers+"threattypesettings",
			[]any{choice(prefers+"threattypesettings_item_key", "1"),
				choice(prefers+"threattypesettings_item_value", "1")}),
		choice(prefers+"channelname", "4"),
		payloadOf("com.apple.mcx.filevault2", choice("com.apple.mcx.filevault2_enable", "0"),
			choice("com.apple.mcx.filevault2_recoverykeyrotationinmonths", "6")))
	p, err := payload.CompilePolicy(typedID, propertiesOf("macOS", settings))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]any{}
	for _, inner := range readProfile(t, p.Content) {
		kind := inner["PayloadType"].(string)
		for _, key := range []string{"PayloadType", "PayloadVersion", "PayloadIdentifier",
			"PayloadUUID", "PayloadDisplayName"} {
			delete(inner, key)
		}
		got[kind] = inner
	}
	want := map[string]map[string]any{
		"com.microsoft.Edge": {"SmartScreenEnabled": true, "SSLVersionMin": "tls1.2",
			"ExperimentationAndConfigurationServiceControl": uint64(0)},
		"com.microsoft.wdav": {
			"antivirusEngine": map[string]any{"enforcementLevel": "real_time",
				"threatTypeSettings": []any{map[string]any{"key": "archive_bomb",
					"value": "block"}}},
			"networkProtection": map[string]any{"enforcementLevel": "block"},
			"tamperProtection":  map[string]any{"enforcementLevel": "audit"}},
		"com.microsoft.autoupdate2": {"ChannelName": "Current"},
		"com.apple.MCX.FileVault2":  {"Enable": "On"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	var kept struct{ Settings json.RawMessage }
	if err := json.Unmarshal(p.Properties, &kept); err != nil ||
		!strings.Contains(string(kept.Settings), "recoverykeyrotationinmonths_6") {
		t.Errorf("%v: what is in no profile is not kept: %s", err, p.Properties)
	}
	for _, tt := range []struct{ of, option, says string }{
		{prefers + "channelname", "0", "none of its options"},
		{prefers + "manifestserver", "0", "does not know"},
		{prefers + "nothing", "true", "does not know"},
	} {
		_, err := payload.CompilePolicy(typedID, propertiesOf("macOS",
			settingsOf(choice(tt.of, tt.option))))
		if err == nil || !strings.Contains(err.Error(), tt.says) ||
			!strings.Contains(err.Error(), tt.of) {
			t.Errorf("%s: %v", tt.of, err)
		}
	}
	if _, err := payload.CompilePolicy(typedID, propertiesOf("iOS",
		settingsOf(choice(prefers+"smartscreenenabled", "true")))); err == nil {
		t.Error("an iPhone has preferences of Edge")
	}
}

// Two settings cannot have one id.
func TestPreferenceTwice(t *testing.T) {
	err := payload.ReadSettingTable(
		"[com.example.app preferences] macOS App\n\ta/b: bool\n\tc/b: bool")
	if err == nil || !strings.Contains(err.Error(), "there twice") {
		t.Errorf("two settings of one id: %v", err)
	}
	if err := payload.ReadSettingTable("[com.example.app preferences] macOS App\n" +
		"\ta/b: bool\n\tc/b: bool =b_c"); err != nil {
		t.Error(err)
	}
}

package payload_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// What cannot be in the profile is refused by its name, and nothing of what means nothing is.
func TestTypedRefused(t *testing.T) {
	for _, row := range payload.TypedRows() {
		values := map[string]any{}
		for _, member := range row.Refused {
			values[member] = member
		}
		switch row.Kind {
		case "refuse":
			values["set"] = row.Sample(first)
		case "on", "off", "both":
			values["no boolean"] = "true"
		case "text", "secret", "certificate", "data", "subject", "app":
			values["no text"] = 5
		case "int", "long":
			least, greatest := row.Limits()
			values["text"] = "5"
			values["fraction"] = 5.5
			if greatest < 1<<60 {
				values["too great"] = greatest + 1
			}
			if least > 0 {
				values["too small"] = -1
			}
		case "choice", "flags":
			values["unknown"] = "x-unknown"
		case "texts", "first":
			values["no texts"] = []any{5}
		case "apps", "objects", "pairs":
			values["no objects"] = []any{5}
		case "object":
			values["no object"] = 5
		}
		if row.Kind == "text" {
			values["placeholder"] = "{{serialnumber}}"
			values["control character"] = "a\x01"
		}
		for what, value := range values {
			_, err := compileTyped(row.Of, row.Example(value, first))
			var refused *invalid.Input
			if !errors.As(err, &refused) ||
				refused.Property != row.Property && !strings.HasPrefix(refused.Property, row.Top) {
				t.Errorf("%s.%s, %s: %v", row.Of, row.Property, what, err)
			}
		}
	}
}

// What Graph shows of a property that nobody set is taken, and changes nothing.
func TestTypedTaken(t *testing.T) {
	rows := payload.TypedRows()
	for i, row := range rows {
		if row.Top != row.Property || row.Required() ||
			slices.ContainsFunc(rows[:i], func(r payload.TypedRow) bool {
				return r.Of == row.Of && r.Property == row.Property
			}) {
			continue
		}
		unset := []any{nil}
		switch row.Kind {
		case "on", "off":
			unset = append(unset, false)
		case "text", "secret":
			unset = append(unset, "")
		case "texts", "apps", "objects", "pairs":
			unset = append(unset, []any{})
		case "refuse":
			unset = append(unset, false, "", "notConfigured", "deviceDefault", []any{}, 0)
		}
		other := rows[slices.IndexFunc(rows, func(r payload.TypedRow) bool {
			return r.Of == row.Of && r.Top != row.Property && r.Path != nil
		})]
		props := other.Example(nil, first)
		delete(props, row.Property)
		before, err := compileTyped(row.Of, props)
		if err != nil {
			t.Errorf("%s without %s: %v", row.Of, row.Property, err)
			continue
		}
		for _, value := range unset {
			props[row.Property] = value
			after, err := compileTyped(row.Of, props)
			if err != nil || !bytes.Equal(before.Content, after.Content) {
				t.Errorf("%s.%s as %v: %v", row.Of, row.Property, value, err)
			}
		}
	}
}

// What has to be there, and what has no place beside the rest.
func TestTypedRules(t *testing.T) {
	wifi := func(more ...any) map[string]any {
		props := map[string]any{"ssid": "Staff", "wiFiSecurityType": "wpa2Personal",
			"preSharedKey": "hunter22"}
		for i := 0; i < len(more); i += 2 {
			props[more[i].(string)] = more[i+1]
		}
		return props
	}
	for _, tt := range []struct {
		of       string
		props    map[string]any
		property string
		says     string
	}{
		{"iosWiFiConfiguration", wifi(), "", ""},
		{"iosWiFiConfiguration", wifi("ssid", ""), "ssid", "is required"},
		{"iosWiFiConfiguration", wifi("preSharedKey", nil), "preSharedKey", "is required"},
		{"iosWiFiConfiguration", wifi("wiFiSecurityType", "open"), "preSharedKey",
			"has no place in the profile with this wiFiSecurityType"},
		{"iosWiFiConfiguration", wifi("proxySettings", "manual"), "proxyManualAddress",
			"is required"},
		{"iosWiFiConfiguration", wifi("proxyManualAddress", "proxy.example.com"),
			"proxyManualAddress", "has no place in the profile with this proxySettings"},
		{"iosWiFiConfiguration", wifi("WIFISECURITYTYPE", "x"), "", ""}, // graph tells of it
		{"iosWiFiConfiguration", wifi("wiFiSecurityType", "WPA2personal"), "", ""},
		{"iosTrustedRootCertificate", map[string]any{"trustedRootCertificate": "AAAA"},
			"trustedRootCertificate", "is not a certificate"},
		{"iosTrustedRootCertificate", map[string]any{}, "trustedRootCertificate", "is required"},
		{"iosGeneralDeviceConfiguration", map[string]any{}, "@odata.type", "configure nothing"},
		{"iosGeneralDeviceConfiguration", map[string]any{"cameraBlocked": false}, "@odata.type",
			"configure nothing"},
		{"iosGeneralDeviceConfiguration", map[string]any{"kioskModeBlockTouchscreen": true},
			"kioskModeBlockTouchscreen", "with this kioskModeAppType"},
		{"iosGeneralDeviceConfiguration", map[string]any{"kioskModeAppType": "managedApp",
			"kioskModeManagedAppId": payload.AppOfCatalog, "kioskModeBlockTouchscreen": true,
			"kioskModeAllowTouchscreen": true}, "kioskModeAllowTouchscreen",
			"which kioskModeBlockTouchscreen sets"},
		{"iosGeneralDeviceConfiguration", map[string]any{"kioskModeAppType": "managedApp",
			"kioskModeManagedAppId": typedID}, "kioskModeManagedAppId", "is no app"},
		{"iosVpnConfiguration", map[string]any{"connectionName": "VPN",
			"connectionType": "ciscoAnyConnectV2", "authenticationMethod": "usernameAndPassword",
			"server": map[string]any{"address": "vpn.example.com", "port": 1}}, "server.port",
			"is not known here"},
		{"iosVpnConfiguration", map[string]any{"connectionName": "VPN", "connectionType": "ikEv2"},
			"connectionType", "cannot make a profile of"},
		{"iosScepCertificateProfile", map[string]any{"scepServerUrls": []any{"https://a", "https://b"},
			"subjectNameFormatString": "CN=x"}, "scepServerUrls", "takes one"},
		{"iosScepCertificateProfile", map[string]any{"scepServerUrls": []any{"https://a"},
			"subjectNameFormatString": "XX=x"}, "subjectNameFormatString", "is not a part of a name"},
		{"iosDeviceFeaturesConfiguration", map[string]any{"contentFilterSettings": map[string]any{
			"@odata.type": "#microsoft.graph.iosWebContentFilterAutoFilter"}}, "", ""},
		{"iosDeviceFeaturesConfiguration", map[string]any{"contentFilterSettings": map[string]any{
			"@odata.type": "#microsoft.graph.iosSomething"}}, "contentFilterSettings.@odata.type",
			"must be one of"},
		{"macOSVpnConfiguration", map[string]any{"connectionName": "VPN",
			"connectionType": "customVpn", "identifier": "com.example.vpn",
			"authenticationMethod": "usernameAndPassword",
			"server":               map[string]any{"address": "vpn.example.com"},
			"customData": []any{map[string]any{"key": "a", "value": "1"},
				map[string]any{"key": "a", "value": "2"}}}, "customData[1]", "second time"},
	} {
		_, err := compileTyped(tt.of, tt.props)
		var refused *invalid.Input
		switch {
		case tt.property == "":
			if err != nil {
				t.Errorf("%s of %v: %v", tt.of, tt.props, err)
			}
		case !errors.As(err, &refused) || refused.Property != tt.property ||
			!strings.Contains(refused.Reason, tt.says):
			t.Errorf("%s of %v: got %v, want %s: %s", tt.of, tt.props, err, tt.property, tt.says)
		}
	}
}

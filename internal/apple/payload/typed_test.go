package payload_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	howett "howett.net/plist"
	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

const typedID = "5f9b3c1e-2a44-4d0e-9a35-0c6f2b8e7d11"

var updateTyped = flag.Bool("update", false, "write the golden profiles and the page anew")

func compileTyped(odataType string, props map[string]any) (*catalog.Payload, error) {
	raw, err := json.Marshal(props)
	if err != nil {
		return nil, err
	}
	return payload.CompileTyped(odataType, typedID, raw)
}

func first(int) int { return 0 }

// readProfile reads a profile with both readers, which must agree on what is inside.
func readProfile(t interface{ Fatalf(string, ...any) }, content []byte) []map[string]any {
	p, err := payload.ParseProfile(content)
	if err != nil {
		t.Fatalf("%v: %s", err, content)
	}
	var read struct{ PayloadContent []map[string]any }
	if _, err := howett.Unmarshal(content, &read); err != nil {
		t.Fatalf("the other reader: %v: %s", err, content)
	}
	if len(read.PayloadContent) != len(p.PayloadTypes) {
		t.Fatalf("one reader sees %d payloads, the other %v", len(read.PayloadContent),
			p.PayloadTypes)
	}
	return read.PayloadContent
}

// conforms checks that a value is what Apple has it for.
func conforms(s *payload.Setting, v any) error {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			i := slices.IndexFunc(s.Children,
				func(c *payload.Setting) bool { return c.Key == key })
			switch {
			case strings.HasPrefix(key, "Payload") && i < 0 || s.Key == "VendorConfig":
			case i < 0:
				return fmt.Errorf("%s has no key %s", s.ID, key)
			default:
				if err := conforms(s.Children[i], value); err != nil {
					return err
				}
			}
		}
		return nil
	case []any:
		for _, one := range v {
			of := s
			if _, isList := one.([]any); isList || len(s.Children) == 1 &&
				s.Children[0].Key == "item" {
				of = s.Children[0]
			}
			if err := conforms(of, one); err != nil {
				return err
			}
		}
		return nil
	}
	if s.Form == catalog.SettingGroupCollection {
		return fmt.Errorf("%s is %v", s.ID, v)
	}
	if len(s.Options) > 0 {
		if !slices.ContainsFunc(s.Options, func(o catalog.SettingOption) bool {
			return fmt.Sprint(o.Value) == fmt.Sprint(v)
		}) {
			return fmt.Errorf("%s is %v, which is none of its values", s.ID, v)
		}
		return nil
	}
	var fits bool
	switch s.Value {
	case catalog.IntegerValue:
		_, fits = v.(uint64)
	case catalog.DataValue, catalog.SecretDataValue:
		_, fits = v.([]byte)
	default:
		_, fits = v.(string)
	}
	if !fits {
		return fmt.Errorf("%s is the %T %v", s.ID, v, v)
	}
	return nil
}

// found is what is at a path of a payload; "0" and "." are any element.
func found(v any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	if list, ok := v.([]any); ok {
		if path[0] == "0" || path[0] == "." {
			path = path[1:]
		}
		return slices.ContainsFunc(list, func(one any) bool { return found(one, path) })
	}
	if path[0] == "0" || path[0] == "." {
		return false
	}
	dict, ok := v.(map[string]any)
	inner, has := dict[path[0]]
	return ok && has && found(inner, path[1:])
}

// Every row of the tables comes to a profile that holds its key, in Apple's type.
func TestTypedRows(t *testing.T) {
	for _, row := range payload.TypedRows() {
		if row.Kind == "refuse" || row.Kind == "note" {
			continue
		}
		props := row.Example(nil, first)
		if row.PayloadType == "" || row.Path == nil {
			continue // TestTypedTaken has them
		}
		p, err := compileTyped(row.Of, props)
		if err != nil {
			t.Errorf("%s.%s: %v: %v", row.Of, row.Property, err, props)
			continue
		}
		var holds bool
		for _, inner := range readProfile(t, p.Content) {
			if inner["PayloadType"] == row.PayloadType && found(inner, row.Path) {
				holds = true
			}
			kind := inner["PayloadType"].(string)
			if err := conforms(payload.PayloadSettings(kind)[0], inner); err != nil {
				t.Errorf("%s.%s: %v", row.Of, row.Property, err)
			}
		}
		if !holds {
			t.Errorf("%s.%s: %v is not in %s", row.Of, row.Property, row.Path, p.Content)
		}
	}
}

// Any configuration that is right compiles, to the same bytes each time, and its identifiers are
// its own and stay.
func TestRightTypedConfigurations(t *testing.T) {
	rows := payload.TypedRows()
	rapid.Check(t, func(t *rapid.T) {
		row := rapid.SampledFrom(rows).Filter(func(r payload.TypedRow) bool {
			return r.Kind != "refuse"
		}).Draw(t, "row")
		props := row.Example(nil, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") })
		p, err := compileTyped(row.Of, props)
		if nothing := new(invalid.Input); errors.As(err, &nothing) &&
			strings.Contains(nothing.Reason, "configure nothing") {
			t.Skip("nothing that a device could obey was drawn")
		}
		if err != nil {
			t.Fatalf("%s: %v: %v", row.Of, err, props)
		}
		again, err := compileTyped(row.Of, props)
		if err != nil || !bytes.Equal(p.Content, again.Content) {
			t.Fatalf("another profile of the same: %v", err)
		}
		if p.Identifier != "com.github.syncpayloads.configuration."+typedID {
			t.Fatalf("the identifier is %s", p.Identifier)
		}
		for _, inner := range readProfile(t, p.Content) {
			id, _ := inner["PayloadIdentifier"].(string)
			if !strings.HasPrefix(id, p.Identifier+".") {
				t.Fatalf("a payload is called %s", id)
			}
			kind := inner["PayloadType"].(string)
			if err := conforms(payload.PayloadSettings(kind)[0], inner); err != nil {
				t.Fatalf("%v", err)
			}
		}
	})
}

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

// A secret is private, and no profile that is shown has it.
func TestTypedSecrets(t *testing.T) {
	const secret = "correct horse battery staple"
	forms := catalog.MustForms(payload.Forms())
	checked := 0
	for _, row := range payload.TypedRows() {
		if row.Kind != "secret" {
			continue
		}
		p, err := compileTyped(row.Of, row.Example(secret, first))
		if err != nil {
			t.Fatal(err)
		}
		_, shown, err := forms.Show(p)
		if err != nil || strings.Contains(shown, secret) || !bytes.Contains(p.Content, []byte(secret)) ||
			!strings.Contains(shown, "<string>********</string>") {
			t.Errorf("%s.%s: %v: %s", row.Of, row.Property, err, shown)
		}
		if !forms.Of(row.Of).Property(row.Property).Private {
			t.Errorf("%s.%s is not private", row.Of, row.Property)
		}
		checked++
	}
	if checked < 3 {
		t.Errorf("only %d secrets", checked)
	}
}

// The profile of each type stays as it is: a device that has it would get another version.
func TestTypedGolden(t *testing.T) {
	examples, err := filepath.Glob("testdata/typed/*.json")
	if err != nil || len(examples) < 15 {
		t.Fatalf("%d examples: %v", len(examples), err)
	}
	for _, name := range examples {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		of := strings.TrimSuffix(filepath.Base(name), ".json")
		p, err := payload.CompileTyped(of, typedID, raw)
		if err != nil {
			t.Errorf("%s: %v", of, err)
			continue
		}
		golden := strings.TrimSuffix(name, ".json") + ".mobileconfig"
		if *updateTyped {
			if err := os.WriteFile(golden, p.Content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || !bytes.Equal(want, p.Content) {
			t.Errorf("%s: %v: the profile became\n%s", of, err, p.Content)
		}
	}
}

// The page tells what the table does.
func TestTypedPage(t *testing.T) {
	const page, mark = "../../../docs/configurations.md",
		"<!-- go test ./internal/apple/payload -run TestTypedPage -update -->\n"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	said, _, ok := strings.Cut(string(text), mark)
	if !ok {
		t.Fatalf("%s lacks %s", page, mark)
	}
	var b strings.Builder
	b.WriteString(said + mark)
	of, kind := "", ""
	for _, row := range payload.TypedRows() {
		becomes, when := row.Words()
		if becomes == "" {
			continue
		}
		if row.Of != of {
			fmt.Fprintf(&b, "\n## %s\n\n| property | in the profile | payload |\n|---|---|---|\n", row.Of)
			of, kind = row.Of, ""
		}
		name, marks := row.Name()
		shown := ""
		if row.PayloadType != kind && row.PayloadType != "" && row.Kind != "refuse" {
			kind, shown = row.PayloadType, "`"+row.PayloadType+"`"
		}
		fmt.Fprintf(&b, "| `%s`%s | %s%s | %s |\n", name, marks, becomes, when, shown)
	}
	if *updateTyped {
		if err := os.WriteFile(page, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if b.String() != string(text) {
		t.Errorf("%s is not what the table says: go test -run TestTypedPage -update", page)
	}
}

// The reader of the table refuses what is wrong with it.
func TestTypedTable(t *testing.T) {
	const head = "[iosThing iOS] wiFi Thing\n\t> com.apple.wifi.managed\n"
	for text, says := range map[string]string{
		"[iosThing]":                                           "is not [type platform",
		"[iosThing tvOS] wiFi Thing":                           "platform",
		head + "\t\t\t\tssid: text SSID_STR":                   "nothing holds it",
		head + "\t\tssid: text Nothing":                        "has no key",
		head + "\t\tssid: words SSID_STR":                      "kind",
		head + "\t\tssid: text":                                "no key",
		head + "\t\tssid":                                      "is not property: kind",
		head + "\t\tssid: on SSID_STR":                         "is no boolean",
		head + "\t\tx: choice y EncryptionType a=WEPX":         "is no value",
		head + "\t\tx: choice y EncryptionType":                "no members",
		head + "\t\tx: int ProxyServerPort 1..a":               "range",
		head + "\t\tx: refuse String":                          "no reason",
		head + "\t\tx: texts SetupModes":                       "is not a key of iOS",
		"[iosThing iOS] wiFi Thing\n\t> com.apple.nothing":     "is not in settings.txt",
		"[iosThing iOS] wiFi Thing\n\t> com.apple.loginwindow": "is not a key of iOS",
		"[iosThing iOS] wiFi Thing\n\tssid: text SSID_STR":     "no payload holds",
		head + "\t\tx: pairs keyValue ProxyServer key":         "no names",
		head + "\t\tssid!^: text SSID_STR = Name; hint":        "",
	} {
		err := payload.ReadTypedTable(text)
		if says == "" && err != nil || says != "" && (err == nil ||
			!strings.Contains(err.Error(), says)) {
			t.Errorf("%q: got %v, want %q", text, err, says)
		}
	}
}

// No properties, however odd, break a compiler, and what it takes is a profile.
func FuzzTyped(f *testing.F) {
	types := []string{}
	for _, row := range payload.TypedRows() {
		if !slices.Contains(types, row.Of) {
			types = append(types, row.Of)
		}
	}
	for i := range types {
		raw, err := os.ReadFile("testdata/typed/" + types[i] + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), string(raw))
	}
	f.Add(uint8(0), `{"cameraBlocked":[[[[[[{}]]]]]]}`)
	f.Add(uint8(3), `{"ssid":"x","ssid":{}}`)
	f.Fuzz(func(t *testing.T, of uint8, raw string) {
		defer cost.Bound(t, 8<<20+100*uint64(len(raw)), time.Second)()
		p, err := payload.CompileTyped(types[int(of)%len(types)], typedID, json.RawMessage(raw))
		var refused *invalid.Input
		if err != nil && !errors.As(err, &refused) {
			t.Fatalf("the error is no fault of the input's: %v", err)
		}
		if err == nil {
			readProfile(t, p.Content)
		}
	})
}

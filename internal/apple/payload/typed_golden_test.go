package payload_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

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
		if err != nil || strings.Contains(shown, secret) ||
			!bytes.Contains(p.Content, []byte(secret)) ||
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
			fmt.Fprintf(&b, "\n## %s\n\n| property | in the profile | payload |\n"+
				"|---|---|---|\n", row.Of)
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

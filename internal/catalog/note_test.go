package catalog_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// The audit record tells which payload was changed and in what, and holds none of the secrets that
// payloads may hold.
func TestNotesHoldNoSecrets(t *testing.T) {
	st, err := store.Open(t.Context(), storetest.Location(t))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	c := catalog.New(st, catalog.MustForms(payload.Forms()), time.Now, uuid.NewString)
	const secret = "hunter2"
	app, err := c.Create(t.Context(), catalog.Input{ODataType: payload.IOSVPPApp,
		DisplayName: "app",
		Properties:  json.RawMessage(`{"bundleId":"com.example.app","appStoreUrl":"https://apps.apple.com/us/app/name/id361309726"}`)})
	if err != nil {
		t.Fatal(err)
	}
	xml := `<dict><key>password</key><string>` + secret + `</string></dict>`
	settings := map[string]string{
		"settings":          `[{"appConfigKey":"password","appConfigKeyType":"stringType","appConfigKeyValue":"` + secret + `"}]`,
		"encodedSettingXml": `"` + base64.StdEncoding.EncodeToString([]byte(xml)) + `"`,
	}
	for name, value := range settings {
		d := &audit.Draft{Entry: audit.Entry{ID: name, Activity: "create"}}
		made, err := c.Create(audit.With(t.Context(), d),
			catalog.Input{ODataType: payload.IOSMobileAppConfiguration, DisplayName: name,
				Properties: json.RawMessage(`{"targetedMobileApps":["` + string(app.ID) + `"],"` +
					name + `":` + value + `}`)})
		if err != nil {
			t.Fatal(err)
		}
		text := noted(t, d)
		if strings.Contains(text, secret) || strings.Contains(text, strings.Trim(value, `"`)) ||
			!strings.Contains(text, string(app.ID)) {
			t.Errorf("of %s is noted %s", name, text)
		}
		if err := c.Delete(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
	}
	d := &audit.Draft{Entry: audit.Entry{ID: "profile", Activity: "create"}}
	_, err = c.Create(audit.With(t.Context(), d),
		catalog.Input{ODataType: payload.IOSCustomConfiguration, DisplayName: "wifi",
			FileName: "wifi.mobileconfig",
			File:     []byte(strings.ReplaceAll(campusWiFi, "SECRET", secret))})
	if err != nil {
		t.Fatal(err)
	}
	if text := noted(t, d); strings.Contains(text, secret) ||
		!strings.Contains(text, `"payload":"sha256:`) ||
		!strings.Contains(text, "com.example.wifi") {
		t.Errorf("of a profile is noted %s", text)
	}
}

func noted(t *testing.T, d *audit.Draft) string {
	t.Helper()
	text, err := json.Marshal(d.Complete().Objects)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const campusWiFi = `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
<key>PayloadType</key><string>Configuration</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>com.example.wifi</string><key>PayloadUUID</key><string>6B29FC40-CA47-1067-B31D-00DD010662DA</string>
<key>PayloadContent</key><array><dict>
<key>PayloadType</key><string>com.apple.wifi.managed</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>com.example.wifi.1</string><key>PayloadUUID</key><string>6B29FC40-CA47-1067-B31D-00DD010662DB</string>
<key>SSID_STR</key><string>Campus</string><key>EncryptionType</key><string>WPA2</string><key>Password</key><string>SECRET</string>
</dict></array></dict></plist>`

package payload_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// FuzzCompile gives any type any properties: it is made, and then Google takes it, or the input is
// at fault.
func FuzzCompile(f *testing.F) {
	types := []string{payload.AndroidManagedStoreApp, payload.AndroidManagedStoreConfiguration,
		payload.AndroidGeneral, payload.AndroidWiFi, payload.AndroidEnterpriseWiFi,
		payload.AndroidVPN, payload.AndroidRootCertificate}
	for i, props := range []string{`{"packageId":"com.a"}`,
		managed(`{"key":"k","valueBundle":{"managedProperty":[{"key":"k","valueInteger":1}]}}`),
		`{"cameraBlocked":true,"systemUpdateInstallType":"postpone","systemUpdateFreezePeriods":[{"startMonth":1,"startDay":1,"endMonth":2,"endDay":1}]}`,
		`{"networkName":"n","ssid":"s","wiFiSecurityType":"wpaPersonal","preSharedKey":"12345678"}`,
		`{"networkName":"n","ssid":"s","eapType":"peap","trustedServerCertificateNames":["a"],"rootCertificateForServerValidation":"` + string(guid(1)) + `"}`,
		`{"connectionType":"citrix","alwaysOn":true,"alwaysOnLockdown":true}`,
		`{"trustedRootCertificate":"` + rootCertificate() + `"}`,
	} {
		f.Add(i, props)
	}
	f.Fuzz(func(t *testing.T, kind int, props string) {
		defer cost.Input(t)()
		if kind < 0 || kind >= len(types) {
			return
		}
		content, err := compile(types[kind], props, guid(1), everyAuthority())
		var wrong *invalid.Input
		if err != nil {
			if !errors.As(err, &wrong) || wrong.Property == "" {
				t.Fatalf("%v is no fault of a property", err)
			}
			return
		}
		made := payload.Item{Content: content.Installed}
		made.Spec.ID = guid(1)
		held(t, payload.Compose([]payload.Item{made}, nil))
		if _, err := forms().Of(types[kind]).Compiler.Risks(content.Installed, nil); err != nil {
			t.Error(err)
		}
	})
}

// FuzzJudge takes what a device says, and looks for whom it concerns.
func FuzzJudge(f *testing.F) {
	c := payload.Compose([]payload.Item{app(f, 1, "com.a"), general(f, 2, `{"passwordMinimumLength":6}`)}, nil)
	f.Add(`{"nonComplianceReason":"USER_ACTION","settingName":"passwordPolicies","fieldPath":"passwordPolicies[0].x"}`, "policy.password_policies[0]")
	f.Add(`{"packageName":"com.a","currentValue":[1]}`, "com.a")
	f.Fuzz(func(t *testing.T, detail, text string) {
		defer cost.Input(t)()
		c.Blame(text)
		var d payload.Detail
		if json.Unmarshal([]byte(detail), &d) != nil {
			return
		}
		j := payload.Judge(&d)
		if j.Words == "" || j.Code < 1000 || j.Code > 3999 || len(j.Words) > 4000 {
			t.Errorf("%+v", j)
		}
		c.Manifest.Owners(d.SettingName, payload.ScopedPath(&d), d.PackageName, payload.WiFiGUID(&d))
	})
}

// The largest body that an admin may send is read in bounds.
func TestLargeConfiguration(t *testing.T) {
	var list []map[string]any
	for len(list) < 9000 {
		list = append(list, map[string]any{"key": guid(len(list)), "valueString": "some value of it"})
	}
	text, err := json.Marshal(map[string]any{"managedProperty": list})
	if err != nil {
		t.Fatal(err)
	}
	props := `{"packageId":"com.a","payloadJson":` + encoded(string(text)) + `}`
	defer cost.Bound(t, 64<<20, 2*time.Second)()
	if got := refused(t, payload.AndroidManagedStoreConfiguration, props, nil); got != "" {
		t.Error(got)
	}
}

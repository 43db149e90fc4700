package payload_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// Every property that maps, with every value that it may have, makes a document that Google's own
// description allows; and there are as many as promised.
func TestEverySetting(t *testing.T) {
	mapped := 0
	for _, p := range payload.MappedSettings() {
		tried := 0
		for _, value := range valuesOf(&p) {
			props := value
			switch p.Name {
			case "systemUpdateWindowStartMinutesAfterMidnight", "systemUpdateWindowEndMinutesAfterMidnight":
				props = `"systemUpdateWindowStartMinutesAfterMidnight":0,"systemUpdateWindowEndMinutesAfterMidnight":1440,"systemUpdateInstallType":"windowed"`
			case "systemUpdateFreezePeriods":
				props += `,"systemUpdateInstallType":"automatic"`
			case "systemUpdateInstallType":
				if strings.Contains(value, "windowed") {
					props += `,"systemUpdateWindowStartMinutesAfterMidnight":60,"systemUpdateWindowEndMinutesAfterMidnight":1440`
				}
			case "vpnAlwaysOnLockdownMode":
				props += `,"vpnAlwaysOnPackageIdentifier":"com.example.vpn"`
			case "kioskModeUseManagedHomeScreenApp":
				props += `,"kioskModeApps":[{"appId":"com.example.app"}]`
			case "kioskModeApps":
				props += `,"kioskModeUseManagedHomeScreenApp":"singleAppMode"`
			case "personalProfilePersonalApplications":
				props += `,"personalProfilePlayStoreMode":"blockedApps"`
			}
			content, err := compile(payload.AndroidGeneral, "{"+props+"}", guid(1), nil)
			if err != nil {
				t.Errorf("%s: %v", props, err)
				continue
			}
			c := payload.Compose([]payload.Item{{Content: content.Installed}}, nil)
			held(t, c)
			if string(c.Document) == string(payload.Compose(nil, nil).Document) {
				t.Errorf("%s sets nothing", props)
			}
			tried++
		}
		if tried > 0 {
			mapped++
		}
	}
	if mapped < 80 {
		t.Errorf("%d properties map, less than were promised", mapped)
	}
}

// valuesOf are values of a property that say something, each as a member of a JSON object.
func valuesOf(p *catalog.Property) (all []string) {
	add := func(value any) {
		text, _ := json.Marshal(value) // always marshals
		all = append(all, fmt.Sprintf("%q:%s", p.Name, text))
	}
	given := map[string]string{
		"String":                                     `"com.example.app"`,
		"androidDeviceOwnerUserFacingMessage":        `{"@odata.type":"#x","defaultMessage":"Ask us","localizedMessages":[{"name":"de","value":"Fragt uns"}]}`,
		"androidDeviceOwnerGlobalProxy":              `{"host":"proxy.example","port":8080,"excludedHosts":["a.example"]}`,
		"androidDeviceOwnerSystemUpdateFreezePeriod": `[{"startMonth":12,"startDay":1,"endMonth":1,"endDay":15}]`,
		"appListItem":                                `[{"appId":"com.example.app","name":"App"}]`,
		"androidDeviceOwnerDelegatedScopeAppSetting": `[{"appDetail":{"appId":"com.example.app"},"appScopes":["certificateInstall"]}]`,
	}
	switch {
	case len(p.Type.Members) > 0:
		for _, m := range p.Type.Members[1:] {
			switch {
			case m == "unkownFutureValue" || m == "unknownFutureValue" || m == "multiAppMode":
			case p.Type.Many:
				add([]string{m})
			default:
				add(m)
			}
		}
	case p.Type.Name == "Boolean":
		add(true)
	case p.Type.Name == "Int32":
		add(7)
	case p.Name == "factoryResetDeviceAdministratorEmails":
		add([]string{"b@example.com", "a@example.com"})
	default:
		add(json.RawMessage(given[p.Type.Name]))
	}
	return all
}

// A value that says that nothing is set is taken of every property, also of those that set nothing
// here; any other value of these is refused, and the message names the property.
func TestUnsetAndRefused(t *testing.T) {
	mapped := payload.MappedSettings()
	refusals := 0
	for _, p := range forms().Of(payload.AndroidGeneral).Properties {
		nothing := []string{"null"}
		switch {
		case p.Type.Many:
			nothing = append(nothing, "[]")
		case len(p.Type.Members) > 0:
			nothing = append(nothing, `"`+p.Type.Members[0]+`"`)
		case p.Type.Name == "Boolean" && p.Name != "appsAllowInstallFromUnknownSources" &&
			p.Name != "crossProfilePoliciesShowWorkContactsInPersonalProfile":
			nothing = append(nothing, "false")
		case p.Type.Name == "String":
			nothing = append(nothing, `""`)
		}
		for _, value := range nothing {
			// beside one that sets something, as nothing at all is refused
			props := fmt.Sprintf(`{%q:%s,"cameraBlocked":true}`, p.Name, value)
			if p.Name == "cameraBlocked" {
				props = fmt.Sprintf(`{%q:%s,"screenCaptureBlocked":true}`, p.Name, value)
			}
			content, err := compile(payload.AndroidGeneral, props, guid(1), nil)
			if err != nil {
				t.Errorf("%s: %v", props, err)
				continue
			}
			if found, err := forms().Of(payload.AndroidGeneral).Compiler.Inspect(content.Installed); err != nil || found.Settings != 1 {
				t.Errorf("%s sets %d fields (%v)", props, found.Settings, err)
			}
		}
		if p.Name == "enrollmentProfile" || slices.ContainsFunc(mapped,
			func(q catalog.Property) bool { return q.Name == p.Name }) {
			continue
		}
		refusals++
		value := map[bool]string{true: "[{}]", false: `"x"`}[p.Type.Many]
		switch {
		case p.Type.Name == "Boolean":
			value = "true"
		case p.Type.Name == "Int32":
			value = "3"
		}
		if got := refused(t, payload.AndroidGeneral, fmt.Sprintf(`{%q:%s}`, p.Name, value), nil); !strings.HasPrefix(got, p.Name+": cannot be kept") {
			t.Errorf("%s %s: %q", p.Name, value, got)
		}
	}
	if refusals < 40 {
		t.Errorf("only %d properties are refused", refusals)
	}
}

// What is wrong is refused, and the message names the property.
func TestWrongSettings(t *testing.T) {
	for props, property := range map[string]string{
		`{}`:                                "properties",
		`{"cameraBlocked":"yes"}`:           "cameraBlocked",
		`{"passwordMinimumLength":3}`:       "passwordMinimumLength",
		`{"passwordMinimumLength":17}`:      "passwordMinimumLength",
		`{"passwordMinimumLength":5.5}`:     "passwordMinimumLength",
		`{"passwordRequiredType":"strong"}`: "passwordRequiredType",
		`{"passwordBlockKeyguardFeatures":["camera","toaster"]}`:                                                                      "passwordBlockKeyguardFeatures[1]",
		`{"kioskModeUseManagedHomeScreenApp":"multiAppMode"}`:                                                                         "kioskModeUseManagedHomeScreenApp",
		`{"kioskModeUseManagedHomeScreenApp":"singleAppMode"}`:                                                                        "kioskModeApps",
		`{"kioskModeApps":[{"appId":"com.a"}]}`:                                                                                       "kioskModeUseManagedHomeScreenApp",
		`{"kioskModeUseManagedHomeScreenApp":"singleAppMode","kioskModeApps":[{"appId":"com.a"},{"appId":"com.b"}]}`:                  "kioskModeApps",
		`{"kioskModeUseManagedHomeScreenApp":"singleAppMode","kioskModeApps":[{"appId":"a"}]}`:                                        "kioskModeApps[0].appId",
		`{"vpnAlwaysOnLockdownMode":true}`:                                                                                            "vpnAlwaysOnPackageIdentifier",
		`{"vpnAlwaysOnPackageIdentifier":"no package"}`:                                                                               "vpnAlwaysOnPackageIdentifier",
		`{"systemUpdateInstallType":"windowed"}`:                                                                                      "systemUpdateWindowStartMinutesAfterMidnight",
		`{"systemUpdateInstallType":"automatic","systemUpdateWindowEndMinutesAfterMidnight":5}`:                                       "systemUpdateWindowEndMinutesAfterMidnight",
		`{"systemUpdateFreezePeriods":[{"startMonth":1,"startDay":1,"endMonth":2,"endDay":1}]}`:                                       "systemUpdateInstallType",
		`{"systemUpdateInstallType":"postpone","systemUpdateFreezePeriods":[{"startMonth":1,"startDay":1,"endMonth":5,"endDay":1}]}`:  "systemUpdateFreezePeriods[0]",
		`{"systemUpdateInstallType":"postpone","systemUpdateFreezePeriods":[{"startMonth":2,"startDay":30,"endMonth":3,"endDay":1}]}`: "systemUpdateFreezePeriods[0]",
		`{"systemUpdateInstallType":"postpone","systemUpdateFreezePeriods":[{"startMonth":1,"startDay":1,"endMonth":2,"endDay":1},{"startMonth":3,"startDay":1,"endMonth":4,"endDay":1}]}`: "systemUpdateFreezePeriods",
		`{"personalProfilePersonalApplications":[{"appId":"com.a"}]}`:                    "personalProfilePlayStoreMode",
		`{"globalProxy":{"host":"a.example","port":0}}`:                                  "globalProxy.port",
		`{"globalProxy":{"host":"a","port":80,"excludedHosts":["a b"]}}`:                 "globalProxy.excludedHosts[0]",
		`{"globalProxy":{"port":80}}`:                                                    "globalProxy.host",
		`{"globalProxy":{"host":"a","port":1,"proxyAutoConfigURL":"https://a.example"}}`: "globalProxy.host",
		`{"globalProxy":{"proxyAutoConfigURL":"ftp://a"}}`:                               "globalProxy.proxyAutoConfigURL",
		`{"globalProxy":7}`: "globalProxy",
		`{"detailedHelpText":{"localizedMessages":[{"name":"de","value":"x"}]}}`:                                                                                                                  "detailedHelpText.defaultMessage",
		`{"detailedHelpText":{"defaultMessage":"x","localizedMessages":[{"name":"!","value":"x"}]}}`:                                                                                              "detailedHelpText.localizedMessages[0].name",
		`{"factoryResetDeviceAdministratorEmails":["nobody"]}`:                                                                                                                                    "factoryResetDeviceAdministratorEmails[0]",
		`{"androidDeviceOwnerDelegatedScopeAppSettings":[{"appDetail":{"appId":"com.a"},"appScopes":["fly"]}]}`:                                                                                   "androidDeviceOwnerDelegatedScopeAppSettings[0].appScopes[0]",
		`{"androidDeviceOwnerDelegatedScopeAppSettings":[{"appDetail":{"appId":"com.a"},"appScopes":["captureSecurityLog"]},{"appDetail":{"appId":"com.b"},"appScopes":["captureSecurityLog"]}]}`: "androidDeviceOwnerDelegatedScopeAppSettings[1].appScopes[0]",
	} {
		if got := refused(t, payload.AndroidGeneral, props, nil); !strings.HasPrefix(got, property+": ") {
			t.Errorf("%s: %q, want it to name %s", props, got, property)
		}
	}
}

// Of several properties of one policy that set one field, the first counts, and a false last.
func TestOneFieldTwice(t *testing.T) {
	for props, want := range map[string]string{
		`{"appsAllowInstallFromUnknownSources":false,"personalProfileAppsAllowInstallFromUnknownSources":true}`: `{"untrustedAppsPolicy":"ALLOW_INSTALL_IN_PERSONAL_PROFILE_ONLY"}`,
		`{"appsAllowInstallFromUnknownSources":true,"personalProfileAppsAllowInstallFromUnknownSources":true}`:  `{"untrustedAppsPolicy":"ALLOW_INSTALL_DEVICE_WIDE"}`,
		`{"appsAllowInstallFromUnknownSources":false}`:                                                          `{"untrustedAppsPolicy":"DISALLOW_INSTALL"}`,
	} {
		p := policyOf(t, payload.Compose([]payload.Item{general(t, 1, props)}, nil))
		text, err := json.Marshal(p.AdvancedSecurityOverrides)
		if err != nil || string(text) != want {
			t.Errorf("%s: %s", props, text)
		}
	}
	p := policyOf(t, payload.Compose([]payload.Item{general(t, 1,
		`{"storageAllowUsb":true,"storageBlockUsbFileTransfer":true}`)}, nil))
	wants(t, "USB", p.DeviceConnectivityManagement.UsbDataAccess, "DISALLOW_USB_FILE_TRANSFER")
}

var updatePage = flag.Bool("update", false, "write the table of docs/android-settings.md")

const settingsPage = "../../../docs/android-settings.md"

// The page lists what the table says.
func TestSettingsPage(t *testing.T) {
	const begin, end = "<!-- settings: go test ./internal/android/payload -run TestSettingsPage -update -->\n",
		"<!-- end of settings -->\n"
	file, err := os.ReadFile(settingsPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(file), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no table between %q and %q", settingsPage, begin, end)
	}
	wanted := payload.SettingsTable()
	if table == wanted {
		return
	}
	if !*updatePage {
		t.Fatal("the table of docs/android-settings.md is not what settings.txt says: go test ./internal/android/payload -run TestSettingsPage -update")
	}
	if err := os.WriteFile(settingsPage, []byte(before+begin+wanted+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

package payload_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
)

// Details are somebody's: by index, by name, by GUID. What nobody set is nobody's.
func TestOwners(t *testing.T) {
	wifi := item(t, 5, payload.AndroidWiFi, `{"networkName":"Shop","ssid":"shop","wiFiSecurityType":"wpaPersonal","preSharedKey":"12345678"}`)
	config := item(t, 3, payload.AndroidManagedStoreConfiguration, `{"packageId":"com.example.mail","connectedAppsEnabled":true}`)
	vpn := item(t, 6, payload.AndroidVPN, `{"connectionType":"citrix","alwaysOn":true}`)
	c := payload.Compose([]payload.Item{app(t, 1, "com.example.mail"), app(t, 2, "com.example.chat"),
		config, general(t, 4, `{"passwordMinimumLength":6,"workProfilePasswordMinimumLength":8,"securityDeveloperSettingsEnabled":true}`),
		wifi, vpn, general(t, 7, `{"passwordBlockKeyguard":true}`),
		general(t, 8, `{"passwordBlockKeyguardFeatures":["camera"]}`)}, nil)
	text, err := json.Marshal(c.Manifest)
	var m payload.Manifest // as it comes back from where it was kept
	if err2 := json.Unmarshal(text, &m); err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	for _, tt := range []struct {
		setting, path, app, wifi string
		want                     []int
	}{
		{"applications", "applications[0].installType", "com.example.chat", "", []int{2}},
		{"applications", "applications[1].connectedWorkAndPersonalApp", "com.example.mail", "", []int{3}},
		{"applications", "", "com.example.mail", "", []int{1}},
		{"applications", "", "com.foreign", "", nil},
		{"applications", "applications[7].installType", "", "", nil},
		{"passwordPolicies", "passwordPolicies[1].passwordMinimumLength", "", "", []int{4}},
		{"passwordPolicies", "passwordPolicies[0].passwordScope", "", "", []int{4}},
		{"passwordPolicies", "passwordPolicies[SCOPE_DEVICE]", "", "", []int{4}},
		{"advancedSecurityOverrides", "advancedSecurityOverrides.mtePolicy", "", "", nil},
		{"advancedSecurityOverrides", "", "", "", []int{4}},
		{"openNetworkConfiguration", "openNetworkConfiguration.NetworkConfigurations[0].WiFi.SSID", "", "", []int{5}},
		{"openNetworkConfiguration", "", "", string(guid(5)), []int{5}},
		{"openNetworkConfiguration", "", "", string(guid(8)), nil},
		{"alwaysOnVpnPackage", "", "com.citrix.CitrixVPN", "", []int{6}},
		{"cameraAccess", "", "", "", nil},
		{"keyguardDisabled", "", "", "", []int{7}},
		{"keyguardDisabledFeatures", "keyguardDisabledFeatures[0]", "", "", []int{8}},
		{"", "", "", "", nil},
	} {
		want := []action.PayloadID{}
		for _, n := range tt.want {
			want = append(want, guid(n))
		}
		got := m.Owners(tt.setting, tt.path, tt.app, tt.wifi)
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %v", tt, got)
		}
	}
	wants(t, "fields of 4 concerned", m.Concerned(guid(4), "passwordPolicies", "passwordPolicies[1]", "", ""),
		[]string{"passwordPolicies[SCOPE_PROFILE].passwordMinimumLength"})
	for text, want := range map[string][]action.PayloadID{
		"Invalid value at 'policy.password_policies[0].password_minimum_length' (TYPE_INT32)": {guid(4)},
		"Application com.example.mail is not known.":                                          {guid(1)},
		"alwaysOnVpnPackage must name a VPN app":                                              {guid(6)},
		"applications has a fault":                                                            nil, "": nil,
	} {
		if got := c.Blame(text); !slices.Equal(got, want) {
			t.Errorf("%s: %v", text, got)
		}
	}
}

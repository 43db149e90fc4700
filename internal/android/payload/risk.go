package payload

import (
	"crypto/x509"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// loose are the values of fields that allow more than Google's default does: when nobody sets them,
// the device is stricter than before.
var loose = map[string][]any{
	"advancedSecurityOverrides.untrustedAppsPolicy": {"ALLOW_INSTALL_DEVICE_WIDE",
		"ALLOW_INSTALL_IN_PERSONAL_PROFILE_ONLY"},
	"advancedSecurityOverrides.developerSettings":  {"DEVELOPER_SETTINGS_ALLOWED"},
	"crossProfilePolicies.crossProfileCopyPaste":   {"CROSS_PROFILE_COPY_PASTE_ALLOWED"},
	"crossProfilePolicies.crossProfileDataSharing": {"CROSS_PROFILE_DATA_SHARING_ALLOWED"},
	"deviceConnectivityManagement.usbDataAccess":   {"ALLOW_USB_DATA_TRANSFER"},
	"defaultPermissionPolicy":                      {"GRANT"},
	"kioskCustomization.statusBar": {"NOTIFICATIONS_AND_SYSTEM_INFO_ENABLED",
		"SYSTEM_INFO_ONLY"},
	"kioskCustomization.systemErrorWarnings": {"ERROR_AND_WARNINGS_ENABLED"},
	"kioskCustomization.systemNavigation":    {"NAVIGATION_ENABLED", "HOME_BUTTON_ONLY"},
	"networkEscapeHatchEnabled":              {true},
}

// Risks implements catalog.Compiler: what goes wrong when these settings go, and which defaults
// come back that are stricter.
func (restrictions) Risks(content []byte, _ []*x509.Certificate) ([]catalog.Risk, error) {
	f, err := readFragment(content)
	if err != nil {
		return nil, err
	}
	var risks []catalog.Risk
	add := func(certain bool, reason string) {
		risks = append(risks, catalog.Risk{Certain: certain, Reason: reason})
	}
	if f.Fields["playStoreMode"] == "BLACKLIST" {
		add(true, "without its block list of the Play store, and unless another policy has one, the device uninstalls every app that is not assigned to it")
	}
	if f.Fields["advancedSecurityOverrides.commonCriteriaMode"] != nil {
		add(false, "when Common Criteria mode goes off, Wi-Fi networks that users configured may be lost")
	}
	if vpn, ok := f.Fields[vpnPath].(map[string]any); ok {
		reason := "it carries the always-on VPN, by which the device may reach its networks"
		if vpn["lockdownEnabled"] == true {
			reason += "; what was locked to the VPN then goes over any network"
		}
		add(false, reason)
	}
	if f.Fields["recommendedGlobalProxy"] != nil {
		add(false, "it carries the proxy by which the device may reach the internet")
	}
	for path, value := range f.Fields {
		if app := appOf(path); app != "" && value == "KIOSK" {
			add(false, "the device leaves kiosk mode: its user reaches more than "+app)
		}
	}
	if back := comingBack(f.Fields); back != "" {
		add(false, "defaults come back that are stricter: "+back)
	}
	return risks, nil
}

// comingBack says which stricter defaults apply when nobody sets fields any more.
func comingBack(fields map[string]any) string {
	var words []string
	for path, value := range fields {
		if slices.Contains(loose[path], value) {
			words = append(words, settings().byPath[path].byDefault)
		}
	}
	slices.Sort(words)
	return strings.Join(words, "; ")
}

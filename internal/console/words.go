package console

import "cmp"

// mark is a state as people read it. Class chooses its sign and colour.
type mark struct {
	Text  string
	Class string // busy, good, off, bad, idle
}

var (
	inProgress = mark{"In progress", "busy"}
	removing   = mark{"Being removed", "busy"}
	removed    = mark{"Removed", "off"}
	restored   = mark{"Restored", "good"}
	failed     = mark{"Error", "bad"}
)

// statuses are the words of the monitor, by the API's.
var statuses = map[string]mark{"initiated": inProgress, "inProgress": inProgress,
	"removed": removed, "succeeded": restored, "error": failed}

// actionStates are the words for actionState, in the order in which they are offered as a filter.
var actionStates = []struct {
	Value string
	mark
}{
	{"pending", mark{"Waiting for the device", "busy"}},
	{"active", mark{"In progress", "busy"}},
	{"done", mark{"Done", "good"}},
	{"failed", mark{"Ended with errors", "bad"}},
	{"canceled", mark{"Canceled", "idle"}},
	{"notSupported", mark{"Not supported", "bad"}},
}

func actionState(value string) mark {
	for _, s := range actionStates {
		if s.Value == value {
			return s.mark
		}
	}
	return mark{cmp.Or(value, "None"), "idle"}
}

var intents = map[string]string{"remove": "Remove", "restore": "Restore"}

// kinds are the words for payload types, and subKinds for what Graph calls itemSubTypeDisplayName.
var (
	kinds = map[string]string{"application": "App", "deviceConfiguration": "Configuration",
		"mobileAppConfiguration":              "App configuration",
		"deviceManagementConfigurationPolicy": "Settings catalog"}
	subKinds = map[string]string{"custom": "Custom", "wiFi": "Wi-Fi", "vpn": "VPN",
		"email": "Email", "trustedCertificate": "Trusted certificate",
		"scepCertificate": "SCEP certificate", "pkcsCertificate": "PKCS certificate",
		"deviceRestrictions": "Device restrictions",
		"deviceFeatures":     "Device features"}
)

// itemType names what a payload is.
func itemType(kind, subKind string) string {
	text := cmp.Or(kinds[kind], kind)
	switch sub := cmp.Or(subKinds[subKind], subKind); {
	case sub == "" || subKind == kind || sub == text:
		return text
	default:
		return text + ": " + sub
	}
}

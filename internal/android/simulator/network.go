package simulator

import (
	"encoding/json"
	"fmt"

	"google.golang.org/api/androidmanagement/v1"
)

// onc is an openNetworkConfiguration as far as AMAPI takes it (AMAPI, "Configure networks").
type onc struct {
	NetworkConfigurations []oncNetwork
	Certificates          []oncCertificate
}

type oncNetwork struct {
	GUID, Name, Type string
	Remove           *bool
	WiFi             *struct {
		SSID, Security, Passphrase string
		AutoConnect, HiddenSSID    bool
		EAP                        *struct {
			DomainSuffixMatch []string
			ServerCARef       string
			ServerCARefs      []string
			ClientCertType    string
		}
	}
}

type oncCertificate struct {
	GUID, Type, X509 string
	Remove           *bool
	TrustBits        []string
}

func readONC(p *androidmanagement.Policy) (onc, error) {
	var read onc
	if len(p.OpenNetworkConfiguration) == 0 {
		return read, nil
	}
	err := json.Unmarshal(p.OpenNetworkConfiguration, &read)
	return read, err
}

const oncField = "policy.open_network_configuration"

func badONC(format string, values ...any) *failure {
	return badRequest(oncField, "Invalid value at '%s': %s", oncField,
		fmt.Sprintf(format, values...))
}

var wifiSecurity = map[string]bool{"None": true, "WEP-PSK": true, "WPA-PSK": true, "WPA-EAP": true,
	"WEP-8021X": true, "WPA3-Enterprise_192": true}

// checkNetworks refuses networks that AMAPI does not take. A network that only the device finds to
// be incomplete is not refused.
func checkNetworks(p *androidmanagement.Policy) *failure {
	if c := p.DeviceConnectivityManagement; c != nil && c.WifiSsidPolicy != nil &&
		c.WifiSsidPolicy.WifiSsidPolicyType == "WIFI_SSID_ALLOWLIST" &&
		len(c.WifiSsidPolicy.WifiSsids) == 0 {
		const field = "policy.device_connectivity_management.wifi_ssid_policy.wifi_ssids"
		return badRequest(field, "Invalid value at '%s': it must not be empty with "+
			"WIFI_SSID_ALLOWLIST.", field)
	}
	read, err := readONC(p)
	if err != nil {
		return badONC("it is no Open Network Configuration.")
	}
	seen := make(map[string]bool)
	for i, n := range read.NetworkConfigurations {
		at := fmt.Sprintf("NetworkConfigurations[%d]", i)
		switch {
		case n.GUID == "" || seen[n.GUID]:
			return badONC("%s.GUID must be set, and be there once.", at)
		case n.Type != "WiFi" || n.WiFi == nil:
			return badONC("%s.Type must be WiFi.", at)
		case n.Remove != nil:
			return badONC("%s.Remove is not supported. Omit the network instead.", at)
		case n.Name == "" || n.WiFi.SSID == "":
			return badONC("%s needs a Name and a WiFi.SSID.", at)
		case !wifiSecurity[n.WiFi.Security]:
			return badONC("%s.WiFi.Security %q is not supported.", at, n.WiFi.Security)
		case (n.WiFi.Security == "WEP-PSK" || n.WiFi.Security == "WPA-PSK") &&
			n.WiFi.Passphrase == "":
			return badONC("%s.WiFi.Passphrase must be set.", at)
		case n.WiFi.Security == "WPA-EAP" && n.WiFi.EAP == nil:
			return badONC("%s.WiFi.EAP must be set.", at)
		}
		seen[n.GUID] = true
	}
	return checkCertificates(read.Certificates, seen)
}

func checkCertificates(certificates []oncCertificate, seen map[string]bool) *failure {
	for i, certificate := range certificates {
		at := fmt.Sprintf("Certificates[%d]", i)
		switch {
		case certificate.GUID == "" || seen[certificate.GUID]:
			return badONC("%s.GUID must be set, and be there once.", at)
		case certificate.Remove != nil || certificate.TrustBits != nil:
			return badONC("%s: Remove and TrustBits are not supported. Omit the certificate "+
				"from the configuration instead.", at)
		case certificate.Type == "Authority" && certificate.X509 == "":
			return badONC("%s.X509 must be set.", at)
		}
		seen[certificate.GUID] = true
	}
	return nil
}

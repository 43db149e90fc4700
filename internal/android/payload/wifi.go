package payload

import (
	"context"
	"crypto/x509"
	"fmt"
	"regexp"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// networks compiles androidDeviceOwnerWiFiConfiguration and the enterprise type. A network is a
// NetworkConfiguration of the Open Network Configuration format (ONC), whose GUID is the payload's
// id: by that a device names it.
type networks struct{ compiler }

// Risks implements catalog.Compiler.
func (networks) Risks(content []byte, _ []*x509.Certificate) ([]catalog.Risk, error) {
	f, err := readFragment(content)
	if err != nil {
		return nil, err
	}
	network, _ := f.Fields[networkPath(f.GUID)].(map[string]any)
	wifi, _ := network["WiFi"].(map[string]any)
	return []catalog.Risk{{Reason: fmt.Sprintf("it carries the Wi-Fi network “%.60s”, by which the device may reach the internet; if a policy blocks configuring Wi-Fi and this is the last network, the device has no Wi-Fi", wifi["SSID"])}}, nil
}

// Compile implements catalog.Compiler.
func (networks) Compile(ctx context.Context, form *catalog.Form, d *catalog.Draft,
	look catalog.Lookup) (*catalog.Content, error) {
	wifi, err := readWiFi(form.Type, d.Properties)
	if err != nil {
		return nil, err
	}
	name, err := catalog.Read[string](d.Properties, "networkName", "a string")
	if err == nil && (name == "" || len(name) > 255) {
		err = &invalid.Input{Property: "networkName",
			Reason: "is missing or too long: give the name of the network as people call it"}
	}
	if err != nil {
		return nil, err
	}
	network := map[string]any{"Name": name, "Type": "WiFi", "WiFi": wifi}
	f := Fragment{Kind: Network, GUID: string(d.ID), Fields: map[string]any{}}
	if form.Type == AndroidEnterpriseWiFi {
		eap, needs, err := readEAP(ctx, d.Properties, look)
		if err != nil {
			return nil, err
		}
		wifi["EAP"], f.Needs = eap, needs
	}
	proxy, err := readWiFiProxy(d.Properties)
	if err != nil {
		return nil, err
	}
	if proxy != nil {
		network["ProxySettings"] = proxy
	}
	f.Fields[networkPath(f.GUID)] = network
	return f.content(string(d.ID), "id", subTypeWiFi), nil
}

// securities are ONC's values by Graph's.
var securities = map[string]string{"open": "None", "wep": "WEP-PSK", "wpaPersonal": "WPA-PSK",
	"wpaEnterprise": "WPA-EAP"}

// readWiFi reads what every network has.
func readWiFi(odataType string, props catalog.Properties) (map[string]any, error) {
	ssid, err := catalog.Read[string](props, "ssid", "a string")
	if err == nil && (ssid == "" || len(ssid) > 32) {
		err = &invalid.Input{Property: "ssid",
			Reason: fmt.Sprintf("must have 1 to 32 bytes (IEEE 802.11); it has %d", len(ssid))}
	}
	if err != nil {
		return nil, err
	}
	kind, err := catalog.Read[string](props, "wiFiSecurityType", "a string")
	if err != nil {
		return nil, err
	}
	enterprise := odataType == AndroidEnterpriseWiFi
	switch {
	case kind == "" && enterprise:
		kind = "wpaEnterprise"
	case securities[kind] == "":
		return nil, &invalid.Input{Property: "wiFiSecurityType", Reason: fmt.Sprintf(
			"%.60q is none of open, wep, wpaPersonal, wpaEnterprise", kind)}
	case enterprise != (kind == "wpaEnterprise"):
		return nil, &invalid.Input{Property: "wiFiSecurityType", Reason: fmt.Sprintf(
			"is %s: wpaEnterprise is for #microsoft.graph.%s, and the others are for #microsoft.graph.%s",
			kind, AndroidEnterpriseWiFi, AndroidWiFi)}
	}
	wifi := map[string]any{"SSID": ssid, "Security": securities[kind]}
	for name, field := range map[string]string{"connectAutomatically": "AutoConnect",
		"connectWhenNetworkNameIsHidden": "HiddenSSID"} {
		on, err := catalog.Read[bool](props, name, "a boolean")
		if err != nil {
			return nil, err
		}
		wifi[field] = on
	}
	if err := readKey(props, kind, wifi); err != nil {
		return nil, err
	}
	return wifi, readRandomization(props, wifi)
}

var (
	wepForm = regexp.MustCompile(`^([0-9A-Fa-f]{10}|[0-9A-Fa-f]{26})$`)
	// IEEE 802.11i: 8 to 63 printable characters of ASCII, or the key itself
	wpaForm = regexp.MustCompile(`^([ -~]{8,63}|[0-9A-Fa-f]{64})$`)
)

// readKey reads the pre-shared key. Messages never say what it is.
func readKey(props catalog.Properties, kind string, wifi map[string]any) error {
	key, err := catalog.Read[string](props, preSharedKey, "a string")
	if err != nil {
		return err
	}
	fault := ""
	switch kind {
	case "wep":
		if !wepForm.MatchString(key) {
			fault = "is missing, or not 10 or 26 hexadecimal digits, as wep needs"
		}
	case "wpaPersonal":
		if !wpaForm.MatchString(key) {
			fault = "is missing, or not 8 to 63 printable characters, as wpaPersonal needs"
		}
	default:
		if key != "" {
			fault = "is for wep and wpaPersonal only"
		}
	}
	if fault != "" {
		return &invalid.Input{Property: preSharedKey, Reason: fault}
	}
	if key != "" {
		wifi["Passphrase"] = key
	}
	return nil
}

func readRandomization(props catalog.Properties, wifi map[string]any) error {
	const name = "macAddressRandomizationMode"
	mode, err := catalog.Read[string](props, name, "a string")
	switch {
	case err != nil || mode == "":
		return err
	case mode == "automatic":
		wifi["MACAddressRandomizationMode"] = "Automatic"
	case mode == "hardware":
		wifi["MACAddressRandomizationMode"] = "Hardware"
	default:
		return &invalid.Input{Property: name,
			Reason: fmt.Sprintf("%.60q is none of automatic, hardware", mode)}
	}
	return nil
}

// readWiFiProxy reads the proxy of a network; nil: it has none.
func readWiFiProxy(props catalog.Properties) (map[string]any, error) {
	const (
		kindName   = "proxySettings"
		hostName   = "proxyManualAddress"
		portName   = "proxyManualPort"
		scriptName = "proxyAutomaticConfigurationUrl"
		exceptName = "proxyExclusionList"
	)
	kind, err := catalog.Read[string](props, kindName, "a string")
	if err != nil {
		return nil, err
	}
	texts := make(map[string]string)
	for _, name := range []string{hostName, scriptName, exceptName} {
		if texts[name], err = catalog.Read[string](props, name, "a string"); err != nil {
			return nil, err
		}
	}
	port, err := catalog.Read[int64](props, portName, "an integer")
	if err != nil {
		return nil, err
	}
	switch kind {
	case "", "none":
		for _, name := range []string{hostName, scriptName, exceptName} {
			if texts[name] != "" {
				return nil, &invalid.Input{Property: name,
					Reason: "needs proxySettings manual or automatic"}
			}
		}
		return nil, nil
	case "automatic":
		return map[string]any{"Type": "PAC", "PAC": texts[scriptName]},
			checkAddress(scriptName, texts[scriptName])
	case "manual":
		if err := checkHost(hostName, texts[hostName]); err != nil {
			return nil, err
		}
		proxy := map[string]any{"Type": "Manual", "Manual": map[string]any{
			"HTTPProxy": map[string]any{"Host": texts[hostName], "Port": port}}}
		except := strings.FieldsFunc(texts[exceptName],
			func(r rune) bool { return strings.ContainsRune(",; \t\r\n", r) })
		if len(except) > 0 {
			proxy["ExcludeDomains"] = anyOf(except)
		}
		if err := checkHosts(exceptName, except); err != nil {
			return nil, err
		}
		return proxy, checkPort(portName, port)
	default:
		return nil, &invalid.Input{Property: kindName,
			Reason: fmt.Sprintf("%.60q is none of none, manual, automatic", kind)}
	}
}

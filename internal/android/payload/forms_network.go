package payload

import (
	"encoding/json"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// option is a choice whose value is a member of an enumeration.
func option(member, text string) catalog.Option {
	return catalog.Option{Key: member, Value: json.RawMessage(canonicalJSON(member)), Text: text}
}

// wifiProperties are those of every network.
func wifiProperties(security ...catalog.Property) []catalog.Property {
	list := []catalog.Property{
		{Name: "networkName", Type: catalog.Text, Label: "Network name", Control: catalog.Line,
			Required: true, Hint: "As people call it."},
		{Name: "ssid", Type: catalog.Text, Label: "SSID", Control: catalog.Line, Required: true},
	}
	list = append(list, security...)
	return append(list,
		catalog.Property{Name: "connectAutomatically", Type: catalog.Boolean, On: true,
			Label: "Connect by itself", Control: catalog.Check},
		catalog.Property{Name: "connectWhenNetworkNameIsHidden", Type: catalog.Boolean,
			Label: "The network does not show its name", Control: catalog.Check},
		catalog.Property{Name: "proxySettings", Type: catalog.Type{Name: "wiFiProxySetting",
			Members: []string{"none", "manual", "automatic", "unknownFutureValue"}}},
		catalog.Property{Name: "proxyManualAddress", Type: catalog.Text},
		catalog.Property{Name: "proxyManualPort", Type: catalog.Int32},
		catalog.Property{Name: "proxyAutomaticConfigurationUrl", Type: catalog.Text},
		catalog.Property{Name: "proxyExclusionList", Type: catalog.Text},
		catalog.Property{Name: "macAddressRandomizationMode",
			Type: catalog.Type{Name: "macAddressRandomizationMode",
				Members: []string{"automatic", "hardware", "unknownFutureValue"}}},
	)
}

var wifiSecurity = catalog.Type{Name: "androidDeviceOwnerWiFiSecurityType",
	Members: []string{"open", "wep", "wpaPersonal", "wpaEnterprise"}}

// networkForms are those of networks, of the certificates that they need, and of VPNs.
func networkForms() []*catalog.Form {
	return []*catalog.Form{
		{Type: AndroidWiFi, Collection: catalog.Configurations, Platforms: androids,
			Title: "Wi-Fi for Android devices", Compiler: networks{},
			Properties: wifiProperties(
				catalog.Property{Name: "wiFiSecurityType", Type: wifiSecurity, Label: "Security",
					Control: catalog.Choice, Required: true, Options: []catalog.Option{
						option("wpaPersonal", "WPA with a key"), option("open", "None"),
						option("wep", "WEP")}},
				catalog.Property{Name: preSharedKey, Type: catalog.Text, Private: true,
					Label: "Key", Control: catalog.Line,
					Hint: "8 to 63 characters; of WEP 10 or 26 hexadecimal digits."},
				catalog.Property{Name: "preSharedKeyIsSet", Type: catalog.Boolean})},
		{Type: AndroidEnterpriseWiFi, Collection: catalog.Configurations, Platforms: androids,
			Title:      "Enterprise Wi-Fi for Android devices",
			Properties: wifiProperties(enterpriseProperties()...), Compiler: networks{}},
		{Type: AndroidRootCertificate, Collection: catalog.Configurations, Platforms: androids,
			Title: "Trusted root certificate for Android devices", Compiler: certificates{},
			Properties: []catalog.Property{
				{Name: trustedRoot, Type: catalog.Binary, Document: true, Label: "Certificate",
					Control: catalog.Code, Required: true,
					Hint: "The text of a .pem file, from BEGIN CERTIFICATE to END CERTIFICATE."},
				{Name: "certFileName", Type: catalog.Text, Label: "File name",
					Control: catalog.Line}}},
		vpnForm(),
	}
}

func enterpriseProperties() []catalog.Property {
	return []catalog.Property{
		{Name: "wiFiSecurityType", Type: wifiSecurity},
		{Name: preSharedKey, Type: catalog.Text, Private: true},
		{Name: "preSharedKeyIsSet", Type: catalog.Boolean},
		{Name: eapType, Type: catalog.Type{Name: "androidEapType",
			Members: []string{"eapTls", "eapTtls", "peap"}}, Label: "EAP", Required: true,
			Control: catalog.Choice, Options: []catalog.Option{option("peap", "PEAP"),
				option("eapTtls", "EAP-TTLS")}},
		{Name: serverNames, Type: catalog.ManyOf(catalog.Text), Label: "Name of the servers",
			Control: catalog.Line, Required: true,
			Hint: "How the certificates of the network's servers end, such as radius.example.com."},
		{Name: rootCertificate, Type: catalog.Text, Reference: true, Required: true,
			Label: "Trusted root certificate", Control: catalog.Line,
			Hint: "The id of its policy, as the address of its page has it."},
		{Name: manyRoots, Type: catalog.ManyOf(catalog.Text), Reference: true},
		{Name: identity, Type: catalog.Text, Reference: true},
		{Name: authentication, Type: catalog.Type{Name: "wiFiAuthenticationMethod",
			Members: []string{"certificate", "usernameAndPassword", "derivedCredential"}}},
		{Name: innerTTLS, Type: catalog.Type{Name: "nonEapAuthenticationMethodForEapTtlsType",
			Members: []string{"unencryptedPassword", "challengeHandshakeAuthenticationProtocol",
				"microsoftChap", "microsoftChapVersionTwo"}},
			Label: "Inner protocol of EAP-TTLS", Control: catalog.Choice,
			Options: []catalog.Option{{Text: "None"}, option("unencryptedPassword", "PAP"),
				option("microsoftChapVersionTwo", "MS-CHAPv2")}},
		{Name: innerPEAP, Type: catalog.Type{Name: "nonEapAuthenticationMethodForPeap",
			Members: []string{"none", "microsoftChapVersionTwo"}},
			Label: "Inner protocol of PEAP", Control: catalog.Choice,
			Options: []catalog.Option{{Text: "Any"},
				option("microsoftChapVersionTwo", "MS-CHAPv2")}},
		{Name: outerIdentity, Type: catalog.Text, Label: "Identity that everybody sees",
			Control: catalog.Line,
			Hint:    "Such as anonymous: what is sent before the connection is secret."},
		{Name: userName, Type: catalog.Text, Label: "User name", Control: catalog.Line,
			Hint: "The same on all devices that get the policy. Empty: the device asks its user."},
		{Name: password, Type: catalog.Text, Private: true, Label: "Password",
			Control: catalog.Line, Hint: "Of the user name. Empty: the device asks its user."},
	}
}

func vpnForm() *catalog.Form {
	kinds := catalog.Type{Name: "androidVpnConnectionType", Members: []string{"ciscoAnyConnect",
		"pulseSecure", "f5EdgeClient", "dellSonicWallMobileConnect", "checkPointCapsuleVpn",
		"citrix", "microsoftTunnel", "netMotionMobility", "microsoftProtect"}}
	app := packageID
	app.Required, app.Fixed = false, false
	app.Label, app.Hint = "Package name of the VPN app", "Such as com.example.vpn. Connection types that are known name it."
	properties := []catalog.Property{
		{Name: "connectionName", Type: catalog.Text, Label: "Connection name",
			Control: catalog.Line},
		{Name: "connectionType", Type: kinds},
		app,
		{Name: "alwaysOn", Type: catalog.Boolean, Label: "Always on", Control: catalog.Check,
			On: true},
		{Name: "alwaysOnLockdown", Type: catalog.Boolean, Control: catalog.Check,
			Label: "No network without the VPN"},
	}
	return &catalog.Form{Type: AndroidVPN, Collection: catalog.Configurations, Platforms: androids,
		Title:      "Always-on VPN for Android devices",
		Properties: append(properties, vpnElsewhere...), Compiler: vpns{}}
}

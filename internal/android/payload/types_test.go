package payload_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// managed is payloadJson with some properties.
func managed(properties string) string {
	return `{"packageId":"com.a","payloadJson":` + encoded(`{"kind":"androidenterprise#managedConfiguration","productId":"app:com.a","managedProperty":[`+properties+`]}`) + `}`
}

// What is wrong in a payload is refused, and the message names the property.
func TestWrongPayloads(t *testing.T) {
	const (
		app        = payload.AndroidManagedStoreApp
		config     = payload.AndroidManagedStoreConfiguration
		wifi       = payload.AndroidWiFi
		enterprise = payload.AndroidEnterpriseWiFi
		vpn        = payload.AndroidVPN
		root       = payload.AndroidRootCertificate
		web        = payload.AndroidManagedStoreWebApp
	)
	on := everyAuthority()
	on[guid(8)] = &catalog.Payload{ID: guid(8), ODataType: app, Identifier: "com.a"}
	on[guid(7)] = &catalog.Payload{ID: guid(7), ODataType: web, Identifier: string(guid(7))}
	network := func(more string) string {
		return `{"networkName":"Shop","ssid":"shop",` + more + `}`
	}
	peap := func(more string) string {
		return network(`"eapType":"peap","trustedServerCertificateNames":["r.example"],"rootCertificateForServerValidation":"` + string(guid(1)) + `"` + more)
	}
	for _, tt := range []struct{ kind, props, property string }{
		{app, `{}`, "packageId"},
		{app, `{"packageId":"mail"}`, "packageId"},
		{app, `{"packageId":"com.a] x.b"}`, "packageId"},
		{app, `{"packageId":5}`, "packageId"},
		{app, `{"packageId":"com.a","appStoreUrl":"https://play.google.com/store/apps/details?id=com.b"}`, "appStoreUrl"},
		{app, `{"appStoreUrl":"https://play.google.com/store/apps"}`, "appStoreUrl"},
		{app, `{"packageId":"com.a","isSystemApp":"yes"}`, "isSystemApp"},
		{config, `{"payloadJson":"e30="}`, "packageId"},
		{config, `{"packageId":"com.a"}`, "payloadJson"},
		{config, `{"packageId":"com.b","connectedAppsEnabled":true,"targetedMobileApps":["` + string(guid(8)) + `"]}`, "targetedMobileApps"},
		{config, `{"connectedAppsEnabled":true,"targetedMobileApps":["` + string(guid(1)) + `"]}`, "targetedMobileApps"},
		{config, `{"connectedAppsEnabled":true,"targetedMobileApps":["` + string(guid(9)) + `"]}`, "targetedMobileApps"},
		{config, `{"connectedAppsEnabled":true,"targetedMobileApps":["x"]}`, "targetedMobileApps"},
		{config, `{"connectedAppsEnabled":true,"targetedMobileApps":["x","y"]}`, "targetedMobileApps"},
		{config, `{"packageId":"com.a","payloadJson":"*"}`, "payloadJson"},
		{config, `{"packageId":"com.a","payloadJson":"W10="}`, "payloadJson"},
		{config, `{"packageId":"com.a","payloadJson":"{\"productId\":\"app:com.b\"}"}`, "payloadJson"},
		{config, managed(`{"key":"k"}`), "payloadJson"},
		{config, managed(`{"key":"k","valueString":"a","valueBool":true}`), "payloadJson"},
		{config, managed(`{"key":"k","valueString":"{{mail}}"}`), "payloadJson"},
		{config, managed(`{"key":"k","valueStringArray":["{{mail}}"]}`), "payloadJson"},
		{config, managed(`{"key":"k","valueInteger":3000000000}`), "payloadJson"},
		{config, managed(`{"key":"k","valueInteger":1.5}`), "payloadJson"},
		{config, managed(`{"key":"k","valueBool":true},{"key":"k","valueBool":true}`), "payloadJson"},
		{config, managed(`{"key":"","valueBool":true}`), "payloadJson"},
		{config, managed(`{"key":"k","valueString":"` + strings.Repeat("x", 65536) + `"}`), "payloadJson"},
		{config, managed(strings.Repeat(`{"key":"k","valueBundle":{"managedProperty":[`, 20) + `{"key":"k","valueBool":true}` + strings.Repeat("]}}", 20)), "payloadJson"},
		{config, managed(`{"key":"k","valueStringArray":[` + strings.Repeat(`"",`, 10000) + `""]}`), "payloadJson"},
		{config, `{"packageId":"com.a","profileApplicability":"androidWorkProfile","connectedAppsEnabled":true}`, "profileApplicability"},
		{config, `{"packageId":"com.a","permissionActions":[{"permission":"p","action":"maybe"}]}`, "permissionActions.action"},
		{config, `{"packageId":"com.a","permissionActions":[{"permission":"","action":"prompt"}]}`, "permissionActions.permission"},
		{config, `{"packageId":"com.a","permissionActions":[{"permission":"p","action":"prompt"},{"permission":"p","action":"autoDeny"}]}`, "permissionActions.permission"},
		{wifi, `{"ssid":"shop","wiFiSecurityType":"open"}`, "networkName"},
		{wifi, `{"networkName":"Shop","wiFiSecurityType":"open"}`, "ssid"},
		{wifi, `{"networkName":"Shop","ssid":"` + strings.Repeat("ä", 17) + `","wiFiSecurityType":"open"}`, "ssid"},
		{wifi, network(`"wiFiSecurityType":"wpa4"`), "wiFiSecurityType"},
		{wifi, network(`"wiFiSecurityType":"wpaEnterprise"`), "wiFiSecurityType"},
		{wifi, network(`"wiFiSecurityType":"wpaPersonal"`), "preSharedKey"},
		{wifi, network(`"wiFiSecurityType":"wpaPersonal","preSharedKey":"1234567"`), "preSharedKey"},
		{wifi, network(`"wiFiSecurityType":"wep","preSharedKey":"12345678"`), "preSharedKey"},
		{wifi, network(`"wiFiSecurityType":"open","preSharedKey":"12345678"`), "preSharedKey"},
		{wifi, network(`"wiFiSecurityType":"open","proxySettings":"manual"`), "proxyManualAddress"},
		{wifi, network(`"wiFiSecurityType":"open","proxySettings":"manual","proxyManualAddress":"p"`), "proxyManualPort"},
		{wifi, network(`"wiFiSecurityType":"open","proxySettings":"automatic"`), "proxyAutomaticConfigurationUrl"},
		{wifi, network(`"wiFiSecurityType":"open","proxySettings":"manual","proxyManualAddress":"p","proxyManualPort":1,"proxyExclusionList":"a b!"`), "proxyExclusionList[1]"},
		{enterprise, network(`"eapType":"peap","trustedServerCertificateNames":[""]`), "trustedServerCertificateNames[0]"},
		{wifi, network(`"wiFiSecurityType":"open","proxyManualAddress":"p"`), "proxyManualAddress"},
		{wifi, network(`"wiFiSecurityType":"open","proxySettings":"magic"`), "proxySettings"},
		{wifi, network(`"wiFiSecurityType":"open","macAddressRandomizationMode":"x"`), "macAddressRandomizationMode"},
		{enterprise, network(`"eapType":"eapTls"`), "eapType"},
		{enterprise, network(`"eapType":"fast"`), "eapType"},
		{enterprise, network(`"eapType":"peap"`), "trustedServerCertificateNames"},
		{enterprise, network(`"eapType":"peap","trustedServerCertificateNames":["r.example"]`), "rootCertificateForServerValidation"},
		{enterprise, network(`"eapType":"peap","trustedServerCertificateNames":["r.example"],"rootCertificateForServerValidation":"` + string(guid(8)) + `"`), "rootCertificateForServerValidation"},
		{enterprise, network(`"eapType":"eapTtls","innerAuthenticationProtocolForEapTtls":"microsoftChap"`), "innerAuthenticationProtocolForEapTtls"},
		{enterprise, network(`"eapType":"eapTtls"`), "innerAuthenticationProtocolForEapTtls"},
		{enterprise, peap(`,"innerAuthenticationProtocolForEapTtls":"unencryptedPassword"`), "innerAuthenticationProtocolForEapTtls"},
		{enterprise, peap(`,"authenticationMethod":"derivedCredential"`), "authenticationMethod"},
		{enterprise, peap(`,"identityCertificateForClientAuthentication":"x"`), "identityCertificateForClientAuthentication"},
		{enterprise, peap(`,"wiFiSecurityType":"open"`), "wiFiSecurityType"},
		{enterprise, peap(`,"preSharedKey":"12345678"`), "preSharedKey"},
		{enterprise, peap(`,"passwordFormatString":"12345678"`), "usernameFormatString"},
		{enterprise, peap(`,"usernameFormatString":"{{mail}}"`), "usernameFormatString"},
		{enterprise, peap(`,"usernameFormatString":"a","passwordFormatString":"12345678{{x}}"`), "passwordFormatString"},
		{enterprise, peap(`,"usernameFormatString":"a","passwordFormatString":"12345678` + strings.Repeat("x", 250) + `"`), "passwordFormatString"},
		{enterprise, peap(`,"outerIdentityPrivacyTemporaryValue":"` + strings.Repeat("x", 256) + `"`), "outerIdentityPrivacyTemporaryValue"},
		{enterprise, peap(`,"authenticationMethod":"certificate"`), "authenticationMethod"},
		{web, `{}`, "appStoreUrl"},
		{web, `{"appStoreUrl":"intranet.example"}`, "appStoreUrl"},
		{web, `{"appStoreUrl":"javascript:alert(1)"}`, "appStoreUrl"},
		{web, `{"appStoreUrl":"https://user:pass@intranet.example/"}`, "appStoreUrl"},
		{web, `{"appStoreUrl":"https://intranet.example/` + strings.Repeat("x", 2000) + `"}`, "appStoreUrl"},
		{web, `{"appStoreUrl":"https://play.google.com/store/apps"}`, "appStoreUrl"},
		{web, `{"appStoreUrl":"https://intranet.example/","packageId":"com.a"}`, "appStoreUrl"},
		{web, `{"packageId":"com.a","displayMode":"fullScreen"}`, "displayMode"},
		{web, `{"appStoreUrl":"https://intranet.example/","displayMode":"FULL_SCREEN"}`, "displayMode"},
		{web, `{"appStoreUrl":"https://intranet.example/","isSystemApp":true}`, "isSystemApp"},
		{web, `{"appStoreUrl":"https://intranet.example/","largeIcon":"x"}`, "largeIcon"},
		{web, `{"appStoreUrl":"https://intranet.example/","largeIcon":{"value":"*"}}`, "largeIcon"},
		{web, `{"appStoreUrl":"https://intranet.example/","largeIcon":{"value":"PHN2Zz4="}}`, "largeIcon"},
		{web, `{"appStoreUrl":"https://intranet.example/","largeIcon":{"value":"` + strings.Repeat("iVBORw0KGgoA", 35_000) + `"}}`, "largeIcon"},
		{config, `{"connectedAppsEnabled":true,"targetedMobileApps":["` + string(guid(7)) + `"]}`, "targetedMobileApps"},
		{root, `{}`, "trustedRootCertificate"},
		{root, `{"trustedRootCertificate":"*"}`, "trustedRootCertificate"},
		{root, `{"trustedRootCertificate":"AAAA"}`, "trustedRootCertificate"},
		{root, `{"trustedRootCertificate":"` + strings.Repeat("A", 200_000) + `"}`, "trustedRootCertificate"},
		{vpn, `{"connectionType":"citrix"}`, "alwaysOn"},
		{vpn, `{"connectionType":"netMotionMobility","alwaysOn":true}`, "packageId"},
		{vpn, `{"connectionType":"citrix","packageId":"com.b","alwaysOn":true}`, "packageId"},
		{vpn, `{"packageId":"x","alwaysOn":true}`, "packageId"},
		{vpn, `{"connectionType":"citrix","alwaysOn":true,"servers":[{"address":"a"}]}`, "servers"},
		{vpn, `{"connectionType":"citrix","alwaysOn":true,"authenticationMethod":"azureAD"}`, "authenticationMethod"},
	} {
		got := refused(t, tt.kind, tt.props, on)
		if !strings.HasPrefix(got, tt.property+": ") {
			t.Errorf("%s %.200s: %q, want it to name %s", tt.kind, tt.props, got, tt.property)
		}
		if strings.Contains(got, "12345678") {
			t.Errorf("a key is in the message %q", got)
		}
	}
}

// An app's configuration has what its JSON says, of every type.
func TestManagedConfiguration(t *testing.T) {
	const properties = `{"key":"text","valueString":"{ a }"},{"key":"yes","valueBool":true},{"key":"n","valueInteger":-7},` +
		`{"key":"list","valueStringArray":["a","b"]},{"key":"one","valueBundle":{"managedProperty":[{"key":"in","valueBool":false}]}},` +
		`{"key":"many","valueBundleArray":[{"managedProperty":[{"key":"in","valueString":""}]},{"managedProperty":[]}]}`
	const want = `{"list":["a","b"],"many":[{"in":""},{}],"n":-7,"one":{"in":false},"text":"{ a }","yes":true}`
	plain, err := json.Marshal(`{"managedProperty":[` + properties + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, props := range []string{managed(properties), `{"packageId":"com.a","payloadJson":` + string(plain) + `}`} {
		c := payload.Compose([]payload.Item{item(t, 1, payload.AndroidManagedStoreConfiguration, props)}, nil)
		held(t, c)
		if got := string(policyOf(t, c).Applications[0].ManagedConfiguration); got != want {
			t.Errorf("%s", got)
		}
	}
}

// A network has what Graph's properties say, in the format of its name, and by the payload's id.
func TestNetwork(t *testing.T) {
	for _, tt := range []struct{ kind, props, want string }{
		{payload.AndroidWiFi, `{"networkName":"Shop","ssid":"shop","wiFiSecurityType":"wpaPersonal","preSharedKey":"correct horse","preSharedKeyIsSet":true,"connectAutomatically":true,"proxySettings":"manual","proxyManualAddress":"proxy.example","proxyManualPort":8080,"proxyExclusionList":"a.example; b.example","macAddressRandomizationMode":"hardware"}`,
			`{"GUID":"` + string(guid(1)) + `","Name":"Shop","ProxySettings":{"ExcludeDomains":["a.example","b.example"],"Manual":{"HTTPProxy":{"Host":"proxy.example","Port":8080}},"Type":"Manual"},"Type":"WiFi","WiFi":{"AutoConnect":true,"HiddenSSID":false,"MACAddressRandomizationMode":"Hardware","Passphrase":"correct horse","SSID":"shop","Security":"WPA-PSK"}}`},
		{payload.AndroidWiFi, `{"networkName":"Shop","ssid":"shop","wiFiSecurityType":"wep","preSharedKey":"0123456789","connectWhenNetworkNameIsHidden":true,"proxySettings":"automatic","proxyAutomaticConfigurationUrl":"https://a.example/p.pac"}`,
			`{"GUID":"` + string(guid(1)) + `","Name":"Shop","ProxySettings":{"PAC":"https://a.example/p.pac","Type":"PAC"},"Type":"WiFi","WiFi":{"AutoConnect":false,"HiddenSSID":true,"Passphrase":"0123456789","SSID":"shop","Security":"WEP-PSK"}}`},
	} {
		c := payload.Compose([]payload.Item{item(t, 1, tt.kind, tt.props)}, nil)
		held(t, c)
		want := `{"NetworkConfigurations":[` + tt.want + `],"Type":"UnencryptedConfiguration"}`
		if got := string(policyOf(t, c).OpenNetworkConfiguration); got != want {
			t.Errorf("%s\n%s", got, want)
		}
	}
}

// An enterprise network goes with its certificate, and says so; both together are both there.
func TestNetworkNeedsCertificate(t *testing.T) {
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der(t)})
	root := item(t, 1, payload.AndroidRootCertificate, `{"trustedRootCertificate":`+encoded(string(block))+`,"certFileName":"root.pem"}`)
	same := item(t, 1, payload.AndroidRootCertificate, `{"trustedRootCertificate":"`+rootCertificate()+`"}`)
	if string(root.Content) != string(same.Content) {
		t.Error("PEM and DER of one certificate are different")
	}
	network := item(t, 2, payload.AndroidEnterpriseWiFi, `{"networkName":"Office","ssid":"office","eapType":"eapTtls","innerAuthenticationProtocolForEapTtls":"unencryptedPassword","authenticationMethod":"usernameAndPassword","trustedServerCertificateNames":["radius.example"],"outerIdentityPrivacyTemporaryValue":"anonymous","usernameFormatString":"kiosk","passwordFormatString":"secret","rootCertificatesForServerValidation":["`+strings.ToUpper(string(guid(1)))+`"]}`, everyAuthority())
	c := payload.Compose([]payload.Item{network, root}, nil)
	held(t, c)
	want := `{"Certificates":[{"GUID":"` + string(guid(1)) + `","Type":"Authority","X509":"` + rootCertificate() + `"}],"NetworkConfigurations":[{"GUID":"` + string(guid(2)) + `","Name":"Office","Type":"WiFi","WiFi":{"AutoConnect":false,"EAP":{"AnonymousIdentity":"anonymous","DomainSuffixMatch":["radius.example"],"Identity":"kiosk","Inner":"PAP","Outer":"EAP-TTLS","Password":"secret","ServerCARefs":["` + string(guid(1)) + `"]},"HiddenSSID":false,"SSID":"office","Security":"WPA-EAP"}}],"Type":"UnencryptedConfiguration"}`
	if got := string(policyOf(t, c).OpenNetworkConfiguration); got != want {
		t.Errorf("%s\n%s", got, want)
	}
	for why, off := range map[string][]payload.Off{"it needs ‘P1’, which is removed": heldOff(root),
		"it needs ‘P1’, which is not on the device":                                                          {{Item: root}},
		"it needs the trusted root certificate " + string(guid(1)) + ", which is not assigned to the device": nil} {
		c = payload.Compose([]payload.Item{network}, off)
		held(t, c)
		if e := entry(t, c, 2); e.Listing != payload.LeftOut || e.Code != 3006 || e.Why != why || e.WiFiGUID != string(guid(2)) {
			t.Errorf("%s: %+v", why, e)
		}
		if got := policyOf(t, c).OpenNetworkConfiguration; got != nil {
			t.Errorf("%s: %s", why, got)
		}
	}
}

func der(t *testing.T) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(rootCertificate())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The oldest VPN is the one that is always on, also that of restrictions.
func TestVPN(t *testing.T) {
	vpn := item(t, 2, payload.AndroidVPN, `{"connectionType":"ciscoAnyConnect","connectionName":"Office","alwaysOn":true,"alwaysOnLockdown":true}`)
	c := payload.Compose([]payload.Item{vpn, general(t, 3, `{"vpnAlwaysOnPackageIdentifier":"com.example.vpn"}`)}, nil)
	held(t, c)
	wants(t, "VPN", policyOf(t, c).AlwaysOnVpnPackage, map[string]any{
		"lockdownEnabled": true, "packageName": "com.cisco.anyconnect.vpn.android.avf"})
	wants(t, "notes", entry(t, c, 3).Notes, []string{"vpnAlwaysOnPackageIdentifier is set by ‘P2’"})
	c = payload.Compose(nil, heldOff(vpn))
	wants(t, "remains", c.Manifest.Remains(guid(2)), "the default applies: no VPN is always on; the VPN app and its configuration stay")
}

// What a device may lose when a payload goes.
func TestRisks(t *testing.T) {
	for _, tt := range []struct {
		kind, props string
		certain     bool
		words       []string // one for each risk
	}{
		{payload.AndroidGeneral, `{"playStoreMode":"blockList"}`, true, []string{"uninstalls every app"}},
		{payload.AndroidGeneral, `{"playStoreMode":"allowList"}`, false, nil},
		{payload.AndroidGeneral, `{"cameraBlocked":true}`, false, nil},
		{payload.AndroidGeneral, `{"securityCommonCriteriaModeEnabled":true}`, false, []string{"Wi-Fi networks"}},
		{payload.AndroidGeneral, `{"kioskModeUseManagedHomeScreenApp":"singleAppMode","kioskModeApps":[{"appId":"com.a"}]}`, false, []string{"leaves kiosk mode"}},
		{payload.AndroidGeneral, `{"vpnAlwaysOnPackageIdentifier":"com.a.b","vpnAlwaysOnLockdownMode":true}`, false, []string{"locked to the VPN"}},
		{payload.AndroidGeneral, `{"storageAllowUsb":true,"securityDeveloperSettingsEnabled":true,"crossProfilePoliciesAllowDataSharing":"crossProfileDataSharingBlocked"}`, false,
			[]string{"stricter: developer settings are off; files cannot be transferred over USB"}},
		{payload.AndroidManagedStoreApp, `{"packageId":"com.a"}`, false, []string{"data on the device is deleted"}},
		{payload.AndroidManagedStoreApp, `{"packageId":"com.citrix.CitrixVPN"}`, false, []string{"deleted", "no network"}},
		{payload.AndroidWiFi, `{"networkName":"n","ssid":"shop","wiFiSecurityType":"open"}`, false, []string{"“shop”, by which the device may reach the internet; if a policy blocks configuring Wi-Fi and this is the last network"}},
		{payload.AndroidVPN, `{"connectionType":"citrix","alwaysOn":true}`, false, []string{"VPN"}},
	} {
		content, err := compile(tt.kind, tt.props, guid(1), nil)
		if err != nil {
			t.Fatal(err)
		}
		risks, err := forms().Of(tt.kind).Compiler.Risks(content.Installed, nil)
		if err != nil || len(risks) != len(tt.words) {
			t.Errorf("%s: %v (%v)", tt.props, risks, err)
			continue
		}
		for i, r := range risks {
			if !strings.Contains(r.Reason, tt.words[i]) || r.Certain != tt.certain {
				t.Errorf("%s: %+v", tt.props, r)
			}
		}
	}
}

// A payload's revision follows what it sets, and nothing else; apps are known by their package.
func TestIdentity(t *testing.T) {
	one, err := compile(payload.AndroidManagedStoreApp, `{"appStoreUrl":"https://play.google.com/store/apps/details?id=com.example.app&hl=de","appTracks":[{"trackId":"1"}]}`, guid(1), nil)
	other, err2 := compile(payload.AndroidManagedStoreWebApp, `{"packageId":"com.example.app","publisher":"X"}`, guid(2), nil)
	system, err3 := compile(payload.AndroidManagedStoreApp, `{"appIdentifier":"com.example.app","isSystemApp":true}`, guid(3), nil)
	if err != nil || err2 != nil || err3 != nil {
		t.Fatal(err, err2, err3)
	}
	if one.Identifier != "com.example.app" || one.Revision != other.Revision || one.Revision == "" ||
		system.Revision == one.Revision || one.SubType != "application" {
		t.Errorf("%+v\n%+v\n%+v", one, other, system)
	}
	wifi := item(t, 7, payload.AndroidWiFi, `{"networkName":"n","ssid":"s","wiFiSecurityType":"open"}`)
	if wifi.Spec.Identifier != string(guid(7)) {
		t.Errorf("a network is known by %q", wifi.Spec.Identifier)
	}
	on := shelf{guid(1): {ID: guid(1), ODataType: payload.AndroidManagedStoreApp, Identifier: "com.example.app"}}
	config := item(t, 8, payload.AndroidManagedStoreConfiguration, `{"targetedMobileApps":["`+string(guid(1))+`"],"connectedAppsEnabled":true}`, on)
	if config.Spec.Identifier != "com.example.app" || config.Spec.Type != action.AppConfiguration {
		t.Errorf("a configuration is %+v", config.Spec)
	}
	exported := item(t, 9, payload.AndroidManagedStoreConfiguration,
		`{"packageId":"app:com.example.app","connectedAppsEnabled":true}`)
	if exported.Spec.Identifier != "com.example.app" {
		t.Errorf("an exported configuration is %+v", exported.Spec)
	}
}

// The forms can be served, with what people fill in on pages, and the audit record gets no secrets.
func TestForms(t *testing.T) {
	labels, private := map[string]int{}, []string{}
	for _, f := range forms().All() {
		for _, p := range f.Properties {
			if p.Label != "" {
				labels[f.Type]++
			}
			if p.Private {
				private = append(private, f.Type+"."+p.Name)
			}
		}
	}
	if labels[payload.AndroidGeneral] < 12 || labels[payload.AndroidManagedStoreApp] == 0 ||
		labels[payload.AndroidWiFi] < 4 || labels[payload.AndroidRootCertificate] == 0 {
		t.Errorf("people can fill in %v", labels)
	}
	for _, secret := range []string{payload.AndroidWiFi + ".preSharedKey",
		payload.AndroidManagedStoreConfiguration + ".payloadJson"} {
		if !slices.Contains(private, secret) {
			t.Errorf("%s is not private", secret)
		}
	}
	for kind, in := range map[string]*catalog.Collection{
		"androidDeviceOwnerScepCertificateProfile": catalog.Configurations,
		"androidDeviceOwnerPkcsCertificateProfile": catalog.Configurations, "androidForWorkApp": catalog.Apps} {
		if forms().Refused(in, kind) == "" || forms().Of(kind) != nil {
			t.Errorf("%s is not refused with a reason", kind)
		}
	}
	if !strings.Contains(forms().Refused(catalog.Apps, "androidForWorkApp"), payload.AndroidManagedStoreApp) {
		t.Error("the successor is not named")
	}
}

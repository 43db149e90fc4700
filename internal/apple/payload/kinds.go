package payload

// The kinds of a configuration, as Graph's itemSubTypeDisplayName names them.
const (
	KindApplication        = "application"
	KindCustom             = "custom"
	KindWiFi               = "wiFi"
	KindVPN                = "vpn"
	KindEmail              = "email"
	KindTrustedCertificate = "trustedCertificate"
	KindSCEPCertificate    = "scepCertificate"
	KindPKCSCertificate    = "pkcsCertificate"
	KindDeviceRestrictions = "deviceRestrictions"
	KindDeviceFeatures     = "deviceFeatures"
	KindSettingsCatalog    = "settingsCatalog"
)

// kinds maps Apple's payload types (Apple Developer, "Profile-Specific Payload Keys") to the kind
// of configuration that holds their settings. A type that is not here is custom.
var kinds = map[string]string{
	"com.apple.wifi.managed": KindWiFi,

	"com.apple.vpn.managed":            KindVPN,
	"com.apple.vpn.managed.applayer":   KindVPN,
	"com.apple.vpn.managed.appmapping": KindVPN,

	"com.apple.mail.managed": KindEmail,
	"com.apple.eas.account":  KindEmail, // Exchange ActiveSync
	"com.apple.ews.account":  KindEmail, // Exchange Web Services, macOS
	"com.apple.google-oauth": KindEmail,

	"com.apple.security.root":   KindTrustedCertificate,
	"com.apple.security.pkcs1":  KindTrustedCertificate,
	"com.apple.security.pem":    KindTrustedCertificate,
	"com.apple.security.scep":   KindSCEPCertificate,
	"com.apple.security.pkcs12": KindPKCSCertificate,

	"com.apple.applicationaccess":           KindDeviceRestrictions,
	"com.apple.applicationaccess.new":       KindDeviceRestrictions,
	"com.apple.mobiledevice.passwordpolicy": KindDeviceRestrictions, // passcode
	"com.apple.app.lock":                    KindDeviceRestrictions, // single app mode
	"com.apple.networkusagerules":           KindDeviceRestrictions,
	"com.apple.systempreferences":           KindDeviceRestrictions,

	"com.apple.airprint":                  KindDeviceFeatures,
	"com.apple.homescreenlayout":          KindDeviceFeatures,
	"com.apple.notificationsettings":      KindDeviceFeatures,
	"com.apple.shareddeviceconfiguration": KindDeviceFeatures, // lock screen message
	"com.apple.sso":                       KindDeviceFeatures,
	"com.apple.extensiblesso":             KindDeviceFeatures,
	"com.apple.webcontent-filter":         KindDeviceFeatures,
	"com.apple.associated-domains":        KindDeviceFeatures,
	"com.apple.loginwindow":               KindDeviceFeatures,
	"com.apple.loginitems.managed":        KindDeviceFeatures,
	"com.apple.AssetCache.managed":        KindDeviceFeatures,
}

// accompanying are the payload types that a Wi-Fi, VPN or email configuration may carry with it and
// still be one: the certificates by which the device shows who it is (RFC 8555 for ACME), and those
// by which it trusts the other side.
var accompanying = map[string]bool{
	"com.apple.security.root":         true,
	"com.apple.security.pkcs1":        true,
	"com.apple.security.pem":          true,
	"com.apple.security.scep":         true,
	"com.apple.security.pkcs12":       true,
	"com.apple.security.acme":         true,
	"com.apple.ADCertificate.managed": true, // of an Active Directory CA, macOS
	// which identity goes with which address, macOS
	"com.apple.security.identitypreference":      true,
	"com.apple.security.certificatepreference":   true,
	"com.apple.security.certificatetransparency": true,
}

// Kind is the kind of a profile with these payload types: the one that all have; that of a Wi-Fi,
// VPN or email payload that has only certificates beside it; else custom.
func Kind(payloadTypes []string) string {
	all, main := make(map[string]bool), make(map[string]bool)
	for _, t := range payloadTypes {
		kind, ok := kinds[t]
		if !ok {
			kind = KindCustom
		}
		all[kind] = true
		if !accompanying[t] {
			main[kind] = true
		}
	}
	if kind := single(all); kind != "" {
		return kind
	}
	if kind := single(main); kind == KindWiFi || kind == KindVPN || kind == KindEmail {
		return kind
	}
	return KindCustom
}

// single returns the only member of a set, empty if there is not exactly one.
func single(set map[string]bool) string {
	if len(set) != 1 {
		return ""
	}
	for kind := range set {
		return kind
	}
	return ""
}

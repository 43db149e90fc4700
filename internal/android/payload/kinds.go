package payload

// Kind is what a payload is to the policy of a device.
type Kind string

const (
	App           Kind = "app"
	Configuration Kind = "configuration" // of an app
	Settings      Kind = "settings"      // androidDeviceOwnerGeneralDeviceConfiguration
	Network       Kind = "network"
	Certificate   Kind = "certificate"
	VPN           Kind = "vpn"
)

// The kinds of a configuration, as Graph's itemSubTypeDisplayName names them.
const (
	subTypeApplication  = "application"
	subTypeRestrictions = "deviceRestrictions"
	subTypeWiFi         = "wiFi"
	subTypeCertificate  = "trustedCertificate"
	subTypeVPN          = "vpn"
)

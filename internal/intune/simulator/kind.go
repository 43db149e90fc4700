package simulator

// Kind is how a device is enrolled, and what it runs.
type Kind int

// The kinds of devices. The action knows those up to AndroidCorporateWorkProfile.
const (
	IPhone Kind = iota
	IPad
	AndroidDedicated
	AndroidFullyManaged
	AndroidCorporateWorkProfile
	AndroidPersonalWorkProfile
	AndroidDeviceAdministrator
	AndroidAOSP
	WindowsPC
	Mac
)

// kind is what a kind means for the properties of a device.
type kind struct {
	platform                    Platform
	system, version, deviceType string
	enrollment, agent           string
	maker, model                string
	supported                   bool // by changeAssignments
	policyPlatform              string
}

var kinds = map[Kind]kind{
	IPhone: {IOS, "iOS", "19.1", "iPhone", "appleBulkWithUser", "mdm",
		"Apple", "iPhone 17", true, "iOS"},
	IPad: {IOS, "iPadOS", "19.1", "iPad", "appleBulkWithoutUser", "mdm",
		"Apple", "iPad Pro", true, "iOS"},
	AndroidDedicated: {Android, "AndroidEnterprise", "16", "androidEnterprise",
		"androidEnterpriseDedicatedDevice", "googleCloudDevicePolicyController",
		"Zebra", "TC58", true, "androidForWork"},
	AndroidFullyManaged: {Android, "AndroidEnterprise", "16", "androidEnterprise",
		"androidEnterpriseFullyManaged", "googleCloudDevicePolicyController",
		"Google", "Pixel 11", true, "androidForWork"},
	AndroidCorporateWorkProfile: {Android, "AndroidEnterprise", "16", "androidEnterprise",
		"androidEnterpriseCorporateWorkProfile", "googleCloudDevicePolicyController",
		"Samsung", "SM-S966B", true, "androidForWork"},
	AndroidPersonalWorkProfile: {Android, "AndroidForWork", "16", "androidForWork",
		"userEnrollment", "googleCloudDevicePolicyController",
		"Samsung", "SM-A566B", false, "androidWorkProfile"},
	AndroidDeviceAdministrator: {Android, "Android", "10", "android",
		"userEnrollment", "mdm", "Samsung", "SM-T510", false, "android"},
	AndroidAOSP: {Android, "Android", "12", "androidnGMS",
		"androidAOSPUserlessDeviceEnrollment", "intuneAosp",
		"RealWear", "Navigator 520", false, "androidAOSP"},
	WindowsPC: {Windows, "Windows", "10.0.26200.1", "windowsRT", "windowsAzureADJoin", "mdm",
		"Contoso", "Laptop 5", false, "windows10AndLater"},
	Mac: {MacOS, "macOS", "26.1", "macMDM", "appleBulkWithUser", "mdm",
		"Apple", "MacBook Air", false, "macOS"},
}

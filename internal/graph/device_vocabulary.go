package graph

import "github.com/syncpayloads/syncpayloads/internal/odata"

const (
	// unknownMember is the member that nearly all of Graph's enumerations have for what is not
	// known.
	unknownMember = "unknown"
	// systemAgent is the member of managementAgentType for devices that are managed by the means of
	// their systems.
	systemAgent = "mdm"
)

// The members of managedDevice's enumerations that depend on a device's platform (Microsoft Graph
// beta reference). Which of them occur, and of which devices, the platforms say (fleet.Kind).
var (
	deviceTypeMembers = []string{"desktop", "windowsRT", "winMO6", "nokia", "windowsPhone", "mac",
		"winCE", "winEmbedded", "iPhone", "iPad", "iPod", "android", "iSocConsumer", "unix",
		"macMDM", "holoLens", "surfaceHub", "androidForWork", "androidEnterprise", "windows10x",
		"androidnGMS", "chromeOS", "linux", "visionOS", "tvOS", "blackberry", "palm", unknownMember,
		"cloudPC"}

	managementAgentMembers = []string{"eas", systemAgent, "easMdm", "intuneClient", "easIntuneClient",
		"configurationManagerClient", "configurationManagerClientMdm",
		"configurationManagerClientMdmEas", unknownMember, "jamf",
		"googleCloudDevicePolicyController", "microsoft365ManagedMdm", "msSense", "intuneAosp",
		"google", odata.UnknownFutureValue}

	enrollmentTypeMembers = []string{unknownMember, "userEnrollment", "deviceEnrollmentManager",
		"appleBulkWithUser", "appleBulkWithoutUser", "windowsAzureADJoin", "windowsBulkUserless",
		"windowsAutoEnrollment", "windowsBulkAzureDomainJoin", "windowsCoManagement",
		"windowsAzureADJoinUsingDeviceAuth", "appleUserEnrollment",
		"appleUserEnrollmentWithServiceAccount", "azureAdJoinUsingAzureVmExtension",
		"androidEnterpriseDedicatedDevice", "androidEnterpriseFullyManaged",
		"androidEnterpriseCorporateWorkProfile", "androidAOSPUserOwnedDeviceEnrollment",
		"androidAOSPUserlessDeviceEnrollment", "appleAccountDrivenUserEnrollment",
		odata.UnknownFutureValue}
)

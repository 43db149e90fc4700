package graph

import (
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// schemaEnums are the enumerations (spec section 1; Microsoft Graph beta reference, each under its
// name). Those of the action come from the tables that it is served with.
func schemaEnums() []*odata.Enum {
	return []*odata.Enum{
		odata.Sequence("actionState", states...),
		odata.Sequence("deviceActionPayloadType",
			append(slices.Clone(syncPayloads.kinds), odata.UnknownFutureValue)...),
		odata.Sequence("deviceActionPayloadIntent",
			append(slices.Clone(intents), odata.UnknownFutureValue)...),
		odata.Sequence("deviceActionPayloadStatus",
			append(slices.Compact(slices.Clone(syncPayloads.statuses)),
				odata.UnknownFutureValue)...),
		odata.Sequence("deviceAssignmentItemType",
			append(slices.Clone(changeAssignments.kinds), odata.UnknownFutureValue)...),
		odata.Sequence("deviceAssignmentItemIntent",
			append(slices.Clone(intents), odata.UnknownFutureValue)...),
		odata.Sequence("deviceAssignmentItemStatus",
			append(slices.Clone(changeAssignments.statuses), odata.UnknownFutureValue)...),

		odata.Sequence("ownerType", "unknown", "company", "personal"),
		odata.Sequence("managedDeviceOwnerType", "unknown", "company", "personal",
			odata.UnknownFutureValue),
		odata.Sequence("managementState", "managed", "retirePending", "retireFailed", "wipePending",
			"wipeFailed", "unhealthy", "deletePending",
			"retireIssued", "wipeIssued", "wipeCanceled", "retireCanceled", "discovered",
			odata.UnknownFutureValue),
		odata.Numbered("deviceType", `desktop 0 windowsRT 1 winMO6 2 nokia 3 windowsPhone 4 mac 5 winCE 6 winEmbedded 7 iPhone 8 iPad 9 iPod 10
			android 11 iSocConsumer 12 unix 13 macMDM 14 holoLens 15 surfaceHub 16 androidForWork 17 androidEnterprise 18 windows10x 19
			androidnGMS 20 chromeOS 21 linux 22 visionOS 23 tvOS 24 blackberry 100 palm 101 unknown 255 cloudPC 257`),
		odata.Numbered("complianceState",
			"unknown 0 compliant 1 noncompliant 2 conflict 3 error 4 inGracePeriod 254 configManager 255"),
		odata.Numbered("managementAgentType", `eas 1 mdm 2 easMdm 3 intuneClient 4 easIntuneClient 5 configurationManagerClient 8
			configurationManagerClientMdm 10 configurationManagerClientMdmEas 11 unknown 16 jamf 32 googleCloudDevicePolicyController 64
			microsoft365ManagedMdm 258 msSense 1024`),
		odata.Numbered("deviceEnrollmentType", `unknown 0 userEnrollment 1 deviceEnrollmentManager 2 appleBulkWithUser 3 appleBulkWithoutUser 4
			windowsAzureADJoin 5 windowsBulkUserless 6 windowsAutoEnrollment 7 windowsBulkAzureDomainJoin 8 windowsCoManagement 9
			windowsAzureADJoinUsingDeviceAuth 10 appleUserEnrollment 11 appleUserEnrollmentWithServiceAccount 12
			azureAdJoinUsingAzureVmExtension 14 androidEnterpriseDedicatedDevice 15 androidEnterpriseFullyManaged 16
			androidEnterpriseCorporateWorkProfile 17 androidAOSPUserOwnedDeviceEnrollment 18 androidAOSPUserlessDeviceEnrollment 19
			appleAccountDrivenUserEnrollment 25 unknownFutureValue 26`),
		odata.Numbered("deviceRegistrationState", `notRegistered 0 registered 2 revoked 3 keyConflict 4 approvalPending 5 certificateReset 6
			notRegisteredPendingEnrollment 7 unknown 8`),
		// syncPayloads is the earlier name of changeAssignments and has no number of Graph's.
		odata.Numbered("remoteAction", `unknown 0 factoryReset 1 removeCompanyData 2 resetPasscode 3 remoteLock 4 enableLostMode 5 disableLostMode 6
			locateDevice 7 rebootNow 8 recoverPasscode 9 cleanWindowsDevice 10 logoutSharedAppleDeviceActiveUser 11 quickScan 12 fullScan 13
			windowsDefenderUpdateSignatures 14 factoryResetKeepEnrollmentData 15 updateDeviceAccount 16 automaticRedeployment 17 shutDown 18
			rotateBitLockerKeys 19 rotateFileVaultKey 20 getFileVaultKey 21 setDeviceName 22 activateDeviceEsim 23 deprovision 24 disable 25
			reenable 26 moveDeviceToOrganizationalUnit 27 initiateMobileDeviceManagementKeyRecovery 28
			initiateOnDemandProactiveRemediation 29 rotateLocalAdminPassword 32 unknownFutureValue 33 launchRemoteHelp 34
			revokeAppleVppLicenses 35 removeDeviceFirmwareConfigurationInterfaceManagement 36 pauseConfigurationRefresh 37
			initiateDeviceAttestation 38 changeAssignments 39 delete 40 syncPayloads 1000`),
		odata.Sequence("deviceActionCategory", "single", "bulk"),
		odata.Sequence("complianceStatus", complianceStatuses...),
		odata.Numbered("policyPlatformType", `android 0 androidForWork 1 iOS 2 macOS 3 windowsPhone81 4 windows81AndLater 5 windows10AndLater 6
			androidWorkProfile 7 windows10XProfile 8 all 100`),
		odata.Sequence("mobileAppIntent", "available", "notAvailable", "requiredInstall",
			"requiredUninstall", "requiredAndAvailableInstall",
			"availableInstallWithoutEnrollment", "exclude"),
		odata.Numbered("resultantAppState",
			"installed 1 failed 2 notInstalled 3 uninstallFailed 4 pendingInstall 5 unknown 99 notApplicable -1"),
		odata.Sequence("roleAssignmentScopeType", scopeResources, scopeDevices, "allLicensedUsers",
			scopeDevicesAndPersons),
		odata.Sequence("deviceAndAppManagementAssignmentFilterType", "none", "include", "exclude"),
		odata.Sequence("deviceAndAppManagementAssignmentSource", sourceDirect, "policySets"),
		odata.Sequence("deviceConfigAssignmentIntent", applyIntent, "remove"),
		odata.Sequence("installIntent", "available", requiredIntent, "uninstall",
			"availableWithoutEnrollment"),
		odata.Flags("deviceManagementConfigurationPlatforms", `none 0 android 1 iOS 4 macOS 8 windows10X 16 windows10 32 linux 128
			unknownFutureValue 256 androidEnterprise 512 aosp 1024 visionOS 2048 tvOS 4096`),
		odata.Flags("deviceManagementConfigurationTechnologies", `none 0 mdm 1 windows10XManagement 2 configManager 4 appleRemoteManagement 64
			microsoftSense 128 exchangeOnline 256 mobileApplicationManagement 512 linuxMdm 1024
			extensibility 2048 enrollment 4096 endpointPrivilegeManagement 8192 unknownFutureValue 16384 windowsOsRecovery 32768 android 65536`),
		odata.Sequence("deviceManagementConfigurationDeviceMode", "none", "kiosk"),
		odata.Numbered("deviceManagementConfigurationStringFormat", `none 0 email 1 guid 2 ip 3 base64 4 url 5 version 6 xml 7 date 8 time 9 binary 10
			regEx 11 json 12 dateTime 13 surfaceHub 14 bashScript 19 unknownFutureValue 20`),
		// Of the families that Graph has beside these none has a template for Apple devices here.
		odata.Numbered("deviceManagementConfigurationTemplateFamily", `none 0 endpointSecurityAntivirus 10 endpointSecurityDiskEncryption 11
			endpointSecurityFirewall 12 endpointSecurityEndpointDetectionAndResponse 13`),
		odata.Sequence("deviceManagementConfigurationSecretSettingValueState", "invalid",
			"notEncrypted", "encryptedValueToken"),
	}
}

package graph

import (
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// deviceListing is what the options take of devices. They are searched by name and serial number.
var deviceListing = func() *listing {
	l := &listing{
		filters: make(map[string]comparer),
		orders: map[string]query.Field{"id": fleet.ByID, "deviceName": fleet.ByName, "managedDeviceName": fleet.ByName,
			"lastSyncDateTime": fleet.ByLastSync, "enrolledDateTime": fleet.ByEnrolledAt, "operatingSystem": fleet.ByPlatform,
			"osVersion": fleet.ByOSVersion, "model": fleet.ByModel, "manufacturer": fleet.ByManufacturer, "serialNumber": fleet.BySerialNumber},
		find:    func(text string) query.Condition { return fleet.Found(text) },
		actions: true,
	}
	for _, p := range deviceProperties {
		if p.compare != nil {
			l.filters[p.name] = p.compare
		}
	}
	return l
}()

func platform(p fleet.Platform) query.Condition {
	return query.Comparison{Field: fleet.ByPlatform, Operator: query.Equal, Value: string(p)}
}

// The members of managedDevice's enumerations (Microsoft Graph beta reference) that a filter may name, with what the
// functions in device_properties.go make of a device.
var (
	ownerTypes = choices(map[string]query.Condition{
		"personal": flag(fleet.ByUserEnrolled, true),
		"company":  query.All{flag(fleet.ByUserEnrolled, false), flag(fleet.BySupervised, true)},
		"unknown":  query.All{flag(fleet.ByUserEnrolled, false), flag(fleet.BySupervised, false)},
	}, unknownFutureValue)

	managementStates = choices(map[string]query.Condition{
		"managed":   flag(fleet.ByEnrolled, true),
		"unhealthy": flag(fleet.ByEnrolled, false),
	}, "retirePending", "retireFailed", "wipePending", "wipeFailed", "deletePending", "retireIssued", "wipeIssued", "wipeCanceled",
		"retireCanceled", "discovered", unknownFutureValue)

	typesOfDevices = choices(map[string]query.Condition{
		"macMDM":  platform(fleet.MacOS),
		"iPad":    platform(fleet.IPadOS),
		"iPod":    query.All{platform(fleet.IOS), isIPod},
		"iPhone":  query.All{platform(fleet.IOS), query.Not{Is: isIPod}},
		"unknown": query.Not{Is: query.OneOf{Field: fleet.ByPlatform, Values: []string{string(fleet.MacOS), string(fleet.IPadOS), string(fleet.IOS)}}},
	}, "desktop", "windowsRT", "winMO6", "nokia", "windowsPhone", "mac", "winCE", "winEmbedded", "android", "iSocConsumer", "unix",
		"holoLens", "surfaceHub", "androidForWork", "androidEnterprise", "windows10x", "androidnGMS", "chromeOS", "linux", "visionOS",
		"tvOS", "blackberry", "palm", "cloudPC")
	isIPod = query.Comparison{Field: fleet.ByModel, Operator: query.StartsWith, Value: "iPod"}

	complianceStates = choices(map[string]query.Condition{"unknown": query.All{}},
		"compliant", "noncompliant", "conflict", "error", "inGracePeriod", "configManager")

	managementAgents = choices(map[string]query.Condition{"mdm": query.All{}}, "eas", "easMdm", "intuneClient", "easIntuneClient",
		"configurationManagerClient", "configurationManagerClientMdm", "configurationManagerClientMdmEas", "unknown", "jamf",
		"googleCloudDevicePolicyController", "microsoft365ManagedMdm", "msSense", "intuneAosp", "google", unknownFutureValue)

	enrollmentTypes = choices(map[string]query.Condition{
		"appleUserEnrollment": flag(fleet.ByUserEnrolled, true),
		"unknown":             flag(fleet.ByUserEnrolled, false),
	}, "userEnrollment", "deviceEnrollmentManager", "appleBulkWithUser", "appleBulkWithoutUser", "windowsAzureADJoin", "windowsBulkUserless",
		"windowsAutoEnrollment", "windowsBulkAzureDomainJoin", "windowsCoManagement", "windowsAzureADJoinUsingDeviceAuth",
		"appleUserEnrollmentWithServiceAccount", unknownFutureValue)

	registrationStates = choices(map[string]query.Condition{
		"registered":    flag(fleet.ByEnrolled, true),
		"notRegistered": flag(fleet.ByEnrolled, false),
	}, "revoked", "keyConflict", "approvalPending", "certificateReset", "notRegisteredPendingEnrollment", "unknown")
)

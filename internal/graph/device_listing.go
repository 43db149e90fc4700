package graph

import (
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// deviceListing is what the options take of devices. They are searched by name and serial number.
var deviceListing = func() *odata.Listing {
	l := &odata.Listing{
		Filters: make(map[string]odata.Comparer),
		Orders: map[string]query.Field{"id": fleet.ByID, "deviceName": fleet.ByName,
			"managedDeviceName": fleet.ByManagedName,
			"lastSyncDateTime":  fleet.ByLastSync, "enrolledDateTime": fleet.ByEnrolledAt,
			"operatingSystem": fleet.ByPlatform,
			"osVersion":       fleet.ByOSVersion, "model": fleet.ByModel,
			"manufacturer": fleet.ByManufacturer, "serialNumber": fleet.BySerialNumber},
		Find: func(text string) query.Condition { return fleet.Found(text) },
	}
	for _, p := range deviceProperties {
		if p.compare != nil {
			l.Filters[p.name] = p.compare
		}
	}
	l.Filters[actionResultsProperty] = actionResultList
	sameOrders(l, "userPrincipalName", "userDisplayName", "emailAddress", "complianceState",
		"imei", "phoneNumber", "jailBroken",
		"deviceCategoryDisplayName", "azureADDeviceId", "azureADRegistered")
	return deviceShape.complete(l)
}()

// ownedBy is the condition that an admin says so, or nobody says and the rest holds.
func ownedBy(o fleet.Owner, unsaid ...query.Condition) query.Condition {
	said := func(o fleet.Owner) query.Condition { return query.Is(fleet.ByOwner, string(o)) }
	return query.Any{said(o), append(query.All{said("")}, unsaid...)}
}

// managedAnd is the condition that a device is managed, and that an admin wants this of it.
func managedAnd(l fleet.Leaving) query.Condition {
	return query.All{query.Is(fleet.ByEnrolled, true), query.Comparison{Field: fleet.ByLeaving,
		Operator: query.Equal, Value: int64(l)}}
}

func platform(p fleet.Platform) query.Condition { return query.Is(fleet.ByPlatform, string(p)) }

// The members of managedDevice's enumerations (Microsoft Graph beta reference) that a filter may
// name, with what the functions in device_properties.go make of a device.
var (
	ownerTypes = odata.Choices(map[string]query.Condition{
		"personal": ownedBy(fleet.OwnedByPerson, query.Is(fleet.ByUserEnrolled, true)),
		"company": ownedBy(fleet.OwnedByOrg, query.Is(fleet.ByUserEnrolled, false),
			isOrganizations),
		"unknown": ownedBy(fleet.OwnerUnknown, query.Is(fleet.ByUserEnrolled, false),
			query.Not{Is: isOrganizations}),
	}, odata.UnknownFutureValue)

	isOrganizations = query.Any{query.Is(fleet.BySupervised, true),
		query.OneOf{Field: fleet.ByEnrollmentType, Values: organizationEnrollments}}

	managementStates = odata.Choices(map[string]query.Condition{
		"managed":       managedAnd(fleet.Stays),
		"retirePending": managedAnd(fleet.Retires),
		"deletePending": managedAnd(fleet.Deleted),
		"unhealthy":     query.Is(fleet.ByEnrolled, false),
	}, "retireFailed", "wipePending", "wipeFailed", "retireIssued", "wipeIssued", "wipeCanceled",
		"retireCanceled", "discovered", odata.UnknownFutureValue)

	typesOfDevices = odata.Choices(map[string]query.Condition{
		"macMDM":            platform(fleet.MacOS),
		"iPad":              platform(fleet.IPadOS),
		"iPod":              query.All{platform(fleet.IOS), isIPod},
		"iPhone":            query.All{platform(fleet.IOS), query.Not{Is: isIPod}},
		"androidEnterprise": platform(fleet.Android),
		"unknown": query.Not{Is: query.OneOf{Field: fleet.ByPlatform,
			Values: []string{string(fleet.MacOS), string(fleet.IPadOS), string(fleet.IOS),
				string(fleet.Android)}}},
	}, "desktop", "windowsRT", "winMO6", "nokia", "windowsPhone", "mac", "winCE", "winEmbedded",
		"android", "iSocConsumer", "unix",
		"holoLens", "surfaceHub", "androidForWork", "windows10x",
		"androidnGMS", "chromeOS", "linux", "visionOS",
		"tvOS", "blackberry", "palm", "cloudPC")
	isIPod = query.Comparison{Field: fleet.ByModel, Operator: query.StartsWith, Value: "iPod"}

	complianceStates = odata.Choices(map[string]query.Condition{"unknown": query.All{}},
		"compliant", "noncompliant", "conflict", "error", "inGracePeriod", "configManager")

	managementAgents = odata.Choices(map[string]query.Condition{
		"googleCloudDevicePolicyController": platform(fleet.Android),
		"mdm":                               query.Not{Is: platform(fleet.Android)},
	}, "eas", "easMdm", "intuneClient", "easIntuneClient",
		"configurationManagerClient", "configurationManagerClientMdm",
		"configurationManagerClientMdmEas", "unknown", "jamf",
		"microsoft365ManagedMdm", "msSense", "intuneAosp",
		"google", odata.UnknownFutureValue)

	enrollmentTypes = odata.Choices(enrollmentConditions(), "deviceEnrollmentManager",
		"appleBulkWithUser", "appleBulkWithoutUser",
		"windowsAzureADJoin", "windowsBulkUserless",
		"windowsAutoEnrollment", "windowsBulkAzureDomainJoin", "windowsCoManagement",
		"windowsAzureADJoinUsingDeviceAuth",
		"appleUserEnrollmentWithServiceAccount", "azureAdJoinUsingAzureVmExtension",
		"androidAOSPUserOwnedDeviceEnrollment", "androidAOSPUserlessDeviceEnrollment",
		"appleAccountDrivenUserEnrollment", odata.UnknownFutureValue)

	registrationStates = odata.Choices(map[string]query.Condition{
		"registered":    query.Is(fleet.ByEnrolled, true),
		"notRegistered": query.Is(fleet.ByEnrolled, false),
	}, "revoked", "keyConflict", "approvalPending", "certificateReset",
		"notRegisteredPendingEnrollment", "unknown")
)

// enrollmentConditions are those of the members that deviceEnrollmentType can make: what a platform
// said, and what follows where it said nothing.
func enrollmentConditions() map[string]query.Condition {
	untold := query.Not{Is: query.OneOf{Field: fleet.ByEnrollmentType,
		Values: organizationEnrollments}}
	byPerson := query.All{untold, query.Is(fleet.ByUserEnrolled, true)}
	all := map[string]query.Condition{
		"userEnrollment":      query.All{byPerson, platform(fleet.Android)},
		"appleUserEnrollment": query.All{byPerson, query.Not{Is: platform(fleet.Android)}},
		"unknown":             query.All{untold, query.Is(fleet.ByUserEnrolled, false)},
	}
	for _, name := range organizationEnrollments {
		all[name] = query.Is(fleet.ByEnrollmentType, name)
	}
	return all
}

package graph

import (
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// tagProperty has the ids of the scope tags that a device or payload carries.
const tagProperty = "roleScopeTagIds"

// deviceProperty is a property of managedDevice: its type, its value, and how $filter compares it.
type deviceProperty struct {
	name    string
	of      typeName
	value   func(*fleet.Device) any
	compare comparer // nil: $filter does not take it
}

// deviceProperties are those properties of managedDevice that the server truly knows, and those that scripts often select
// though nobody knows them here (Microsoft Graph beta reference, managedDevice resource type). Where Graph's enumeration has
// no member for what is known, the value is `unknown`.
var deviceProperties = []deviceProperty{
	{"id", edmString, func(d *fleet.Device) any { return d.ID }, textField(fleet.ByID)},
	{"deviceName", edmString, func(d *fleet.Device) any { return textOrNull(d.Name) }, textField(fleet.ByName)},
	{"managedDeviceName", edmString, func(d *fleet.Device) any { return textOrNull(d.Name) }, textField(fleet.ByName)},
	{"ownerType", "ownerType", ownerType, ownerTypes},
	{"managedDeviceOwnerType", "managedDeviceOwnerType", ownerType, ownerTypes},
	{"managementState", "managementState", managementState, managementStates},
	{"enrolledDateTime", edmDateTime, func(d *fleet.Device) any { return timestamp(d.EnrolledAt) }, timeField(fleet.ByEnrolledAt)},
	{"lastSyncDateTime", edmDateTime, func(d *fleet.Device) any { return timestamp(d.LastSync) }, timeField(fleet.ByLastSync)},
	{"operatingSystem", edmString, func(d *fleet.Device) any { return textOrNull(string(d.Platform)) }, textField(fleet.ByPlatform)},
	{"deviceType", "deviceType", deviceType, typesOfDevices},
	{"complianceState", "complianceState", func(*fleet.Device) any { return "unknown" }, complianceStates},
	{"managementAgent", "managementAgentType", func(*fleet.Device) any { return "mdm" }, managementAgents},
	{"osVersion", edmString, func(d *fleet.Device) any { return textOrNull(d.OSVersion) }, textField(fleet.ByOSVersion)},
	{"deviceEnrollmentType", "deviceEnrollmentType", deviceEnrollmentType, enrollmentTypes},
	{"deviceRegistrationState", "deviceRegistrationState", deviceRegistrationState, registrationStates},
	{"isSupervised", edmBoolean, func(d *fleet.Device) any { return d.Supervised }, boolField(fleet.BySupervised)},
	{"model", edmString, func(d *fleet.Device) any { return textOrNull(d.Model) }, textField(fleet.ByModel)},
	{"manufacturer", edmString, func(d *fleet.Device) any { return textOrNull(d.Manufacturer) }, textField(fleet.ByManufacturer)},
	{"serialNumber", edmString, func(d *fleet.Device) any { return textOrNull(d.SerialNumber) }, textField(fleet.BySerialNumber)},
	{"udid", edmString, func(d *fleet.Device) any { return textOrNull(d.UDID) }, textField(fleet.ByUDID)},
	{"userId", edmString, func(*fleet.Device) any { return noUser }, fixedField(noUser)},
	{"userPrincipalName", edmString, notKnown, fixedField("")},
	{"userDisplayName", edmString, notKnown, fixedField("")},
	{"emailAddress", edmString, notKnown, fixedField("")},
	{"azureADDeviceId", edmString, notKnown, fixedField("")},
	{"azureADRegistered", edmBoolean, notKnown, nil},
	{"deviceCategoryDisplayName", edmString, notKnown, fixedField("")},
	{"imei", edmString, notKnown, fixedField("")},
	{"phoneNumber", edmString, notKnown, fixedField("")},
	{"wiFiMacAddress", edmString, notKnown, fixedField("")},
	{"totalStorageSpaceInBytes", edmInt64, notKnown, nil},
	{"freeStorageSpaceInBytes", edmInt64, notKnown, nil},
	{"isEncrypted", edmBoolean, notKnown, nil},
	{"jailBroken", edmString, notKnown, fixedField("")},
	{"notes", edmString, notKnown, fixedField("")},
	{tagProperty, collectionOf(edmString), func(d *fleet.Device) any { return d.Tags }, listField(fleet.ByTag)},
	{"deviceActionResults", collectionOf("deviceActionResult"), nil, nil}, // read from the engine
}

func notKnown(*fleet.Device) any { return nil }

// managedDeviceProperties are the names and types of deviceProperties.
func managedDeviceProperties() properties {
	all := make(properties, len(deviceProperties))
	for i, p := range deviceProperties {
		all[i] = property{p.name, p.of}
	}
	return all
}

// devicePropertyNames are the names of deviceProperties.
var devicePropertyNames = managedDeviceProperties().names()

// ownerType: a person enrolls only their own device by user enrollment, and only an organization can supervise one.
func ownerType(d *fleet.Device) any {
	switch {
	case d.UserEnrolled:
		return "personal"
	case d.Supervised:
		return "company"
	default:
		return "unknown"
	}
}

// managementState of a device that left management is `unhealthy`: Graph has no nearer member that says nothing more.
func managementState(d *fleet.Device) any {
	if d.Enrolled {
		return "managed"
	}
	return "unhealthy"
}

func deviceType(d *fleet.Device) any {
	switch {
	case d.Platform == fleet.MacOS:
		return "macMDM"
	case d.Platform == fleet.IPadOS:
		return "iPad"
	case d.Platform == fleet.IOS && strings.HasPrefix(d.Model, "iPod"):
		return "iPod"
	case d.Platform == fleet.IOS:
		return "iPhone"
	default:
		return "unknown"
	}
}

func deviceEnrollmentType(d *fleet.Device) any {
	if d.UserEnrolled {
		return "appleUserEnrollment"
	}
	return "unknown"
}

func deviceRegistrationState(d *fleet.Device) any {
	if d.Enrolled {
		return "registered"
	}
	return "notRegistered"
}

package graph

import (
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// tagProperty has the ids of the scope tags that a device or payload carries.
const tagProperty = "roleScopeTagIds"

// deviceProperty is a property of managedDevice: its value, and how $filter compares it.
type deviceProperty struct {
	name    string
	value   func(*fleet.Device) any
	compare comparer // nil: $filter does not take it
}

// deviceProperties are those properties of managedDevice that the server truly knows, and those that scripts often select
// though nobody knows them here (Microsoft Graph beta reference, managedDevice resource type). Where Graph's enumeration has
// no member for what is known, the value is `unknown`.
var deviceProperties = []deviceProperty{
	{"id", func(d *fleet.Device) any { return d.ID }, textField(fleet.ByID)},
	{"deviceName", func(d *fleet.Device) any { return textOrNull(d.Name) }, textField(fleet.ByName)},
	{"managedDeviceName", func(d *fleet.Device) any { return textOrNull(d.Name) }, textField(fleet.ByName)},
	{"ownerType", ownerType, ownerTypes},
	{"managedDeviceOwnerType", ownerType, ownerTypes},
	{"managementState", managementState, managementStates},
	{"enrolledDateTime", func(d *fleet.Device) any { return timestamp(d.EnrolledAt) }, timeField(fleet.ByEnrolledAt)},
	{"lastSyncDateTime", func(d *fleet.Device) any { return timestamp(d.LastSync) }, timeField(fleet.ByLastSync)},
	{"operatingSystem", func(d *fleet.Device) any { return textOrNull(string(d.Platform)) }, textField(fleet.ByPlatform)},
	{"deviceType", deviceType, typesOfDevices},
	{"complianceState", func(*fleet.Device) any { return "unknown" }, complianceStates},
	{"managementAgent", func(*fleet.Device) any { return "mdm" }, managementAgents},
	{"osVersion", func(d *fleet.Device) any { return textOrNull(d.OSVersion) }, textField(fleet.ByOSVersion)},
	{"deviceEnrollmentType", deviceEnrollmentType, enrollmentTypes},
	{"deviceRegistrationState", deviceRegistrationState, registrationStates},
	{"isSupervised", func(d *fleet.Device) any { return d.Supervised }, boolField(fleet.BySupervised)},
	{"model", func(d *fleet.Device) any { return textOrNull(d.Model) }, textField(fleet.ByModel)},
	{"manufacturer", func(d *fleet.Device) any { return textOrNull(d.Manufacturer) }, textField(fleet.ByManufacturer)},
	{"serialNumber", func(d *fleet.Device) any { return textOrNull(d.SerialNumber) }, textField(fleet.BySerialNumber)},
	{"udid", func(d *fleet.Device) any { return textOrNull(d.UDID) }, textField(fleet.ByUDID)},
	{"userId", func(*fleet.Device) any { return noUser }, fixedField(noUser)},
	{"userPrincipalName", notKnown, fixedField("")},
	{"userDisplayName", notKnown, fixedField("")},
	{"emailAddress", notKnown, fixedField("")},
	{"azureADDeviceId", notKnown, fixedField("")},
	{"azureADRegistered", notKnown, nil},
	{"deviceCategoryDisplayName", notKnown, fixedField("")},
	{"imei", notKnown, fixedField("")},
	{"phoneNumber", notKnown, fixedField("")},
	{"wiFiMacAddress", notKnown, fixedField("")},
	{"totalStorageSpaceInBytes", notKnown, nil},
	{"freeStorageSpaceInBytes", notKnown, nil},
	{"isEncrypted", notKnown, nil},
	{"jailBroken", notKnown, fixedField("")},
	{"notes", notKnown, fixedField("")},
	{tagProperty, func(d *fleet.Device) any { return d.Tags }, listField(fleet.ByTag)},
	{"deviceActionResults", nil, nil}, // read from the engine
}

func notKnown(*fleet.Device) any { return nil }

// devicePropertyNames are the names of deviceProperties.
var devicePropertyNames = func() []string {
	names := make([]string, len(deviceProperties))
	for i, p := range deviceProperties {
		names[i] = p.name
	}
	return names
}()

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

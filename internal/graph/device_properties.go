package graph

import (
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// tagProperty has the ids of the scope tags that a device or payload carries.
const tagProperty = "roleScopeTagIds"

// deviceProperty is a property of managedDevice: its type, its value, and how $filter compares it.
type deviceProperty struct {
	name    string
	of      odata.TypeName
	value   func(*fleet.Device) any
	compare odata.Comparer // nil: $filter does not take it
}

// deviceProperties are those properties of managedDevice that the server truly knows, and those
// that scripts look for first though nobody knows them here (Microsoft Graph beta reference,
// managedDevice resource type). The rest of what Graph has is in deviceShape. Where Graph's
// enumeration has no member for what is known, the value is `unknown`. What depends on the platform
// is told by kinds.
func deviceProperties(kinds fleet.Kinds) []deviceProperty {
	m := newDeviceMembers(kinds)
	return []deviceProperty{
		{"id", odata.String, func(d *fleet.Device) any { return d.ID }, odata.TextField(fleet.ByID)},
		{"deviceName", odata.String, func(d *fleet.Device) any { return odata.TextOrNull(d.Name) },
			odata.TextField(fleet.ByName)},
		{"managedDeviceName", odata.String, func(d *fleet.Device) any {
			return odata.TextOrNull(d.CalledName())
		}, odata.TextField(fleet.ByManagedName)},
		{"ownerType", "ownerType", m.ownerType, m.ownerTypes()},
		{"managedDeviceOwnerType", "managedDeviceOwnerType", m.ownerType, m.ownerTypes()},
		{"managementState", "managementState", managementState, managementStates},
		{"enrolledDateTime", odata.DateTime, func(d *fleet.Device) any {
			return timeOrNever(d.EnrolledAt)
		}, odata.TimeField(fleet.ByEnrolledAt)},
		{"lastSyncDateTime", odata.DateTime, func(d *fleet.Device) any {
			return timeOrNever(d.LastSync)
		}, odata.TimeField(fleet.ByLastSync)},
		{"operatingSystem", odata.String, func(d *fleet.Device) any {
			return odata.TextOrNull(string(d.Platform))
		}, odata.TextField(fleet.ByPlatform)},
		{"deviceType", "deviceType", m.deviceType, m.deviceTypes()},
		{"complianceState", "complianceState", func(*fleet.Device) any { return "unknown" },
			complianceStates},
		{"managementAgent", "managementAgentType", m.managementAgent,
			m.managementAgents()},
		{"osVersion", odata.String, func(d *fleet.Device) any { return odata.TextOrNull(d.OSVersion) },
			odata.TextField(fleet.ByOSVersion)},
		{"deviceEnrollmentType", "deviceEnrollmentType", m.enrollmentType,
			m.enrollmentTypes()},
		{"deviceRegistrationState", "deviceRegistrationState", deviceRegistrationState,
			registrationStates},
		{"isSupervised", odata.Boolean, func(d *fleet.Device) any { return d.Supervised },
			odata.BoolField(fleet.BySupervised)},
		{"model", odata.String, func(d *fleet.Device) any { return odata.TextOrNull(d.Model) },
			odata.TextField(fleet.ByModel)},
		{"manufacturer", odata.String, func(d *fleet.Device) any {
			return odata.TextOrNull(d.Manufacturer)
		}, odata.TextField(fleet.ByManufacturer)},
		{"serialNumber", odata.String, func(d *fleet.Device) any {
			return odata.TextOrNull(d.SerialNumber)
		}, odata.TextField(fleet.BySerialNumber)},
		{"udid", odata.String, func(d *fleet.Device) any { return odata.TextOrNull(d.UDID) },
			odata.TextField(fleet.ByUDID)},
		{"userId", odata.String, func(*fleet.Device) any { return noUser }, odata.FixedField(noUser)},
		{"userPrincipalName", odata.String, notKnown, odata.FixedField("")},
		{"userDisplayName", odata.String, notKnown, odata.FixedField("")},
		{"emailAddress", odata.String, notKnown, odata.FixedField("")},
		{"azureADDeviceId", odata.String, notKnown, odata.FixedField("")},
		{"azureADRegistered", odata.Boolean, notKnown, odata.UnknownField{}},
		{"deviceCategoryDisplayName", odata.String, notKnown, odata.FixedField("")},
		{"imei", odata.String, notKnown, odata.FixedField("")},
		{"phoneNumber", odata.String, notKnown, odata.FixedField("")},
		{"wiFiMacAddress", odata.String, func(d *fleet.Device) any { return odata.TextOrNull(d.WiFiMAC) },
			odata.TextField(fleet.ByWiFiMAC)},
		{"jailBroken", odata.String, notKnown, odata.FixedField("")},
		{"notes", odata.String, func(d *fleet.Device) any { return odata.TextOrNull(d.Notes) },
			odata.TextField(fleet.ByNotes)},
		{tagProperty, odata.CollectionOf(odata.String), func(d *fleet.Device) any { return d.Tags },
			odata.ListField(fleet.ByTag)},
		// read from the engine
		{"deviceActionResults", odata.CollectionOf("deviceActionResult"), nil, nil},
	}
}

// timeOrNever is a time that Graph always has.
func timeOrNever(at time.Time) any {
	if at.IsZero() {
		return noTime
	}
	return odata.Timestamp(at)
}

func notKnown(*fleet.Device) any { return nil }

// managedDeviceProperties are the names and types of deviceProperties.
func managedDeviceProperties() odata.Properties {
	known := deviceProperties(nil)
	all := make(odata.Properties, len(known))
	for i, p := range known {
		all[i] = odata.Property{p.name, p.of}
	}
	return all
}

// deviceShape is what a managed device is served with.
var deviceShape = newShape("managedDevice", managedDeviceProperties())

// managementState of a device that left management is `unhealthy`: Graph has no nearer member that
// says nothing more.
func managementState(d *fleet.Device) any {
	switch {
	case !d.Enrolled:
		return "unhealthy"
	case d.Leaving == fleet.Retires:
		return "retirePending"
	case d.Leaving == fleet.Deleted:
		return "deletePending"
	default:
		return "managed"
	}
}

func deviceRegistrationState(d *fleet.Device) any {
	if d.Enrolled {
		return "registered"
	}
	return "notRegistered"
}

package graph

import (
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// deviceSurface is how devices are served, by what their platforms say of them.
type deviceSurface struct {
	properties []deviceProperty
	listing    *odata.Listing // what the options of their lists take
}

func newDeviceSurface(kinds fleet.Kinds) *deviceSurface {
	properties := deviceProperties(kinds)
	return &deviceSurface{properties, newDeviceListing(properties)}
}

// newDeviceListing is what the options take of devices. They are searched by name and serial
// number.
func newDeviceListing(properties []deviceProperty) *odata.Listing {
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
	for _, p := range properties {
		if p.compare != nil {
			l.Filters[p.name] = p.compare
		}
	}
	l.Filters[actionResultsProperty] = actionResultList
	sameOrders(l, "userPrincipalName", "userDisplayName", "emailAddress", "complianceState",
		"imei", "phoneNumber", "jailBroken",
		"deviceCategoryDisplayName", "azureADDeviceId", "azureADRegistered")
	return deviceShape.complete(l)
}

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

// The members of managedDevice's enumerations (Microsoft Graph beta reference) that a filter may
// name, with what the functions in device_properties.go make of a device.
var (
	managementStates = odata.Choices(map[string]query.Condition{
		"managed":       managedAnd(fleet.Stays),
		"retirePending": managedAnd(fleet.Retires),
		"deletePending": managedAnd(fleet.Deleted),
		"unhealthy":     query.Is(fleet.ByEnrolled, false),
	}, "retireFailed", "wipePending", "wipeFailed", "retireIssued", "wipeIssued", "wipeCanceled",
		"retireCanceled", "discovered", odata.UnknownFutureValue)

	complianceStates = odata.Choices(map[string]query.Condition{"unknown": query.All{}},
		"compliant", "noncompliant", "conflict", "error", "inGracePeriod", "configManager")

	registrationStates = odata.Choices(map[string]query.Condition{
		"registered":    query.Is(fleet.ByEnrolled, true),
		"notRegistered": query.Is(fleet.ByEnrolled, false),
	}, "revoked", "keyConflict", "approvalPending", "certificateReset",
		"notRegisteredPendingEnrollment", "unknown")
)

package fleet

import "github.com/syncpayloads/syncpayloads/internal/query"

// What a query can compare or sort devices by.
const (
	ByID           query.Field = "id"           // text
	ByName         query.Field = "name"         // text
	ByPlatform     query.Field = "platform"     // text
	ByManufacturer query.Field = "manufacturer" // text
	ByModel        query.Field = "model"        // text
	ByOSVersion    query.Field = "osVersion"    // text
	BySerialNumber query.Field = "serialNumber" // text
	ByWiFiMAC      query.Field = "wiFiMAC"      // text
	ByUDID         query.Field = "udid"         // text
	BySupervised   query.Field = "supervised"   // bool
	ByUserEnrolled query.Field = "userEnrolled" // bool
	ByEnrolled     query.Field = "enrolled"     // bool
	ByEnrolledAt   query.Field = "enrolledAt"   // time
	ByLastSync     query.Field = "lastSync"     // time
	ByManagedName  query.Field = "managedName"  // text: Device.CalledName
	ByNotes        query.Field = "notes"        // text
	ByOwner        query.Field = "owner"        // text: Owner
	ByLeaving      query.Field = "leaving"      // number: Leaving
	ByTag          query.Field = "tag"          // list of ids of scope tags

	ByEnrollmentType query.Field = "enrollmentType"
)

// Condition is what a device must fulfil: one of package query, or one of the conditions below.
type Condition = query.Condition

// Found is fulfilled by a device whose name or serial number contains a text, or begins with it if
// it has fewer than three characters.
type Found string

// LatestAction is fulfilled by a device whose latest action of one of its names is of one of the
// kinds.
type LatestAction []ActionKind

// ActionKind is an action's name and its state, as action.Name and action.State.
type ActionKind struct {
	Name  string
	State uint8
}

// Condition marks a condition on devices.
func (Found) Condition() {}

// Condition marks a condition on devices.
func (LatestAction) Condition() {}

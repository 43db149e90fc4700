package catalog

import (
	"context"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// Store is what the catalog needs of a database.
type Store interface {
	// UpdateCatalog runs fn in one transaction, alone among all writers and durable when it returns
	// nil. When fn returns an error nothing is kept, and that error is returned. fn must not wait
	// for anything.
	UpdateCatalog(ctx context.Context, fn func(Tx) error) error
	// ViewCatalog runs fn on a consistent snapshot.
	ViewCatalog(ctx context.Context, fn func(Tx) error) error
}

// What a query can compare or sort payloads by, and groups by those that they have.
const (
	ByID           query.Field = "id"           // text
	ByType         query.Field = "type"         // number: action.PayloadType
	ByODataType    query.Field = "odataType"    // text
	ByDisplayName  query.Field = "displayName"  // text
	ByDescription  query.Field = "description"  // text
	ByFileName     query.Field = "fileName"     // text
	ByVersion      query.Field = "version"      // number
	ByCreated      query.Field = "created"      // time
	ByLastModified query.Field = "lastModified" // time
	BySettings     query.Field = "settings"     // number of settings, of settings catalog policies
	ByNickname     query.Field = "nickname"     // text, of groups
	ByAssigned     query.Field = "assigned"     // bool: it has assignments
	ByTag          query.Field = "tag"          // list of ids of scope tags
)

// propertyField begins the name of a field that is a property.
const propertyField = "properties."

// ByProperty compares payloads by a text among their properties. It must be a property of a form
// that $filter takes.
func ByProperty(name string) query.Field { return propertyField + query.Field(name) }

// PropertyOf is the property that a field of ByProperty is; false if the field is none. Its name is
// of letters and digits.
func PropertyOf(f query.Field) (name string, ok bool) {
	name, ok = strings.CutPrefix(string(f), propertyField)
	return name, ok && propertyName.MatchString(name)
}

// Change is a change of who gets what: it concerns all devices, the devices of a group, or one
// device.
type Change struct {
	Kind   TargetKind // AllDevices, Group or OneDevice
	Target string
}

// Tx is one transaction of a Store. Ids are in lower case.
type Tx interface {
	// Payload returns a payload with its content; ErrNotFound if there is none.
	Payload(ctx context.Context, id action.PayloadID) (*Payload, error)
	// Payloads lists payloads without their Content and Original.
	Payloads(ctx context.Context, q query.Query) (query.Page[*Payload], error)
	// InsertPayload and UpdatePayload also remember the payload's revision for RevisionUsed.
	InsertPayload(ctx context.Context, p *Payload) error
	UpdatePayload(ctx context.Context, p *Payload) error
	// DeletePayload deletes a payload with its assignments; ErrNotFound if there is none.
	DeletePayload(ctx context.Context, id action.PayloadID) error
	// RevisionUsed reports whether any version of the payload, the present one included, or of
	// another one that has its identifier on the same devices, had the revision.
	RevisionUsed(ctx context.Context, p *Payload, revision string) (bool, error)

	// Assignments returns a payload's assignments in the order in which they were given.
	Assignments(ctx context.Context, id action.PayloadID) ([]Assignment, error)
	ReplaceAssignments(ctx context.Context, id action.PayloadID, list []Assignment) error
	// RecordChange remembers a change that is to be spread to the devices it concerns.
	RecordChange(ctx context.Context, c Change) error

	// Group returns a group; ErrNotFound if there is none.
	Group(ctx context.Context, id string) (*DeviceGroup, error)
	Groups(ctx context.Context, q query.Query) (query.Page[*DeviceGroup], error)
	InsertGroup(ctx context.Context, g *DeviceGroup) error
	UpdateGroup(ctx context.Context, g *DeviceGroup) error
	// DeleteGroup deletes a group, its memberships and the assignments to it, and records a change
	// for each member. ErrNotFound if there is no such group.
	DeleteGroup(ctx context.Context, id string) error
	// AddMember reports whether the device was not a member before. Group and device must exist.
	AddMember(ctx context.Context, group string, device fleet.DeviceID) (bool, error)
	// RemoveMember reports whether the device was a member.
	RemoveMember(ctx context.Context, group string, device fleet.DeviceID) (bool, error)
	// Members lists a group's devices by ascending id from behind after, at most limit.
	Members(ctx context.Context, group string, after fleet.DeviceID, limit int) ([]fleet.DeviceID,
		error)
	DeviceExists(ctx context.Context, id fleet.DeviceID) (bool, error)

	TagExists(ctx context.Context, tag string) (bool, error)
	// PayloadTags returns a payload's scope tags; ErrNotFound if there is no such payload.
	PayloadTags(ctx context.Context, id action.PayloadID) ([]string, error)
	// DeviceTags returns a device's scope tags; fleet.ErrNotFound if there is no such device.
	DeviceTags(ctx context.Context, id fleet.DeviceID) ([]string, error)
	// Device returns a device; fleet.ErrNotFound if there is none.
	Device(ctx context.Context, id fleet.DeviceID) (*fleet.Device, error)
	// EditDevice writes what an edit changes of a device, and the event that tells so.
	EditDevice(ctx context.Context, id fleet.DeviceID, e fleet.Edit, at time.Time) error
	// DeleteDevice deletes the record of a device with all that hangs on it, and the assignments to
	// it alone, and writes the event that tells so.
	DeleteDevice(ctx context.Context, id fleet.DeviceID, at time.Time) error
}

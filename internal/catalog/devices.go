package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// The most characters of what admins say of a device.
const (
	maxNotes       = 2048
	maxManagedName = 256
)

// ErrManaged is returned for a device that is managed, where only one that left can be deleted.
var ErrManaged = fmt.Errorf("the device is managed")

// EditDevice changes what admins say of a device. The error is fleet.ErrNotFound if there is no such
// device, and an *invalid.Input if the edit is at fault.
func (c *Catalog) EditDevice(ctx context.Context, id fleet.DeviceID, e fleet.Edit) error {
	id = fleet.DeviceID(strings.ToLower(string(id)))
	if e.Notes != nil && utf8.RuneCountInString(*e.Notes) > maxNotes {
		return &invalid.Input{Property: "notes",
			Reason: fmt.Sprintf("has more than %d characters", maxNotes)}
	}
	if e.ManagedName != nil && utf8.RuneCountInString(*e.ManagedName) > maxManagedName {
		return &invalid.Input{Property: "managedDeviceName",
			Reason: fmt.Sprintf("has more than %d characters", maxManagedName)}
	}
	return c.changingDevice(ctx, func(tx Tx) (err error) {
		if e.Tags != nil {
			if e.Tags, err = checkTags(ctx, tx, e.Tags); err != nil {
				return err
			}
		}
		old, err := tx.Device(ctx, id)
		if err != nil {
			return err
		}
		edited := *old
		if e.Tags != nil {
			edited.Tags = e.Tags
		}
		if e.ManagedName != nil && *e.ManagedName == old.CalledName() {
			e.ManagedName = nil // it was read, and is sent back
		}
		if e.ManagedName != nil {
			edited.ManagedName = *e.ManagedName
		}
		if e.Notes != nil {
			edited.Notes = *e.Notes
		}
		if e.Owner != nil {
			edited.Owner = *e.Owner
		}
		audit.Note(ctx, audit.Object{Type: "managedDevice", ID: string(id),
			Before: notedDevice(old, e), After: notedDevice(&edited, e)})
		if reflect.DeepEqual(old, &edited) {
			return nil
		}
		return tx.EditDevice(ctx, id, e, c.now())
	})
}

// TagDevice gives a device these scope tags in place of those it has: an edit of nothing else.
func (c *Catalog) TagDevice(ctx context.Context, id fleet.DeviceID, tags []string) error {
	return c.EditDevice(ctx, id, fleet.Edit{Tags: append([]string{}, tags...)})
}

// notedDevice is what the audit record keeps of a device, as far as an edit is about it.
func notedDevice(d *fleet.Device, e fleet.Edit) json.RawMessage {
	noted := make(map[string]any)
	if e.Tags != nil {
		noted["roleScopeTagIds"] = d.Tags
	}
	if e.ManagedName != nil {
		noted["managedDeviceName"] = d.CalledName()
	}
	if e.Notes != nil {
		noted["notes"] = d.Notes
	}
	if e.Owner != nil {
		noted["ownerType"] = d.Owner
	}
	text, _ := json.Marshal(noted) // strings always marshal
	return text
}

// DeleteDevice deletes the record of a device that left management. The error is fleet.ErrNotFound,
// or ErrManaged if the device has not left.
func (c *Catalog) DeleteDevice(ctx context.Context, id fleet.DeviceID) error {
	id = fleet.DeviceID(strings.ToLower(string(id)))
	return c.changingDevice(ctx, func(tx Tx) error {
		d, err := tx.Device(ctx, id)
		if err != nil {
			return err
		}
		if d.Enrolled {
			return ErrManaged
		}
		before, _ := json.Marshal(map[string]string{"deviceName": d.Name, // texts always marshal
			"serialNumber": d.SerialNumber})
		audit.Note(ctx, audit.Object{Type: "managedDevice", ID: string(id), Name: d.Name,
			Before: before})
		return tx.DeleteDevice(ctx, id, c.now())
	})
}

// changingDevice runs a write of which the event log tells, and says so once it is committed.
func (c *Catalog) changingDevice(ctx context.Context, write func(Tx) error) error {
	err := c.store.UpdateCatalog(ctx, write)
	if err == nil && c.Told != nil {
		c.Told()
	}
	return err
}

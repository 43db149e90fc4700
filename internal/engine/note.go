package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// noteDevice tells the audit record what an operation does to a device.
func noteDevice(ctx context.Context, tx Tx, id fleet.DeviceID, before,
	after json.RawMessage) error {
	if audit.Of(ctx) == nil {
		return nil
	}
	d, err := tx.Device(ctx, id)
	if err == nil {
		audit.Note(ctx, audit.Object{Type: "managedDevice", ID: string(id), Name: d.Name,
			Before: before, After: after})
	}
	return err
}

// removedPayloads is what the audit record keeps of a device before and after a call: what is to be
// off it, and after the call, when that comes back.
func removedPayloads(d *action.Device, restoreAfter *time.Duration) json.RawMessage {
	noted := struct {
		Removed      []action.PayloadID `json:"removedPayloads"`
		RestoreAfter string             `json:"restoreAfter,omitempty"`
	}{Removed: []action.PayloadID{}}
	for _, p := range d.Payloads {
		if p.Away && p.Intent == action.Remove {
			noted.Removed = append(noted.Removed, p.ID)
		}
	}
	if restoreAfter != nil {
		noted.RestoreAfter = restoreAfter.String()
	}
	text, _ := json.Marshal(noted) // ids always marshal
	return text
}

// noteEnrollment tells the audit record that a device enrolls, and whether it was enrolled.
func noteEnrollment(ctx context.Context, d *fleet.Device, was bool) {
	draft := audit.Of(ctx)
	if draft == nil {
		return
	}
	if was {
		draft.Activity = reenrollActivity
	}
	audit.Note(ctx, audit.Object{Type: "managedDevice", ID: string(d.ID), Name: d.Name,
		Before: enrolledText(was), After: enrolledText(true)})
}

// reenrollActivity is what the audit record calls it when a device that is enrolled enrolls again.
const reenrollActivity = "managedDevices.reenroll"

// leavingText is what the audit record keeps of what is wanted of a device.
func leavingText(d *fleet.Device) json.RawMessage {
	text, _ := json.Marshal(map[string]bool{"retire": d.Leaving != fleet.Stays, // always marshals
		"delete": d.Leaving == fleet.Deleted})
	return text
}

func enrolledText(is bool) json.RawMessage {
	if is {
		return json.RawMessage(`{"enrolled":true}`)
	}
	return json.RawMessage(`{"enrolled":false}`)
}

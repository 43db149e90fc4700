package graph

import (
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// devicePayloads is GET /api/devices/{id}/payloads, our own: what an action can name on the device, and how it stands.
// A payload is removed while the latest action's set holds it off the device.
func (c *call) devicePayloads() error {
	if err := c.tagDevice(); err != nil {
		return err
	}
	list, err := c.seenPayloads(c.r.Context(), c.deviceID())
	if err != nil {
		return err
	}
	items := make([]fields, len(list))
	for i, p := range list {
		items[i] = devicePayload(p)
	}
	return c.reply(http.StatusOK, fields{{"value", items}})
}

var presences = []string{action.Unknown: "unknown", action.Absent: "absent", action.Present: "present"}

var works = []string{action.Idle: "idle", action.Queued: "queued", action.Delivered: "sent", action.Verifying: "verifying",
	action.Stuck: "error"}

func devicePayload(p *action.Payload) fields {
	removed := p.Away && p.Intent == action.Remove
	var since, by, restore, failure any
	if removed {
		since, by, restore = timestamp(p.AwaySince), textOrNull(p.AwayBy), timestamp(p.RestoreAt)
	}
	if p.Work.Phase == action.Stuck {
		failure = fields{{"code", p.Work.Code}, {"detail", p.Work.Note}}
	}
	return fields{
		{"id", p.ID},
		{"type", changeAssignments.typeName(p.Type)},
		{"displayName", p.DisplayName},
		{"subType", p.SubType},
		{"assigned", p.Assigned},
		{"removed", removed},
		{"removedDateTime", since},
		{"removedBy", by},
		{"restoreDateTime", restore},
		{"presence", presences[p.Presence]},
		{"work", works[p.Work.Phase]},
		{"error", failure},
	}
}

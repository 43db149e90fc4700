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
		items[i] = devicePayload(p, c.explain)
	}
	return c.reply(http.StatusOK, fields{{"value", items}})
}

func devicePayload(p *action.Payload, x explainer) fields {
	return append(fields{
		{"id", p.ID},
		{"type", changeAssignments.typeName(p.Type)},
		{"displayName", p.DisplayName},
		{"subType", p.SubType},
	}, standing(p, x)...)
}

package graph

import (
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// devicePayloads is GET /api/devices/{id}/payloads, our own: what an action can name on the device,
// and how it stands. A payload is removed while the latest action's set holds it off the device.
func (c *call) devicePayloads() error {
	if err := c.tagDevice(); err != nil {
		return err
	}
	list, err := c.seenPayloads(c.req.Context(), c.deviceID())
	if err != nil {
		return err
	}
	items := make([]odata.Fields, len(list))
	for i, p := range list {
		items[i] = devicePayload(p, c.server.explain)
	}
	return c.req.Reply(http.StatusOK, odata.Fields{{"value", items}})
}

func devicePayload(p *action.Payload, x explainer) odata.Fields {
	return append(odata.Fields{
		{"id", p.ID},
		{"type", changeAssignments.typeName(p.Type)},
		{"displayName", p.DisplayName},
		{"subType", p.SubType},
	}, standing(p, x)...)
}

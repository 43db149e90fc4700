package graph

import (
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// me is GET /api/me, our own: who calls, and what they may do somewhere.
func (c *call) me() error {
	rights := []access.Right{}
	for _, r := range access.Rights() {
		if len(c.caller.Scope(r)) > 0 {
			rights = append(rights, r)
		}
	}
	roles := c.caller.RoleNames()
	if roles == nil {
		roles = []string{}
	}
	return c.req.Reply(http.StatusOK, odata.Fields{{"id", c.caller.ID}, {"name", c.caller.Name},
		{"roles", roles}, {"rights", rights}})
}

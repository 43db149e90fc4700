package graph

import (
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

var toCopyPolicy = &verb{name: "createCopy", method: "POST", suffix: "/{id}/createCopy",
	kind: audit.Create}

// copyPolicy is POST …/{id}/createCopy: a new policy with the settings and scope tags of another
// one, and nobody's. Its secrets are those of the other one, which are not given back.
func (c *call) copyPolicy() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	if err := body.Only("displayName", "description"); err != nil {
		return err
	}
	in := catalog.Input{ODataType: catalog.SettingPolicies.Base}
	if in.DisplayName, err = body.RequiredText("displayName"); err != nil {
		return err
	}
	description, given, err := body.Text("description")
	if err != nil {
		return err
	}
	if in.CopyOf, err = policies.find(c); err != nil {
		return err
	}
	if in.Description = in.CopyOf.Description; given {
		in.Description = description
	}
	in.Tags, in.Properties = in.CopyOf.Tags, in.CopyOf.ShownProperties()
	if err := c.mayChange(access.Change{Tags: in.Tags}); err != nil {
		return err
	}
	p, err := c.config.Catalog.Create(c.req.Context(), in)
	if err != nil {
		return err
	}
	return c.replyNewPolicy(p)
}

// replyNewPolicy answers with a policy that was made.
func (c *call) replyNewPolicy(p *catalog.Payload) error {
	c.req.Writer.Header().Set("Location",
		c.req.Base+odata.BetaPath+policies.path()+"/"+string(p.ID))
	return c.replyPolicy(http.StatusCreated, p,
		policyView{selected: c.server.policyShape.beta.names, expanded: []string{expandSettings}})
}

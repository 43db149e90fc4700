package graph

import (
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// inspectProfile is POST /api/profiles/inspect, our own: what a file contains, before it is in the
// catalog, and which types it can become.
func (c *call) inspectProfile() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	if err := body.Only(filePropertyContent); err != nil {
		return err
	}
	file, err := readFile(body, filePropertyContent)
	if err != nil {
		return err
	}
	found, risks, err := c.config.Forms.InspectFile(file, c.config.Trust())
	if err != nil {
		return err
	}
	answer := inspectionFields(found)
	types := []string{}
	for _, name := range found.Types {
		types = append(types, "#"+odata.GraphNamespace+name)
	}
	return c.req.Reply(http.StatusOK, append(answer, odata.Field{"types", types},
		odata.Field{"warnings", riskFields(risks)}))
}

// showProfile is GET /api/profiles/{id}, our own: what devices get of a policy, whatever it was
// made of. Secrets are not shown.
func (c *call) showProfile() error {
	p, err := c.config.Catalog.Get(c.req.Context(), action.PayloadID(c.req.PathValue("id")))
	if err != nil {
		return err
	}
	if p.Type != action.DeviceConfiguration && p.Type != action.ConfigurationPolicy {
		return catalog.ErrNotFound
	}
	if !c.scope.Reaches(p.Tags) {
		return errHidden{catalog.ErrNotFound}
	}
	found, whole, err := c.config.Forms.Show(p)
	if err != nil {
		return err
	}
	if found == nil {
		return catalog.ErrNotFound
	}
	risks, err := c.config.Forms.Risks(p, c.config.Trust())
	if err != nil {
		return err
	}
	return c.req.Reply(http.StatusOK, append(inspectionFields(found),
		odata.Field{"warnings", riskFields(risks)},
		odata.Field{"profile", odata.TextOrNull(whole)}))
}

// inspectionFields are what was found in a content.
func inspectionFields(found *catalog.Inspection) odata.Fields {
	parts := []odata.Fields{}
	for _, inner := range found.Parts {
		parts = append(parts, odata.Fields{{"type", inner.Type}, {"identifier", inner.Identifier},
			{"displayName", odata.TextOrNull(inner.DisplayName)}})
	}
	answer := odata.Fields{}
	for _, fact := range found.Facts {
		answer = append(answer, odata.Field{fact.Name, fact.Value})
	}
	return append(answer, odata.Field{"payloads", parts})
}

func riskFields(risks []catalog.Risk) []odata.Fields {
	warnings := []odata.Fields{}
	for _, risk := range risks {
		warnings = append(warnings, odata.Fields{{"certain", risk.Certain},
			{"message", risk.Reason}})
	}
	return warnings
}

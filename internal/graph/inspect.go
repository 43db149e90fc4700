package graph

import (
	"net/http"

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
	parts, types := []odata.Fields{}, []string{}
	for _, inner := range found.Parts {
		parts = append(parts, odata.Fields{{"type", inner.Type}, {"identifier", inner.Identifier},
			{"displayName", odata.TextOrNull(inner.DisplayName)}})
	}
	for _, name := range found.Types {
		types = append(types, "#"+odata.GraphNamespace+name)
	}
	answer := odata.Fields{}
	for _, fact := range found.Facts {
		answer = append(answer, odata.Field{fact.Name, fact.Value})
	}
	return c.req.Reply(http.StatusOK, append(answer, odata.Field{"payloads", parts},
		odata.Field{"types", types}, odata.Field{"warnings", riskFields(risks)}))
}

func riskFields(risks []catalog.Risk) []odata.Fields {
	warnings := []odata.Fields{}
	for _, risk := range risks {
		warnings = append(warnings, odata.Fields{{"certain", risk.Certain},
			{"message", risk.Reason}})
	}
	return warnings
}

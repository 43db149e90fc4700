package graph

import (
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// inspectProfile is POST /api/profiles/inspect, our own: what a file contains, before it is in the catalog, and which
// types it can become.
func (c *call) inspectProfile() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if err := body.only(filePropertyContent); err != nil {
		return err
	}
	file, err := body.file(filePropertyContent)
	if err != nil {
		return err
	}
	found, risks, err := c.Forms.InspectFile(file, c.Trust())
	if err != nil {
		return err
	}
	parts, types := []fields{}, []string{}
	for _, inner := range found.Parts {
		parts = append(parts, fields{{"type", inner.Type}, {"identifier", inner.Identifier}, {"displayName", textOrNull(inner.DisplayName)}})
	}
	for _, name := range found.Types {
		types = append(types, "#"+graphNamespace+name)
	}
	answer := fields{}
	for _, fact := range found.Facts {
		answer = append(answer, field{fact.Name, fact.Value})
	}
	return c.reply(http.StatusOK, append(answer, field{"payloads", parts}, field{"types", types}, field{"warnings", riskFields(risks)}))
}

func riskFields(risks []catalog.Risk) []fields {
	warnings := []fields{}
	for _, risk := range risks {
		warnings = append(warnings, fields{{"certain", risk.Certain}, {"message", risk.Reason}})
	}
	return warnings
}

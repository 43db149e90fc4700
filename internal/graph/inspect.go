package graph

import (
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// inspectProfile is POST /api/profiles/inspect, our own: what a .mobileconfig contains, before it is in the catalog.
func (c *call) inspectProfile() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if err := body.only(filePropertyContent); err != nil {
		return err
	}
	file, err := readFile(body, filePropertyContent)
	if err != nil {
		return err
	}
	p, err := catalog.ParseProfile(file)
	if err != nil {
		return err
	}
	risks, err := (&catalog.Payload{Type: action.DeviceConfiguration, Content: file}).Risks(c.Trust())
	if err != nil {
		return err
	}
	contents := []fields{}
	for _, inner := range p.Contents() {
		contents = append(contents, fields{{"type", inner.Type}, {"identifier", inner.Identifier}, {"displayName", textOrNull(inner.DisplayName)}})
	}
	return c.reply(http.StatusOK, fields{
		{"identifier", p.Identifier},
		{"uuid", p.UUID},
		{"displayName", textOrNull(p.DisplayName)},
		{"scope", textOrNull(p.Scope)},
		{"removalDisallowed", p.RemovalDisallowed},
		{"signed", p.Signed},
		{"subType", p.SubType},
		{"payloads", contents},
		{"warnings", riskFields(risks)},
	})
}

func riskFields(risks []catalog.Risk) []fields {
	warnings := []fields{}
	for _, risk := range risks {
		warnings = append(warnings, fields{{"certain", risk.Certain}, {"message", risk.Reason}})
	}
	return warnings
}

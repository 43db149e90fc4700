package graph

import (
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// inspectProfile is POST /api/profiles/inspect, our own: what a .mobileconfig contains, before it is in the catalog.
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
	p, err := catalog.ParseProfile(file)
	if err != nil {
		return err
	}
	risks, err := (&catalog.Payload{Type: action.DeviceConfiguration, Content: file}).Risks(c.config.Trust())
	if err != nil {
		return err
	}
	contents := []odata.Fields{}
	for _, inner := range p.Contents() {
		contents = append(contents, odata.Fields{{"type", inner.Type}, {"identifier", inner.Identifier}, {"displayName", odata.TextOrNull(inner.DisplayName)}})
	}
	return c.req.Reply(http.StatusOK, odata.Fields{
		{"identifier", p.Identifier},
		{"uuid", p.UUID},
		{"displayName", odata.TextOrNull(p.DisplayName)},
		{"scope", odata.TextOrNull(p.Scope)},
		{"removalDisallowed", p.RemovalDisallowed},
		{"signed", p.Signed},
		{"subType", p.SubType},
		{"payloads", contents},
		{"warnings", riskFields(risks)},
	})
}

func riskFields(risks []catalog.Risk) []odata.Fields {
	warnings := []odata.Fields{}
	for _, risk := range risks {
		warnings = append(warnings, odata.Fields{{"certain", risk.Certain}, {"message", risk.Reason}})
	}
	return warnings
}

package graph

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// preview is POST …/{id}/syncPayloads/preview and …/changeAssignments/preview, which are not
// Graph's: what the action would do with the same body. It changes nothing.
func (w *wording) preview(c *call) error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	stated, err := w.selections(body)
	if err != nil {
		return err
	}
	p, err := w.previewCall(c, stated.set)
	if err != nil {
		return err
	}
	seen, err := c.seenPayloads(c.req.Context(), c.deviceID())
	if err != nil {
		return err
	}
	show := func(list []*action.Payload) []odata.Fields {
		shown := []odata.Fields{}
		for _, one := range list {
			if slices.ContainsFunc(seen, func(s *action.Payload) bool { return s.ID == one.ID }) {
				shown = append(shown, w.previewFields(one, p, seen))
			}
		}
		return shown
	}
	planned := slices.Concat(p.Remove, p.Restore, p.Unchanged, p.Closed, p.Install, p.Displace)
	leftAlone := slices.DeleteFunc(slices.Clone(seen), func(s *action.Payload) bool {
		return slices.ContainsFunc(planned,
			func(one *action.Payload) bool { return one.ID == s.ID })
	})
	refusals := []odata.Fields{}
	for _, r := range p.Refused {
		refusals = append(refusals, odata.Fields{{w.id, odata.TextOrNull(string(r.Payload))},
			{"message", w.whyRefused(r)}})
	}
	return c.req.Reply(http.StatusOK, odata.Fields{
		{"@odata.type", "#syncpayloads.preview"},
		{"notSupported", odata.TextOrNull(p.Unsupported)},
		{"remove", show(p.Remove)},
		{"restore", show(p.Restore)},
		{"unchanged", show(p.Unchanged)},
		{"closed", show(p.Closed)},
		{"install", show(p.Install)},
		{"displace", show(p.Displace)},
		{"leftAlone", show(leftAlone)},
		{"refused", refusals},
	})
}

func (w *wording) previewCall(c *call, set []action.Selection) (*engine.Preview, error) {
	reach, err := c.reach(c.req.Context(), c.deviceID())
	if err != nil {
		return nil, err
	}
	return c.config.Engine.Preview(c.req.Context(), c.deviceID(),
		engine.Call{Name: w.name, Set: set, Reach: reach}, c.config.Trust())
}

func (w *wording) previewFields(one *action.Payload, p *engine.Preview,
	seen []*action.Payload) odata.Fields {
	return odata.Fields{
		{w.id, one.ID},
		{w.kind, w.typeName(one.Type)},
		{"displayName", odata.TextOrNull(one.DisplayName)},
		{"subType", odata.TextOrNull(one.SubType)},
		{"warnings", riskFields(p.Risks[one.ID])},
		{"inPlace", w.otherFields(p.InPlace[one.ID], seen)},
	}
}

// whyRefused is the reason of a refusal without its place in the body.
func (w *wording) whyRefused(r *action.Refusal) string {
	switch r.Reason {
	case action.NotAssigned:
		return "It is neither assigned to this device nor removed from it."
	case action.WrongType:
		return fmt.Sprintf("It is of type '%s'.", w.typeName(r.Type))
	default:
		var f *odata.Fault
		_ = errors.As(refused(r, w), &f)
		return f.Message
	}
}

// refuseStranding refuses a set that may cut the device off, if the operator wants that.
func (w *wording) refuseStranding(c *call, stated statedSet) error {
	if !c.config.RefuseStranding {
		return nil
	}
	p, err := w.previewCall(c, stated.set)
	if err != nil || len(p.Refused) > 0 { // then the action is refused for that
		return err
	}
	for i, sel := range stated.set {
		if risks := p.Risks[sel.ID]; len(risks) > 0 {
			element := fmt.Sprintf("%s[%d].%s", w.collection, stated.at[i], w.id)
			return odata.BadRequest(element,
				"Property '%s' is refused: removing '%s' may cut the device off from this server: %s. "+
					"This server's operator does not allow that.", element, sel.ID, risks[0].Reason)
		}
	}
	return nil
}

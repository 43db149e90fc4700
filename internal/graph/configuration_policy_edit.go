package graph

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// policyWritable is what a body may have of a policy.
func policyWritable(forms *catalog.Forms) []string {
	return append([]string{"name", "description", "templateReference", tagProperty},
		policyFormProperties(forms).Names()...)
}

// policyRequired are the properties of forms that a whole policy must have.
func policyRequired(forms *catalog.Forms) (names []string) {
	for _, form := range forms.In(policies.of) {
		for _, p := range form.Properties {
			if p.Required && !slices.Contains(names, p.Name) {
				names = append(names, p.Name)
			}
		}
	}
	return names
}

// policyTypeName is Graph's type of a policy: its collection has no other.
var policyTypeName = odata.GraphNamespace + catalog.SettingPolicies.Base

// readPolicy reads what a body sets of a policy.
func (c *call) readPolicy() (patch catalog.Patch, body *odata.Object, err error) {
	if body, err = c.req.ReadBody(); err != nil {
		return patch, nil, err
	}
	odataType, err := body.ODataType()
	if err != nil {
		return patch, nil, err
	}
	if odataType != "" && odataType != policyTypeName {
		return patch, nil, odata.BadRequest("@odata.type",
			"Property '@odata.type' can only be '#%s'.", policyTypeName)
	}
	if err := body.Only(append(policyWritable(c.config.Forms), expandAssignments)...); err != nil {
		return patch, nil, err
	}
	if list, ok := body.Values[expandAssignments].([]any); body.Values[expandAssignments] != nil &&
		(!ok || len(list) > 0) {
		return patch, nil, odata.BadRequest(expandAssignments,
			"Property 'assignments' is not set here. Send it to …/assign.")
	}
	if err := checkTemplate(body); err != nil {
		return patch, nil, err
	}
	own, required := policyFormProperties(c.config.Forms).Names(), policyRequired(c.config.Forms)
	properties := odata.Fields{}
	for _, name := range body.Names {
		switch name {
		case "name":
			patch.DisplayName, err = body.EditedText(name)
		case "description":
			patch.Description, err = body.EditedText(name)
		case tagProperty:
			patch.Tags, err = body.OptionalTexts(name)
		default:
			// what need not be there, and is null, stays as it is
			if slices.Contains(own, name) &&
				(slices.Contains(required, name) || body.Values[name] != nil) {
				properties = append(properties, odata.Field{name, body.Values[name]})
			}
		}
		if err != nil {
			return patch, nil, err
		}
	}
	patch.Properties, err = properties.MarshalJSON()
	return patch, body, err
}

// checkTemplate accepts no template, in each way in which Graph shows that there is none.
func checkTemplate(body *odata.Object) error {
	const name = "templateReference"
	if body.Values[name] == nil {
		return nil
	}
	template, err := body.RequiredObject(name)
	if err != nil {
		return err
	}
	if id, _, err := template.Text("templateId"); err != nil || id != "" {
		return odata.BadRequest(name+".templateId",
			"Property 'templateReference.templateId' is not supported: there are no templates here. "+
				"Leave it out; the settings themselves are the same.")
	}
	return nil
}

// policyFault gives a refusal of the catalog the names of a policy's properties.
func policyFault(err error) error {
	var wrong *invalid.Input
	if errors.As(err, &wrong) && wrong.Property == "displayName" {
		return &invalid.Input{Property: "name", Reason: wrong.Reason}
	}
	return err
}

func (c *call) createPolicy() error {
	patch, _, err := c.readPolicy()
	if err != nil {
		return err
	}
	if patch.Tags, err = c.taggedBy(patch.Tags); err != nil {
		return err
	}
	if err := c.mayChange(access.Change{Tags: append([]string{}, patch.Tags...)}); err != nil {
		return err
	}
	in := catalog.Input{ODataType: catalog.SettingPolicies.Base, Tags: patch.Tags}
	if patch.DisplayName != nil {
		in.DisplayName = *patch.DisplayName
	}
	if patch.Description != nil {
		in.Description = *patch.Description
	}
	in.Properties = patch.Properties
	p, err := c.config.Catalog.Create(c.req.Context(), in)
	if err != nil {
		return policyFault(err)
	}
	return c.replyNewPolicy(p)
}

// replacing sets all properties of a policy anew: those that are not given are what they are where
// nothing is said.
func replacing(properties json.RawMessage, all []string) (json.RawMessage, error) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(properties, &given); err != nil {
		return nil, err
	}
	for _, name := range all {
		if given[name] == nil {
			given[name] = json.RawMessage("null")
		}
	}
	return json.Marshal(given)
}

// updatePolicy is PATCH, which in Graph changes everything but the settings.
func (c *call) updatePolicy() error {
	patch, body, err := c.readPolicy()
	if err != nil {
		return err
	}
	if _, ok := body.Values["settings"]; ok {
		return odata.BadRequest("settings",
			"Property 'settings' cannot be changed with PATCH. Send the whole policy with PUT.")
	}
	p, err := c.editPolicy(patch)
	if err != nil {
		return err
	}
	return c.replyPolicy(http.StatusOK, p, policyView{selected: c.server.policyShape.beta.names})
}

// replacePolicy is PUT: the body is the whole policy, with its settings. Its scope tags stay if it
// names none.
func (c *call) replacePolicy() error {
	patch, body, err := c.readPolicy()
	if err != nil {
		return err
	}
	for _, name := range append([]string{"name"}, policyRequired(c.config.Forms)...) {
		if body.Values[name] == nil {
			return odata.BadRequest(name, "Property '%s' is required.", name)
		}
	}
	if patch.Description == nil {
		patch.Description = new(string)
	}
	if patch.Properties, err = replacing(patch.Properties,
		policyFormProperties(c.config.Forms).Names()); err != nil {
		return err
	}
	if _, err := c.editPolicy(patch); err != nil {
		return err
	}
	return c.req.ReplyNoContent()
}

func (c *call) editPolicy(patch catalog.Patch) (*catalog.Payload, error) {
	p, err := policies.findToChange(c, patch)
	if err != nil {
		return nil, err
	}
	p, err = c.config.Catalog.Update(c.req.Context(), p.ID, patch, c.samePayload)
	return p, policyFault(err)
}

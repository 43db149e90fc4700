package graph

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// policyWritable is what a body may have of a policy.
var policyWritable = []string{"name", "description", "platforms", "technologies", "templateReference", tagProperty, "settings"}

const policyType = graphNamespace + catalog.SettingsCatalogPolicy

// defaultTechnologies is how Apple devices are managed.
const defaultTechnologies = "mdm,appleRemoteManagement"

// readPolicy reads what a body sets of a policy.
func (c *call) readPolicy() (patch catalog.Patch, body *object, err error) {
	if body, err = c.body(); err != nil {
		return patch, nil, err
	}
	odataType, err := body.odataType()
	if err != nil {
		return patch, nil, err
	}
	if odataType != "" && odataType != policyType {
		return patch, nil, badRequest("@odata.type", "Property '@odata.type' can only be '#%s'.", policyType)
	}
	if err := body.only(append(slices.Clone(policyWritable), expandAssignments)...); err != nil {
		return patch, nil, err
	}
	if list, ok := body.values[expandAssignments].([]any); body.values[expandAssignments] != nil && (!ok || len(list) > 0) {
		return patch, nil, badRequest(expandAssignments, "Property 'assignments' is not set here. Send it to …/assign.")
	}
	if err := checkTemplate(body); err != nil {
		return patch, nil, err
	}
	properties := fields{}
	for _, name := range body.names {
		switch name {
		case "name":
			patch.DisplayName, err = body.edited(name)
		case "description":
			patch.Description, err = body.edited(name)
		case tagProperty:
			patch.Tags, err = body.requiredTexts(name)
		case "platforms", "technologies", "settings":
			if name != "technologies" || body.values[name] != nil {
				properties = append(properties, field{name, body.values[name]})
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
func checkTemplate(body *object) error {
	const name = "templateReference"
	if body.values[name] == nil {
		return nil
	}
	template, err := body.requiredObject(name)
	if err != nil {
		return err
	}
	if id, _, err := template.text("templateId"); err != nil || id != "" {
		return badRequest(name+".templateId", "Property 'templateReference.templateId' is not supported: there are no templates here. "+
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
	in := catalog.Input{ODataType: catalog.SettingsCatalogPolicy, Tags: patch.Tags}
	if patch.DisplayName != nil {
		in.DisplayName = *patch.DisplayName
	}
	if patch.Description != nil {
		in.Description = *patch.Description
	}
	if in.Properties, err = withTechnologies(patch.Properties); err != nil {
		return err
	}
	p, err := c.Catalog.Create(c.r.Context(), in)
	if err != nil {
		return policyFault(err)
	}
	c.w.Header().Set("Location", c.base()+versionPath+policies.path()+"/"+string(p.ID))
	return c.replyPolicy(http.StatusCreated, p, policyView{selected: policyProperties.names(), expanded: []string{expandSettings}})
}

// withTechnologies fills in the technologies if they are not given.
func withTechnologies(properties json.RawMessage) (json.RawMessage, error) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(properties, &given); err != nil {
		return nil, err
	}
	if given["technologies"] == nil {
		given["technologies"] = json.RawMessage(`"` + defaultTechnologies + `"`)
	}
	return json.Marshal(given)
}

// updatePolicy is PATCH, which in Graph changes everything but the settings.
func (c *call) updatePolicy() error {
	patch, body, err := c.readPolicy()
	if err != nil {
		return err
	}
	if _, ok := body.values["settings"]; ok {
		return badRequest("settings", "Property 'settings' cannot be changed with PATCH. Send the whole policy with PUT.")
	}
	p, err := c.editPolicy(patch)
	if err != nil {
		return err
	}
	return c.replyPolicy(http.StatusOK, p, policyView{selected: policyProperties.names()})
}

// replacePolicy is PUT: the body is the whole policy, with its settings. Its scope tags stay if it names none.
func (c *call) replacePolicy() error {
	patch, body, err := c.readPolicy()
	if err != nil {
		return err
	}
	for _, name := range []string{"name", "platforms", "settings"} {
		if body.values[name] == nil {
			return badRequest(name, "Property '%s' is required.", name)
		}
	}
	if patch.Description == nil {
		patch.Description = new(string)
	}
	if patch.Properties, err = withTechnologies(patch.Properties); err != nil {
		return err
	}
	if _, err := c.editPolicy(patch); err != nil {
		return err
	}
	return c.noContent()
}

func (c *call) editPolicy(patch catalog.Patch) (*catalog.Payload, error) {
	p, err := policies.findToChange(c, patch)
	if err != nil {
		return nil, err
	}
	p, err = c.Catalog.Update(c.r.Context(), p.ID, patch, c.samePayload)
	return p, policyFault(err)
}

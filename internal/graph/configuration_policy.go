package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// policies is the collection of settings catalog policies. What is assigned is as in other
// collections; the rest differs, because in Graph a policy is no deviceConfiguration: it has a
// name, and settings in place of a file.
var policies = &payloadKind{
	of: catalog.SettingPolicies, rights: configurationRights, object: "configurationPolicy",
	category: categoryConfiguration,
	setByServer: []string{"id", "createdDateTime", "lastModifiedDateTime", "settingCount",
		"isAssigned", "creationSource", "priorityMetaData"},
	largestBody: documentBody,
}

// What $expand may name of a policy.
const (
	expandSettings    = "settings"
	expandAssignments = "assignments"
	expandDefinitions = "settingDefinitions" // of a setting

	expandSettingDefinitions = expandSettings + "/" + expandDefinitions
)

var configurationSettings = &resource{name: "configurationSettings",
	path:      odata.BetaPath + settingSet,
	odataType: "deviceManagementConfigurationSettingDefinition", object: "configurationSetting",
	noun: "setting", category: categoryOther}

var toListSettings = &verb{name: "listSettings", method: "GET", suffix: "/{id}/settings",
	part: "settings", many: true}

func configurationPolicyRoutes() []route {
	k, r := policies, policies.resource()
	read, update := may(k.rights.read), may(k.rights.update)
	return append(k.assignmentRoutes(), []route{
		r.route(toList, read, odata.ExpandOptions, (*call).listPolicies),
		r.route(toCount, read, odata.CountOptions, (*call).listPolicies),
		r.route(toCreate, may(k.rights.create), nil, (*call).createPolicy),
		r.route(toGet, read, []string{odata.OptionSelect, odata.OptionExpand}, (*call).getPolicy),
		r.route(toUpdate, update, nil, (*call).updatePolicy),
		r.route(toReplace, update, nil, (*call).replacePolicy),
		r.route(toDelete, may(k.rights.delete), nil, k.delete),
		r.route(toCopyPolicy, []access.Right{k.rights.read, k.rights.create}, nil,
			(*call).copyPolicy),
		r.route(toListSettings, read, append(slices.Clone(odata.ListOptions), odata.OptionExpand),
			(*call).listPolicySettings).
			answering("deviceManagementConfigurationSetting"),
		r.route(toCountSettings, read, nil, (*call).countPolicySettings).
			answering("deviceManagementConfigurationSetting"),
		r.route(toGetSetting, read, []string{odata.OptionSelect, odata.OptionExpand},
			(*call).getPolicySetting).
			answering("deviceManagementConfigurationSetting"),
		r.route(toAssign, may(k.rights.assign), nil, k.assign).answering(k.assignment()),
		r.route(toAssignQualified, may(k.rights.assign), nil, k.assign).answering(k.assignment()),
		r.route(toListAssignments, read, []string{odata.OptionSelect}, k.listAssignments).
			answering(k.assignment()),
		configurationSettings.route(toList, read, odata.QueryOptions,
			(*call).listConfigurationSettings),
		configurationSettings.route(toCount, read, odata.CountOptions,
			(*call).listConfigurationSettings),
		configurationSettings.route(toGet, read, []string{odata.OptionSelect},
			(*call).getConfigurationSetting),
	}...)
}

// policyProperties are those that $select may name: what every policy has, and the properties of
// the forms, but for the settings, which $expand shows.
func policyProperties(forms *catalog.Forms) odata.Properties {
	all := odata.Properties{{"id", odata.String}, {"name", odata.String},
		{"description", odata.String}}
	all = append(all, policyFormProperties(forms).Without(catalog.SettingsProperty)...)
	return append(all, odata.Properties{
		{"templateReference", "deviceManagementConfigurationPolicyTemplateReference"},
		{"settingCount", odata.Int32},
		{"isAssigned", odata.Boolean}, {"creationSource", odata.String},
		{"priorityMetaData", "deviceManagementPriorityMetaData"},
		{"createdDateTime", odata.DateTime}, {"lastModifiedDateTime", odata.DateTime},
		{tagProperty, odata.CollectionOf(odata.String)},
	}...)
}

// policyFormProperties are the properties of all forms of policies, each once.
func policyFormProperties(forms *catalog.Forms) odata.Properties {
	var all odata.Properties
	for _, form := range forms.In(policies.of) {
		for _, p := range ownProperties(form) {
			if !slices.Contains(all.Names(), p.Name) {
				all = append(all, p)
			}
		}
	}
	return all
}

func newPolicyShape(forms *catalog.Forms) *shape {
	return newShape(policies.of.Base, policyProperties(forms))
}

// policyView is what a call wants to see of a policy.
type policyView struct{ selected, expanded []string }

func (c *call) policyView(expandable ...string) (v policyView, err error) {
	if v.selected, err = c.selected(c.server.policyShape); err != nil {
		return v, err
	}
	v.expanded, err = c.req.Expansions(append(expandable, expandSettings, expandAssignments)...)
	return v, err
}

func (c *call) listPolicies() error {
	view, err := c.policyView(expandSettingDefinitions)
	if err != nil {
		return err
	}
	return odata.ServeList(c.req, policies.path(), c.server.listings[policies],
		policies.ofKind(c), view.source(c.config.Catalog.List),
		func(p *catalog.Payload) (odata.Fields, error) {
			shown, err := c.policyFields(p, view)
			return odata.Tagged(payloadTag(p), shown), err
		})
}

// definitionSize is about how many bytes the definitions of a setting have.
const definitionSize = 2 << 10

// source reads pages of policies, as many as fit with the settings that are wanted of them.
func (v policyView) source(read odata.Source[*catalog.Payload]) odata.Source[*catalog.Payload] {
	if !slices.Contains(v.expanded, expandSettings) {
		return read
	}
	return fitting(read, func(list []*catalog.Payload) (int, error) {
		size := 0
		for i, p := range list {
			size += len(p.Properties)
			if slices.Contains(v.expanded, expandSettingDefinitions) {
				size += p.SettingCount() * definitionSize
			}
			if size > filesAtOnce && i > 0 {
				return i, nil
			}
		}
		return len(list), nil
	})
}

// getPolicy shows one policy.
func (c *call) getPolicy() error {
	view, err := c.policyView(expandSettingDefinitions)
	if err != nil {
		return err
	}
	p, err := policies.find(c)
	if err != nil {
		return err
	}
	return c.replyPolicy(http.StatusOK, p, view)
}

func (c *call) replyPolicy(status int, p *catalog.Payload, view policyView) error {
	body, err := c.policyFields(p, view)
	if err != nil {
		return err
	}
	c.req.SetTag(payloadTag(p))
	return c.req.Reply(status, append(odata.Fields{{"@odata.context",
		c.req.ContextURL(policies.path()) + "/$entity"}}, odata.Tagged(payloadTag(p), body)...))
}

// noTemplate is the templateReference of a policy that was not made from one.
var noTemplate = odata.Fields{{"templateId", ""}, {"templateFamily", "none"},
	{"templateDisplayName", nil}, {"templateDisplayVersion", nil}}

func (c *call) policyFields(p *catalog.Payload, view policyView) (odata.Fields, error) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(p.Properties, &given); err != nil {
		return nil, fmt.Errorf("properties of policy %s: %w", p.ID, err)
	}
	settings, err := p.PolicySettings()
	if err != nil {
		return nil, err
	}
	var assigned []catalog.Assignment
	if slices.Contains(view.selected, "isAssigned") ||
		slices.Contains(view.expanded, expandAssignments) {
		if assigned, err = c.config.Catalog.Assignments(c.req.Context(), p.ID); err != nil {
			return nil, err
		}
	}
	all := odata.Fields{
		{"id", p.ID},
		{"name", p.DisplayName},
		{"description", odata.TextOrNull(p.Description)},
	}
	form := c.config.Forms.OfPayload(p)
	for _, own := range policyFormProperties(c.config.Forms).Without(catalog.SettingsProperty) {
		if form == nil || form.Property(own.Name) != nil {
			all = append(all, odata.Field{own.Name, given[own.Name]})
		}
	}
	all = append(all, odata.Fields{
		{"templateReference", noTemplate},
		{"settingCount", len(settings)},
		{"isAssigned", len(assigned) > 0},
		{"creationSource", nil},
		{"priorityMetaData", nil},
		{"createdDateTime", odata.Timestamp(p.Created)},
		{"lastModifiedDateTime", odata.Timestamp(p.LastModified)},
		{tagProperty, p.Tags},
	}...)
	shown := append(mirroredMark(p), c.shown(c.server.policyShape, all, view.selected)...)
	if slices.Contains(view.expanded, expandSettings) {
		list := make([]odata.Fields, len(settings))
		for i := range settings {
			list[i], err = c.settingFields(i, &settings[i], policySettingProperties,
				slices.Contains(view.expanded, expandSettingDefinitions))
			if err != nil {
				return nil, err
			}
		}
		shown = append(shown, odata.Field{expandSettings, list})
	}
	if slices.Contains(view.expanded, expandAssignments) {
		seen, err := c.newSight().assignments(c.req.Context(), assigned)
		if err != nil {
			return nil, err
		}
		shown = append(shown, policies.assigned(c, p, seen))
	}
	return shown, nil
}

// settingFields shows the setting at a place of a policy, with its definitions if they are wanted.
func (c *call) settingFields(i int, s *catalog.PolicySetting, selected []string,
	defined bool) (odata.Fields, error) {
	f := odata.Fields{{"id", strconv.Itoa(i)}, {"settingInstance", s.Instance}}.Pick(selected)
	if !defined {
		return f, nil
	}
	definitions, err := s.Definitions(c.config.Forms.FindSetting)
	return append(f, odata.Field{expandDefinitions, settingDefinitions(definitions)}), err
}

// listPolicySettings is GET …/{id}/settings. The id of a setting is its place.
func (c *call) listPolicySettings() error {
	selected, err := c.req.Selected(policySettingProperties)
	if err != nil {
		return err
	}
	expanded, err := c.req.Expansions(expandDefinitions)
	if err != nil {
		return err
	}
	after, size, err := c.req.PageByID()
	if err != nil {
		return err
	}
	from := 0
	if after != "" {
		last, err := strconv.ParseUint(after, 10, 31)
		if err != nil {
			return odata.BadSkipToken()
		}
		from = int(last) + 1
	}
	p, err := policies.find(c)
	if err != nil {
		return err
	}
	settings, err := p.PolicySettings()
	if err != nil {
		return err
	}
	var places []int
	for i := from; i < len(settings) && len(places) <= size; i++ {
		places = append(places, i)
	}
	places, next := odata.SplitPage(places, size, strconv.Itoa)
	list := make([]odata.Fields, len(places))
	for at, i := range places {
		list[at], err = c.settingFields(i, &settings[i], selected, len(expanded) > 0)
		if err != nil {
			return err
		}
	}
	return c.req.ReplyPage(odata.Page{Collection: policies.path() + "/" + string(p.ID) +
		"/settings", Next: next, Value: list})
}

package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// policies is the collection of settings catalog policies. What is assigned is as in other collections; the rest differs,
// because in Graph a policy is no deviceConfiguration: it has a name, and settings in place of a file.
var policies = &payloadKind{
	service: "deviceManagement", set: "configurationPolicies", kind: action.ConfigurationPolicy, rights: configurationRights,
	assignments: "assignments", assignmentType: "#microsoft.graph.deviceManagementConfigurationPolicyAssignment", echo: true,
	odataType: "deviceManagementConfigurationPolicy", object: "configurationPolicy", category: categoryConfiguration,
	noun:        "settings catalog policy",
	setByServer: []string{"id", "createdDateTime", "lastModifiedDateTime", "settingCount", "isAssigned", "creationSource", "priorityMetaData"},
	largestBody: documentBody,
}

// What $expand may name of a policy.
const (
	expandSettings    = "settings"
	expandAssignments = "assignments"
	expandDefinitions = "settingDefinitions" // of a setting
)

var configurationSettings = &resource{name: "configurationSettings", path: versionPath + settingSet,
	odataType: "deviceManagementConfigurationSettingDefinition", object: "configurationSetting", noun: "setting", category: categoryOther}

var toListSettings = &verb{name: "listSettings", method: "GET", suffix: "/{id}/settings", part: "settings", many: true}

func configurationPolicyRoutes() []route {
	k, r := policies, policies.resource()
	read, update := may(k.rights.read), may(k.rights.update)
	return []route{
		r.route(toList, read, expandOptions, (*call).listPolicies),
		r.route(toCount, read, countOptions, (*call).listPolicies),
		r.route(toCreate, may(k.rights.create), nil, (*call).createPolicy),
		r.route(toGet, read, []string{optionSelect, optionExpand}, (*call).getPolicy),
		r.route(toUpdate, update, nil, (*call).updatePolicy),
		r.route(toReplace, update, nil, (*call).replacePolicy),
		r.route(toDelete, may(k.rights.delete), nil, k.delete),
		r.route(toListSettings, read, []string{optionTop, optionSkipToken, optionExpand}, (*call).listPolicySettings).
			answering("deviceManagementConfigurationSetting"),
		r.route(toAssign, may(k.rights.assign), nil, k.assign).answering(k.assignment()),
		r.route(toAssignQualified, may(k.rights.assign), nil, k.assign).answering(k.assignment()),
		r.route(toListAssignments, read, nil, k.listAssignments).answering(k.assignment()),
		configurationSettings.route(toList, read, listOptions, (*call).listConfigurationSettings),
		configurationSettings.route(toGet, read, []string{optionSelect}, (*call).getConfigurationSetting),
	}
}

// policyProperties are those that $select may name.
var policyProperties = properties{
	{"id", edmString}, {"name", edmString}, {"description", edmString},
	{"platforms", "deviceManagementConfigurationPlatforms"},
	{"technologies", "deviceManagementConfigurationTechnologies"},
	{"templateReference", "deviceManagementConfigurationPolicyTemplateReference"}, {"settingCount", edmInt32},
	{"isAssigned", edmBoolean}, {"creationSource", edmString},
	{"priorityMetaData", "deviceManagementPriorityMetaData"}, {"createdDateTime", edmDateTime},
	{"lastModifiedDateTime", edmDateTime}, {tagProperty, collectionOf(edmString)},
}

// expansions reads $expand: which of the relationships are wanted.
func (c *call) expansions(known ...string) (wanted []string, err error) {
	if !c.options.Has(optionExpand) {
		return nil, nil
	}
	for name := range strings.SplitSeq(c.options.Get(optionExpand), ",") {
		if strings.TrimSpace(name) == "*" {
			return known, nil
		}
		if name = strings.TrimSpace(name); !slices.Contains(known, name) {
			return nil, badRequest(optionExpand, "Query option '$expand' is not valid: it can be %s, and not '%s'.", strings.Join(known, ", "),
				clip(name))
		}
		wanted = append(wanted, name)
	}
	return wanted, nil
}

// policyView is what a call wants to see of a policy.
type policyView struct{ selected, expanded []string }

func (c *call) policyView() (v policyView, err error) {
	if v.selected, err = c.selected(policyProperties.names()); err != nil {
		return v, err
	}
	v.expanded, err = c.expansions(expandSettings, expandAssignments)
	return v, err
}

func (c *call) listPolicies() error {
	view, err := c.policyView()
	if err != nil {
		return err
	}
	return serveList(c, policies.path(), policies.listing(), policies.ofKind(c), c.Catalog.List,
		func(p *catalog.Payload) (fields, error) {
			shown, err := c.policyFields(p, view)
			return tagged(payloadTag(p), shown), err
		})
}

func (c *call) getPolicy() error {
	view, err := c.policyView()
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
	c.tag(payloadTag(p))
	return c.reply(status, append(fields{{"@odata.context", c.contextURL(policies.path()) + "/$entity"}}, tagged(payloadTag(p), body)...))
}

// noTemplate is the templateReference of a policy that was not made from one.
var noTemplate = fields{{"templateId", ""}, {"templateFamily", "none"}, {"templateDisplayName", nil}, {"templateDisplayVersion", nil}}

func (c *call) policyFields(p *catalog.Payload, view policyView) (fields, error) {
	var given struct{ Platforms, Technologies string }
	if err := json.Unmarshal(p.Properties, &given); err != nil {
		return nil, fmt.Errorf("properties of policy %s: %w", p.ID, err)
	}
	settings, err := p.PolicySettings()
	if err != nil {
		return nil, err
	}
	var assigned []catalog.Assignment
	if slices.Contains(view.selected, "isAssigned") || slices.Contains(view.expanded, expandAssignments) {
		if assigned, err = c.Catalog.Assignments(c.r.Context(), p.ID); err != nil {
			return nil, err
		}
	}
	all := fields{
		{"id", p.ID},
		{"name", p.DisplayName},
		{"description", textOrNull(p.Description)},
		{"platforms", given.Platforms},
		{"technologies", given.Technologies},
		{"templateReference", noTemplate},
		{"settingCount", len(settings)},
		{"isAssigned", len(assigned) > 0},
		{"creationSource", nil},
		{"priorityMetaData", nil},
		{"createdDateTime", timestamp(p.Created)},
		{"lastModifiedDateTime", timestamp(p.LastModified)},
		{tagProperty, p.Tags},
	}
	shown := all.pick(view.selected)
	if slices.Contains(view.expanded, expandSettings) {
		list := make([]fields, len(settings))
		for i := range settings {
			list[i] = policySettingFields(i, &settings[i])
		}
		shown = append(shown, field{expandSettings, list})
	}
	if slices.Contains(view.expanded, expandAssignments) {
		seen, err := c.newSight().assignments(c.r.Context(), assigned)
		if err != nil {
			return nil, err
		}
		shown = append(shown, policies.assigned(seen))
	}
	return shown, nil
}

func policySettingFields(i int, s *catalog.PolicySetting) fields {
	return fields{{"id", strconv.Itoa(i)}, {"settingInstance", s.Instance}}
}

// listPolicySettings is GET …/{id}/settings. The id of a setting is its place.
func (c *call) listPolicySettings() error {
	expanded, err := c.expansions(expandDefinitions)
	if err != nil {
		return err
	}
	after, size, err := c.plainPage()
	if err != nil {
		return err
	}
	from := 0
	if after != "" {
		last, err := strconv.ParseUint(after, 10, 31)
		if err != nil {
			return badSkipToken()
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
	var list []fields
	for i := from; i < len(settings) && len(list) <= size; i++ {
		f := policySettingFields(i, &settings[i])
		if len(expanded) > 0 {
			definitions, err := settings[i].Definitions()
			if err != nil {
				return err
			}
			f = append(f, field{expandDefinitions, settingDefinitions(definitions)})
		}
		list = append(list, f)
	}
	list, next := cut(list, size, func(f fields) string { return f[0].value.(string) })
	if list == nil {
		list = []fields{}
	}
	return c.list(page{collection: policies.path() + "/" + string(p.ID) + "/settings", next: next, value: list})
}

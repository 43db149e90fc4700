package graph

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

const settingSet = "deviceManagement/configurationSettings"

const configurationType = "#microsoft.graph.deviceManagementConfiguration"

// settingProperties are those that $select may name, over all types of definitions.
var settingProperties = []string{"id", "name", "displayName", "description", "rootDefinitionId", "applicability", "options", "defaultOptionId",
	"valueDefinition", "childIds"}

// listConfigurationSettings is GET …/configurationSettings: what a policy may have.
func (c *call) listConfigurationSettings() error {
	selected, err := c.selected(settingProperties)
	if err != nil {
		return err
	}
	after, size, err := c.plainPage()
	if err != nil {
		return err
	}
	list, next := cut(c.Forms.SettingsAfter(after, size+1), size, func(s *catalog.Setting) string { return s.ID })
	page := page{collection: settingSet, next: next, value: make([]fields, len(list))}
	for i, s := range list {
		page.value[i] = selectedDefinition(s, selected)
	}
	return c.list(page)
}

func (c *call) getConfigurationSetting() error {
	selected, err := c.selected(settingProperties)
	if err != nil {
		return err
	}
	s := c.Forms.FindSetting(c.r.PathValue("id"))
	if s == nil {
		return catalog.ErrNotFound
	}
	return c.reply(http.StatusOK, append(fields{{"@odata.context", c.contextURL(settingSet) + "/$entity"}}, selectedDefinition(s, selected)...))
}

func settingDefinitions(list []*catalog.Setting) []fields {
	all := make([]fields, len(list))
	for i, s := range list {
		all[i] = selectedDefinition(s, settingProperties)
	}
	return all
}

func selectedDefinition(s *catalog.Setting, selected []string) fields {
	f := settingDefinition(s)
	return append(f[:1:1], f[1:].pick(selected)...)
}

// settingDefinition is a deviceManagementConfigurationSettingDefinition, of the type that the setting's form has.
func settingDefinition(s *catalog.Setting) fields {
	platforms := make([]string, len(s.Platforms)) // Graph has the same names
	for i, name := range s.Platforms {
		platforms[i] = string(name)
	}
	slices.Sort(platforms)
	f := fields{
		{"@odata.type", ""},
		{"id", s.ID},
		{"name", s.Key},
		{"displayName", s.Title},
		{"description", nil},
		{"rootDefinitionId", s.RootID},
		{"applicability", fields{{"platform", strings.Join(platforms, ",")}, {"deviceMode", "none"}, {"technologies", s.Technologies}}},
	}
	kind := ""
	switch s.Form {
	case catalog.ChoiceSetting:
		kind = "ChoiceSettingDefinition"
		f = append(f, field{"options", settingOptions(s)}, field{"defaultOptionId", nil})
	case catalog.SimpleSetting:
		kind = "SimpleSettingDefinition"
		f = append(f, field{"valueDefinition", valueDefinition(s)})
	case catalog.SimpleSettingCollection:
		kind = "SimpleSettingCollectionDefinition"
		f = append(f, field{"valueDefinition", valueDefinition(s)})
	case catalog.SettingGroupCollection:
		kind = "SettingGroupCollectionDefinition"
		f = append(f, field{"childIds", s.ChildIDs})
	}
	f[0].value = configurationType + kind
	return f
}

func settingOptions(s *catalog.Setting) []fields {
	options := make([]fields, len(s.Options))
	for i, o := range s.Options {
		kind, value := "StringSettingValue", any(fmt.Sprint(o.Value))
		if n, ok := o.Value.(int64); ok {
			kind, value = "IntegerSettingValue", n
		}
		options[i] = fields{{"itemId", o.ID}, {"name", fmt.Sprint(o.Value)}, {"displayName", fmt.Sprint(o.Value)},
			{"optionValue", fields{{"@odata.type", configurationType + kind}, {"value", value}}}}
	}
	return options
}

// valueFormats are the members of deviceManagementConfigurationStringFormat that the values have; the others have none.
var valueFormats = map[catalog.SettingValue]string{catalog.DataValue: "base64", catalog.SecretDataValue: "base64", catalog.DateValue: "date",
	catalog.UUIDValue: "guid", catalog.PayloadReference: "guid"}

func valueDefinition(s *catalog.Setting) fields {
	if s.Value == catalog.IntegerValue {
		return fields{{"@odata.type", configurationType + "IntegerSettingValueDefinition"}, {"minimumValue", s.Least}, {"maximumValue", s.Greatest}}
	}
	format, ok := valueFormats[s.Value]
	if !ok {
		format = "none"
	}
	return fields{{"@odata.type", configurationType + "StringSettingValueDefinition"}, {"format", format}, {"isSecret", s.IsSecret()}}
}

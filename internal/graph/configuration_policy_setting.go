package graph

import (
	"fmt"
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

const settingSet = "deviceManagement/configurationSettings"

const configurationType = "#microsoft.graph.deviceManagementConfiguration"

func (c *call) getConfigurationSetting() error {
	selected, err := c.req.Selected(settingProperties)
	if err != nil {
		return err
	}
	s := c.config.Forms.FindSetting(c.req.PathValue("id"))
	if s == nil {
		return catalog.ErrNotFound
	}
	return c.req.Reply(http.StatusOK, append(odata.Fields{{"@odata.context",
		c.req.ContextURL(settingSet) + "/$entity"}}, selectedDefinition(s, selected)...))
}

func settingDefinitions(list []*catalog.Setting) []odata.Fields {
	all := make([]odata.Fields, len(list))
	for i, s := range list {
		all[i] = selectedDefinition(s, settingProperties)
	}
	return all
}

func selectedDefinition(s *catalog.Setting, selected []string) odata.Fields {
	f := settingDefinition(s)
	return append(f[:1:1], f[1:].Pick(selected)...)
}

// settingDefinition is a deviceManagementConfigurationSettingDefinition, of the type that the
// setting's form has.
func settingDefinition(s *catalog.Setting) odata.Fields {
	f := odata.Fields{
		{"@odata.type", ""},
		{"id", s.ID},
		{"name", s.Key},
		{"displayName", s.Title},
		{"description", nil},
		{"rootDefinitionId", s.RootID},
		{"categoryId", s.CategoryID},
		{"helpText", odata.TextOrNull(s.HelpText)},
		{"keywords", s.Keywords},
		{"settingUsage", settingUsage},
		{"visibility", settingVisibility},
		{"applicability", odata.Fields{{"platform", platformsOf(s)},
			{"deviceMode", "none"}, {"technologies", s.Technologies}}},
	}
	kind := ""
	switch s.Form {
	case catalog.ChoiceSetting:
		kind = "ChoiceSettingDefinition"
		f = append(f, odata.Field{"options", settingOptions(s)},
			odata.Field{"defaultOptionId", nil})
	case catalog.SimpleSetting:
		kind = "SimpleSettingDefinition"
		f = append(f, odata.Field{"valueDefinition", valueDefinition(s)})
	case catalog.SimpleSettingCollection:
		kind = "SimpleSettingCollectionDefinition"
		f = append(f, odata.Field{"valueDefinition", valueDefinition(s)})
	case catalog.SettingGroupCollection:
		kind = "SettingGroupCollectionDefinition"
		f = append(f, odata.Field{"childIds", s.ChildIDs})
	}
	f[0].Value = configurationType + kind
	return f
}

func settingOptions(s *catalog.Setting) []odata.Fields {
	options := make([]odata.Fields, len(s.Options))
	for i, o := range s.Options {
		kind, value := "StringSettingValue", any(fmt.Sprint(o.Value))
		if n, ok := o.Value.(int64); ok {
			kind, value = "IntegerSettingValue", n
		}
		options[i] = odata.Fields{{"itemId", o.ID}, {"name", fmt.Sprint(o.Value)},
			{"displayName", fmt.Sprint(o.Value)},
			{"optionValue", odata.Fields{{"@odata.type", configurationType + kind},
				{"value", value}}}}
	}
	return options
}

// valueFormats are the members of deviceManagementConfigurationStringFormat that the values have;
// the others have none.
var valueFormats = map[catalog.SettingValue]string{catalog.DataValue: "base64",
	catalog.SecretDataValue: "base64", catalog.DateValue: "date",
	catalog.UUIDValue: "guid", catalog.PayloadReference: "guid"}

func valueDefinition(s *catalog.Setting) odata.Fields {
	if s.Value == catalog.IntegerValue {
		return odata.Fields{{"@odata.type", configurationType + "IntegerSettingValueDefinition"},
			{"minimumValue", s.Least}, {"maximumValue", s.Greatest}}
	}
	format, ok := valueFormats[s.Value]
	if !ok {
		format = "none"
	}
	return odata.Fields{{"@odata.type", configurationType + "StringSettingValueDefinition"},
		{"format", format}, {"isSecret", s.IsSecret()}}
}

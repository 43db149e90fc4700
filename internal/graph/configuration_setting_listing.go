package graph

import (
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// settingProperties are those that $select may name, over all types of definitions.
var settingProperties = []string{"id", "name", "displayName", "description", "rootDefinitionId",
	"categoryId", "helpText", "keywords", "settingUsage", "visibility", "applicability", "options",
	"defaultOptionId", "valueDefinition", "childIds"}

// What each definition is for: to be set in a policy of the settings catalog.
const (
	settingUsage      = "configuration"
	settingVisibility = "settingsCatalog"
)

// What the options compare of definitions and categories. The others have the names of properties.
const (
	byKeyword      query.Field = "keywords"
	byKeywordText  query.Field = "keywordText"
	byPlatforms    query.Field = "platforms"
	byTechnologies query.Field = "technologies"
)

// settingListing is what the options take of definitions.
var settingListing = &odata.Listing{
	Filters: map[string]odata.Comparer{
		"id": odata.TextField("id"), "name": odata.TextField("name"),
		"displayName":                odata.TextField("displayName"),
		"description":                odata.FixedField(""),
		"rootDefinitionId":           odata.TextField("rootDefinitionId"),
		"categoryId":                 odata.TextField("categoryId"),
		"helpText":                   odata.TextField("helpText"),
		"keywords":                   odata.ListField(byKeyword),
		"applicability/platform":     platformFlags(),
		"applicability/technologies": technologyFlags(),
		"settingUsage": odata.FlagsField{Field: "settingUsage",
			Members: membersOf("deviceManagementConfigurationSettingUsage")},
		"visibility": odata.FlagsField{Field: "visibility",
			Members: membersOf("deviceManagementConfigurationSettingVisibility")},
	},
	Orders: map[string]query.Field{"id": "id", "name": "name", "displayName": "displayName",
		"rootDefinitionId": "rootDefinitionId", "categoryId": "categoryId"},
	Search: map[string]query.Field{"name": "name", "displayName": "displayName",
		"helpText": "helpText", "keywords": byKeywordText},
}

func platformFlags() odata.Comparer {
	return odata.FlagsField{Field: byPlatforms,
		Members: membersOf("deviceManagementConfigurationPlatforms")}
}

func technologyFlags() odata.Comparer {
	return odata.FlagsField{Field: byTechnologies,
		Members: membersOf("deviceManagementConfigurationTechnologies")}
}

// settingValue is the value by which the options know a definition.
func settingValue(s *catalog.Setting, field query.Field) any {
	switch field {
	case "name":
		return s.Key
	case "displayName":
		return s.Title
	case "rootDefinitionId":
		return s.RootID
	case "categoryId":
		return s.CategoryID
	case "helpText":
		return s.HelpText
	case "settingUsage":
		return settingUsage
	case "visibility":
		return settingVisibility
	case byKeyword:
		return s.Keywords
	case byKeywordText:
		return strings.Join(s.Keywords, " ")
	case byPlatforms:
		return platformsOf(s)
	case byTechnologies:
		return s.Technologies
	default:
		return s.ID
	}
}

// platformsOf are the platforms of a setting, as members of Graph's enumeration, which has the same
// names.
func platformsOf(s *catalog.Setting) string {
	platforms := make([]string, len(s.Platforms))
	for i, name := range s.Platforms {
		platforms[i] = string(name)
	}
	slices.Sort(platforms)
	return strings.Join(platforms, ",")
}

// listConfigurationSettings is GET …/configurationSettings: what a policy may have.
func (c *call) listConfigurationSettings() error {
	selected, err := c.req.Selected(settingProperties)
	if err != nil {
		return err
	}
	return odata.ServeList(c.req, settingSet, settingListing, nil,
		odata.Computed(c.config.Forms.Settings(), settingValue),
		func(s *catalog.Setting) (odata.Fields, error) {
			return selectedDefinition(s, selected), nil
		})
}

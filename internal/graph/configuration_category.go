package graph

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

const (
	categorySet  = "deviceManagement/configurationCategories"
	categoryType = "deviceManagementConfigurationCategory"
)

var configurationCategories = &resource{name: "configurationCategories",
	path: odata.BetaPath + categorySet, odataType: categoryType, object: "configurationCategory",
	noun: "category of settings", category: categoryOther}

func configurationCategoryRoutes() []route {
	read := may(policies.rights.read)
	return []route{
		configurationCategories.route(toList, read, odata.QueryOptions,
			(*call).listConfigurationCategories),
		configurationCategories.route(toCount, read, odata.CountOptions,
			(*call).listConfigurationCategories),
		configurationCategories.route(toGet, read, []string{odata.OptionSelect},
			(*call).getConfigurationCategory),
	}
}

// settingCategory is what settings are grouped by: each outermost setting is one.
type settingCategory struct {
	id, name                string
	platforms, technologies string // of any of its settings, as Graph combines members
}

// settingCategories are those of all settings, by their ids.
func (c *call) settingCategories() []*settingCategory {
	var all []*settingCategory
	known := make(map[string]*settingCategory)
	for _, s := range c.config.Forms.Settings() {
		of := known[s.CategoryID]
		if of == nil {
			of = &settingCategory{id: s.CategoryID, name: s.Category}
			known[of.id], all = of, append(all, of)
		}
		of.platforms = combined(platformsEnum, of.platforms, platformsOf(s))
		of.technologies = combined(technologiesEnum, of.technologies, s.Technologies)
	}
	slices.SortFunc(all,
		func(a, b *settingCategory) int { return strings.Compare(a.id, b.id) })
	return all
}

// The enumerations of which a category has several members.
const (
	platformsEnum    = "deviceManagementConfigurationPlatforms"
	technologiesEnum = "deviceManagementConfigurationTechnologies"
)

// combined are the members of two combinations of an enumeration, in the order of their numbers, as
// clients write them that read them into a number first.
func combined(enum, a, b string) string {
	var members []string
	given := strings.Split(a+","+b, ",")
	for _, member := range membersOf(enum) {
		if slices.Contains(given, member) {
			members = append(members, member)
		}
	}
	return strings.Join(members, ",")
}

var categoryProperties = odata.Properties{
	{"id", odata.String}, {"name", odata.String}, {"displayName", odata.String},
	{"platforms", platformsEnum}, {"technologies", technologiesEnum},
	{"settingUsage", "deviceManagementConfigurationSettingUsage"},
	{"parentCategoryId", odata.String}, {"rootCategoryId", odata.String},
	{"childCategoryIds", odata.CollectionOf(odata.String)},
}

var categoryShape = newShape(categoryType, categoryProperties)

// noCategory is the parent of a category that is in no other.
var noCategory = uuid.Nil.String()

func categoryFields(of *settingCategory) odata.Fields {
	return odata.Fields{
		{"id", of.id},
		{"name", of.name},
		{"displayName", of.name},
		{"platforms", of.platforms},
		{"technologies", of.technologies},
		{"settingUsage", settingUsage},
		{"parentCategoryId", noCategory},
		{"rootCategoryId", of.id},
		{"childCategoryIds", []string{}},
	}
}

// categoryListing is what the options take of categories.
var categoryListing = categoryShape.complete(&odata.Listing{
	Filters: map[string]odata.Comparer{
		"id": odata.TextField("id"), "name": odata.TextField("name"),
		"displayName": odata.TextField("name"), "rootCategoryId": odata.TextField("id"),
		"parentCategoryId": odata.FixedField(noCategory), "childCategoryIds": odata.EmptyField{},
		"platforms": platformFlags(), "technologies": technologyFlags(),
	},
	Orders: map[string]query.Field{"id": "id", "name": "name", "displayName": "name"},
	Search: map[string]query.Field{"name": "name", "displayName": "name"},
})

func categoryValue(of *settingCategory, field query.Field) any {
	switch field {
	case "name":
		return of.name
	case byPlatforms:
		return of.platforms
	case byTechnologies:
		return of.technologies
	default:
		return of.id
	}
}

func (c *call) listConfigurationCategories() error {
	selected, err := c.selected(categoryShape)
	if err != nil {
		return err
	}
	return odata.ServeList(c.req, categorySet, categoryListing, nil,
		odata.Computed(c.settingCategories(), categoryValue),
		func(of *settingCategory) (odata.Fields, error) {
			return c.shown(categoryShape, categoryFields(of), selected), nil
		})
}

func (c *call) getConfigurationCategory() error {
	selected, err := c.selected(categoryShape)
	if err != nil {
		return err
	}
	all := c.settingCategories()
	i := slices.IndexFunc(all, func(of *settingCategory) bool {
		return of.id == lower(c.req.PathValue("id"))
	})
	if i < 0 {
		return catalog.ErrNotFound
	}
	return c.req.ReplyObject(http.StatusOK, categorySet,
		c.shown(categoryShape, categoryFields(all[i]), selected))
}

package console

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// collection is one of the API's collections of policies and apps, with its pages.
type collection struct {
	of   *catalog.Collection
	Path string // under /console/catalog/

	read, create, update, remove, assign access.Right
}

var (
	policies = &collection{of: catalog.Configurations, Path: "policies",
		read: access.ReadConfigurations, create: access.CreateConfigurations,
		update: access.UpdateConfigurations,
		remove: access.DeleteConfigurations, assign: access.AssignConfigurations}
	apps = &collection{of: catalog.Apps, Path: "apps",
		read: access.ReadApps, create: access.CreateApps, update: access.UpdateApps,
		remove: access.DeleteApps, assign: access.AssignApps}
	appConfigurations = &collection{of: catalog.AppConfigurations, Path: "app-configurations",
		read: access.ReadApps, create: access.CreateApps, update: access.UpdateApps,
		remove: access.DeleteApps, assign: access.AssignApps}

	// collections are those that have pages.
	collections = []*collection{policies, apps, appConfigurations}
)

// Title is what people call the things of the collection, and One what they call one of them.
func (c *collection) Title() string { return c.of.Title }
func (c *collection) One() string   { return c.of.One }

// Adding is what the page is called on which one is added.
func (c *collection) Adding() string {
	if strings.ContainsRune("aeiou", rune(c.of.One[0])) {
		return "Add an " + c.of.One
	}
	return "Add a " + c.of.One
}

// api is the path of the API's collection.
func (c *collection) api() string { return "/beta/" + c.of.Path }

func (c *collection) Address() string { return "/console/catalog/" + c.Path }

// item is the page of one of the collection.
func (c *collection) item(id string) string { return c.Address() + "/" + url.PathEscape(id) }

// resource is where the API has one of the collection.
func (c *collection) resource(id string) string { return c.api() + "/" + url.PathEscape(id) }

// collection is the one that the request's path names.
func (v *visit) collection() (*collection, error) {
	i := slices.IndexFunc(collections,
		func(c *collection) bool { return c.Path == v.r.PathValue("set") })
	if i < 0 {
		return nil, v.missing()
	}
	return collections[i], nil
}

// formName is what people call a type; the type itself if nobody has named it.
func (c *console) formName(odataType string) string {
	if f := c.formOf(odataType); f != nil {
		return f.Title
	}
	return odataType
}

// catalogItem is a policy, app or app configuration as the API tells it.
type catalogItem struct {
	ODataType   string    `json:"@odata.type"`
	ID          string    `json:"id"`
	Name        string    `json:"displayName"`
	Description string    `json:"description"`
	Created     time.Time `json:"createdDateTime"`
	Modified    time.Time `json:"lastModifiedDateTime"`
	Version     int64     `json:"version"`
	FileName    string    `json:"payloadFileName"`
	File        []byte    `json:"payload"`
	Targets     []string  `json:"targetedMobileApps"`
	Tags        []string  `json:"roleScopeTagIds"`

	properties map[string]json.RawMessage // those that were asked for, by Graph's names
}

// UnmarshalJSON reads an item, and keeps all of its properties.
func (i *catalogItem) UnmarshalJSON(text []byte) error {
	type known catalogItem
	if err := json.Unmarshal(text, (*known)(i)); err != nil {
		return err
	}
	return json.Unmarshal(text, &i.properties)
}

// version is Graph's, or what its form says of it.
func (c *console) version(i *catalogItem) string {
	if i.Version > 0 {
		return strconv.FormatInt(i.Version, 10)
	}
	f := c.formOf(i.ODataType)
	if f == nil || f.Version == "" {
		return ""
	}
	var version string
	_ = json.Unmarshal(i.properties[f.Version], &version) // null is empty
	return version
}

// everything reads a whole list of the API, page by page.
func everything[T any](v *visit, path, properties string) ([]T, error) {
	var all []T
	options := url.Values{"$select": {properties}, "$top": {"1000"}}
	for {
		var page struct {
			Value []T
			Next  string `json:"@odata.nextLink"`
		}
		if err := v.get(path, options, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Value...)
		token := skipToken(page.Next)
		if token == "" {
			return all, nil
		}
		options.Set("$skiptoken", token)
	}
}

// listed are the properties that a list of a collection needs.
func (v *visit) listed(c *collection) string {
	names := []string{"id", "displayName", "lastModifiedDateTime"}
	if c.of.Versioned {
		names = append(names, "version")
	}
	for _, f := range v.config.Forms.In(c.of) {
		if f.Version != "" && !slices.Contains(names, f.Version) {
			names = append(names, f.Version)
		}
	}
	return strings.Join(names, ",")
}

// items reads a collection in the order of names.
func (v *visit) items(c *collection) ([]catalogItem, error) {
	all, err := everything[catalogItem](v, c.api(), v.listed(c))
	slices.SortStableFunc(all,
		func(a, b catalogItem) int { return byName(a.Name, b.Name, a.ID, b.ID) })
	return all, err
}

// byName orders as people look things up, and what has one name by its id.
func byName(a, b, aID, bID string) int {
	return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)),
		strings.Compare(aID, bID))
}

// catalogPage is what the catalog and the page of one of its collections show.
type catalogPage struct {
	Notice   string
	Sections []catalogSection
	Search   string
	Whole    bool // one collection, with all that it has
}

type catalogSection struct {
	*collection
	Rows           []catalogRow
	Total, Fitting int // all, and those that the search finds
	First, Last    int
	Previous, Next string
	MayCreate      bool
}

type catalogRow struct {
	Address, Name, Type, Version, Assigned string
	Modified                               moment
}

const (
	rowsOfSection = 10 // of each collection on the catalog's page
	rowsOfPage    = 50
)

// catalogNotices are what a form's answer says on the page to which it leads.
var catalogNotices = map[string]string{
	"created":      "It is in the catalog now.",
	"saved":        "The changes are saved.",
	"replaced":     "The new version is saved. Devices that have the former one get it by themselves.",
	"assigned":     "The assignments are saved. Devices get or lose it by themselves.",
	"tagged":       tagsSaved,
	"deleted":      "It was deleted. Devices that had it lose it by themselves.",
	"deletedGroup": "The group was deleted.",
	"added":        "The device is in the group now.",
	"removed":      "The device is not in the group any more.",
}

func (v *visit) notice() string { return catalogNotices[v.r.URL.Query().Get("notice")] }

// catalog shows the beginning of each collection that the visitor may read.
func (v *visit) catalog() error {
	p := catalogPage{Notice: v.notice()}
	for _, c := range collections {
		if !v.may(c.read) {
			continue
		}
		s, err := v.catalogSection(c, "", 1, rowsOfSection)
		if err != nil {
			return err
		}
		p.Sections = append(p.Sections, *s)
	}
	if len(p.Sections) == 0 {
		return &refusal{http.StatusForbidden, "Your roles let you read neither policies nor apps."}
	}
	return v.render("catalog", "Catalog", p)
}

// catalogCollection shows one collection.
func (v *visit) catalogCollection() error {
	c, err := v.collection()
	if err != nil {
		return err
	}
	query := v.r.URL.Query()
	page, err := strconv.Atoi(query.Get("page"))
	if err != nil || page < 1 {
		page = 1
	}
	p := catalogPage{Notice: v.notice(), Search: strings.TrimSpace(query.Get("q")), Whole: true}
	s, err := v.catalogSection(c, p.Search, page, rowsOfPage)
	if err != nil {
		return err
	}
	p.Sections = []catalogSection{*s}
	return v.render("catalog", c.Title(), p)
}

func (v *visit) catalogSection(c *collection, search string, page,
	size int) (*catalogSection, error) {
	all, err := v.items(c)
	if err != nil {
		return nil, err
	}
	s := &catalogSection{collection: c, Total: len(all), MayCreate: v.may(c.create)}
	all = slices.DeleteFunc(all, func(i catalogItem) bool {
		return !strings.Contains(strings.ToLower(i.Name), strings.ToLower(search))
	})
	s.Fitting = len(all)
	begin := min((page-1)*size, len(all))
	end := min(begin+size, len(all))
	s.First, s.Last = begin+1, end
	to := func(page int) string {
		return c.Address() + "?" + url.Values{"q": {search}, "page": {strconv.Itoa(page)}}.Encode()
	}
	if page > 1 {
		s.Previous = to(page - 1)
	}
	if end < len(all) {
		s.Next = to(page + 1)
	}
	for i := range all[begin:end] {
		row, err := v.catalogRow(c, &all[begin+i])
		if err != nil {
			return nil, err
		}
		s.Rows = append(s.Rows, row)
	}
	return s, nil
}

func (v *visit) catalogRow(c *collection, i *catalogItem) (catalogRow, error) {
	assigned, err := v.assignments(c, i.ID)
	return catalogRow{Address: c.item(i.ID), Name: i.Name, Type: v.formName(i.ODataType),
		Version: v.version(i), Assigned: assignedTo(assigned),
		Modified: v.moment(i.Modified)}, err
}

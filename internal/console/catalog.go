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
)

// collection is one of the three parts of the catalog.
type collection struct {
	Path, Title string // Path is under /console/catalog/
	One         string // what one of them is called
	api         string // path of the API's collection
	properties  string // what a list needs of each
	assignments string // the parameter of assign
	intent      bool   // an assignment has an install intent

	read, create, update, remove, assign access.Right
}

var (
	policies = &collection{Path: "policies", Title: "Policies", One: "policy", api: "/beta/deviceManagement/deviceConfigurations",
		properties: "id,displayName,version,lastModifiedDateTime", assignments: "assignments",
		read: access.ReadConfigurations, create: access.CreateConfigurations, update: access.UpdateConfigurations,
		remove: access.DeleteConfigurations, assign: access.AssignConfigurations}
	apps = &collection{Path: "apps", Title: "Apps", One: "app", api: "/beta/deviceAppManagement/mobileApps",
		properties: "id,displayName,lastModifiedDateTime,versionNumber,primaryBundleVersion", assignments: "mobileAppAssignments", intent: true,
		read: access.ReadApps, create: access.CreateApps, update: access.UpdateApps, remove: access.DeleteApps, assign: access.AssignApps}
	appConfigurations = &collection{Path: "app-configurations", Title: "App configurations", One: "app configuration",
		api: "/beta/deviceAppManagement/mobileAppConfigurations", properties: "id,displayName,version,lastModifiedDateTime",
		assignments: "assignments",
		read:        access.ReadApps, create: access.CreateApps, update: access.UpdateApps, remove: access.DeleteApps, assign: access.AssignApps}

	collections = []*collection{policies, apps, appConfigurations}
)

// Address is the page of the collection.
func (c *collection) Address() string { return "/console/catalog/" + c.Path }

// item is the page of one of the collection.
func (c *collection) item(id string) string { return c.Address() + "/" + url.PathEscape(id) }

// resource is where the API has one of the collection.
func (c *collection) resource(id string) string { return c.api + "/" + url.PathEscape(id) }

// collection is the one that the request's path names.
func (v *visit) collection() (*collection, error) {
	i := slices.IndexFunc(collections, func(c *collection) bool { return c.Path == v.r.PathValue("set") })
	if i < 0 {
		return nil, v.missing()
	}
	return collections[i], nil
}

// formNames are the words for Graph's types.
var formNames = map[string]string{
	"#microsoft.graph.iosCustomConfiguration":    "Profile for iPhone, iPad and Apple TV",
	"#microsoft.graph.macOSCustomConfiguration":  "Profile for Mac",
	"#microsoft.graph.iosStoreApp":               "App Store app",
	"#microsoft.graph.iosVppApp":                 "App bought in volume",
	"#microsoft.graph.iosLobApp":                 "Your own app for iPhone and iPad",
	"#microsoft.graph.macOSPkgApp":               "Package for Mac",
	"#microsoft.graph.iosMobileAppConfiguration": "Configuration of an app",
}

func formName(odataType string) string { return cmp.Or(formNames[odataType], odataType) }

// catalogItem is a policy, app or app configuration as the API tells it.
type catalogItem struct {
	ODataType      string    `json:"@odata.type"`
	ID             string    `json:"id"`
	Name           string    `json:"displayName"`
	Description    string    `json:"description"`
	Created        time.Time `json:"createdDateTime"`
	Modified       time.Time `json:"lastModifiedDateTime"`
	Version        int64     `json:"version"`
	FileName       string    `json:"payloadFileName"`
	File           []byte    `json:"payload"`
	AppVersion     string    `json:"versionNumber"`
	PackageVersion string    `json:"primaryBundleVersion"`
	Targets        []string  `json:"targetedMobileApps"`
	Tags           []string  `json:"roleScopeTagIds"`

	properties map[string]json.RawMessage // all, by Graph's names; of a list's nothing
}

// version is what tells one state of it from the next: the server's count, or else the app's own.
func (i *catalogItem) version() string {
	if i.Version > 0 {
		return strconv.FormatInt(i.Version, 10)
	}
	return cmp.Or(i.AppVersion, i.PackageVersion)
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

// items reads a collection in the order of names.
func (v *visit) items(c *collection) ([]catalogItem, error) {
	all, err := everything[catalogItem](v, c.api, c.properties)
	slices.SortStableFunc(all, func(a, b catalogItem) int { return byName(a.Name, b.Name, a.ID, b.ID) })
	return all, err
}

// byName orders as people look things up, and what has one name by its id.
func byName(a, b, aID, bID string) int {
	return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(aID, bID))
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
	return v.render("catalog", c.Title, p)
}

func (v *visit) catalogSection(c *collection, search string, page, size int) (*catalogSection, error) {
	all, err := v.items(c)
	if err != nil {
		return nil, err
	}
	s := &catalogSection{collection: c, Total: len(all), MayCreate: v.may(c.create)}
	all = slices.DeleteFunc(all, func(i catalogItem) bool { return !strings.Contains(strings.ToLower(i.Name), strings.ToLower(search)) })
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
	return catalogRow{Address: c.item(i.ID), Name: i.Name, Type: formName(i.ODataType), Version: i.version(), Assigned: assignedTo(assigned),
		Modified: v.moment(i.Modified)}, err
}

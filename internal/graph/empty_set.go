package graph

import (
	"path"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// emptySet is a collection of Graph's that has nothing here. Tools read it before they begin, and
// take its absence for a fault.
type emptySet struct {
	*resource
	needs []access.Right
	shape *shape
}

func newEmptySet(set string, of odata.TypeName, noun string, needs access.Right,
	stable bool) *emptySet {
	return &emptySet{
		resource: &resource{name: path.Base(set), path: odata.BetaPath + set, odataType: of,
			object: string(of), noun: noun, category: categoryOther, stable: stable},
		needs: may(needs), shape: newShape(string(of), odata.Properties{{"id", odata.String}})}
}

// emptySets are those collections.
var emptySets = []*emptySet{
	newEmptySet("deviceManagement/assignmentFilters", "deviceAndAppManagementAssignmentFilter",
		"assignment filter", access.ReadConfigurations, false),
	newEmptySet("deviceManagement/deviceCategories", "deviceCategory", "device category",
		access.ReadDevices, true),
	newEmptySet("deviceManagement/detectedApps", "detectedApp", "detected app",
		access.ReadDevices, true),
	newEmptySet("deviceAppManagement/mobileAppCategories", "mobileAppCategory", "app category",
		access.ReadApps, true),
}

func emptySetRoutes() (all []route) {
	for _, s := range emptySets {
		all = append(all, s.route(toList, s.needs, odata.QueryOptions, s.list),
			s.route(toCount, s.needs, odata.CountOptions, s.list))
	}
	return all
}

// list serves nothing, to a call that is right.
func (s *emptySet) list(c *call) error {
	if _, err := c.selected(s.shape); err != nil {
		return err
	}
	l := s.shape.complete(&odata.Listing{
		Filters: map[string]odata.Comparer{"id": odata.TextField("id")},
		Orders:  map[string]query.Field{"id": "id"},
		Search:  map[string]query.Field{"id": "id"}})
	value := func(string, query.Field) any { return "" }
	return odata.ServeList(c.req, s.set(), l, nil, odata.Computed([]string{}, value),
		func(string) (odata.Fields, error) { return nil, nil })
}

// set is the path without the version.
func (s *emptySet) set() string { return s.path[len(odata.BetaPath):] }

// What an app relates to: nothing here.
var (
	toListCategories = &verb{name: "listCategories", method: "GET", suffix: "/{id}/categories",
		part: "categories", many: true}
	toListRelationships = &verb{name: "listRelationships", method: "GET",
		suffix: "/{id}/relationships", part: "relationships", many: true, betaOnly: true}
)

// appRelations are what $expand may name of an app beside its assignments.
func appRelations(c *call) []string {
	if c.req.Version() == odata.StablePath {
		return []string{toListCategories.part}
	}
	return []string{toListCategories.part, toListRelationships.part}
}

// relatedRoutes are what an app relates to.
func (k *payloadKind) relatedRoutes() []route {
	r, read := k.resource(), may(k.rights.read)
	return []route{
		r.route(toListCategories, read, odata.ListOptions,
			k.nothing("categories", "mobileAppCategory")).answering("mobileAppCategory"),
		r.route(toListRelationships, read, odata.ListOptions,
			k.nothing("relationships", "mobileAppRelationship")).
			answering("mobileAppRelationship"),
	}
}

// nothing lists none of what a payload could relate to.
func (k *payloadKind) nothing(part, of string) func(*call) error {
	s := newShape(of, odata.Properties{{"id", odata.String}})
	return func(c *call) error {
		if _, err := c.selected(s); err != nil {
			return err
		}
		if _, _, err := c.req.PageByID(); err != nil {
			return err
		}
		p, err := k.find(c)
		if err != nil {
			return err
		}
		return c.req.ReplyPage(odata.Page{Collection: k.path() + "/" + string(p.ID) + "/" + part,
			Value: []odata.Fields{}})
	}
}

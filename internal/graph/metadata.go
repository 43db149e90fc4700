package graph

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// metadataRoutes describe the surface to programs. As Graph's it is open to all: it holds nothing but names.
func metadataRoutes() []route {
	return []route{{method: "GET", pattern: versionPath + "$metadata", name: "metadata", everywhere: true, open: true, handle: (*call).describe}}
}

// describe is GET $metadata: the entity data model of a version (OData CSDL 4.0).
func (c *call) describe() error {
	c.w.Header().Set("Content-Type", "application/xml")
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(c.metadata[c.version()]) // an error means that the caller has gone
	return nil
}

// The elements of a CSDL document (OData CSDL 4.0, section 3 and following).
type (
	edmxDocument struct {
		XMLName xml.Name     `xml:"edmx:Edmx"`
		Version string       `xml:"Version,attr"`
		Edmx    string       `xml:"xmlns:edmx,attr"`
		Schemas []edmxSchema `xml:"edmx:DataServices>Schema"`
	}
	edmxSchema struct {
		Namespace string         `xml:"Namespace,attr"`
		Alias     string         `xml:"Alias,attr,omitempty"`
		Edm       string         `xml:"xmlns,attr"`
		Enums     []edmxEnum     `xml:"EnumType"`
		Complex   []edmxType     `xml:"ComplexType"`
		Entities  []edmxType     `xml:"EntityType"`
		Actions   []edmxAction   `xml:"Action"`
		Container *edmxContainer `xml:"EntityContainer"`
	}
	edmxEnum struct {
		Name    string       `xml:"Name,attr"`
		Flags   bool         `xml:"IsFlags,attr,omitempty"`
		Members []edmxMember `xml:"Member"`
	}
	edmxMember struct {
		Name  string `xml:"Name,attr"`
		Value int64  `xml:"Value,attr"`
	}
	edmxType struct {
		Name       string         `xml:"Name,attr"`
		Base       string         `xml:"BaseType,attr,omitempty"`
		Abstract   bool           `xml:"Abstract,attr,omitempty"`
		Key        *edmxKey       `xml:"Key"`
		Properties []edmxProperty `xml:"Property"`
		Relations  []edmxRelation `xml:"NavigationProperty"`
	}
	edmxKey struct {
		Property struct {
			Name string `xml:"Name,attr"`
		} `xml:"PropertyRef"`
	}
	edmxProperty struct {
		Name     string `xml:"Name,attr"`
		Type     string `xml:"Type,attr"`
		Nullable string `xml:"Nullable,attr,omitempty"`
	}
	edmxRelation struct {
		Name     string `xml:"Name,attr"`
		Type     string `xml:"Type,attr"`
		Contains bool   `xml:"ContainsTarget,attr,omitempty"`
	}
	edmxAction struct {
		Name       string         `xml:"Name,attr"`
		Bound      bool           `xml:"IsBound,attr"`
		Parameters []edmxProperty `xml:"Parameter"`
		Returns    *edmxReturn    `xml:"ReturnType"`
	}
	edmxReturn struct {
		Type string `xml:"Type,attr"`
	}
	edmxContainer struct {
		Name       string          `xml:"Name,attr"`
		Sets       []edmxSet       `xml:"EntitySet"`
		Singletons []edmxSingleton `xml:"Singleton"`
	}
	edmxSet struct {
		Name string `xml:"Name,attr"`
		Type string `xml:"EntityType,attr"`
	}
	edmxSingleton struct {
		Name string `xml:"Name,attr"`
		Type string `xml:"Type,attr"`
	}
)

const edmNamespace = "http://docs.oasis-open.org/odata/ns/edm"

// documents are $metadata of each version.
func documents(s *schema, models map[string]*model) map[string][]byte {
	all := make(map[string][]byte)
	for version, m := range models {
		text, err := xml.MarshalIndent(document(s, m), "", "  ")
		if err != nil {
			panic(fmt.Sprintf("graph: $metadata does not marshal: %v", err)) // it is made of the package's own tables
		}
		all[version] = append([]byte(xml.Header), text...)
	}
	return all
}

func document(s *schema, m *model) *edmxDocument {
	graph := edmxSchema{Namespace: strings.TrimSuffix(graphNamespace, "."), Alias: "graph", Edm: edmNamespace, Container: m.container()}
	own := edmxSchema{Namespace: strings.TrimSuffix(ownNamespace, "."), Edm: edmNamespace}
	for _, e := range s.enums {
		shown := edmxEnum{Name: string(e.name), Flags: e.flags}
		for _, member := range e.members {
			shown.Members = append(shown.Members, edmxMember{member.name, member.value})
		}
		graph.Enums = append(graph.Enums, shown)
	}
	slices.SortFunc(graph.Enums, func(a, b edmxEnum) int { return strings.Compare(a.Name, b.Name) })
	for _, t := range s.order {
		shown := s.shown(t, m)
		into := &graph
		if strings.HasPrefix(string(t.name), ownNamespace) {
			into = &own
		}
		if t.entity {
			into.Entities = append(into.Entities, shown)
		} else {
			into.Complex = append(into.Complex, shown)
		}
	}
	for _, a := range m.actions {
		graph.Actions = append(graph.Actions, a.shown())
	}
	return &edmxDocument{Version: "4.0", Edmx: "http://docs.oasis-open.org/odata/ns/edmx", Schemas: []edmxSchema{graph, own}}
}

func (s *schema) shown(t *schemaType, m *model) edmxType {
	shown := edmxType{Name: strings.TrimPrefix(string(t.name), ownNamespace), Abstract: t.abstract}
	if t.base != "" {
		shown.Base = qualified(t.base)
	}
	for _, own := range t.properties {
		p := edmxProperty{Name: own.name, Type: qualified(own.of)}
		if t.name == "entity" {
			shown.Key, p.Nullable = new(edmxKey), strconv.FormatBool(false)
			shown.Key.Property.Name = own.name
		}
		shown.Properties = append(shown.Properties, p)
	}
	for _, r := range t.relations {
		shown.Relations = append(shown.Relations, edmxRelation{Name: r.name, Type: qualified(r.of)})
	}
	for _, r := range m.relations {
		if r.of == t.name {
			shown.Relations = append(shown.Relations, edmxRelation{Name: r.name, Type: r.typeName(),
				Contains: r.target != "directoryObject"})
		}
	}
	slices.SortFunc(shown.Relations, func(a, b edmxRelation) int { return strings.Compare(a.Name, b.Name) })
	return shown
}

func (r relation) typeName() string {
	if r.collection {
		return qualified(collectionOf(r.target))
	}
	return qualified(r.target)
}

func (a *boundAction) shown() edmxAction {
	shown := edmxAction{Name: a.name, Bound: true, Parameters: []edmxProperty{{Name: "bindingParameter", Type: qualified(a.on)}}}
	if a.parameter != "" {
		shown.Parameters = append(shown.Parameters, edmxProperty{Name: a.parameter, Type: qualified(a.takes)})
	}
	if a.returns != "" {
		shown.Returns = &edmxReturn{qualified(a.returns)}
	}
	return shown
}

// container is the service itself: what its paths begin with.
func (m *model) container() *edmxContainer {
	c := &edmxContainer{Name: "GraphService"}
	for _, r := range m.relations {
		if r.of == "" {
			c.Sets = append(c.Sets, edmxSet{r.name, qualified(r.target)})
		}
	}
	for _, service := range services {
		if slices.ContainsFunc(m.relations, func(r relation) bool { return r.of == typeName(service) }) {
			c.Singletons = append(c.Singletons, edmxSingleton{service, qualified(typeName(service))})
		}
	}
	return c
}

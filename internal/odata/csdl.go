package odata

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// ReplyMetadata answers with $metadata: the entity data model of the request's version.
func (r *Request) ReplyMetadata() error {
	write(r.Writer, "application/xml", http.StatusOK, r.service.model.metadata[r.Version()])
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
		Namespace string          `xml:"Namespace,attr"`
		Alias     string          `xml:"Alias,attr,omitempty"`
		Edm       string          `xml:"xmlns,attr"`
		Terms     []edmxTerm      `xml:"Term"`
		Enums     []edmxEnum      `xml:"EnumType"`
		Complex   []edmxType      `xml:"ComplexType"`
		Entities  []edmxType      `xml:"EntityType"`
		Actions   []edmxOperation `xml:"Action"`
		Functions []edmxOperation `xml:"Function"`
		Container *edmxContainer  `xml:"EntityContainer"`
	}
	edmxEnum struct {
		Name    string       `xml:"Name,attr"`
		Flags   bool         `xml:"IsFlags,attr,omitempty"`
		Members []edmxMember `xml:"Member"`
		Own     *edmxMark    `xml:"Annotation"`
	}
	edmxMember struct {
		Name  string    `xml:"Name,attr"`
		Value int64     `xml:"Value,attr"`
		Own   *edmxMark `xml:"Annotation"`
	}
	// edmxTerm declares an annotation, and edmxMark is one (sections 14.1 and 14.3).
	edmxTerm struct {
		Name string `xml:"Name,attr"`
		Type string `xml:"Type,attr"`
	}
	edmxMark struct {
		Term string `xml:"Term,attr"`
		Bool bool   `xml:"Bool,attr"`
	}
	edmxType struct {
		Name       string         `xml:"Name,attr"`
		Base       string         `xml:"BaseType,attr,omitempty"`
		Abstract   bool           `xml:"Abstract,attr,omitempty"`
		Open       bool           `xml:"OpenType,attr,omitempty"`
		Key        *edmxKey       `xml:"Key"`
		Properties []edmxProperty `xml:"Property"`
		Relations  []edmxRelation `xml:"NavigationProperty"`
		Own        *edmxMark      `xml:"Annotation"`
	}
	edmxKey struct {
		Property struct {
			Name string `xml:"Name,attr"`
		} `xml:"PropertyRef"`
	}
	edmxProperty struct {
		Name     string    `xml:"Name,attr"`
		Type     string    `xml:"Type,attr"`
		Nullable string    `xml:"Nullable,attr,omitempty"`
		Own      *edmxMark `xml:"Annotation"`
	}
	edmxRelation struct {
		Name     string `xml:"Name,attr"`
		Type     string `xml:"Type,attr"`
		Contains bool   `xml:"ContainsTarget,attr,omitempty"`
	}
	edmxOperation struct {
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

// csdl is $metadata of a version.
func (m *Model) csdl(v *offer) []byte {
	text, err := xml.MarshalIndent(m.document(v), "", "  ")
	if err != nil {
		// it is made of a program's own tables
		panic(fmt.Sprintf("odata: $metadata does not marshal: %v", err))
	}
	return append([]byte(xml.Header), text...)
}

func (m *Model) document(v *offer) *edmxDocument {
	graph := edmxSchema{
		Namespace: strings.TrimSuffix(GraphNamespace, "."),
		Alias:     "graph",
		Edm:       edmNamespace,
		Container: m.container(v),
	}
	own := edmxSchema{Namespace: strings.TrimSuffix(OwnNamespace, "."), Edm: edmNamespace,
		Terms: []edmxTerm{{Name: ownTerm, Type: Qualified(Boolean)}}}
	for _, e := range m.schema.enums {
		if !v.leavesOut(e.Facts[""]) {
			graph.Enums = append(graph.Enums, e.shown(v))
		}
	}
	slices.SortFunc(graph.Enums, func(a, b edmxEnum) int { return strings.Compare(a.Name, b.Name) })
	for _, t := range m.schema.order {
		if v.leavesOut(t.Facts[""]) {
			continue
		}
		shown := m.schema.shown(t, v)
		into := &graph
		if strings.HasPrefix(string(t.Name), OwnNamespace) {
			into = &own
		}
		if t.Entity {
			into.Entities = append(into.Entities, shown)
		} else {
			into.Complex = append(into.Complex, shown)
		}
	}
	for i := range v.actions {
		graph.Actions = append(graph.Actions, v.actions[i].shown())
	}
	for i := range v.functions {
		graph.Functions = append(graph.Functions, v.functions[i].shown())
	}
	return &edmxDocument{
		Version: "4.0",
		Edmx:    "http://docs.oasis-open.org/odata/ns/edmx",
		Schemas: []edmxSchema{graph, own},
	}
}

// ownTerm marks what is the server's own though it stands in Graph's namespace.
const ownTerm = "own"

// mark is the annotation of what has a fact; nil: it has none.
func (f Fact) mark() *edmxMark {
	if !f.Own {
		return nil
	}
	return &edmxMark{Term: OwnNamespace + ownTerm, Bool: true}
}

// leavesOut reports whether the version does not have what a fact is about.
func (v *offer) leavesOut(f Fact) bool { return v.stable && f.BetaOnly }

func (e *Enum) shown(v *offer) edmxEnum {
	shown := edmxEnum{Name: string(e.Name), Flags: e.Flags, Own: e.Facts[""].mark()}
	for _, m := range e.Members {
		if !v.leavesOut(e.Facts[m.Name]) {
			shown.Members = append(shown.Members,
				edmxMember{Name: m.Name, Value: m.Value, Own: e.Facts[m.Name].mark()})
		}
	}
	return shown
}

func (s *schema) shown(t *Type, v *offer) edmxType {
	shown := edmxType{Name: strings.TrimPrefix(string(t.Name), OwnNamespace), Abstract: t.Abstract,
		Open: t.Open, Own: t.Facts[""].mark()}
	if t.Base != "" {
		shown.Base = Qualified(t.Base)
	}
	for _, own := range t.Properties {
		fact := t.Facts[own.Name]
		if v.leavesOut(fact) {
			continue
		}
		p := edmxProperty{Name: own.Name, Type: Qualified(own.Of), Own: fact.mark()}
		if fact.NotNull || t.Key == own.Name {
			p.Nullable = strconv.FormatBool(false)
		}
		if t.Key == own.Name {
			shown.Key = new(edmxKey)
			shown.Key.Property.Name = own.Name
		}
		shown.Properties = append(shown.Properties, p)
	}
	for _, r := range t.Relations {
		shown.Relations = append(shown.Relations, edmxRelation{Name: r.Name, Type: Qualified(r.Of)})
	}
	for _, r := range v.relations {
		if r.of == t.Name && !s.relates(t, r.name) {
			target := s.types[r.target]
			shown.Relations = append(shown.Relations, edmxRelation{
				Name:     r.name,
				Type:     r.qualified(),
				Contains: target == nil || !target.Referenced,
			})
		}
	}
	slices.SortFunc(shown.Relations,
		func(a, b edmxRelation) int { return strings.Compare(a.Name, b.Name) })
	return shown
}

// relates reports whether a type, or one that it derives from, has a relation beside those that
// operations show.
func (s *schema) relates(t *Type, name string) bool {
	for ; t != nil; t = s.types[t.Base] {
		if slices.Contains(t.Relations.Names(), name) {
			return true
		}
	}
	return false
}

// qualified is the full name of the relation's type.
func (r relation) qualified() string {
	if r.collection {
		return Qualified(CollectionOf(r.target))
	}
	return Qualified(r.target)
}

func (a *boundOperation) shown() edmxOperation {
	binding := edmxProperty{Name: "bindingParameter", Type: Qualified(a.on)}
	shown := edmxOperation{Name: a.name, Bound: true, Parameters: []edmxProperty{binding}}
	for _, p := range a.signature.Parameters {
		shown.Parameters = append(shown.Parameters,
			edmxProperty{Name: p.Name, Type: Qualified(p.Of)})
	}
	if a.signature.Returns != "" {
		shown.Returns = &edmxReturn{Type: Qualified(a.signature.Returns)}
	}
	return shown
}

// container is the service itself: what its paths begin with.
func (m *Model) container(v *offer) *edmxContainer {
	c := &edmxContainer{Name: "GraphService"}
	for _, r := range v.relations {
		if r.of == "" {
			c.Sets = append(c.Sets, edmxSet{Name: r.name, Type: Qualified(r.target)})
		}
	}
	for _, name := range m.containers {
		of := TypeName(name)
		if slices.ContainsFunc(v.relations, func(r relation) bool { return r.of == of }) {
			c.Singletons = append(c.Singletons, edmxSingleton{Name: name, Type: Qualified(of)})
		}
	}
	return c
}

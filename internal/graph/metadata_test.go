package graph_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// csdl is a $metadata document as a client generator reads it.
type csdl struct {
	Version string       `xml:"Version,attr"`
	Schemas []csdlSchema `xml:"DataServices>Schema"`

	types     map[string]*csdlType // by their full names
	enums     map[string]*csdlEnum
	actions   []csdlAction
	functions []csdlAction
	root      *csdlContainer
}

type csdlSchema struct {
	Namespace string         `xml:"Namespace,attr"`
	Enums     []csdlEnum     `xml:"EnumType"`
	Complex   []csdlType     `xml:"ComplexType"`
	Entities  []csdlType     `xml:"EntityType"`
	Actions   []csdlAction   `xml:"Action"`
	Functions []csdlAction   `xml:"Function"`
	Container *csdlContainer `xml:"EntityContainer"`
}

type csdlEnum struct {
	Name    string `xml:"Name,attr"`
	Flags   bool   `xml:"IsFlags,attr"`
	Members []struct {
		Name  string `xml:"Name,attr"`
		Value int64  `xml:"Value,attr"`
	} `xml:"Member"`
}

type csdlType struct {
	Name       string         `xml:"Name,attr"`
	Base       string         `xml:"BaseType,attr"`
	Abstract   bool           `xml:"Abstract,attr"`
	Key        *struct{}      `xml:"Key"`
	Properties []csdlProperty `xml:"Property"`
	Relations  []csdlProperty `xml:"NavigationProperty"`
	entity     bool
}

type csdlProperty struct {
	Name     string    `xml:"Name,attr"`
	Type     string    `xml:"Type,attr"`
	Nullable string    `xml:"Nullable,attr"`
	Own      *csdlMark `xml:"Annotation"`
}

// csdlMark is an annotation.
type csdlMark struct {
	Term string `xml:"Term,attr"`
	Bool bool   `xml:"Bool,attr"`
}

type csdlAction struct {
	Name       string         `xml:"Name,attr"`
	Bound      bool           `xml:"IsBound,attr"`
	Parameters []csdlProperty `xml:"Parameter"`
	Returns    *csdlProperty  `xml:"ReturnType"`
}

type csdlContainer struct {
	Name string `xml:"Name,attr"`
	Sets []struct {
		Name string `xml:"Name,attr"`
		Type string `xml:"EntityType,attr"`
	} `xml:"EntitySet"`
	Singletons []csdlProperty `xml:"Singleton"`
}

func (s *site) metadata(version string) *csdl {
	s.t.Helper()
	a := s.must(http.StatusOK, "GET", version+"$metadata", nil, "Authorization", "")
	if a.header.Get("Content-Type") != "application/xml" {
		s.t.Errorf("$metadata is %q", a.header.Get("Content-Type"))
	}
	m := &csdl{types: make(map[string]*csdlType), enums: make(map[string]*csdlEnum)}
	if err := xml.Unmarshal(a.text, m); err != nil {
		s.t.Fatal(err)
	}
	declared := func(namespace, name string) string {
		full := namespace + "." + name
		if m.types[full] != nil || m.enums[full] != nil ||
			!regexp.MustCompile(`^[A-Za-z_]\w{0,127}$`).MatchString(name) {
			s.t.Errorf("type %s is declared twice or is no identifier", full)
		}
		return full
	}
	for _, sc := range m.Schemas {
		for i := range sc.Enums {
			m.enums[declared(sc.Namespace, sc.Enums[i].Name)] = &sc.Enums[i]
		}
		for i := range sc.Complex {
			m.types[declared(sc.Namespace, sc.Complex[i].Name)] = &sc.Complex[i]
		}
		for i := range sc.Entities {
			sc.Entities[i].entity = true
			m.types[declared(sc.Namespace, sc.Entities[i].Name)] = &sc.Entities[i]
		}
		m.actions = append(m.actions, sc.Actions...)
		m.functions = append(m.functions, sc.Functions...)
		if sc.Container != nil {
			m.root = sc.Container
		}
	}
	return m
}

// all are the properties and relations of a type with those that it inherits.
func (m *csdl) all(t *csdlType) (all []csdlProperty) {
	for depth := 0; t != nil && depth < 10; depth++ {
		all = append(append(all, t.Properties...), t.Relations...)
		t = m.types[t.Base]
	}
	return all
}

func (m *csdl) is(name, base string) bool {
	for depth := 0; name != "" && depth < 10; depth++ {
		if name == base {
			return true
		}
		if m.types[name] == nil {
			return false
		}
		name = m.types[name].Base
	}
	return false
}

func elementOf(typeName string) (string, bool) {
	if inner, ok := strings.CutPrefix(typeName, "Collection("); ok {
		return strings.TrimSuffix(inner, ")"), true
	}
	return typeName, false
}

var primitives = []string{"Edm.String", "Edm.Boolean", "Edm.Int32", "Edm.Int64", "Edm.Double",
	"Edm.DateTimeOffset", "Edm.Binary", "Edm.Guid", "Edm.Byte", "Edm.Single", "Edm.Date",
	"Edm.TimeOfDay", "Edm.Duration"}

func (m *csdl) defined(typeName string) bool {
	element, _ := elementOf(typeName)
	return slices.Contains(primitives, element) || m.enums[element] != nil ||
		m.types[element] != nil
}

// TestMetadataIsCSDL holds the document against the rules of OData CSDL 4.0.
func TestMetadataIsCSDL(t *testing.T) {
	s := newSite(t)
	for _, version := range []string{"/beta/", "/v1.0/"} {
		m := s.metadata(version)
		if m.Version != "4.0" || m.root == nil || len(m.types) < 30 {
			t.Fatalf("%s: version %q, container %v, %d types", version, m.Version, m.root,
				len(m.types))
		}
		for name, of := range m.types {
			m.checkType(t, name, of)
		}
		for name, e := range m.enums {
			names, values := map[string]bool{}, map[int64]bool{}
			for _, member := range e.Members {
				if names[member.Name] || values[member.Value] {
					t.Errorf("%s has %s = %d twice", name, member.Name, member.Value)
				}
				names[member.Name], values[member.Value] = true, true
			}
			if len(e.Members) == 0 {
				t.Errorf("%s has no members", name)
			}
		}
		overloads := map[string]bool{}
		for _, f := range m.functions {
			if f.Returns == nil {
				t.Errorf("function %s returns nothing", f.Name)
			}
		}
		for _, a := range slices.Concat(m.actions, m.functions) {
			if !a.Bound || len(a.Parameters) == 0 || overloads[a.Name+a.Parameters[0].Type] {
				t.Errorf("action %+v is not bound, or twice", a)
			}
			overloads[a.Name+a.Parameters[0].Type] = true
			for _, p := range a.Parameters {
				if !m.defined(p.Type) {
					t.Errorf("action %s: %s is not defined", a.Name, p.Type)
				}
			}
			if a.Returns != nil && !m.defined(a.Returns.Type) {
				t.Errorf("action %s: %s is not defined", a.Name, a.Returns.Type)
			}
		}
		for _, set := range m.root.Sets {
			if of := m.types[set.Type]; of == nil || !of.entity {
				t.Errorf("entity set %s: %s is no entity type", set.Name, set.Type)
			}
		}
	}
}

func (m *csdl) checkType(t *testing.T, name string, of *csdlType) {
	t.Helper()
	if base := m.types[of.Base]; of.Base != "" &&
		(base == nil || base.entity != of.entity || m.is(of.Base, name)) {
		t.Errorf("%s derives from %s, which is missing, of another kind, or derives from it", name,
			of.Base)
	}
	if of.entity && !of.Abstract && !m.is(name, "microsoft.graph.entity") {
		t.Errorf("%s has no key", name)
	}
	seen := map[string]bool{}
	for _, p := range m.all(of) {
		if seen[p.Name] || !m.defined(p.Type) {
			t.Errorf("%s.%s is there twice, or its type %s is not defined", name, p.Name, p.Type)
		}
		seen[p.Name] = true
	}
	for _, p := range of.Properties {
		if element, _ := elementOf(p.Type); m.types[element] != nil && m.types[element].entity {
			t.Errorf("%s.%s is a property of entity type %s", name, p.Name, p.Type)
		}
	}
	for _, p := range of.Relations {
		if element, _ := elementOf(p.Type); m.types[element] == nil || !m.types[element].entity {
			t.Errorf("%s.%s leads to %s, which is no entity type", name, p.Name, p.Type)
		}
	}
}

func TestMetadataOfTheAction(t *testing.T) {
	s := newSite(t)
	m := s.metadata("/beta/")
	for _, tt := range []struct{ name, base, property, typeName string }{
		{"syncPayloadsActionResult", "microsoft.graph.deviceActionResult", "deviceActionPayloads",
			"Collection(microsoft.graph.deviceActionPayload)"},
		{"changeAssignmentsActionResult", "microsoft.graph.deviceActionResult",
			"deviceAssignmentItems", "Collection(microsoft.graph.deviceAssignmentItem)"},
		{"managedDevice", "microsoft.graph.entity", "deviceActionResults",
			"Collection(microsoft.graph.deviceActionResult)"},
		{"deviceActionPayload", "", "errorCode", "Edm.Int64"},
		{"deviceActionPayload", "", "payloadType", "microsoft.graph.deviceActionPayloadType"},
		{"deviceAssignmentItem", "", "assignmentItemActionStatus",
			"microsoft.graph.deviceAssignmentItemStatus"},
		{"deviceAssignmentItem", "", "lastActionDateTime", "Edm.DateTimeOffset"},
		{"iosLobApp", "microsoft.graph.mobileLobApp", "bundleId", "Edm.String"},
		{"exclusionGroupAssignmentTarget", "microsoft.graph.groupAssignmentTarget", "groupId",
			"Edm.String"},
	} {
		of := m.types["microsoft.graph."+tt.name]
		if of == nil || of.Base != tt.base ||
			!slices.ContainsFunc(m.all(of), func(p csdlProperty) bool {
				return p.Name == tt.property && p.Type == tt.typeName
			}) {
			t.Errorf("%s: %+v", tt.name, of)
		}
	}
	bound := func(m *csdl, name, typeName string, parameters ...csdlProperty) bool {
		return slices.ContainsFunc(m.actions, func(a csdlAction) bool {
			return a.Name == name && a.Parameters[0].Type == typeName &&
				slices.Equal(a.Parameters[1:], parameters)
		})
	}
	const device = "microsoft.graph.managedDevice"
	payloads := csdlProperty{Name: "deviceActionPayloads",
		Type: "Collection(microsoft.graph.deviceActionPayload)"}
	if !bound(m, "syncPayloads", device, payloads) || !bound(m, "syncDevice", device) ||
		!bound(m, "changeAssignments", device,
			csdlProperty{Name: "deviceAssignmentItems",
				Type: "Collection(microsoft.graph.deviceAssignmentItem)"}) ||
		!bound(m, "assign", "microsoft.graph.mobileApp",
			csdlProperty{Name: "mobileAppAssignments",
				Type: "Collection(microsoft.graph.mobileAppAssignment)"}) {
		t.Errorf("beta has the actions %+v", m.actions)
	}
	audits := "Collection(microsoft.graph.auditEvent)"
	for of, want := range map[string]string{
		"getAuditCategories " + audits:                                   "[] Collection(Edm.String)",
		"getAuditActivityTypes " + audits:                                "[category Edm.String] Collection(Edm.String)",
		"hasCustomRoleScopeTag Collection(microsoft.graph.roleScopeTag)": "[] Edm.Boolean",
		"getRoleScopeTagsById Collection(microsoft.graph.roleScopeTag)":  "[roleScopeTagIds Collection(Edm.String)] Collection(microsoft.graph.roleScopeTag)",
	} {
		got := ""
		for _, f := range slices.Concat(m.actions, m.functions) {
			if f.Name+" "+f.Parameters[0].Type == of {
				var takes []string
				for _, p := range f.Parameters[1:] {
					takes = append(takes, p.Name+" "+p.Type)
				}
				got += fmt.Sprint(takes, " ", f.Returns.Type)
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", of, got, want)
		}
	}
	stable := s.metadata("/v1.0/")
	if names := functionNames(stable); !slices.Equal(names,
		[]string{"getAuditActivityTypes", "getAuditCategories"}) {
		t.Errorf("v1.0 has the functions %v", names)
	}
	// The action is in beta only.
	if bound(stable, "syncPayloads", device, payloads) ||
		!bound(stable, "syncDevice", device) {
		t.Errorf("v1.0 has the actions %+v", stable.actions)
	}
}

func functionNames(m *csdl) (names []string) {
	for _, f := range m.functions {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

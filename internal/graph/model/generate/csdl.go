package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/graph/model"
)

// namespace is Graph's. Its other namespaces have nothing that the server needs.
const namespace = "microsoft.graph"

// csdlDocument is what is read of a metadata document (OData CSDL 4.0, section 3 and following).
type csdlDocument struct {
	Schemas []struct {
		Namespace string     `xml:"Namespace,attr"`
		Enums     []csdlEnum `xml:"EnumType"`
		Complex   []csdlType `xml:"ComplexType"`
		Entities  []csdlType `xml:"EntityType"`
	} `xml:"DataServices>Schema"`
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
	Open       bool           `xml:"OpenType,attr"`
	Properties []csdlProperty `xml:"Property"`
	Relations  []csdlProperty `xml:"NavigationProperty"`
}

type csdlProperty struct {
	Name     string `xml:"Name,attr"`
	Type     string `xml:"Type,attr"`
	Nullable string `xml:"Nullable,attr"` // without it a value can be null (section 6.2.1)
}

// readCSDL reads a metadata document.
func readCSDL(name string, add func(*typeInfo)) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var d csdlDocument
	if err := xml.Unmarshal(text, &d); err != nil {
		return fmt.Errorf("%s is no metadata document: %w", name, err)
	}
	found := false
	for _, s := range d.Schemas {
		if s.Namespace != namespace {
			continue
		}
		found = true
		for _, e := range s.Enums {
			add(e.info())
		}
		for _, t := range s.Complex {
			add(t.info(model.Complex))
		}
		for _, t := range s.Entities {
			add(t.info(model.Entity))
		}
	}
	if !found {
		return fmt.Errorf("%s does not describe the namespace %s", name, namespace)
	}
	return nil
}

func (e *csdlEnum) info() *typeInfo {
	t := &typeInfo{TypeInfo: model.TypeInfo{Name: e.Name, Kind: model.Enumeration, Flags: e.Flags}}
	for _, m := range e.Members {
		t.Members = append(t.Members, model.Member{Name: m.Name, Value: m.Value})
	}
	return t
}

func (c *csdlType) info(kind model.Kind) *typeInfo {
	t := &typeInfo{TypeInfo: model.TypeInfo{Name: c.Name, Base: shortName(c.Base), Kind: kind,
		Abstract: c.Abstract, Open: c.Open}}
	for _, p := range c.Properties {
		t.Properties = append(t.Properties, p.info(false))
	}
	for _, p := range c.Relations {
		t.Properties = append(t.Properties, p.info(true))
	}
	return t
}

func (c *csdlProperty) info(navigation bool) model.PropertyInfo {
	element, many := strings.CutPrefix(c.Type, "Collection(")
	return model.PropertyInfo{
		Name:       c.Name,
		Type:       shortName(strings.TrimSuffix(element, ")")),
		Collection: many,
		Nullable:   c.Nullable != "false",
		Navigation: navigation,
	}
}

// shortName is a type without Graph's namespace, its alias, or Edm.
func shortName(name string) string {
	for _, prefix := range []string{namespace + ".", "graph.", "self.", "Edm."} {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			return short
		}
	}
	return name
}

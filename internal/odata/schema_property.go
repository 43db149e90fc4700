package odata

import (
	"slices"
	"strings"
)

// TypeName is a type of $metadata: a primitive one, one of Graph's without its namespace, or one of
// this server's own with it. The elements of a collection are followed by [].
type TypeName string

// The primitive types that schemas use (OData CSDL 4.0, section 4.4).
const (
	String   TypeName = "String"
	Boolean  TypeName = "Boolean"
	Int32    TypeName = "Int32"
	Int64    TypeName = "Int64"
	Double   TypeName = "Double"
	DateTime TypeName = "DateTimeOffset"
	Binary   TypeName = "Binary"
	GUID     TypeName = "Guid"
)

var primitiveTypes = []TypeName{String, Boolean, Int32, Int64, Double, DateTime, Binary, GUID,
	"Byte", "Single", "Date", "TimeOfDay", "Duration"}

// CollectionOf is the type of a collection of elements.
func CollectionOf(element TypeName) TypeName { return element + "[]" }

// element is the type without [], and whether it had it.
func (of TypeName) element() (TypeName, bool) {
	name, many := strings.CutSuffix(string(of), "[]")
	return TypeName(name), many
}

// Qualified is the full name of a type, a collection's within Collection().
func Qualified(of TypeName) string {
	if element, many := of.element(); many {
		return "Collection(" + Qualified(element) + ")"
	}
	switch {
	case slices.Contains(primitiveTypes, of):
		return "Edm." + string(of)
	case strings.HasPrefix(string(of), OwnNamespace):
		return string(of)
	default:
		return GraphNamespace + string(of)
	}
}

// Property is a property of a type, as bodies, $select and $metadata have it. The struct has no
// name of its own, so that other packages can write tables of properties without naming its
// members.
type Property = struct {
	Name string
	Of   TypeName
}

// Properties are those of a type, in the order in which they are shown.
type Properties []Property

// Texts are properties that hold text.
func Texts(names ...string) Properties { return AllOf(String, names...) }

// AllOf are properties of one type.
func AllOf(of TypeName, names ...string) Properties {
	all := make(Properties, len(names))
	for i, name := range names {
		all[i] = Property{Name: name, Of: of}
	}
	return all
}

// Names are those of the properties, as $select has them.
func (p Properties) Names() []string {
	names := make([]string, len(p))
	for i := range p {
		names[i] = p[i].Name
	}
	return names
}

// Without are the properties but some.
func (p Properties) Without(names ...string) Properties {
	return slices.DeleteFunc(slices.Clone(p), func(one Property) bool {
		return slices.Contains(names, one.Name)
	})
}

// With are the properties, one of them with another type.
func (p Properties) With(name string, of TypeName) Properties {
	changed := slices.Clone(p)
	i := slices.IndexFunc(changed, func(one Property) bool { return one.Name == name })
	changed[i].Of = of
	return changed
}

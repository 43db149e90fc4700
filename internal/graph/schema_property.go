package graph

import "slices"

// typeName is a type of $metadata: a primitive one, one of Graph's without its namespace, or one of this server's own. The
// elements of a collection are followed by [].
type typeName string

// The primitive types that the schema uses (OData CSDL 4.0, section 4.4).
const (
	edmString   typeName = "String"
	edmBoolean  typeName = "Boolean"
	edmInt32    typeName = "Int32"
	edmInt64    typeName = "Int64"
	edmDouble   typeName = "Double"
	edmDateTime typeName = "DateTimeOffset"
	edmBinary   typeName = "Binary"
)

var primitiveTypes = []typeName{edmString, edmBoolean, edmInt32, edmInt64, edmDouble, edmDateTime, edmBinary}

// collectionOf is the type of a collection of elements.
func collectionOf(element typeName) typeName { return element + "[]" }

// property is a property of a type, as bodies, $select and $metadata have it.
type property struct {
	name string
	of   typeName
}

// properties are those of a type, in the order in which they are shown.
type properties []property

// texts are properties that hold text.
func texts(names ...string) properties { return allOf(edmString, names...) }

// allOf are properties of one type.
func allOf(of typeName, names ...string) properties {
	all := make(properties, len(names))
	for i, name := range names {
		all[i] = property{name, of}
	}
	return all
}

// names are those of the properties, as $select has them.
func (p properties) names() []string {
	names := make([]string, len(p))
	for i := range p {
		names[i] = p[i].name
	}
	return names
}

// without are the properties but some.
func (p properties) without(names ...string) properties {
	return slices.DeleteFunc(slices.Clone(p), func(one property) bool { return slices.Contains(names, one.name) })
}

// with are the properties, one of them with another type.
func (p properties) with(name string, of typeName) properties {
	changed := slices.Clone(p)
	changed[slices.IndexFunc(changed, func(one property) bool { return one.name == name })].of = of
	return changed
}

package graph

import (
	"slices"
	"strings"
)

// schemaType is an entity or complex type of $metadata.
type schemaType struct {
	name     typeName
	base     typeName // the type that it derives from; empty: none
	entity   bool
	abstract bool
	// properties are those that the base does not have.
	properties properties
	// relations are navigation properties beside those that the routes show.
	relations properties
}

// ownNamespace has the types that are not Graph's.
const ownNamespace = "syncpayloads."

// qualified is the full name of a type, a collection's within Collection().
func qualified(of typeName) string {
	if element, many := of.element(); many {
		return "Collection(" + qualified(element) + ")"
	}
	switch {
	case slices.Contains(primitiveTypes, of):
		return "Edm." + string(of)
	case strings.HasPrefix(string(of), ownNamespace):
		return string(of)
	default:
		return graphNamespace + string(of)
	}
}

// element is the type without [], and whether it had it.
func (of typeName) element() (typeName, bool) {
	name, many := strings.CutSuffix(string(of), "[]")
	return typeName(name), many
}

// schema is what there is, by name.
type schema struct {
	types    map[typeName]*schemaType
	enums    map[typeName]*schemaEnum
	order    []*schemaType
	evolving map[typeName]bool // types with an enumeration that has members behind unknownFutureValue
}

// graphSchema is the whole schema. Its tables are the package's own: what is wrong in them panics at the start.
var graphSchema = newSchema(slices.Concat(deviceTypes(), catalogTypes(), policyTypes(), accessTypes(), recordTypes()), schemaEnums())

func newSchema(types []*schemaType, enums []*schemaEnum) *schema {
	s := &schema{types: make(map[typeName]*schemaType), enums: make(map[typeName]*schemaEnum), order: types}
	for _, e := range enums {
		s.enums[e.name] = e
	}
	for _, t := range types {
		if s.types[t.name] != nil {
			panic("graph: the schema has two types " + string(t.name))
		}
		s.types[t.name] = t
	}
	s.evolving = make(map[typeName]bool)
	for _, t := range types {
		s.evolving[t.name] = s.evolves(t, nil)
	}
	return s
}

// lookup finds a type by its full name, with or without '#'; nil: there is none.
func (s *schema) lookup(name string) *schemaType {
	return s.types[typeName(strings.TrimPrefix(strings.TrimPrefix(name, "#"), graphNamespace))]
}

// property is the type of a property or relation of a type; empty: it has none of that name.
func (s *schema) property(t *schemaType, name string) typeName {
	for ; t != nil; t = s.types[t.base] {
		for _, p := range slices.Concat(t.properties, t.relations) {
			if p.name == name {
				return p.of
			}
		}
	}
	return ""
}

// is reports whether a type is another or derives from it.
func (s *schema) is(t *schemaType, name typeName) bool {
	for ; t != nil; t = s.types[t.base] {
		if t.name == name {
			return true
		}
	}
	return false
}

// evolves reports whether somewhere in a type, or in one that derives from it, there is an enumeration with members
// behind unknownFutureValue.
func (s *schema) evolves(t *schemaType, within []*schemaType) bool {
	if slices.Contains(within, t) {
		return false
	}
	within = append(within, t)
	for _, other := range s.order {
		if !s.is(other, t.name) && !s.is(t, other.name) {
			continue
		}
		for _, p := range slices.Concat(other.properties, other.relations) {
			of, _ := p.of.element()
			if e := s.enums[of]; e != nil && e.evolved() {
				return true
			}
			if inner := s.types[of]; inner != nil && s.evolves(inner, within) {
				return true
			}
		}
	}
	return false
}

package graph

import (
	"fmt"
	"slices"
	"strings"
)

// schemaType is an entity or complex type of $metadata.
type schemaType struct {
	name     string // without its namespace, unless that is this server's own
	base     string // the type that it derives from; empty: none
	entity   bool
	abstract bool
	// properties are the names of those that the base does not have. In types each of them that is no Edm.String has its
	// type, as name:type. Edm. may be left out; collections are written type[].
	properties []string
	types      string
	// relations are navigation properties beside those that the routes show, as name:type.
	relations string
}

// schemaEnum is an enumeration of $metadata.
type schemaEnum struct {
	name    string
	flags   bool
	members []schemaMember
}

type schemaMember struct {
	name  string
	value int64
}

// edm are the primitive types that the schema uses (OData CSDL 4.0, section 4.4).
var edm = []string{"String", "Boolean", "Int32", "Int64", "Double", "DateTimeOffset", "Binary"}

// ownNamespace has the types that are not Graph's.
const ownNamespace = "syncpayloads."

// qualified is the full name of a type, a collection's within Collection().
func qualified(name string) string {
	if element, ok := strings.CutSuffix(name, "[]"); ok {
		return "Collection(" + qualified(element) + ")"
	}
	switch {
	case slices.Contains(edm, name):
		return "Edm." + name
	case strings.HasPrefix(name, ownNamespace):
		return name
	default:
		return graphNamespace + name
	}
}

// schema is what there is, by name.
type schema struct {
	types map[string]*schemaType
	enums map[string]*schemaEnum
	order []*schemaType
	// properties and relations have the types of each type's own properties.
	properties, relations map[*schemaType]map[string]string
	evolving              map[string]bool // types with an enumeration that has members behind unknownFutureValue
}

// graphSchema is the whole schema. Its tables are the package's own: what is wrong in them panics at the start.
var graphSchema = newSchema(slices.Concat(deviceTypes(), catalogTypes(), policyTypes(), accessTypes(), recordTypes()), schemaEnums())

func newSchema(types []*schemaType, enums []*schemaEnum) *schema {
	s := &schema{types: make(map[string]*schemaType), enums: make(map[string]*schemaEnum), order: types,
		properties: make(map[*schemaType]map[string]string), relations: make(map[*schemaType]map[string]string)}
	for _, e := range enums {
		s.enums[e.name] = e
	}
	for _, t := range types {
		if s.types[t.name] != nil {
			panic("graph: the schema has two types " + t.name)
		}
		s.types[t.name] = t
		s.properties[t] = typesOf(t, t.properties, t.types)
		relations := pairs(t.relations)
		s.relations[t] = relations
	}
	s.evolving = make(map[string]bool)
	for _, t := range types {
		s.evolving[t.name] = s.evolves(t, nil)
	}
	return s
}

// pairs reads name:type, in any number.
func pairs(text string) map[string]string {
	found := make(map[string]string)
	for pair := range strings.FieldsSeq(text) {
		name, typeName, ok := strings.Cut(pair, ":")
		if !ok {
			panic(fmt.Sprintf("graph: the schema has %q, which is no name:type", pair))
		}
		found[name] = typeName
	}
	return found
}

func typesOf(t *schemaType, names []string, types string) map[string]string {
	found := pairs(types)
	for name := range found {
		if !slices.Contains(names, name) {
			panic(fmt.Sprintf("graph: the schema gives a type to %s of %s, which has no such property", name, t.name))
		}
	}
	for _, name := range names {
		if found[name] == "" {
			found[name] = "String"
		}
	}
	return found
}

// lookup finds a type by its full name, with or without '#'; nil: there is none.
func (s *schema) lookup(name string) *schemaType {
	return s.types[strings.TrimPrefix(strings.TrimPrefix(name, "#"), graphNamespace)]
}

// property is the type of a property or relation of a type; empty: it has none of that name.
func (s *schema) property(t *schemaType, name string) string {
	for ; t != nil; t = s.types[t.base] {
		if found := s.properties[t][name]; found != "" {
			return found
		}
		if found := s.relations[t][name]; found != "" {
			return found
		}
	}
	return ""
}

// is reports whether a type is another or derives from it.
func (s *schema) is(t *schemaType, name string) bool {
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
		for _, types := range []map[string]string{s.properties[other], s.relations[other]} {
			for _, name := range types {
				name = strings.TrimSuffix(name, "[]")
				if e := s.enums[name]; e != nil && e.evolved() {
					return true
				}
				if inner := s.types[name]; inner != nil && s.evolves(inner, within) {
					return true
				}
			}
		}
	}
	return false
}

// sentinel is the number of unknownFutureValue; false if the enumeration does not have it.
func (e *schemaEnum) sentinel() (int64, bool) {
	i := slices.IndexFunc(e.members, func(m schemaMember) bool { return m.name == unknownFutureValue })
	if i < 0 {
		return 0, false
	}
	return e.members[i].value, true
}

// late reports whether a member was added behind unknownFutureValue.
func (e *schemaEnum) late(member string) bool {
	last, ok := e.sentinel()
	return ok && slices.ContainsFunc(e.members, func(m schemaMember) bool { return m.name == member && m.value > last })
}

// evolved reports whether there are such members.
func (e *schemaEnum) evolved() bool {
	return slices.ContainsFunc(e.members, func(m schemaMember) bool { return e.late(m.name) })
}

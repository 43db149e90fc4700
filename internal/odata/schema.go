package odata

import (
	"slices"
	"strings"
)

// Type is an entity or complex type of $metadata.
type Type struct {
	Name TypeName
	Base TypeName // the type that it derives from; empty: none
	// Entity says that it is an entity type, whose things have ids.
	Entity   bool
	Abstract bool
	// Key is the property by which things of the type are told apart, if it is the type that has
	// it.
	Key string
	// Referenced says that relations refer to things of the type, and do not contain them.
	Referenced bool
	// Properties are those that the base does not have.
	Properties Properties
	// Relations are navigation properties beside those that operations show.
	Relations Properties
}

// schema is what types and enumerations there are, by name.
type schema struct {
	types map[TypeName]*Type
	enums map[TypeName]*Enum
	order []*Type
	// types with an enumeration that has members after unknownFutureValue
	evolving map[TypeName]bool
}

func newSchema(types []*Type, enums []*Enum) *schema {
	s := &schema{
		types:    make(map[TypeName]*Type),
		enums:    make(map[TypeName]*Enum),
		order:    types,
		evolving: make(map[TypeName]bool),
	}
	for _, e := range enums {
		s.enums[e.Name] = e
	}
	for _, t := range types {
		if s.types[t.Name] != nil {
			panic("odata: the schema has two types " + string(t.Name))
		}
		s.types[t.Name] = t
	}
	for _, t := range types {
		s.evolving[t.Name] = s.evolves(t, nil)
	}
	return s
}

// lookup finds a type by its full name, with or without '#'; nil: there is none.
func (s *schema) lookup(name string) *Type {
	return s.types[TypeName(strings.TrimPrefix(strings.TrimPrefix(name, "#"), GraphNamespace))]
}

// named finds a type by its name without the namespace, in letters of either case; nil: there is
// none.
func (s *schema) named(name string) *Type {
	_, t, _ := lookUp(s.types, TypeName(name))
	return t
}

// related are a type, those that it derives from, and those that derive from it.
func (s *schema) related(of TypeName) (types []*Type) {
	own := s.types[of]
	for _, t := range s.order {
		if own != nil && (s.is(t, of) || s.is(own, t.Name)) {
			types = append(types, t)
		}
	}
	return types
}

// property is the type of a property or relation of a type; empty: it has none of that name.
func (s *schema) property(t *Type, name string) TypeName {
	for ; t != nil; t = s.types[t.Base] {
		for _, p := range slices.Concat(t.Properties, t.Relations) {
			if p.Name == name {
				return p.Of
			}
		}
	}
	return ""
}

// is reports whether a type is another or derives from it.
func (s *schema) is(t *Type, name TypeName) bool {
	for ; t != nil; t = s.types[t.Base] {
		if t.Name == name {
			return true
		}
	}
	return false
}

// evolves reports whether somewhere in a type, or in one that derives from it, there is an
// enumeration with members after unknownFutureValue. Within are the types that are being looked at.
func (s *schema) evolves(t *Type, within []*Type) bool {
	if slices.Contains(within, t) {
		return false
	}
	within = append(within, t)
	for _, other := range s.order {
		if !s.is(other, t.Name) && !s.is(t, other.Name) {
			continue
		}
		for _, p := range slices.Concat(other.Properties, other.Relations) {
			of, _ := p.Of.element()
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

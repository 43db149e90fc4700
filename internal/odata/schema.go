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
	// Open says that things of it may have properties beside the declared ones.
	Open bool
	// Facts tell more of the type itself, under an empty name, and of its properties.
	Facts map[string]Fact
}

// Fact is what is said of a type, a property or a member beside its name and type.
type Fact struct {
	NotNull  bool // a property always has a value
	BetaOnly bool // v1.0 does not have it
	Own      bool // it is the server's own, in Graph's namespace
	Same     bool // a property is the same for all things: it is not worked out
}

// schema is what types and enumerations there are, by name.
type schema struct {
	types map[TypeName]*Type
	enums map[TypeName]*Enum
	order []*Type
	// properties and relations of each type with those that it inherits
	properties map[TypeName]map[string]TypeName
	// types with an enumeration that has members after unknownFutureValue
	evolving map[TypeName]bool
}

func newSchema(types []*Type, enums []*Enum) *schema {
	s := &schema{
		types:      make(map[TypeName]*Type),
		enums:      make(map[TypeName]*Enum),
		order:      types,
		properties: make(map[TypeName]map[string]TypeName),
		evolving:   make(map[TypeName]bool),
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
		all := make(map[string]TypeName)
		for base := t; base != nil; base = s.types[base.Base] {
			for _, p := range slices.Concat(base.Properties, base.Relations) {
				all[p.Name] = p.Of
			}
		}
		s.properties[t.Name] = all
	}
	s.findEvolving()
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
	if t == nil {
		return ""
	}
	return s.properties[t.Name][name]
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

// findEvolving finds the types in which, or in one that derives from them, there is somewhere an
// enumeration with members after unknownFutureValue that an answer may have.
func (s *schema) findEvolving() {
	for found := true; found; {
		found = false
		for _, t := range s.order {
			if s.evolving[t.Name] || !s.hasEvolving(t) {
				continue
			}
			found = true
			for _, other := range s.order {
				if s.is(other, t.Name) || s.is(t, other.Name) {
					s.evolving[other.Name] = true
				}
			}
		}
	}
}

// hasEvolving reports whether a type itself has a property of such an enumeration, or of a type
// that is known to have one.
func (s *schema) hasEvolving(t *Type) bool {
	return slices.ContainsFunc(slices.Concat(t.Properties, t.Relations), func(p Property) bool {
		of, _ := p.Of.element()
		e := s.enums[of]
		return !t.Facts[p.Name].Same && (s.evolving[of] || e != nil && e.evolved())
	})
}

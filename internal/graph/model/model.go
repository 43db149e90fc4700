// Package model knows Microsoft Graph's own types: their names, bases, properties and members, as
// Graph's public metadata tells them. It knows of nothing that this server does with them.
package model

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run ./generate -types generate/types.txt -beta $GRAPH_BETA -stable $GRAPH_STABLE -out table.txt

// table has the types as generate writes them. Its first lines tell the form.
//
//go:embed table.txt
var table string

// Kind tells what a type is.
type Kind int

// The kinds of types (OData CSDL 4.0, sections 6, 7 and 8).
const (
	Entity Kind = iota // its things have ids
	Complex
	Enumeration
)

// TypeInfo is a type of Graph's.
type TypeInfo struct {
	Name     string // without its namespace
	Base     string // the type that it derives from; empty: none
	Kind     Kind
	Abstract bool
	Open     bool // things of it may have properties beside the declared ones
	Flags    bool // values of the enumeration combine members
	Stable   bool // v1.0 has it, too
	// Properties are those that the base does not have, as Graph orders them.
	Properties []PropertyInfo
	// Members are those of an enumeration.
	Members []Member
}

// PropertyInfo is a property of a type, or a relationship of it.
type PropertyInfo struct {
	Name string
	// Type is that of the value, or of each element: a primitive type as CSDL has it, without Edm,
	// or one of Graph's without its namespace.
	Type       string
	Collection bool
	Nullable   bool
	// Navigation says that it leads to other things, which are read with $expand or by their path.
	Navigation bool
	Stable     bool // v1.0 has it, too
}

// Member is a member of an enumeration with its number.
type Member struct {
	Name   string
	Value  int64
	Stable bool // v1.0 has it, too
}

// Type finds a type by its name without the namespace, in letters of either case.
func Type(name string) (*TypeInfo, bool) {
	t, ok := types()[fold(name)]
	return t, ok
}

// Names are those of all types, in their order.
func Names() []string {
	names := make([]string, 0, len(types()))
	for _, t := range types() {
		names = append(names, t.Name)
	}
	slices.Sort(names)
	return names
}

// Property finds a property of a type, or of one that it derives from. Both names may be in letters
// of either case; the answer has Graph's.
func Property(typeName, property string) (PropertyInfo, bool) {
	t := types()[fold(typeName)]
	for ; t != nil; t = types()[fold(t.Base)] {
		for _, p := range t.Properties {
			if len(p.Name) == len(property) && fold(p.Name) == fold(property) {
				return p, true
			}
		}
	}
	return PropertyInfo{}, false
}

// Properties are all that a type has: first those of the types that it derives from.
func Properties(typeName string) []PropertyInfo {
	t := types()[fold(typeName)]
	if t == nil {
		return nil
	}
	return append(Properties(t.Base), t.Properties...)
}

// Is reports whether a type is another, or derives from it.
func Is(typeName, base string) bool {
	for t := types()[fold(typeName)]; t != nil; t = types()[fold(t.Base)] {
		if fold(t.Name) == fold(base) {
			return true
		}
	}
	return false
}

// fold makes the letters of ASCII small. Names of Graph's have no others.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, name)
}

// types are all types, by their names in small letters.
var types = sync.OnceValue(func() map[string]*TypeInfo {
	all, err := parse(table)
	if err != nil {
		panic("model: the table of types: " + err.Error())
	}
	return all
})

// parse reads a table. A line is a type, or of the type before it a property, which begins with a
// space. A star ends what v1.0 has, too.
func parse(text string) (map[string]*TypeInfo, error) {
	all := make(map[string]*TypeInfo)
	var t *TypeInfo
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\n")
		var err error
		switch {
		case line == "" || line[0] == '#':
		case line[0] != ' ':
			if t, err = parseType(strings.Fields(line)); err == nil {
				all[fold(t.Name)] = t
			}
		case t == nil:
			err = fmt.Errorf("a property before any type")
		default:
			err = t.parseProperty(strings.Fields(line))
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	return all, nil
}

// kinds are the words for the kinds. Flags are an enumeration, too.
var kinds = map[string]Kind{"entity": Entity, "complex": Complex, "enum": Enumeration,
	"flags": Enumeration}

// parseType reads `entity managedDevice :entity abstract open *`, or of an enumeration its members.
func parseType(words []string) (*TypeInfo, error) {
	if len(words) < 2 {
		return nil, fmt.Errorf("a type without a name")
	}
	kind, ok := kinds[words[0]]
	if !ok {
		return nil, fmt.Errorf("no kind of types is called %q", words[0])
	}
	t := &TypeInfo{Name: words[1], Kind: kind, Flags: words[0] == "flags"}
	for _, word := range words[2:] {
		switch {
		case word == "*":
			t.Stable = true
		case word == "abstract" && kind != Enumeration: // which may have a member of that name
			t.Abstract = true
		case word == "open" && kind != Enumeration:
			t.Open = true
		case word[0] == ':':
			t.Base = word[1:]
		default:
			if err := t.parseMember(word); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// parseMember reads `company=1*`. A member without a number follows the one before it (OData CSDL
// 4.0, section 10.2.2); of flags, each is the next bit.
func (t *TypeInfo) parseMember(word string) error {
	word, stable := strings.CutSuffix(word, "*")
	m := Member{Name: word, Stable: stable}
	if name, value, ok := strings.Cut(word, "="); ok {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return fmt.Errorf("member %s: %w", name, err)
		}
		m.Name, m.Value = name, n
	} else if i := len(t.Members) - 1; i >= 0 {
		m.Value = t.Members[i].Value + 1
		if t.Flags {
			m.Value = max(1, 2*t.Members[i].Value)
		}
	}
	t.Members = append(t.Members, m)
	return nil
}

// parseProperty reads `deviceName String? *`, or of a relationship `users user[] > *`.
func (t *TypeInfo) parseProperty(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("property %q has no type", words)
	}
	p := PropertyInfo{Name: words[0]}
	p.Type, p.Nullable = strings.CutSuffix(words[1], "?")
	p.Type, p.Collection = strings.CutSuffix(p.Type, "[]")
	for _, word := range words[2:] {
		switch word {
		case ">":
			p.Navigation = true
		case "*":
			p.Stable = true
		default:
			return fmt.Errorf("property %q has the unknown mark %q", words[0], word)
		}
	}
	t.Properties = append(t.Properties, p)
	return nil
}

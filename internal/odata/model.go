package odata

import (
	"slices"
	"strings"
)

// Definition is what a model is made of.
type Definition struct {
	Types      []*Type
	Enums      []*Enum
	Operations []*Operation
	// Containers are the singletons under which most collections are kept. Each is a type of its
	// own.
	Containers []string
	// Unlisted are the types of what is in sets that no operation lists, by the sets' paths.
	Unlisted map[string]TypeName
	// Vocabulary tells what else there is that bodies may name; nil: nothing.
	Vocabulary Vocabulary
}

// Model is the entity data model of a surface (OData CSDL 4.0): its types, and what each version
// offers of them.
type Model struct {
	schema     *schema
	containers []string
	types      map[string]TypeName // of what operations answer with, by their sets
	offers     map[string]*offer   // by the version's path
	metadata   map[string][]byte   // $metadata of each version
	paths      *pathTree
	vocabulary Vocabulary
}

// NewModel makes a model. What does not fit together in its definition panics: that is a program's
// own tables.
func NewModel(d Definition) *Model {
	m := &Model{
		schema:     newSchema(d.Types, d.Enums),
		containers: d.Containers,
		types:      make(map[string]TypeName),
		offers:     make(map[string]*offer),
		metadata:   make(map[string][]byte),
		vocabulary: d.Vocabulary,
	}
	m.paths = newPathTree(d.Operations, m.schema)
	for set, of := range d.Unlisted {
		m.types[set] = of
	}
	for _, o := range d.Operations {
		if o.Answers != "" {
			m.types[o.Set] = o.Answers
		}
	}
	for _, version := range []string{BetaPath, StablePath} {
		m.offers[version] = newOffer(d.Operations, version, m.types)
		m.metadata[version] = m.csdl(m.offers[version])
	}
	return m
}

// offer is what the operations of one version offer.
type offer struct {
	stable    bool                // it is v1.0
	types     map[string]TypeName // as Model has them
	relations []relation
	actions   []boundOperation
	functions []boundOperation
	readable  []string // sets whose things can be read one by one, and single things
	writable  []string // those whose things can be changed or deleted
	single    []string // single things, which have no key
}

// relation is a navigation property, or an entity set if no type has it.
type relation struct {
	of         TypeName // the type that has it; empty: the service itself
	name       string
	target     TypeName
	collection bool
}

// boundOperation is an action or a function on things of a type, or on a list of them.
type boundOperation struct {
	name      string
	on        TypeName
	signature Signature
}

// newOffer makes out of operations what a version offers.
func newOffer(operations []*Operation, version string, types map[string]TypeName) *offer {
	v := &offer{types: types, stable: version == StablePath}
	for _, o := range operations {
		path, ok := strings.CutPrefix(o.Pattern, version)
		switch {
		case !ok || strings.ContainsAny(path, ".$"):
		case isFunction(path):
			v.addFunction(o, strings.Split(path, "/"))
		default:
			v.add(o, strings.Split(path, "/"))
		}
	}
	return v
}

// add adds what an operation offers, by the segments of its path.
func (v *offer) add(o *Operation, path []string) {
	last := len(path) - 1
	set := joinWithoutKeys(path)
	if last > 0 && isKey(path[1]) {
		// What is in a set that cannot be listed is reached through it all the same.
		v.relate(relation{name: path[0], target: v.types[path[0]], collection: true})
	}
	switch {
	case isKey(path[last]) && o.Method == "GET":
		v.readable = append(v.readable, set)
	case isKey(path[last]), o.Method == "PATCH":
		v.writable = append(v.writable, set)
	case o.Method == "GET":
		v.addSet(o, path, set)
	case strings.HasSuffix(o.Set, "/"+path[last]): // it adds to a collection
	case o.Method == "POST" && last > 1:
		a := boundOperation{name: path[last], on: v.boundTo(path[:last]), signature: o.Signature}
		if a.on != "" && !slices.ContainsFunc(v.actions, a.same) {
			v.actions = append(v.actions, a)
		}
	}
}

// boundTo is the type of what the segments of a path lead to: of a thing behind a key, or of a
// list; empty: of what has none.
func (v *offer) boundTo(path []string) TypeName {
	of := v.types[joinWithoutKeys(path)]
	if of == "" || isKey(path[len(path)-1]) {
		return of
	}
	return CollectionOf(of)
}

// addFunction adds a function on things of a type, or on a list of them. Its parameters are texts.
func (v *offer) addFunction(o *Operation, path []string) {
	at := slices.IndexFunc(path, isFunction)
	name, parameters, _ := strings.Cut(path[at], "(")
	f := boundOperation{name: name, on: v.boundTo(path[:at]),
		signature: Signature{Returns: o.Signature.Returns}}
	if parameters = strings.TrimSuffix(parameters, ")"); parameters != "" {
		f.signature.Parameters = Texts(parameters)
	}
	v.functions = append(v.functions, f)
}

// same reports whether an action is another one's: one type has but one of a name.
func (a boundOperation) same(b boundOperation) bool { return a.name == b.name && a.on == b.on }

// relation is a relationship of things of a type that a version has, by its name in letters of
// either case: the type of the things that it leads to, and its own name; empty: there is none.
func (m *Model) relation(version string, of TypeName, name string) (target TypeName, own string) {
	for _, t := range m.schema.related(of) {
		for _, p := range t.Relations {
			if SameName(name, p.Name) {
				element, _ := p.Of.element()
				return element, p.Name
			}
		}
		for _, r := range m.offers[version].relations {
			if r.of == t.Name && SameName(name, r.name) {
				return r.target, r.name
			}
		}
	}
	return "", ""
}

// addSet adds a collection or a single thing that can be read.
func (v *offer) addSet(o *Operation, path []string, set string) {
	last := len(path) - 1
	r := relation{name: path[last], target: v.types[set], collection: o.List, of: TypeName(path[0])}
	switch {
	case last == 0:
		r.of = ""
	case isKey(path[last-1]):
		r.of = v.types[strings.Join(path[:last-1], "/")]
	}
	if !r.collection {
		v.readable = append(v.readable, set)
		v.single = append(v.single, set)
	}
	v.relate(r)
}

func (v *offer) relate(r relation) {
	if !slices.Contains(v.relations, r) {
		v.relations = append(v.relations, r)
	}
}

// WithoutKeys is the path of a pattern without what stands for keys.
func WithoutKeys(pattern string) string { return joinWithoutKeys(strings.Split(pattern, "/")) }

func joinWithoutKeys(path []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(path), isKey), "/")
}

// isKey reports whether a segment of a pattern stands for a key.
func isKey(segment string) bool { return strings.HasPrefix(segment, "{") }

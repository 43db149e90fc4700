package graph

import (
	"slices"
	"strings"
)

// relation is a navigation property, or an entity set if no type has it.
type relation struct {
	of         typeName // the type that has it; empty: the service itself
	name       string
	target     typeName
	collection bool
}

// boundAction is an action on a resource.
type boundAction struct {
	name      string
	on        typeName
	parameter string   // empty: it has none
	takes     typeName // the parameter
	returns   typeName // empty: nothing
}

// model is what the routes of one version offer.
type model struct {
	types     map[string]typeName // as answerTypes has them
	relations []relation
	actions   []boundAction
	readable  []string // paths of collections whose things can be read one by one, and of single things
	writable  []string // those whose things can be changed or deleted
}

// services are the paths under which Graph keeps most collections. Each is a type of its own.
var services = []string{"deviceManagement", "deviceAppManagement"}

// answerTypes are the types of what routes answer with, by the path without version and ids.
func answerTypes(routes []route) map[string]typeName {
	types := map[string]typeName{"users": "user"} // there is no list of them
	for i := range routes {
		rt := &routes[i]
		if rt.answers != "" {
			types[rt.set()] = rt.answers
		}
	}
	return types
}

func withoutKeys(path string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(path, "/"), isKey), "/")
}

// newModel makes out of routes what a version offers.
func newModel(routes []route, version string, types map[string]typeName) *model {
	m := &model{types: types}
	for i := range routes {
		if path, ok := strings.CutPrefix(routes[i].pattern, version); ok && !strings.ContainsAny(path, ".$") {
			m.add(&routes[i], strings.Split(path, "/"))
		}
	}
	return m
}

func (m *model) add(rt *route, path []string) {
	last := len(path) - 1
	set := strings.Join(slices.DeleteFunc(slices.Clone(path), isKey), "/")
	if last > 0 && isKey(path[1]) { // what is in a set that cannot be listed is reached through it all the same
		m.relate(relation{name: path[0], target: m.types[path[0]], collection: true})
	}
	switch {
	case isKey(path[last]) && rt.method == "GET":
		m.readable = append(m.readable, set)
	case isKey(path[last]), rt.method == "PATCH":
		m.writable = append(m.writable, set)
	case rt.method == "GET":
		r := relation{name: path[last], target: m.types[set], collection: rt.verb != nil && rt.verb.many, of: typeName(path[0])}
		if last == 0 {
			r.of = ""
		} else if isKey(path[last-1]) {
			r.of = m.types[strings.Join(path[:last-1], "/")]
		}
		if !r.collection {
			m.readable = append(m.readable, set)
		}
		m.relate(r)
	case rt.method == "POST" && last > 1 && isKey(path[last-1]):
		if a := m.actionOf(path[last], strings.Join(path[:last-1], "/")); !slices.Contains(m.actions, a) {
			m.actions = append(m.actions, a)
		}
	}
}

func (m *model) relate(r relation) {
	if !slices.Contains(m.relations, r) {
		m.relations = append(m.relations, r)
	}
}

// isKey reports whether a segment of a route's pattern stands for an id.
func isKey(segment string) bool { return strings.HasPrefix(segment, "{") }

// actionOf is an action with what it takes.
func (m *model) actionOf(name, set string) boundAction {
	a := boundAction{name: name, on: m.types[set]}
	for _, w := range []*wording{syncPayloads, changeAssignments} {
		if name == string(w.name) {
			a.parameter, a.takes = w.collection, collectionOf(typeName(strings.TrimPrefix(w.itemType, graphNamespace)))
		}
	}
	for _, k := range payloadKinds() {
		if name == "assign" && set == k.path() {
			a.parameter, a.takes = k.of.Assignments, collectionOf(k.assignment())
			if k.of.Echo {
				a.returns = a.takes
			}
		}
	}
	return a
}

package payload

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// typedPlace is an object of properties, what is made of it, and where it is, for messages.
type typedPlace struct {
	given map[string]any
	into  *typedTarget
	where string // empty: the configuration itself
	taken map[string]bool
}

// objectType tells of which of several types an object is.
const objectType = "@odata.type"

// writes is how often something was set.
func (p *typedPlace) writes() int {
	if p.into == nil {
		return 0
	}
	return p.into.writes
}

// typedTarget is what the lines of one place write to.
type typedTarget struct {
	value  any               // a dictionary, a list, or what "." makes it
	setBy  map[string]string // the property that set what is at a path
	writes int
}

func newTypedTarget() *typedTarget {
	return &typedTarget{value: map[string]any{}, setBy: make(map[string]string)}
}

// typedFault is an *invalid.Input that names a property.
func typedFault(where, format string, args ...any) error {
	return &invalid.Input{Property: where, Reason: fmt.Sprintf(format, args...)}
}

// at is the full name of a property of the place.
func (p *typedPlace) at(name string) string {
	if p.where == "" {
		return name
	}
	return p.where + "." + name
}

// set puts a value to where the line says. Two properties cannot set one key to different values.
func (p *typedPlace) set(l *typedLine, value any) error {
	if l.path == nil {
		return nil
	}
	path := l.path
	if path[0] == "." {
		path = nil
		p.into.value = nil
	}
	at := strings.Join(l.path, "/")
	made, err := put(p.into.value, path, value)
	if err != nil {
		return typedFault(p.at(l.property), "sets %s, which %s sets to another value", at,
			p.into.setBy[at])
	}
	p.into.value = made
	p.into.writes++
	if p.into.setBy[at] == "" {
		p.into.setBy[at] = p.at(l.property)
	}
	return nil
}

var errSetTwice = errors.New("it is set to another value")

// put returns a container in which the value is at the path. "0" is the first element of a list.
func put(in any, path []string, value any) (any, error) {
	if len(path) == 0 {
		if in != nil && !reflect.DeepEqual(in, value) {
			return nil, errSetTwice
		}
		return value, nil
	}
	if path[0] == "0" {
		list, _ := in.([]any)
		var first any
		if len(list) > 0 {
			first = list[0]
		}
		made, err := put(first, path[1:], value)
		return []any{made}, err
	}
	dict, ok := in.(map[string]any)
	if !ok {
		dict = make(map[string]any)
	}
	made, err := put(dict[path[0]], path[1:], value)
	if err == nil {
		dict[path[0]] = made
	}
	return dict, err
}

// checkTaken refuses what is set of a place and that no line took: it has no place in the profile
// as the other properties have it, or is not known at all.
func (p *typedPlace) checkTaken(lines []*typedLine) error {
	for _, name := range slices.Sorted(maps.Keys(p.given)) {
		if p.taken[name] || strings.Contains(name, "@") || strings.HasPrefix(name, "#") {
			continue
		}
		known, conditions := findLine(lines, name, nil)
		switch {
		case known == nil && p.where != "":
			return typedFault(p.at(name), "is not known here")
		case known == nil || known.isUnset(p.given[name]) || known.isFirst(p.given[name]):
			continue
		}
		return typedFault(p.at(name), "has no place in the profile with this %s: leave it out",
			strings.Join(conditions, " and "))
	}
	return nil
}

// findLine finds a line of a property, and the properties on which it depends that there is one.
func findLine(lines []*typedLine, name string, conditions []string) (*typedLine, []string) {
	for _, l := range lines {
		if l.property == name {
			return l, conditions
		}
		inner := conditions
		if l.when != "" && !slices.Contains(inner, l.when) {
			inner = append(slices.Clone(inner), l.when)
		}
		if l.property == "" {
			if found, on := findLine(l.inside, name, inner); found != nil {
				return found, on
			}
		}
	}
	return nil, nil
}

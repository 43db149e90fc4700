package simulator

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// update is what a PATCH makes of what there is. Without a mask all of changeable is replaced, so
// that what the body leaves out has its default again; with one, the fields that it names are.
func update[T any](c *call, present, body message,
	changeable func(string) bool) (message, *failure) {
	updated := maps.Clone(present)
	if updated == nil {
		updated = make(message)
	}
	mask := c.query.Get("updateMask")
	if mask == "" {
		maps.DeleteFunc(updated, func(name string, _ any) bool { return changeable(name) })
		for name, value := range body {
			if changeable(name) {
				updated[name] = value
			}
		}
		return updated, nil
	}
	for path := range strings.SplitSeq(mask, ",") {
		names := strings.Split(camel(strings.TrimSpace(path)), ".")
		if !changeable(names[0]) || !hasPath(reflect.TypeFor[T](), names) {
			return nil, badRequest("update_mask", "Invalid update_mask: %q cannot be updated.",
				path)
		}
		copyPath(updated, body, names)
	}
	return updated, nil
}

// camel is a field mask's path with the names of JSON.
func camel(path string) string {
	for {
		before, after, found := strings.Cut(path, "_")
		if !found || after == "" {
			return path
		}
		path = before + strings.ToUpper(after[:1]) + after[1:]
	}
}

// hasPath tells whether a field mask may name a path of a type.
func hasPath(t reflect.Type, names []string) bool {
	for i, name := range names {
		f, known := fieldsOf(t)[name]
		if !known {
			return false
		}
		if i < len(names)-1 {
			if f.kind.Kind() != reflect.Pointer {
				return false
			}
			t = f.kind.Elem()
		}
	}
	return true
}

// copyPath makes what to has at a path what from has there.
func copyPath(to, from message, names []string) {
	value, set := from[names[0]]
	if len(names) == 1 {
		if delete(to, names[0]); set {
			to[names[0]] = value
		}
		return
	}
	inner, present := to[names[0]].(message)
	source, given := value.(message)
	if !present && !given {
		return
	}
	if inner = maps.Clone(inner); inner == nil {
		inner = make(message)
	}
	copyPath(inner, source, names[1:])
	to[names[0]] = inner
}

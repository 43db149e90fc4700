package payload

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// collection is what objects and lists become.
func (w *typedWriter) collection(l *typedLine, v any, where string, p *typedPlace) (any, error) {
	if l.kind == "object" {
		object, ok := v.(map[string]any)
		if !ok {
			return nil, errors.New("must be an object")
		}
		return w.object(l, object, where, p)
	}
	list, ok := v.([]any)
	if !ok {
		return nil, errors.New("must be a collection")
	}
	made, pairs := make([]any, 0, len(list)), make(map[string]any)
	for i, one := range list {
		at := fmt.Sprintf("%s[%d]", where, i)
		var value any
		var err error
		switch l.kind {
		case "objects":
			object, isObject := one.(map[string]any)
			if !isObject {
				return nil, typedFault(at, "must be an object")
			}
			value, err = w.object(l, object, at, p)
		case "apps":
			value, err = appOfList(one)
		case "pairs":
			err = l.pair(one, pairs)
		default:
			var text string
			if text, err = plainText(one); err == nil {
				value, err = l.text(text)
			}
		}
		if err != nil {
			return nil, within(at, err)
		}
		if value != nil {
			made = append(made, value)
		}
	}
	switch {
	case l.kind == "pairs":
		return pairs, nil
	case l.kind == "first" && len(made) > 1:
		return nil, fmt.Errorf("has %d elements; Apple's key takes one", len(made))
	case l.kind == "first":
		return made[0], nil
	case l.path == nil:
		return nil, nil // written already
	}
	return made, nil
}

// within names the place of an error that names none.
func within(where string, err error) error {
	var known *invalid.Input
	if errors.As(err, &known) {
		return err
	}
	return typedFault(where, "%v", err)
}

// object is what an object becomes: a dictionary, or, without a key of its own, more keys of what
// it is in.
func (w *typedWriter) object(l *typedLine, given map[string]any, where string,
	p *typedPlace) (any, error) {
	inner := &typedPlace{given: given, into: p.into, where: where, taken: make(map[string]bool)}
	if l.path != nil {
		inner.into = newTypedTarget()
	}
	before := inner.into.writes
	if types := typesIn(l.inside); len(types) > 0 && !slices.ContainsFunc(l.inside,
		func(in *typedLine) bool { return in.when == objectType && in.holds(given) }) {
		return nil, typedFault(inner.at(objectType), "must be one of %s",
			strings.Join(types, ", "))
	}
	if err := w.lines(l.inside, inner); err != nil {
		return nil, err
	}
	if err := inner.checkTaken(l.inside); err != nil {
		return nil, err
	}
	switch {
	case l.kind == "objects" && inner.into.writes == before:
		return nil, typedFault(where, "says nothing that a device could obey")
	case l.path == nil || inner.into.writes == before:
		return nil, nil
	}
	return inner.into.value, nil
}

// typesIn are the types that an object may be of; none: there is but one.
func typesIn(lines []*typedLine) (types []string) {
	for _, l := range lines {
		if l.when == objectType {
			for _, name := range l.values {
				types = append(types, "#microsoft.graph."+name)
			}
		}
	}
	return types
}

// appOfList is the bundle id of an app in a list.
func appOfList(v any) (any, error) {
	app, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("must be an object")
	}
	for name := range app {
		known := slices.ContainsFunc(appListItem,
			func(p catalog.Property) bool { return p.Name == name })
		if !known && !strings.Contains(name, "@") {
			return nil, fmt.Errorf("has a property %.60q, which is not known here", name)
		}
	}
	id, ok := app["appId"].(string)
	if !ok || !bundleIDForm.MatchString(id) {
		return nil, errors.New("needs an appId that is a bundle id, such as com.example.app")
	}
	return id, nil
}

// pair adds a name and its value.
func (l *typedLine) pair(v any, to map[string]any) error {
	object, _ := v.(map[string]any)
	key, isText := object[l.arguments[0]].(string)
	value, hasValue := object[l.arguments[1]].(string)
	switch {
	case !isText || !hasValue || key == "" || !propertylist.IsText(key+value):
		return fmt.Errorf("must be an object with the texts %q and %q", l.arguments[0],
			l.arguments[1])
	case to[key] != nil:
		return fmt.Errorf("has %.60q for the second time", key)
	}
	to[key] = value
	return nil
}

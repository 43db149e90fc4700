package graph

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/jsontext"
)

// object is a JSON object of a request. Property names are case-sensitive, and each occurs once.
type object struct {
	place  *place // where it is in the body
	names  []string
	values map[string]any // nil, bool, string, json.Number, *object or []any of the same
}

// at is the full name of a property, as messages name it.
func (o *object) at(name string) string { return (&place{in: o.place, name: name}).String() }

// only refuses properties that are not among the known ones. Annotations are accepted everywhere, but for
// references to other things.
func (o *object) only(known ...string) error {
	for _, name := range o.names {
		if (!isAnnotation(name) || isBinding(name)) && !slices.Contains(known, name) {
			return badRequest(o.at(name), "Property '%s' is not known here.", o.at(name))
		}
	}
	return nil
}

// text returns a string property; ok is false when it is missing or null.
func (o *object) text(name string) (value string, ok bool, err error) {
	switch v := o.values[name].(type) {
	case nil:
		return "", false, nil
	case string:
		return v, true, nil
	default:
		return "", false, badRequest(o.at(name), "Property '%s' must be a string.", o.at(name))
	}
}

// requiredText returns a string property that must be there and not be empty.
func (o *object) requiredText(name string) (string, error) {
	value, _, err := o.text(name)
	if err == nil && value == "" {
		err = badRequest(o.at(name), "Property '%s' is required.", o.at(name))
	}
	return value, err
}

// requiredObject returns a property that must be there and be an object.
func (o *object) requiredObject(name string) (*object, error) {
	inner, ok := o.values[name].(*object)
	if !ok {
		return nil, badRequest(o.at(name), "Property '%s' is required and must be an object.", o.at(name))
	}
	return inner, nil
}

// requiredObjects returns a property that must be there and be a collection of objects.
func (o *object) requiredObjects(name string) ([]*object, error) {
	list, ok := o.values[name].([]any)
	if !ok {
		return nil, badRequest(o.at(name), "Property '%s' is required and must be a collection.", o.at(name))
	}
	objects := make([]*object, len(list))
	for i, v := range list {
		if objects[i], ok = v.(*object); !ok {
			element := fmt.Sprintf("%s[%d]", o.at(name), i)
			return nil, badRequest(element, "Property '%s' must be an object.", element)
		}
	}
	return objects, nil
}

// requiredTexts returns a property that must be there and be a collection of strings.
func (o *object) requiredTexts(name string) ([]string, error) {
	list, ok := o.values[name].([]any)
	if !ok {
		return nil, badRequest(o.at(name), "Property '%s' is required and must be a collection.", o.at(name))
	}
	texts := make([]string, len(list))
	for i, v := range list {
		if texts[i], ok = v.(string); !ok {
			element := fmt.Sprintf("%s[%d]", o.at(name), i)
			return nil, badRequest(element, "Property '%s' must be a string.", element)
		}
	}
	return texts, nil
}

// odataType is the object's @odata.type without '#'; empty if it has none.
func (o *object) odataType() (string, error) {
	value, _, err := o.text("@odata.type")
	return strings.TrimPrefix(value, "#"), err
}

// MarshalJSON gives the object back as it came.
func (o *object) MarshalJSON() ([]byte, error) { return o.fields().MarshalJSON() }

func (o *object) fields() fields {
	members := make(fields, len(o.names))
	for i, name := range o.names {
		members[i] = field{name, o.values[name]}
	}
	return members
}

// field is a property of a served object.
type field struct {
	name  string
	value any
}

// fields is a served object with its properties in order.
type fields []field

// MarshalJSON writes the object.
func (f fields) MarshalJSON() ([]byte, error) { return f.append(make([]byte, 0, 32*len(f))) }

func (f fields) append(b []byte) (_ []byte, err error) {
	b = append(b, '{')
	for i, p := range f {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(jsontext.AppendString(b, p.name), ':')
		if b, err = appendValue(b, p.value); err != nil {
			return nil, fmt.Errorf("property %s: %w", p.name, err)
		}
	}
	return append(b, '}'), nil
}

// appendValue writes what most properties are by itself, because encoding/json checks once more what an object in another
// one writes.
func appendValue(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		return jsontext.AppendString(b, v), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case fields:
		return v.append(b)
	}
	text, err := json.Marshal(value)
	return append(b, text...), err
}

// pick returns the selected properties, in the object's order.
func (f fields) pick(selected []string) fields {
	picked := make(fields, 0, len(selected))
	for _, p := range f {
		if slices.Contains(selected, p.name) {
			picked = append(picked, p)
		}
	}
	return picked
}

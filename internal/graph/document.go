package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/jsontext"
)

// depthLimit is how deep a request's JSON may nest.
const depthLimit = 32

// object is a JSON object of a request. Property names are case-sensitive, and each occurs once.
type object struct {
	path   string // where it is in the body, e.g. "assignments[0].target"; empty: the body itself
	names  []string
	values map[string]any // nil, bool, string, json.Number, *object or []any of the same
}

// parseObject reads a request body that must be one JSON object.
func parseObject(body []byte) (*object, error) {
	var whole json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil {
		return nil, notJSON(err)
	}
	if !utf8.Valid(body) {
		return nil, badRequest("", "The request body is not valid JSON: it is not UTF-8.")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := parseValue(d, "", 0)
	if err != nil {
		return nil, err
	}
	o, ok := v.(*object)
	if !ok {
		return nil, badRequest("", "The request body must be a JSON object.")
	}
	return o, nil
}

func notJSON(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return badRequest("", "The request body is not valid JSON at byte %d: %s.", syntax.Offset, syntax.Error())
	}
	return badRequest("", "The request body is not valid JSON.")
}

func parseValue(d *json.Decoder, path string, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, notJSON(err)
	}
	if depth > depthLimit {
		return nil, badRequest(path, "Property '%s' nests deeper than %d levels.", path, depthLimit)
	}
	switch token {
	case json.Delim('{'):
		return parseMembers(d, path, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := parseValue(d, fmt.Sprintf("%s[%d]", path, len(list)), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	default:
		return token, nil
	}
}

func parseMembers(d *json.Decoder, path string, depth int) (*object, error) {
	o := &object{path: path, values: make(map[string]any)}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		name, ok := token.(string)
		if !ok {
			return nil, badRequest("", "The request body is not valid JSON.")
		}
		if _, repeated := o.values[name]; repeated {
			return nil, badRequest(o.at(name), "Property '%s' occurs more than once.", o.at(name))
		}
		if o.values[name], err = parseValue(d, o.at(name), depth+1); err != nil {
			return nil, err
		}
		o.names = append(o.names, name)
	}
	_, err := d.Token()
	return o, err
}

// at is the full name of a property, as messages name it.
func (o *object) at(name string) string {
	if o.path == "" {
		return name
	}
	return o.path + "." + name
}

func isAnnotation(name string) bool { return strings.Contains(name, "@odata.") }

// only refuses properties that are not among the known ones. OData annotations are accepted everywhere.
func (o *object) only(known ...string) error {
	for _, name := range o.names {
		if !isAnnotation(name) && !slices.Contains(known, name) {
			return badRequest(o.at(name), "Property '%s' is not known here.", o.at(name))
		}
	}
	return nil
}

// readOnly refuses values of properties that only the server sets. Clients echo them as null.
func (o *object) readOnly(names ...string) error {
	for _, name := range names {
		if o.values[name] != nil {
			return badRequest(o.at(name), "Property '%s' is read-only. Leave it out.", o.at(name))
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

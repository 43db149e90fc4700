package graph

import (
	"fmt"
	"slices"
	"strings"
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

// member returns a required enumeration property as its number.
func (o *object) member(name string, members []string) (int, error) {
	value, err := o.requiredText(name)
	if err != nil {
		return 0, err
	}
	i := slices.Index(members, value)
	if i < 0 {
		return 0, badRequest(o.at(name), "Property '%s' is not valid: '%s' is none of %s.", o.at(name), clip(value),
			strings.Join(members, ", "))
	}
	return i, nil
}

// ofType refuses another @odata.type than the one of these.
func (o *object) ofType(names ...string) error {
	odataType, err := o.odataType()
	if err == nil && odataType != "" && !slices.Contains(names, strings.TrimPrefix(odataType, graphNamespace)) {
		err = badRequest("@odata.type", "Property '@odata.type' must be '#%s%s'.", graphNamespace, names[0])
	}
	return err
}

// optionalTexts is a property that is a collection of strings; nil if it is missing or null.
func (o *object) optionalTexts(name string) ([]string, error) {
	if o.values[name] == nil {
		return nil, nil
	}
	return o.requiredTexts(name)
}

// onlyAs refuses other values of a text property than one, which may be left out.
func (o *object) onlyAs(name, value string) error {
	text, ok, err := o.text(name)
	if err == nil && ok && text != value {
		err = badRequest(o.at(name), "Property '%s' can only be '%s' here, and not '%s'.", o.at(name), value, clip(text))
	}
	return err
}

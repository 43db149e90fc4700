package odata

import (
	"fmt"
	"slices"
	"strings"
)

// Object is a JSON object of a request. Property names are case-sensitive, and each occurs once.
type Object struct {
	place  *place // where it is in the body
	Names  []string
	Values map[string]any // nil, bool, string, json.Number, *Object or []any of the same

	parent   *Object // that has it in one of its properties; nil: it is the body
	property string
	of       TypeName // that it is known to be of

	// of the body itself: what else there is, and of which type it or its parameter is
	vocabulary Vocabulary
	declared   TypeName
	signature  Signature
}

// At is the full name of a property, as messages name it.
func (o *Object) At(name string) string { return (&place{in: o.place, name: name}).String() }

// Text returns a string property; ok is false when it is missing or null.
func (o *Object) Text(name string) (value string, ok bool, err error) {
	switch v := o.Values[name].(type) {
	case nil:
		return "", false, nil
	case string:
		return v, true, nil
	default:
		return "", false, BadRequest(o.At(name), "Property '%s' must be a string.", o.At(name))
	}
}

// RequiredText returns a string property that must be there and not be empty.
func (o *Object) RequiredText(name string) (string, error) {
	value, _, err := o.Text(name)
	if err == nil && value == "" {
		err = BadRequest(o.At(name), "Property '%s' is required.", o.At(name))
	}
	return value, err
}

// RequiredObject returns a property that must be there and be an object.
func (o *Object) RequiredObject(name string) (*Object, error) {
	inner, ok := o.Values[name].(*Object)
	if !ok {
		return nil, BadRequest(o.At(name), "Property '%s' is required and must be an object.",
			o.At(name))
	}
	return inner, nil
}

// RequiredObjects returns a property that must be there and be a collection of objects.
func (o *Object) RequiredObjects(name string) ([]*Object, error) {
	list, ok := o.Values[name].([]any)
	if !ok {
		return nil, BadRequest(o.At(name), "Property '%s' is required and must be a collection.",
			o.At(name))
	}
	objects := make([]*Object, len(list))
	for i, v := range list {
		if objects[i], ok = v.(*Object); !ok {
			element := fmt.Sprintf("%s[%d]", o.At(name), i)
			return nil, BadRequest(element, "Property '%s' must be an object.", element)
		}
	}
	return objects, nil
}

// RequiredTexts returns a property that must be there and be a collection of strings.
func (o *Object) RequiredTexts(name string) ([]string, error) {
	list, ok := o.Values[name].([]any)
	if !ok {
		return nil, BadRequest(o.At(name), "Property '%s' is required and must be a collection.",
			o.At(name))
	}
	texts := make([]string, len(list))
	for i, v := range list {
		if texts[i], ok = v.(string); !ok {
			element := fmt.Sprintf("%s[%d]", o.At(name), i)
			return nil, BadRequest(element, "Property '%s' must be a string.", element)
		}
	}
	return texts, nil
}

// ODataType is the object's @odata.type without '#'; empty if it has none.
func (o *Object) ODataType() (string, error) {
	value, _, err := o.Text("@odata.type")
	return strings.TrimPrefix(value, "#"), err
}

// MarshalJSON gives the object back as it came.
func (o *Object) MarshalJSON() ([]byte, error) { return o.fields().MarshalJSON() }

func (o *Object) fields() Fields {
	members := make(Fields, len(o.Names))
	for i, name := range o.Names {
		members[i] = Field{Name: name, Value: o.Values[name]}
	}
	return members
}

// Member returns a required enumeration property as its number. As in Graph, the letters of a member
// may be in either case.
func (o *Object) Member(name string, members []string) (int, error) {
	value, err := o.RequiredText(name)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(members, func(m string) bool { return SameName(m, value) })
	if i < 0 {
		return 0, BadRequest(o.At(name), "Property '%s' is not valid: '%s' is none of %s.",
			o.At(name), Clip(value),
			strings.Join(members, ", "))
	}
	return i, nil
}

// OfType refuses another @odata.type than the one of these.
func (o *Object) OfType(names ...string) error {
	odataType, err := o.ODataType()
	if err == nil && odataType != "" && !slices.Contains(names,
		strings.TrimPrefix(odataType, GraphNamespace)) {
		err = BadRequest("@odata.type", "Property '@odata.type' must be '#%s%s'.", GraphNamespace,
			names[0])
	}
	return err
}

// OptionalTexts is a property that is a collection of strings; nil if it is missing or null.
func (o *Object) OptionalTexts(name string) ([]string, error) {
	if o.Values[name] == nil {
		return nil, nil
	}
	return o.RequiredTexts(name)
}

// OnlyAs refuses other members of an enumeration property than one, which may be left out.
func (o *Object) OnlyAs(name, value string) error {
	text, ok, err := o.Text(name)
	if err == nil && ok && !SameName(text, value) {
		err = BadRequest(o.At(name), "Property '%s' can only be '%s' here, and not '%s'.",
			o.At(name), value, Clip(text))
	}
	return err
}

package odata

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/syncpayloads/syncpayloads/internal/jsontext"
)

// Field is a property of a served object. The struct has no name of its own, so that other packages
// can write objects without naming its members.
type Field = struct {
	Name  string
	Value any
}

// Fields is a served object with its properties in order.
type Fields []Field

// MarshalJSON writes the object.
func (f Fields) MarshalJSON() ([]byte, error) { return f.Append(make([]byte, 0, 32*len(f))) }

// Append appends the object to a JSON text.
func (f Fields) Append(b []byte) (_ []byte, err error) {
	b = append(b, '{')
	begun := len(b)
	for _, p := range f {
		if len(b) > begun {
			b = append(b, ',')
		}
		if c, ok := p.Value.(*Constants); ok {
			b = append(b, c.text...)
			continue
		}
		b = append(jsontext.AppendString(b, p.Name), ':')
		if b, err = appendValue(b, p.Value); err != nil {
			return nil, fmt.Errorf("property %s: %w", p.Name, err)
		}
	}
	return append(b, '}'), nil
}

// Constants are properties that are the same for all objects of a kind. They are written at once.
type Constants struct {
	fields Fields
	text   []byte // of their members, without braces
}

// NewConstants makes some of at least one property. A value that is no JSON panics: they are of a
// program's own tables.
func NewConstants(f Fields) *Constants {
	text, err := f.MarshalJSON()
	if err != nil {
		panic("odata: a constant: " + err.Error())
	}
	return &Constants{fields: f, text: text[1 : len(text)-1]}
}

// Field is the constants among the fields of an object. It has no name of its own.
func (c *Constants) Field() Field { return Field{Value: c} }

// appendValue writes what most properties are by itself, because encoding/json checks once more
// what an object in another one writes.
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
	case Fields:
		return v.Append(b)
	case []Fields:
		return appendList(b, v)
	}
	text, err := json.Marshal(value)
	return append(b, text...), err
}

// appendList writes a list of objects. One of nil is empty.
func appendList(b []byte, list []Fields) (_ []byte, err error) {
	b = append(b, '[')
	for i, f := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = f.Append(b); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// Pick returns the selected properties, in the object's order.
func (f Fields) Pick(selected []string) Fields {
	picked := make(Fields, 0, len(selected))
	for _, p := range f {
		if slices.Contains(selected, p.Name) {
			picked = append(picked, p)
		}
	}
	return picked
}

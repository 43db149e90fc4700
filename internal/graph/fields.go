package graph

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/syncpayloads/syncpayloads/internal/jsontext"
)

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

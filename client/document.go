package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// document is a JSON object that keeps the order of its properties, and the text of those that are
// not set. So a part of what the server sent can be replaced while the rest stays as it was.
type document []property

type property struct {
	name  string
	value json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler. If a name occurs twice the last one counts, as
// everywhere in encoding/json.
func (d *document) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if begin, err := decoder.Token(); err != nil || begin != json.Delim('{') {
		return fmt.Errorf("%.20s is not a JSON object", text)
	}
	*d = nil
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		d.replace(name.(string), value) // at this point of an object, a token is a name
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (d document) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for i, p := range d {
		if i > 0 {
			text = append(text, ',')
		}
		name, err := json.Marshal(p.name)
		if err != nil {
			return nil, err
		}
		text = append(append(append(text, name...), ':'), p.value...)
	}
	return append(text, '}'), nil
}

func (d *document) replace(name string, value json.RawMessage) {
	if i := d.index(name); i >= 0 {
		(*d)[i].value = value
		return
	}
	*d = append(*d, property{name, value})
}

func (d document) index(name string) int {
	return slices.IndexFunc(d, func(p property) bool { return p.name == name })
}

// set sets a property; a new one is added at the end.
func (d *document) set(name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	d.replace(name, text)
	return nil
}

// get stores a property in value; if it does not exist, value stays as it is.
func (d document) get(name string, value any) error {
	if i := d.index(name); i >= 0 {
		return json.Unmarshal(d[i].value, value)
	}
	return nil
}

func (d document) without(names ...string) document {
	return slices.DeleteFunc(d, func(p property) bool { return slices.Contains(names, p.name) })
}

// result converts the document, an element of deviceActionResults.
func (d document) result() (r ActionResult, err error) {
	text, err := json.Marshal(d)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	return r, err
}

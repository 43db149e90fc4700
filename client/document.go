package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// document is a JSON object whose properties keep their order and, where they are not set, their
// text: a part of what the server sent can be replaced, and the rest stays as it was.
type document []property

type property struct {
	name  string
	value json.RawMessage
}

// UnmarshalJSON reads an object. Of a name that occurs twice the last counts, as everywhere in
// encoding/json.
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
		d.replace(name.(string), value) // an object's token in this place is its next name
	}
	return nil
}

// MarshalJSON writes the object.
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

// set gives a property a value; one that there was not yet becomes the last.
func (d *document) set(name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	d.replace(name, text)
	return nil
}

// get reads a property; one that there is not leaves value as it is.
func (d document) get(name string, value any) error {
	if i := d.index(name); i >= 0 {
		return json.Unmarshal(d[i].value, value)
	}
	return nil
}

func (d document) without(names ...string) document {
	return slices.DeleteFunc(d, func(p property) bool { return slices.Contains(names, p.name) })
}

// result reads an element of deviceActionResults.
func (d document) result() (r ActionResult, err error) {
	text, err := json.Marshal(d)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	return r, err
}

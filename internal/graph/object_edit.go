package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// edited is a string property as an edit: null empties it.
func (o *object) edited(name string) (*string, error) {
	value, _, err := o.text(name)
	return &value, err
}

// readers say by its name how a property is read.
type readers map[string]func(name string) error

// read reads the properties that have a reader, in the order in which the body has them. The error is that of the first
// that is wrong.
func (o *object) read(by readers) error {
	for _, name := range o.names {
		if read := by[name]; read != nil {
			if err := read(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// edits is the reader of a string property as an edit.
func (o *object) edits(into **string) func(string) error {
	return func(name string) (err error) {
		*into, err = o.edited(name)
		return err
	}
}

// insert puts a property in front of the one at a place, unless the object has it already.
func (o *object) insert(name string, value any, at int) {
	if _, ok := o.values[name]; ok {
		return
	}
	o.names = slices.Insert(o.names, at, name)
	o.values[name] = value
}

// objectOf is an answer as the annotator changes it.
func objectOf(body fields) (*object, error) {
	o := &object{values: make(map[string]any, len(body))}
	for _, p := range body {
		value, err := answeredValue(p.value)
		if err != nil {
			return nil, fmt.Errorf("property %s: %w", p.name, err)
		}
		o.names = append(o.names, p.name)
		o.values[p.name] = value
	}
	return o, nil
}

// answeredValue is a value of an answer as JSON has it. What is no object of ours, such as a property that the catalog
// keeps as JSON, is read.
func answeredValue(value any) (any, error) {
	switch v := value.(type) {
	case fields:
		return objectOf(v)
	case []fields:
		list := make([]any, len(v))
		for i := range v {
			var err error
			if list[i], err = objectOf(v[i]); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return parseAnswer(text)
}

// parseAnswer reads the JSON of an answer of the server's own.
func parseAnswer(text []byte) (any, error) {
	return (&bodyParser{d: json.NewDecoder(bytes.NewReader(text))}).parse()
}

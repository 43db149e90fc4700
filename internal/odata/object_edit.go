package odata

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// EditedText is a string property as an edit: null empties it.
func (o *Object) EditedText(name string) (*string, error) {
	value, _, err := o.Text(name)
	return &value, err
}

// Readers say by its name how a property is read.
type Readers map[string]func(name string) error

// Read reads the properties that have a reader, in the order in which the body has them. The error
// is that of the first that is wrong.
func (o *Object) Read(by Readers) error {
	for _, name := range o.Names {
		if read := by[name]; read != nil {
			if err := read(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Edits is the reader of a string property as an edit.
func (o *Object) Edits(into **string) func(string) error {
	return func(name string) (err error) {
		*into, err = o.EditedText(name)
		return err
	}
}

// insert puts a property in front of the one at a place, unless the object has it already.
func (o *Object) insert(name string, value any, at int) {
	if _, ok := o.Values[name]; ok {
		return
	}
	o.Names = slices.Insert(o.Names, at, name)
	o.Values[name] = value
}

// objectOf is an answer as the annotator changes it.
func objectOf(body Fields) (*Object, error) {
	o := &Object{Values: make(map[string]any, len(body))}
	for _, p := range body.expanded() {
		value, err := answeredValue(p.Value)
		if err != nil {
			return nil, fmt.Errorf("property %s: %w", p.Name, err)
		}
		o.Names = append(o.Names, p.Name)
		o.Values[p.Name] = value
	}
	return o, nil
}

// expanded are the properties with constants one by one.
func (f Fields) expanded() Fields {
	all := make(Fields, 0, len(f))
	for _, p := range f {
		if c, ok := p.Value.(*Constants); ok {
			all = append(all, c.fields...)
		} else {
			all = append(all, p)
		}
	}
	return all
}

// answeredValue is a value of an answer as JSON has it. What is no object of ours, such as a
// property that is kept as JSON, is read.
func answeredValue(value any) (any, error) {
	switch v := value.(type) {
	case Fields:
		return objectOf(v)
	case []Fields:
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

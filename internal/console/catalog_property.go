package console

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// controls are how the pages show the controls of forms.
var controls = map[catalog.Control]string{catalog.Line: "text", catalog.Paragraph: "area",
	catalog.Address: "url",
	catalog.Code:    "code", catalog.Check: "check", catalog.Choice: "choice",
	catalog.AppPicker: "choice"}

// fieldOf is the field in which a property is filled in.
func fieldOf(p *catalog.Property) formField {
	f := formField{Name: p.Name, Label: p.Label, Hint: p.Hint, Control: controls[p.Control],
		Required: p.Required, of: p}
	for _, o := range p.Options {
		f.Options = append(f.Options, option{o.Key, o.Text})
	}
	if p.On {
		f.Value = checked
	}
	return f
}

// checked is the value of a check that is on, as browsers send it.
const checked = "on"

// read is a property's value, in Graph's JSON, as the field has it.
func (f *formField) read(raw json.RawMessage) string {
	var text string
	switch {
	case f.of == nil:
		_ = json.Unmarshal(raw, &text) // null is empty, here and below
	case f.of.Control == catalog.Check:
		on := f.of.On
		if _ = json.Unmarshal(raw, &on); on {
			text = checked
		}
	case f.of.Control == catalog.Choice:
		for _, o := range f.of.Options {
			if o.Value != nil && holds(raw, o.Value) {
				return o.Key
			}
		}
	case f.of.Type.Many:
		var list []string
		if _ = json.Unmarshal(raw, &list); len(list) > 0 {
			text = list[0]
		}
	case f.of.Type.Name == catalog.Binary.Name:
		var content []byte
		_ = json.Unmarshal(raw, &content) // the API's own base64
		text = string(content)
	case f.isNumber() && isSet(raw):
		text = string(raw)
	default:
		_ = json.Unmarshal(raw, &text)
	}
	return text
}

func (f *formField) isNumber() bool {
	return f.of != nil && (f.of.Type.Name == catalog.Int32.Name ||
		f.of.Type.Name == catalog.Int64.Name)
}

// holds reports whether a value has all that an option's has. What is not there is false: Graph
// leaves out what is not set.
func holds(raw, option json.RawMessage) bool {
	var has, wants map[string]json.RawMessage
	if json.Unmarshal(option, &wants) != nil {
		return bytes.Equal(bytes.TrimSpace(raw), bytes.TrimSpace(option))
	}
	if json.Unmarshal(raw, &has) != nil || has == nil {
		return false
	}
	for name, value := range wants {
		if !isSet(has[name]) {
			has[name] = json.RawMessage("false")
		}
		if !bytes.Equal(has[name], value) {
			return false
		}
	}
	return true
}

// property is the field's value as the API takes it. What is not filled in is null.
func (f *formField) property() any {
	switch {
	case f.of != nil && f.of.Control == catalog.Check:
		return f.Value != ""
	case f.Value == "" && f.Name != nameField.Name:
		return nil
	case f.of == nil:
		return f.Value
	case f.of.Control == catalog.Choice:
		for _, o := range f.of.Options {
			if o.Key == f.Value {
				return o.Value
			}
		}
		return f.Value // the API refuses it, and says what it takes
	case f.of.Type.Many:
		return []string{f.Value}
	case f.of.Type.Name == catalog.Binary.Name:
		return []byte(f.Value)
	case f.isNumber():
		if n, err := strconv.ParseInt(f.Value, 10, 64); err == nil {
			return n
		}
	}
	return f.Value
}

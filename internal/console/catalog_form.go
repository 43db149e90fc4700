package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// form is what somebody fills in to make or change a thing of the catalog.
type form struct {
	Fields  []formField
	Message string // why it was refused; empty: it was not
}

// formField is one property in a form. Its value is a text, as browsers send it: a check's is empty
// or "on", a choice's the key of an option.
type formField struct {
	Name     string // Graph's
	Label    string
	Hint     string
	Control  string // text, url, area, code, check or choice
	Required bool
	Options  []option
	Value    string
	Invalid  bool // the API refused it

	of *catalog.Property // nil: it is no form's, and a text
}

type option struct{ Value, Text string }

// near is an error that is shown beside the form that led to it, where what was typed is kept. The
// others have the page of errors.
func near(err error) (*apiError, bool) {
	var answer *apiError
	if !errors.As(err, &answer) {
		return nil, false
	}
	switch answer.Status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusConflict,
		http.StatusRequestEntityTooLarge,
		http.StatusServiceUnavailable:
		return answer, true
	default:
		return nil, false
	}
}

var propertyPattern = regexp.MustCompile(`Property '([^']+)'`)

// refuse marks the field that the API's message is about, and says its name as the form does.
func (f *form) refuse(message string) {
	f.Message = propertyPattern.ReplaceAllStringFunc(message, func(found string) string {
		name := propertyPattern.FindStringSubmatch(found)[1]
		i := slices.IndexFunc(f.Fields, func(one formField) bool { return one.Name == name })
		if i < 0 {
			return found
		}
		f.Fields[i].Invalid = true
		return f.Fields[i].Label
	})
}

// with is the form with these fields filled in as they were sent.
func (f form) with(sent url.Values) form {
	f.Fields = slices.Clone(f.Fields)
	for i := range f.Fields {
		// browsers send lines so
		f.Fields[i].Value = strings.ReplaceAll(sent.Get(f.Fields[i].Name), "\r\n", "\n")
	}
	return f
}

// of is the form with what a thing has, without what is fixed.
func (f form) of(i *catalogItem) form {
	var fields []formField
	for _, one := range f.Fields {
		if one.fixed() || one.of != nil && isSet(i.properties[one.of.InsteadOf]) {
			continue
		}
		one.Value = one.read(i.properties[one.Name])
		fields = append(fields, one)
	}
	f.Fields = fields
	return f
}

// fixed reports whether it is chosen when the thing is made, and never changes.
func (f *formField) fixed() bool { return f.of != nil && f.of.Fixed }

func isSet(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// body is what the form says, as properties of the API.
func (f form) body() map[string]any {
	body := map[string]any{}
	for _, one := range f.Fields {
		body[one.Name] = one.property()
	}
	return body
}

const graphType = "#microsoft.graph."

// formOf finds the form of a type; nil if there is none.
func (c *console) formOf(odataType string) *catalog.Form {
	return c.config.Forms.Of(strings.TrimPrefix(odataType, graphType))
}

// The fields that everything in the catalog has.
var (
	nameField = formField{Name: "displayName", Label: "Name", Control: "text",
		Required: true}
	descriptionField = formField{Name: "description", Label: "Description", Control: "area"}
)

// emptyForm is the form in which a thing of a type is filled in; false if there is no such type.
// Apps are chosen first.
func (c *console) emptyForm(odataType string) (form, bool) {
	of := c.formOf(odataType)
	if of == nil {
		return form{}, false
	}
	fields := []formField{nameField, descriptionField}
	for _, list := range [][]catalog.Property{of.Collection.Properties, of.Properties} {
		for i := range list {
			switch p := &list[i]; p.Control {
			case catalog.NoControl:
			case catalog.AppPicker:
				fields = slices.Insert(fields, 0, fieldOf(p))
			default:
				fields = append(fields, fieldOf(p))
			}
		}
	}
	return form{Fields: fields}, true
}

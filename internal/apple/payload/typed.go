package payload

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// typedForms are the forms of configurations that have a property for each setting
// (iosWiFiConfiguration). typed.txt says which there are and what becomes of each property.
func typedForms() []*catalog.Form {
	var forms []*catalog.Form
	for _, c := range typedConfigurations() {
		forms = append(forms, &catalog.Form{
			Type: c.name, Collection: catalog.Configurations, Platforms: c.platforms(),
			Title: c.title, Properties: c.properties(c.lines), Compiler: typedCompiler{c},
		})
	}
	return forms
}

func (c *typedConfiguration) platforms() []fleet.Platform { return platformsOf[c.platform] }

// properties are those that lines say something of, each once, as the first line has it.
func (c *typedConfiguration) properties(lines []*typedLine) []catalog.Property {
	list := []catalog.Property{}
	for _, l := range lines {
		var add []catalog.Property
		if l.property != "" {
			add = []catalog.Property{c.propertyOf(l)}
		} else {
			add = c.properties(l.inside)
		}
		for _, p := range add {
			i := slices.IndexFunc(list, func(q catalog.Property) bool { return q.Name == p.Name })
			switch {
			case i < 0:
				list = append(list, p)
			case list[i].Label == "" && p.Label != "":
				p.Type = list[i].Type
				list[i] = p
			}
		}
	}
	return list
}

func (c *typedConfiguration) propertyOf(l *typedLine) catalog.Property {
	p := catalog.Property{Name: l.property, Type: c.typeOf(l), Private: l.kind == "secret",
		Document: l.kind == "data" || l.kind == "certificate",
		Label:    l.label, Hint: l.hint, Required: l.required && l.label != ""}
	if p.Label == "" {
		return p
	}
	p.Control = catalog.Line
	switch l.kind {
	case "on", "off":
		p.Control = catalog.Check
	case "both":
		p.Control, p.On = catalog.Check, true
	case "data", "certificate":
		p.Control = catalog.Code
	case "choice":
		p.Control, p.Options = catalog.Choice, c.options(l)
	}
	return p
}

// options are the members of an enumeration that mean something, for people.
func (c *typedConfiguration) options(l *typedLine) []catalog.Option {
	var options []catalog.Option
	if !l.required {
		options = append(options, catalog.Option{Text: "Not set"})
	}
	for _, m := range l.members {
		if m.refused || m.value == nil && !l.required {
			continue
		}
		words, ok := c.words[m.name]
		if !ok {
			words = sentence(inWords(m.name))
		}
		value, _ := json.Marshal(m.name) // a text always marshals
		options = append(options, catalog.Option{Key: m.name, Value: value, Text: words})
	}
	return options
}

// sentence is words of which only the first begins with a capital: "Allow from websites visited".
func sentence(words string) string {
	first, n := utf8.DecodeRuneInString(words)
	return string(unicode.ToUpper(first)) + strings.ToLower(words[n:])
}

// typesOfKinds are Graph's types of the kinds that have but one.
var typesOfKinds = map[string]catalog.Type{
	"on": catalog.Boolean, "off": catalog.Boolean, "both": catalog.Boolean,
	"text": catalog.Text, "secret": catalog.Text, "app": catalog.Text, "subject": catalog.Text,
	"int": catalog.Int32, "long": catalog.Int64,
	"data": catalog.Binary, "certificate": catalog.Binary,
	"texts": catalog.ManyOf(catalog.Text), "first": catalog.ManyOf(catalog.Text),
	"apps": {Name: "appListItem", Many: true, Parts: appListItem},
}

// appListItem is how Graph names an app in a list.
var appListItem = []catalog.Property{{Name: "name", Type: catalog.Text},
	{Name: "publisher", Type: catalog.Text}, {Name: "appStoreUrl", Type: catalog.Text},
	{Name: "appId", Type: catalog.Text}}

// typeOf is Graph's type of the property of a line.
func (c *typedConfiguration) typeOf(l *typedLine) catalog.Type {
	if t, ok := typesOfKinds[l.kind]; ok {
		return t
	}
	name, many := strings.CutSuffix(l.of, "[]")
	for _, t := range []catalog.Type{catalog.Text, catalog.Boolean, catalog.Int32, catalog.Int64,
		catalog.Binary} {
		if t.Name == name {
			t.Many = many
			return t
		}
	}
	t := catalog.Type{Name: name, Many: many}
	switch l.kind {
	case "choice", "flags":
		for _, m := range l.members {
			t.Members = append(t.Members, m.name)
		}
	case "pairs":
		t.Many = true
		t.Parts = []catalog.Property{{Name: l.arguments[0], Type: catalog.Text},
			{Name: l.arguments[1], Type: catalog.Text}}
	case "objects":
		t.Many = true
		t.Parts = c.properties(l.inside)
	default:
		if t.Parts = c.properties(l.inside); name == "appListItem" {
			t.Parts = appListItem
		}
	}
	return t
}

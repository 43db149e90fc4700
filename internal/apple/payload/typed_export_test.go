package payload

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// ReadTypedTable reads a table of typed configurations.
func ReadTypedTable(text string) error {
	_, err := readTypedTable(text)
	return err
}

// CompileTyped makes a configuration of properties without a store. Its catalog has an app of the
// id AppOfCatalog.
func CompileTyped(odataType string, id action.PayloadID,
	raw json.RawMessage) (*catalog.Payload, error) {
	return catalog.New(memory{}, typedTestForms(), time.Now,
		func() string { return string(id) }).Create(context.Background(),
		catalog.Input{ODataType: odataType, DisplayName: "configuration", Properties: raw})
}

var typedTestForms = sync.OnceValue(func() *catalog.Forms {
	return catalog.MustForms(Forms())
})

// AppOfCatalog is the id of the one app that the catalog in memory has.
const AppOfCatalog = "0d1b7c8e-6c9c-4a6e-9d43-5f0b7a1b2c3d"

func (memory) Payload(_ context.Context, id action.PayloadID) (*catalog.Payload, error) {
	if id != AppOfCatalog {
		return nil, catalog.ErrNotFound
	}
	return &catalog.Payload{ID: id, Type: action.Application, Identifier: "com.example.kiosk"}, nil
}

// TypedRow is one line of the table that says what becomes of a property.
type TypedRow struct {
	Of, Property, Kind, Reason string
	// Key is the path in the payload of the type; none: the line writes none.
	PayloadType string
	Path        []string
	Refused     []string // members
	Labelled    bool
	// Top is the property of the configuration that the row is in.
	Top string

	of    *typedConfiguration
	line  *typedLine
	trail []*typedLine
}

// TypedRows are all lines of the tables.
var TypedRows = sync.OnceValue(func() []TypedRow {
	var rows []TypedRow
	for _, c := range typedConfigurations() {
		var walk func(lines []*typedLine, trail []*typedLine)
		walk = func(lines []*typedLine, trail []*typedLine) {
			for _, l := range lines {
				inner := append(slices.Clone(trail), l)
				if l.property != "" {
					rows = append(rows, rowOf(c, l, trail))
				}
				walk(l.inside, inner)
			}
		}
		walk(c.lines, nil)
	}
	return rows
})

func rowOf(c *typedConfiguration, l *typedLine, trail []*typedLine) TypedRow {
	row := TypedRow{Of: c.name, Property: l.property, Kind: l.kind, Reason: l.reason,
		Labelled: l.label != "", of: c, line: l, trail: trail, Top: l.property}
	for _, in := range trail {
		switch {
		case in.payload != nil:
			row.PayloadType = in.payload.payloadType
		case in.property != "":
			row.Path = append(row.Path, in.path...)
		}
	}
	for _, in := range slices.Backward(trail) {
		if in.property != "" {
			row.Top = in.property
		}
	}
	row.Path = append(row.Path, l.path...)
	if l.path == nil {
		row.Path = nil
	}
	for _, m := range l.members {
		if m.refused {
			row.Refused = append(row.Refused, m.name)
		}
	}
	return row
}

// Conditions are the properties on which it depends that the row holds, with a value each, as they
// must be where the row is.
func (r TypedRow) Conditions() map[string]string {
	on := make(map[string]string)
	for _, in := range r.trail {
		if in.when != "" {
			on[in.when] = in.values[0]
		}
	}
	return on
}

// Example is a configuration that has the row's property, and whatever else it must have. pick
// chooses among n things, also, for each property that may be left out, whether (0) it is.
// value is what the row's property is; nil: any that it may have.
func (r TypedRow) Example(value any, pick func(n int) int) map[string]any {
	e := typedExample{row: r, value: value, pick: pick}
	return e.object(r.of.lines)
}

type typedExample struct {
	row   TypedRow
	value any
	pick  func(n int) int
	in    []string // the properties that the object being made is in
}

// isRow reports whether a line is of the row's property, and where that is.
func (e *typedExample) isRow(l *typedLine) bool {
	var in []string
	for _, one := range e.row.trail {
		if one.property != "" {
			in = append(in, one.property)
		}
	}
	return l.property == e.row.Property && slices.Equal(in, e.in)
}

func (e *typedExample) object(lines []*typedLine) map[string]any {
	made := make(map[string]any)
	for _, l := range e.conditions(lines) {
		if _, fixed := made[l.when]; !fixed {
			made[l.when] = l.values[0]
			if l.when == "@odata.type" {
				made[l.when] = "#microsoft.graph." + l.values[0]
			}
		}
	}
	e.fill(lines, made)
	for _, l := range lines { // an element that says nothing is refused
		if l.property != "" && l.path != nil && l.kind != "refuse" && len(made) == 0 {
			made[l.property] = e.sample(l)
		}
	}
	return made
}

// conditions are those of the lines that must hold for the row, or, of polymorphic objects, any.
func (e *typedExample) conditions(lines []*typedLine) []*typedLine {
	var on, types []*typedLine
	var walk func(lines []*typedLine)
	walk = func(lines []*typedLine) {
		for _, l := range lines {
			if l.when != "" && slices.Contains(e.row.trail, l) {
				on = append(on, l)
			}
			if l.when == "@odata.type" {
				types = append(types, l)
			}
			if l.property == "" {
				walk(l.inside)
			}
		}
	}
	walk(lines)
	if len(types) > 0 {
		on = append(on, types[e.pick(len(types))])
	}
	return on
}

func (e *typedExample) fill(lines []*typedLine, made map[string]any) {
	for _, l := range lines {
		_, has := made[l.property]
		switch {
		case l.when != "":
			if l.holds(made) {
				e.fill(l.inside, made)
			}
		case l.payload != nil:
			e.fill(l.inside, made)
		case l.property == "" || has:
		case e.value != nil && e.isRow(l):
			made[l.property] = e.value
		case e.isRow(l) || slices.Contains(e.row.trail, l):
			made[l.property] = e.sample(l)
		case l.kind == "refuse" || l.kind == "given":
		case l.required || e.pick(4) > 0 && !e.clashes(l, made):
			made[l.property] = e.sample(l)
		}
	}
}

// clashes reports whether another property that sets the same key is there, or whether the row's
// own does.
func (e *typedExample) clashes(l *typedLine, made map[string]any) bool {
	for _, r := range TypedRows() {
		_, has := made[r.Property]
		if r.Of == e.row.Of && r.Property != l.property && (has || r.line == e.row.line) &&
			l.path != nil && slices.Equal(r.line.path, l.path) {
			return true
		}
	}
	return false
}

func (e *typedExample) sample(l *typedLine) any {
	switch l.kind {
	case "on", "off", "both":
		return true
	case "int", "long":
		return l.least + int64(e.pick(int(min(l.greatest-l.least, 1000))+1))
	case "has":
		return l.arguments[0]
	case "choice", "flags":
		var names []string
		for _, m := range l.members {
			if !m.refused && (m.value != nil || l.path == nil) {
				names = append(names, m.name)
			}
		}
		if len(names) == 0 {
			return l.members[0].name
		}
		return names[e.pick(len(names))]
	case "texts":
		return []any{"one.example.com", "two.example.com"}[:1+e.pick(2)]
	case "first":
		return []any{"https://one.example.com"}
	case "apps":
		return []any{map[string]any{"appId": "com.example.app", "name": "App"}}
	case "app":
		return AppOfCatalog
	case "subject":
		return "CN=Kiosk, O=Example\\, Ltd"
	case "data", "certificate":
		return SampleCertificate
	case "pairs":
		return []any{map[string]any{l.arguments[0]: "key", l.arguments[1]: "value"}}
	case "object", "objects":
		e.in = append(e.in, l.property)
		made := e.object(l.inside)
		e.in = e.in[:len(e.in)-1]
		if l.kind == "objects" {
			return []any{made}
		}
		return made
	case "note", "refuse":
		if t := e.row.of.typeOf(l); t.Name == catalog.Boolean.Name {
			return true
		} else if t.Name == catalog.Int32.Name {
			return 7
		} else if t.Many {
			return []any{"x"}
		} else if t.Parts != nil {
			return map[string]any{"x": 1}
		}
		return "some text"
	default:
		return "text " + string(rune('a'+e.pick(26)))
	}
}

// Sample is a value that the row's property may have, or, if it is refused, that means something.
func (r TypedRow) Sample(pick func(n int) int) any {
	e := typedExample{row: r, pick: pick}
	return e.sample(r.line)
}

// Required reports whether the row's property must be there.
func (r TypedRow) Required() bool { return r.line.required }

// Limits are those of an integer.
func (r TypedRow) Limits() (least, greatest int64) { return r.line.least, r.line.greatest }

// SettingOf is what Apple's key of the row is.
func (r TypedRow) SettingOf() *Setting { return r.line.target }

// PayloadSettings are the settings that are a payload of a type.
func PayloadSettings(kind string) []*Setting { return settings().byType[kind] }

// SampleCertificate is one of nobody's, in base64.
const SampleCertificate = "MIIBhDCCASugAwIBAgIUFmorxXnYw+kkpzXeVjhtTplxgnwwCgYIKoZIzj0EAwIwFzEVMB" +
	"MGA1UEAwwMRXhhbXBsZSBSb290MCAXDTI2MTEzMDE5Mzg1NFoYDzIxMjYxMTA2MTkzODU0" +
	"WjAXMRUwEwYDVQQDDAxFeGFtcGxlIFJvb3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAA" +
	"SEep1BMOAtcegPfZzo1OhZSH/BqFn7MGsvCTcDuE0B1vR9qJgwBrvD0zhHc04IY8dimaZr" +
	"cPuimt/PLeYHTLxio1MwUTAdBgNVHQ4EFgQUBZFpgFX7LKrPZJEWtRfjO7GKrDUwHwYDVR" +
	"0jBBgwFoAUBZFpgFX7LKrPZJEWtRfjO7GKrDUwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjO" +
	"PQQDAgNHADBEAiAzrhv5HgdxjuN2uVYQZVSfbOVNb2XVzYSrvktx5hgrXwIgDLgeW+fqSR" +
	"Bt5MtVuj1lwQLFtxe+sSepVVIZZBtF3tE="

// Words says for people what becomes of the row's property, and when.
func (r TypedRow) Words() (becomes, when string) {
	for _, in := range r.trail {
		if in.when != "" {
			when += " with " + in.when + " " + strings.Join(in.values, ", ")
		}
	}
	key := "`" + strings.ReplaceAll(strings.Join(r.line.path, "/"), "|", "\\|") + "`"
	switch l := r.line; l.kind {
	case "refuse":
		return "refused: " + l.reason, ""
	case "note":
		return "for people alone: no device gets it", when
	case "on", "off", "given":
		value, _ := l.yes(l.kind != "off")
		return fmt.Sprintf("%s %v", key, value), when
	case "has":
		return fmt.Sprintf("%s: whether it has %s", key, l.arguments[0]), when
	case "int", "long":
		becomes = fmt.Sprintf("%s, from %d to %d", key, l.least, l.greatest)
		if l.factor > 1 {
			becomes += fmt.Sprintf(", times %d", l.factor)
		}
		return becomes, when
	case "choice", "flags":
		return r.members(key), when
	}
	if r.line.path == nil {
		return "", when
	}
	return key, when
}

func (r TypedRow) members(key string) string {
	var values, taken, refused []string
	for _, m := range r.line.members {
		switch {
		case m.refused:
			refused = append(refused, m.name)
		case m.value != nil:
			values = append(values, fmt.Sprintf("%s `%v`", m.name, m.value))
		default:
			taken = append(taken, m.name)
		}
	}
	var parts []string
	if len(values) > 0 {
		parts = append(parts, key+": "+strings.Join(values, ", "))
	}
	if len(taken) > 0 {
		parts = append(parts, "sets nothing: "+strings.Join(taken, ", "))
	}
	if len(refused) > 0 {
		parts = append(parts, "refused: "+strings.Join(refused, ", "))
	}
	return strings.Join(parts, "; ")
}

// Name is the property's, with those that it is in, and marks: what is required, and what only
// supervised devices obey.
func (r TypedRow) Name() (name, marks string) {
	for _, in := range r.trail {
		if in.property != "" {
			name += in.property + "."
		}
	}
	if r.line.required {
		marks += ", required"
	}
	if r.line.supervised {
		marks += ", supervised"
	}
	return name + r.Property, marks
}

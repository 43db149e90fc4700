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

package payload

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

//go:embed settings.txt
var settingsText string

// settingTable is settings.txt, read.
type settingTable struct {
	fields     []*settingField
	byPath     map[string]*settingField
	refused    []refusedSetting
	properties []*settingProperty // of all fields, in the order of the text
}

// settingField is a field of a policy that settings set.
type settingField struct {
	// as Manifest.Fields has it; of apps without their names: applications[].installType
	path       string
	rule       rule
	byDefault  string // what applies when nobody sets it, in words
	properties []*settingProperty
}

// settingProperty is one of Graph's properties, and what becomes of it.
type settingProperty struct {
	catalog.Property
	field *settingField
	part  string // of the field's object that it sets; empty: all of the field
	kind  string // a word of settings.txt: bool, int, enum, enums, or a shape

	whenTrue, whenFalse string            // of a bool
	values              map[string]string // of enum and enums: Google's by Graph's
	least, greatest     int64             // of an int
	unit                string
}

// refusedSetting is a property that sets nothing on an Android device.
type refusedSetting struct {
	catalog.Property
	reason string
}

// settings is the table. What is wrong with it panics: it is part of the program.
var settings = sync.OnceValue(func() *settingTable {
	t, err := readSettingTable(settingsText)
	if err != nil {
		panic("payload: settings.txt: " + err.Error())
	}
	return t
})

// readSettingTable reads the table: its head tells the form.
func readSettingTable(text string) (*settingTable, error) {
	t := &settingTable{byPath: make(map[string]*settingField)}
	var field *settingField
	reason := ""
	for i, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var err error
		switch inside, indented := strings.CutPrefix(line, "\t"); {
		case indented && reason != "":
			err = t.addRefused(inside, reason)
		case indented:
			err = t.addProperty(field, inside)
		case strings.HasPrefix(line, "- "):
			reason = strings.TrimPrefix(line, "- ")
		default:
			field, err = t.addField(line)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return t, nil
}

// addField reads "cameraAccess: strictest A > B; the camera can be used".
func (t *settingTable) addField(line string) (*settingField, error) {
	path, rest, ok := strings.Cut(line, ": ")
	ruleText, byDefault, ok2 := strings.Cut(rest, "; ")
	if !ok || !ok2 || t.byPath[path] != nil {
		return nil, fmt.Errorf("%q is not path: rule; default, or there twice", line)
	}
	r, err := readRule(ruleText)
	f := &settingField{path: path, rule: r, byDefault: byDefault}
	t.fields, t.byPath[path] = append(t.fields, f), f
	return f, err
}

// addProperty reads "cameraBlocked: bool CAMERA_ACCESS_DISABLED | Block the camera".
func (t *settingTable) addProperty(field *settingField, line string) error {
	if field == nil {
		return errors.New("no field holds it")
	}
	p, rest, err := readPropertyLine(line)
	if err != nil {
		return err
	}
	p.field = field
	field.properties = append(field.properties, p)
	t.properties = append(t.properties, p)
	return p.setValues(rest)
}

func (t *settingTable) addRefused(line, reason string) error {
	p, rest, err := readPropertyLine(line)
	if err == nil {
		err = p.setValues(rest)
	}
	t.refused = append(t.refused, refusedSetting{p.Property, reason})
	return err
}

// readPropertyLine reads a property up to the word that is its type, and returns what follows that.
func readPropertyLine(line string) (p *settingProperty, rest string, err error) {
	head, rest, ok := strings.Cut(line, ": ")
	if !ok {
		return nil, "", fmt.Errorf("%q is not property: type", line)
	}
	p = &settingProperty{}
	p.Name, p.part, _ = strings.Cut(head, " @")
	columns := strings.Split(rest, " | ")
	if len(columns) > 1 {
		p.Label = columns[1]
	}
	if len(columns) > 2 {
		p.Hint = columns[2]
	}
	p.kind, rest, _ = strings.Cut(columns[0], " ")
	return p, rest, nil
}

// setValues reads what follows the word of a type.
func (p *settingProperty) setValues(rest string) (err error) {
	switch p.kind {
	case "bool":
		p.Type = catalog.Boolean
		p.whenTrue, p.whenFalse, _ = strings.Cut(rest, " else ")
		p.setControl(catalog.Check)
	case "int":
		p.Type = catalog.Int32
		p.setControl(catalog.Line)
		if rest != "" {
			err = p.setRange(rest)
		}
	case "enum", "enums":
		p.setMembers(strings.Fields(rest))
	case "list": // of refused properties
		p.setParts(strings.Fields(rest))
	default:
		t, ok := shapeTypes[p.kind]
		if p.Type = t; !ok {
			err = fmt.Errorf("type %q", p.kind)
		}
	}
	return err
}

// setControl makes a property that has a label one for people.
func (p *settingProperty) setControl(c catalog.Control) {
	if p.Label != "" {
		p.Control = c
	}
}

// setRange reads "4..16 unit".
func (p *settingProperty) setRange(text string) error {
	ends, unit, _ := strings.Cut(text, " ")
	from, to, ok := strings.Cut(ends, "..")
	var err, err2 error
	p.least, err = strconv.ParseInt(from, 10, 32)
	p.greatest, err2 = strconv.ParseInt(to, 10, 32)
	p.unit = unit
	units := []string{"", "minutes", "days", "clock"}
	if !ok || err != nil || err2 != nil || !slices.Contains(units, unit) {
		return fmt.Errorf("range %q", text)
	}
	return nil
}

// setParts reads "TYPE part part": objects that nobody looks into.
func (p *settingProperty) setParts(words []string) {
	p.Type = catalog.Type{Name: words[0], Many: true}
	for _, name := range words[1:] {
		part := catalog.Property{Name: name, Type: catalog.Text}
		if name == "position" {
			part.Type = catalog.Int32
		}
		p.Type.Parts = append(p.Type.Parts, part)
	}
}

// setMembers reads "TYPE notConfigured a=A b=B c".
func (p *settingProperty) setMembers(words []string) {
	p.values = make(map[string]string)
	p.Type = catalog.Type{Name: words[0], Many: p.kind == "enums"}
	for _, word := range words[1:] {
		member, value, ok := strings.Cut(word, "=")
		p.Type.Members = append(p.Type.Members, member)
		if ok {
			p.values[member] = value
		}
	}
	if p.kind == "enum" && p.Label != "" {
		p.setControl(catalog.Choice)
		p.Options = []catalog.Option{{Text: "Not configured"}}
		for _, member := range p.Type.Members {
			if p.values[member] != "" {
				p.Options = append(p.Options, catalog.Option{Key: member,
					Value: canonicalJSON(member), Text: inWords(member)})
			}
		}
	}
}

// inWords is a member for people: "User choice" of userChoice.
func inWords(member string) string {
	var b strings.Builder
	for i, r := range member {
		switch {
		case i == 0:
			b.WriteString(strings.ToUpper(string(r)))
		case 'A' <= r && r <= 'Z':
			b.WriteString(" " + strings.ToLower(string(r)))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

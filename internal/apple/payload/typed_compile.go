package payload

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// typedIdentifier begins the PayloadIdentifier of the profile of a typed configuration; its id
// follows.
const typedIdentifier = "com.github.syncpayloads.configuration."

// typedCompiler compiles the form of a typed configuration.
type typedCompiler struct{ of *typedConfiguration }

// ReadFile implements catalog.Compiler; typed configurations have no file.
func (typedCompiler) ReadFile([]byte) (any, error) { return nil, nil }

// Inspect implements catalog.Compiler.
func (typedCompiler) Inspect(content []byte) (*catalog.Inspection, error) {
	return profiles{}.Inspect(content)
}

// Risks implements catalog.Compiler.
func (typedCompiler) Risks(content []byte, server []*x509.Certificate) ([]catalog.Risk, error) {
	return profiles{}.Risks(content, server)
}

// Compile implements catalog.Compiler: it makes a profile of the properties. If it is another than
// before it gets a PayloadUUID of its own, by which devices tell versions apart.
func (t typedCompiler) Compile(ctx context.Context, form *catalog.Form, d *catalog.Draft,
	look catalog.Lookup) (*catalog.Content, error) {
	given, err := readGiven(d.Properties)
	if err != nil {
		return nil, err
	}
	w := &typedWriter{find: func(id string) (*catalog.Payload, error) {
		return look.Payload(ctx, action.PayloadID(strings.ToLower(id)))
	}}
	if err := w.compile(t.of, given); err != nil {
		return nil, err
	}
	c := &catalog.Content{Identifier: typedIdentifier + string(d.ID), IdentifiedBy: "@odata.type",
		SubType: t.of.subType, Platforms: form.Platforms, PlatformsBy: "@odata.type"}
	return compiledProfile(c, d, w.payloads, "properties")
}

// readGiven decodes properties, with numbers as they were written.
func readGiven(props catalog.Properties) (map[string]any, error) {
	given := make(map[string]any, len(props))
	for name, raw := range props {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, &invalid.Input{Property: name, Reason: "is not JSON"}
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return nil, &invalid.Input{Property: name, Reason: "is not one value"}
		}
		given[name] = v
	}
	return given, nil
}

// typedWriter makes payloads of the properties of one configuration.
type typedWriter struct {
	payloads []settledPayload
	// find finds a payload of the catalog that whoever makes the change sees.
	find func(id string) (*catalog.Payload, error)
}

// typedPlace is an object of properties, what is made of it, and where it is, for messages.
type typedPlace struct {
	given map[string]any
	into  *typedTarget
	where string // empty: the configuration itself
	taken map[string]bool
}

// typedTarget is what the lines of one place write to.
type typedTarget struct {
	value  any               // a dictionary, a list, or what "." makes it
	setBy  map[string]string // the property that set what is at a path
	writes int
}

func newTypedTarget() *typedTarget {
	return &typedTarget{value: map[string]any{}, setBy: make(map[string]string)}
}

// typedFault is an *invalid.Input that names a property.
func typedFault(where, format string, args ...any) error {
	return &invalid.Input{Property: where, Reason: fmt.Sprintf(format, args...)}
}

func (w *typedWriter) compile(c *typedConfiguration, given map[string]any) error {
	place := &typedPlace{given: given, taken: make(map[string]bool)}
	if err := w.lines(c.lines, place); err != nil {
		return err
	}
	if err := place.checkTaken(c.lines); err != nil {
		return err
	}
	w.payloads = slices.DeleteFunc(w.payloads,
		func(p settledPayload) bool { return len(p.keys) == 0 })
	if len(w.payloads) == 0 {
		return typedFault("@odata.type",
			"nothing is set that a device could obey; the configuration would configure nothing")
	}
	return nil
}

// at is the full name of a property of the place.
func (p *typedPlace) at(name string) string {
	if p.where == "" {
		return name
	}
	return p.where + "." + name
}

// lines does what lines say. A constant is set if anything beside it was.
func (w *typedWriter) lines(lines []*typedLine, p *typedPlace) error {
	before := 0
	if p.into != nil {
		before = p.into.writes
	}
	for _, l := range lines {
		var err error
		switch {
		case l.payload != nil:
			err = w.payload(l, p)
		case l.when != "":
			if l.holds(p.given) {
				err = w.lines(l.inside, p)
			}
		case l.property != "":
			err = w.property(l, p)
		}
		if err != nil {
			return err
		}
	}
	if p.into == nil || p.into.writes == before {
		return nil
	}
	for _, l := range lines {
		if l.constant != nil {
			if err := p.set(l, l.constant); err != nil {
				return err
			}
		}
	}
	return nil
}

// payload writes what is inside of the line to the configuration's payload of a type.
func (w *typedWriter) payload(l *typedLine, p *typedPlace) error {
	inner := *p
	inner.into = newTypedTarget()
	i := slices.IndexFunc(w.payloads, func(s settledPayload) bool { return s.of == l.payload })
	if i < 0 {
		i = len(w.payloads)
		w.payloads = append(w.payloads, settledPayload{l.payload, map[string]any{}})
	}
	inner.into.value = w.payloads[i].keys
	return w.lines(l.inside, &inner)
}

// holds reports whether the line's condition does.
func (l *typedLine) holds(given map[string]any) bool {
	text, _ := given[l.when].(string)
	if l.when == "@odata.type" {
		text = strings.TrimPrefix(strings.TrimPrefix(text, "#"), "microsoft.graph.")
	}
	return slices.ContainsFunc(l.values, func(v string) bool { return strings.EqualFold(v, text) })
}

func (w *typedWriter) property(l *typedLine, p *typedPlace) error {
	p.taken[l.property] = true
	v := p.given[l.property]
	where := p.at(l.property)
	if l.isUnset(v) {
		if l.required {
			return typedFault(where, "is required")
		}
		return nil
	}
	value, err := w.value(l, v, where, p)
	switch {
	case err != nil:
		return within(where, err)
	case value == nil:
		return nil
	}
	return p.set(l, value)
}

// set puts a value to where the line says. Two properties cannot set one key to different values.
func (p *typedPlace) set(l *typedLine, value any) error {
	if l.path == nil {
		return nil
	}
	path := l.path
	if path[0] == "." {
		path = nil
		p.into.value = nil
	}
	at := strings.Join(l.path, "/")
	made, err := put(p.into.value, path, value)
	if err != nil {
		return typedFault(p.at(l.property), "sets %s, which %s sets to another value", at,
			p.into.setBy[at])
	}
	p.into.value = made
	p.into.writes++
	if p.into.setBy[at] == "" {
		p.into.setBy[at] = p.at(l.property)
	}
	return nil
}

var errSetTwice = errors.New("it is set to another value")

// put returns a container in which the value is at the path. "0" is the first element of a list.
func put(in any, path []string, value any) (any, error) {
	if len(path) == 0 {
		if in != nil && !reflect.DeepEqual(in, value) {
			return nil, errSetTwice
		}
		return value, nil
	}
	if path[0] == "0" {
		list, _ := in.([]any)
		var first any
		if len(list) > 0 {
			first = list[0]
		}
		made, err := put(first, path[1:], value)
		return []any{made}, err
	}
	dict, ok := in.(map[string]any)
	if !ok {
		dict = make(map[string]any)
	}
	made, err := put(dict[path[0]], path[1:], value)
	if err == nil {
		dict[path[0]] = made
	}
	return dict, err
}

// checkTaken refuses what is set of a place and that no line took: it has no place in the profile
// as the other properties have it, or is not known at all.
func (p *typedPlace) checkTaken(lines []*typedLine) error {
	for _, name := range slices.Sorted(maps.Keys(p.given)) {
		if p.taken[name] || strings.Contains(name, "@") || strings.HasPrefix(name, "#") {
			continue
		}
		known, conditions := findLine(lines, name, nil)
		switch {
		case known == nil && p.where != "":
			return typedFault(p.at(name), "is not known here")
		case known == nil || known.isUnset(p.given[name]) || known.isFirst(p.given[name]):
			continue
		}
		return typedFault(p.at(name), "has no place in the profile with this %s: leave it out",
			strings.Join(conditions, " and "))
	}
	return nil
}

// findLine finds a line of a property, and the properties on which it depends that there is one.
func findLine(lines []*typedLine, name string, conditions []string) (*typedLine, []string) {
	for _, l := range lines {
		if l.property == name {
			return l, conditions
		}
		inner := conditions
		if l.when != "" && !slices.Contains(inner, l.when) {
			inner = append(slices.Clone(inner), l.when)
		}
		if l.property == "" {
			if found, on := findLine(l.inside, name, inner); found != nil {
				return found, on
			}
		}
	}
	return nil, nil
}

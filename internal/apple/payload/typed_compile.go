package payload

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
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

// lines does what lines say. A constant is set if anything beside it was, or the object is of the
// type that has it.
func (w *typedWriter) lines(lines []*typedLine, p *typedPlace) error {
	before := p.writes()
	for _, l := range lines {
		var err error
		switch {
		case l.payload != nil:
			err = w.payload(l, p)
		case l.when != "" && l.holds(p.given):
			unset := p.writes()
			if err = w.lines(l.inside, p); err == nil && l.when == objectType &&
				p.writes() == unset {
				err = p.setConstants(l.inside)
			}
		case l.property != "":
			err = w.property(l, p)
		}
		if err != nil {
			return err
		}
	}
	if p.writes() == before {
		return nil
	}
	return p.setConstants(lines)
}

// setConstants sets what is set beside other things.
func (p *typedPlace) setConstants(lines []*typedLine) error {
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
	if l.when == objectType {
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

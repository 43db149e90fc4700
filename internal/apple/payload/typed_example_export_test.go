package payload

import (
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

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

// SampleCertificate is one of nobody's, in base64.
const SampleCertificate = "MIIBhDCCASugAwIBAgIUFmorxXnYw+kkpzXeVjhtTplxgnwwCgYIKoZIzj0EAwIwFzEVMB" +
	"MGA1UEAwwMRXhhbXBsZSBSb290MCAXDTI2MTEzMDE5Mzg1NFoYDzIxMjYxMTA2MTkzODU0" +
	"WjAXMRUwEwYDVQQDDAxFeGFtcGxlIFJvb3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAA" +
	"SEep1BMOAtcegPfZzo1OhZSH/BqFn7MGsvCTcDuE0B1vR9qJgwBrvD0zhHc04IY8dimaZr" +
	"cPuimt/PLeYHTLxio1MwUTAdBgNVHQ4EFgQUBZFpgFX7LKrPZJEWtRfjO7GKrDUwHwYDVR" +
	"0jBBgwFoAUBZFpgFX7LKrPZJEWtRfjO7GKrDUwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjO" +
	"PQQDAgNHADBEAiAzrhv5HgdxjuN2uVYQZVSfbOVNb2XVzYSrvktx5hgrXwIgDLgeW+fqSR" +
	"Bt5MtVuj1lwQLFtxe+sSepVVIZZBtF3tE="

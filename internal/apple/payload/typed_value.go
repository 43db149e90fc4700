package payload

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// isUnset reports whether a value is what Graph shows of a property that nobody set: null, false,
// nothing, or the member of an enumeration that means nothing.
func (l *typedLine) isUnset(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v && l.kind != "both"
	case []any:
		return len(v) == 0
	case json.Number:
		n, err := v.Int64()
		return err == nil && n == 0 && (l.kind != "int" && l.kind != "long" || l.least > 0)
	case string:
		text := v
		for _, m := range l.members {
			if strings.EqualFold(m.name, text) {
				return m.value == nil && !m.refused && !l.required
			}
		}
		return text == "" || l.kind == "refuse" && slices.ContainsFunc([]string{"notConfigured",
			"deviceDefault", "none"}, func(s string) bool { return strings.EqualFold(s, text) })
	default:
		return false
	}
}

// isFirst reports whether a value is the first member of an enumeration, which Graph shows where
// nothing was chosen.
func (l *typedLine) isFirst(v any) bool {
	text, ok := v.(string)
	return ok && l.kind == "choice" && strings.EqualFold(text, l.members[0].name)
}

// value is what a property becomes; nil: nothing is set.
func (w *typedWriter) value(l *typedLine, v any, where string, p *typedPlace) (any, error) {
	switch l.kind {
	case "refuse":
		return nil, errors.New("cannot be kept: " + l.reason)
	case "note":
		return nil, nil
	case "given":
		return l.yes(true)
	case "on", "off", "both":
		on, ok := v.(bool)
		if !ok {
			return nil, errors.New("must be a boolean")
		}
		return l.yes(on != (l.kind == "off"))
	case "int", "long":
		return l.integer(v)
	case "choice", "flags", "has":
		return l.member(v)
	case "texts", "first", "apps", "pairs", "objects", "object":
		return w.collection(l, v, where, p)
	case "app":
		return w.app(v)
	}
	text, err := plainText(v)
	if err != nil {
		return nil, err
	}
	switch l.kind {
	case "data":
		return catalog.DecodeBase64(text)
	case "certificate":
		return certificate(text)
	}
	return l.text(text)
}

func plainText(v any) (string, error) {
	text, ok := v.(string)
	switch {
	case !ok:
		return "", errors.New("must be a string")
	case !propertylist.IsText(text):
		return "", errors.New("has characters that a property list cannot hold")
	}
	return text, nil
}

// text is a text, or what a kind makes of it.
func (l *typedLine) text(text string) (any, error) {
	if l.kind == "secret" {
		return text, nil
	}
	if _, rest, ok := strings.Cut(text, "{{"); ok {
		if name, _, ok := strings.Cut(rest, "}}"); ok {
			return nil, fmt.Errorf(
				"has {{%.60s}}, and this server fills in nothing: write what devices are to have",
				name)
		}
	}
	if l.kind == "subject" {
		return subject(text)
	}
	return text, nil
}

func (l *typedLine) integer(v any) (any, error) {
	number, ok := v.(json.Number)
	if !ok {
		return nil, errors.New("must be an integer")
	}
	n, err := number.Int64()
	switch {
	case err != nil:
		return nil, errors.New("must be an integer")
	case n < l.least || n > l.greatest:
		return nil, fmt.Errorf("is %d; it can be %d to %d", n, l.least, l.greatest)
	}
	return n * l.factor, nil
}

// member is what the members of an enumeration become that are given.
func (l *typedLine) member(v any) (any, error) {
	text, ok := v.(string)
	if !ok {
		return nil, errors.New("must be a string")
	}
	given := strings.Split(text, ",")
	for i := range given {
		given[i] = strings.TrimSpace(given[i])
	}
	if l.kind == "has" {
		return l.yes(slices.ContainsFunc(given,
			func(one string) bool { return strings.EqualFold(one, l.arguments[0]) }))
	}
	if l.kind == "choice" {
		given = []string{text}
	}
	var sum int64
	var value any
	for _, one := range given {
		i := slices.IndexFunc(l.members,
			func(m typedMember) bool { return strings.EqualFold(m.name, one) })
		switch {
		case i < 0:
			return nil, fmt.Errorf("is %.60q; it can be %s", one, l.memberNames())
		case l.members[i].refused:
			return nil, fmt.Errorf(
				"is %q, which this server cannot make a profile of; it can be %s",
				l.members[i].name, l.memberNames())
		}
		value = l.members[i].value
		if n, ok := value.(int64); ok && l.kind == "flags" {
			sum |= n
			value = sum
		}
	}
	return value, nil
}

// memberNames are those that are taken, for messages.
func (l *typedLine) memberNames() string {
	var names []string
	for _, m := range l.members {
		if !m.refused {
			names = append(names, m.name)
		}
	}
	return strings.Join(names, ", ")
}

// app is the bundle id of an app of the catalog.
func (w *typedWriter) app(v any) (any, error) {
	id, _ := v.(string)
	p, err := w.find(id)
	if errors.Is(err, catalog.ErrNotFound) || err == nil && p.Type != action.Application {
		return nil, fmt.Errorf("%.60q is no app of this catalog", id)
	}
	if err != nil {
		return nil, err
	}
	return p.Identifier, nil
}

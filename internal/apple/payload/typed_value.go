package payload

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
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
				"has {{%.60s}}, and this server fills in nothing: write what devices are to have", name)
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
			return nil, fmt.Errorf("is %q, which this server cannot make a profile of; it can be %s",
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

// collection is what objects and lists become.
func (w *typedWriter) collection(l *typedLine, v any, where string, p *typedPlace) (any, error) {
	if l.kind == "object" {
		object, ok := v.(map[string]any)
		if !ok {
			return nil, errors.New("must be an object")
		}
		return w.object(l, object, where, p)
	}
	list, ok := v.([]any)
	if !ok {
		return nil, errors.New("must be a collection")
	}
	made, pairs := make([]any, 0, len(list)), make(map[string]any)
	for i, one := range list {
		at := fmt.Sprintf("%s[%d]", where, i)
		var value any
		var err error
		switch l.kind {
		case "objects":
			object, isObject := one.(map[string]any)
			if !isObject {
				return nil, typedFault(at, "must be an object")
			}
			value, err = w.object(l, object, at, p)
		case "apps":
			value, err = appOfList(one)
		case "pairs":
			err = l.pair(one, pairs)
		default:
			var text string
			if text, err = plainText(one); err == nil {
				value, err = l.text(text)
			}
		}
		if err != nil {
			return nil, within(at, err)
		}
		if value != nil {
			made = append(made, value)
		}
	}
	switch {
	case l.kind == "pairs":
		return pairs, nil
	case l.kind == "first" && len(made) > 1:
		return nil, fmt.Errorf("has %d elements; Apple's key takes one", len(made))
	case l.kind == "first":
		return made[0], nil
	case l.path == nil:
		return nil, nil // written already
	}
	return made, nil
}

// within names the place of an error that names none.
func within(where string, err error) error {
	var known *invalid.Input
	if errors.As(err, &known) {
		return err
	}
	return typedFault(where, "%v", err)
}

// object is what an object becomes: a dictionary, or, without a key of its own, more keys of what
// it is in.
func (w *typedWriter) object(l *typedLine, given map[string]any, where string,
	p *typedPlace) (any, error) {
	inner := &typedPlace{given: given, into: p.into, where: where, taken: make(map[string]bool)}
	if l.path != nil {
		inner.into = newTypedTarget()
	}
	before := inner.into.writes
	if err := w.lines(l.inside, inner); err != nil {
		return nil, err
	}
	if err := inner.checkTaken(l.inside); err != nil {
		return nil, err
	}
	switch {
	case l.kind == "objects" && inner.into.writes == before:
		return nil, typedFault(where, "says nothing that a device could obey")
	case l.path == nil || inner.into.writes == before:
		return nil, nil
	}
	return inner.into.value, nil
}

// appOfList is the bundle id of an app in a list.
func appOfList(v any) (any, error) {
	app, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("must be an object")
	}
	for name := range app {
		known := slices.ContainsFunc(appListItem,
			func(p catalog.Property) bool { return p.Name == name })
		if !known && !strings.Contains(name, "@") {
			return nil, fmt.Errorf("has a property %.60q, which is not known here", name)
		}
	}
	id, ok := app["appId"].(string)
	if !ok || !bundleIDForm.MatchString(id) {
		return nil, errors.New("needs an appId that is a bundle id, such as com.example.app")
	}
	return id, nil
}

// pair adds a name and its value.
func (l *typedLine) pair(v any, to map[string]any) error {
	object, _ := v.(map[string]any)
	key, isText := object[l.arguments[0]].(string)
	value, hasValue := object[l.arguments[1]].(string)
	switch {
	case !isText || !hasValue || key == "" || !propertylist.IsText(key+value):
		return fmt.Errorf("must be an object with the texts %q and %q", l.arguments[0],
			l.arguments[1])
	case to[key] != nil:
		return fmt.Errorf("has %.60q for the second time", key)
	}
	to[key] = value
	return nil
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

// certificate is an X.509 certificate in DER, of base64 of DER or PEM.
func certificate(text string) (any, error) {
	content, err := catalog.DecodeBase64(text)
	if err != nil {
		return nil, err
	}
	if block, rest := pem.Decode(content); block != nil {
		if next, _ := pem.Decode(rest); next != nil {
			return nil, errors.New("has several certificates; make a configuration of each")
		}
		content = block.Bytes
	}
	if _, err := x509.ParseCertificate(content); err != nil {
		return nil, errors.New("is not a certificate: give the base64 of a .cer or .pem file")
	}
	return content, nil
}

// subjectNames are the attributes of names that Apple's Subject may have (RFC 4519).
var subjectNames = []string{"CN", "O", "OU", "C", "L", "ST", "E", "DC", "SERIALNUMBER"}

// subject is a distinguished name as Apple's SCEP payload has it: an array for each relative name,
// which holds pairs. "\" makes a comma part of a value (RFC 4514).
func subject(text string) (any, error) {
	var name []any
	for _, one := range splitName(text) {
		key, value, ok := strings.Cut(one, "=")
		key = strings.ToUpper(strings.TrimSpace(key))
		if value = strings.TrimSpace(value); !ok || value == "" ||
			!slices.Contains(subjectNames, key) {
			return nil, fmt.Errorf("%.60q is not a part of a name such as CN=Kiosk,O=Example; it can have %s",
				one, strings.Join(subjectNames, ", "))
		}
		name = append(name, []any{[]any{key, value}})
	}
	return name, nil
}

func splitName(text string) []string {
	var parts []string
	var part strings.Builder
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			part.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == ',':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteRune(r)
		}
	}
	return append(parts, part.String())
}

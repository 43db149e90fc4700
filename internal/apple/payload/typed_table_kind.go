package payload

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// typedKinds are the kinds of lines: what their arguments are.
var typedKinds = map[string]struct{ typed, keyed bool }{
	"on": {keyed: true}, "off": {keyed: true}, "both": {keyed: true}, "given": {keyed: true},
	"text": {keyed: true}, "secret": {keyed: true}, "texts": {keyed: true}, "first": {keyed: true},
	"data": {keyed: true}, "certificate": {keyed: true}, "subject": {keyed: true},
	"int": {keyed: true}, "long": {keyed: true}, "app": {keyed: true}, "apps": {keyed: true},
	"choice": {true, true}, "flags": {true, true}, "has": {true, true}, "pairs": {true, true},
	"objects": {true, true}, "object": {typed: true}, "note": {typed: true},
	"refuse": {typed: true},
}

func (r *typedReader) readKind(l *typedLine, rest string) error {
	kind, ok := typedKinds[l.kind]
	if !ok {
		return fmt.Errorf("kind %q", l.kind)
	}
	if kind.typed && len(l.arguments) > 0 {
		l.of, l.arguments = l.arguments[0], l.arguments[1:]
	}
	if l.kind == "refuse" {
		_, l.reason, _ = strings.Cut(strings.TrimPrefix(rest, "refuse "), " ")
		l.arguments = nil
		if l.reason == "" {
			return errors.New("no reason")
		}
		return nil
	}
	if kind.keyed || l.kind == "object" && len(l.arguments) > 0 {
		if len(l.arguments) == 0 {
			return errors.New("no key")
		}
		if err := r.resolve(l, l.arguments[0]); err != nil {
			return err
		}
		l.arguments = l.arguments[1:]
	}
	return l.readArguments()
}

// readArguments reads what the kind says behind its key.
func (l *typedLine) readArguments() (err error) {
	switch l.kind {
	case "choice", "flags":
		for _, text := range l.arguments {
			var m typedMember
			name, value, has := strings.Cut(text, "=")
			m.name, m.refused = strings.CutSuffix(name, "!")
			if has {
				if m.value, err = l.appleValue(value); err != nil {
					return err
				}
			}
			l.members = append(l.members, m)
		}
		if len(l.members) == 0 {
			return errors.New("no members")
		}
	case "int", "long":
		return l.readRange()
	case "given", "on", "off", "both", "has":
		_, err = l.yes(true)
	case "pairs":
		if len(l.arguments) != 2 {
			return errors.New("no names of key and value")
		}
	}
	return err
}

// readRange reads "1..730 *60"; without it a number is as Apple's key has it.
func (l *typedLine) readRange() (err error) {
	l.greatest, l.factor = math.MaxInt32, 1
	if l.kind == "long" {
		l.greatest = math.MaxInt64
	}
	if l.target != nil && l.target.Least != nil {
		l.least = *l.target.Least
	}
	if l.target != nil && l.target.Greatest != nil {
		l.greatest = *l.target.Greatest
	}
	for _, text := range l.arguments {
		least, greatest, isRange := strings.Cut(text, "..")
		if !isRange {
			l.factor, err = strconv.ParseInt(strings.TrimPrefix(text, "*"), 10, 64)
		} else if l.least, err = strconv.ParseInt(least, 10, 64); err == nil && greatest != "" {
			l.greatest, err = strconv.ParseInt(greatest, 10, 64)
		}
		if err != nil {
			return fmt.Errorf("range %q", text)
		}
	}
	return nil
}

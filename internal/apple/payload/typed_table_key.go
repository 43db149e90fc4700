package payload

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// onPlatform checks that Apple has a setting on the configuration's platform.
func (r *typedReader) onPlatform(s *Setting) error {
	if !slices.Contains(s.Platforms, r.of.platform) {
		return fmt.Errorf("%s is not a key of %s", s.Key, platformName(r.of.platform))
	}
	return nil
}

// resolve finds Apple's key "Key/Key" in the table of settings. "-" is none, "." the thing itself,
// "0" the first element of a list, and "~" in a key a space.
func (r *typedReader) resolve(l *typedLine, keys string) error {
	if keys == "-" {
		return nil
	}
	l.path = strings.Split(strings.ReplaceAll(keys, "~", " "), "/")
	s, named := r.holder()
	for _, key := range l.path {
		switch {
		case key == "PayloadDisplayName":
			return nil
		case s == nil:
			return fmt.Errorf("no payload holds %q", keys)
		case key == "0":
			continue
		case key == ".":
			key = "item"
		}
		i := slices.IndexFunc(s.Children, func(c *Setting) bool { return c.Key == key })
		if i < 0 {
			return fmt.Errorf("%s has no key %q in settings.txt", named, key)
		}
		if s = s.Children[i]; r.onPlatform(s) != nil {
			return r.onPlatform(s)
		}
	}
	l.target = s
	return nil
}

// holder is the dictionary that the keys of a line are in.
func (r *typedReader) holder() (*Setting, string) {
	for _, l := range slices.Backward(r.open) {
		switch {
		case l.payload != nil:
			return l.payload, l.payload.Key
		case l.target != nil && len(l.path) > 0:
			return l.target, l.target.ID
		}
	}
	return nil, ""
}

// appleValue is what a value in the table is for Apple's key.
func (l *typedLine) appleValue(text string) (any, error) {
	s := l.target
	if s == nil {
		return text, nil
	}
	for _, o := range s.Options {
		if fmt.Sprint(o.Value) == text {
			return o.Value, nil
		}
	}
	if len(s.Options) > 0 {
		return nil, fmt.Errorf("%q is no value of %s", text, s.ID)
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	return text, nil
}

// yes is what is set for true or false: some of Apple's keys have numbers for it, or the value that
// the table names.
func (l *typedLine) yes(on bool) (any, error) {
	if len(l.arguments) > 0 && l.kind == "on" {
		return l.arguments[0], nil
	}
	if l.target == nil || len(l.target.Options) == 0 {
		return nil, fmt.Errorf("%v is no boolean", l.path)
	}
	number := "0"
	if on {
		number = "1"
	}
	if l.target.Options[0].Value == true {
		return on, nil
	}
	return l.appleValue(number)
}

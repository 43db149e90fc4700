package simulator

import "fmt"

// fields reads typed values out of a property list. The first value of a wrong type, or missing
// though required, is kept in err; reading goes on with zero values.
type fields struct {
	values map[string]any
	err    error
}

// decodePlist decodes a property list whose root is a dictionary.
func decodePlist(raw []byte) (*fields, error) {
	values, err := readPlist(raw)
	if err != nil {
		return nil, fmt.Errorf("property list: %w", err)
	}
	return &fields{values: values}, nil
}

// recoverParser turns a panic of a parser outside this module into an error, as bytes from a
// network must never end the process that runs thousands of other devices.
func recoverParser(what string, err *error) {
	if problem := recover(); problem != nil {
		*err = fmt.Errorf("%s cannot be parsed: %v", what, problem)
	}
}

func field[T any](f *fields, key string, required bool) (value T) {
	raw, present := f.values[key]
	value, fits := raw.(T)
	switch {
	case f.err != nil || fits:
	case present:
		f.err = fmt.Errorf("%s is a %T, want %T", key, raw, value)
	case required:
		f.err = fmt.Errorf("%s is missing", key)
	}
	return value
}

func (f *fields) text(key string) string         { return field[string](f, key, false) }
func (f *fields) flag(key string) bool           { return field[bool](f, key, false) }
func (f *fields) data(key string) []byte         { return field[[]byte](f, key, false) }
func (f *fields) list(key string) []any          { return field[[]any](f, key, false) }
func (f *fields) has(key string) bool            { _, ok := f.values[key]; return ok }
func (f *fields) dict(key string) map[string]any { return field[map[string]any](f, key, false) }

func (f *fields) mustText(key string) string {
	value := field[string](f, key, true)
	if value == "" && f.err == nil {
		f.err = fmt.Errorf("%s is empty", key)
	}
	return value
}

// number reads a number, which the decoder gives as uint64, as int64 when negative, or as float64:
// devices take the whole part of a real (NSNumber).
func (f *fields) number(key string) int64 {
	switch value := f.values[key].(type) {
	case int64:
		return value
	case float64:
		return int64(value)
	}
	return int64(field[uint64](f, key, false))
}

func (f *fields) texts(key string) []string {
	var texts []string
	for i, item := range f.list(key) {
		text, ok := item.(string)
		if !ok && f.err == nil {
			f.err = fmt.Errorf("%s[%d] is a %T, want string", key, i, item)
		}
		texts = append(texts, text)
	}
	return texts
}

// dicts reads an array of dictionaries.
func (f *fields) dicts(key string) []*fields {
	var dicts []*fields
	for i, item := range f.list(key) {
		values, ok := item.(map[string]any)
		if !ok && f.err == nil {
			f.err = fmt.Errorf("%s[%d] is a %T, want dictionary", key, i, item)
		}
		dicts = append(dicts, &fields{values: values})
	}
	return dicts
}

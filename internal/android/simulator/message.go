package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"google.golang.org/api/googleapi"
)

// A message is a JSON object of one of Google's schemas, read and normalized as Google's services
// do (Protocol Buffers documentation, "ProtoJSON Format"): what has its default is left out, and
// 64-bit numbers are texts.
type message = map[string]any

// readMessage reads the body of a request. root is what Google calls it in errors: "policy".
func readMessage[T any](c *call, root string) (message, *failure) {
	body := c.body
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	if err == nil && decoder.More() {
		err = fmt.Errorf("there is more behind the object")
	}
	if err != nil {
		return nil, badRequest("", "Invalid JSON payload received. %v", err)
	}
	object, isObject := value.(map[string]any)
	if !isObject {
		return nil, badRequest("", "Invalid JSON payload received. Root element must be a message.")
	}
	return readFields(root, reflect.TypeFor[T](), object)
}

// convert copies a message into Google's own type for it.
func convert[T any](m message) *T {
	made := new(T)
	if err := json.Unmarshal(encode(m), made); err != nil {
		panic(err) // it was read with the same type
	}
	return made
}

// snake is a field's name as Google's errors write it.
func snake(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

type field struct {
	kind reflect.Type
	text bool // a 64-bit number
}

// fieldsOf are the fields of one of Google's types, by name.
func fieldsOf(t reflect.Type) map[string]field {
	fields := make(map[string]field)
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "" && name != "-" {
			fields[name] = field{t.Field(i).Type, strings.Contains(options, "string")}
		}
	}
	return fields
}

func readFields(path string, t reflect.Type, object map[string]any) (message, *failure) {
	fields, read := fieldsOf(t), make(message, len(object))
	for _, name := range sortedKeys(object) {
		f, known := fields[name]
		if !known {
			return nil, badRequest(path, "Invalid JSON payload received. Unknown name \"%s\" at "+
				"'%s': Cannot find field.", name, path)
		}
		value, refusal := readValue(path+"."+snake(name), t.Name()+"."+name, f, object[name])
		if refusal != nil {
			return nil, refusal
		}
		if value != nil {
			read[name] = value
		}
	}
	return read, nil
}

func invalid(path, kind string, value any) *failure {
	return badRequest(path, "Invalid value at '%s' (%s), %s", path, kind, encode(value))
}

// readValue reads a field's value; nil is its default. place is the schema's and field's name.
func readValue(path, place string, f field, value any) (any, *failure) {
	if value == nil || f.kind == reflect.TypeFor[googleapi.RawMessage]() {
		if _, isObject := value.(map[string]any); value != nil && !isObject {
			return nil, invalid(path, "type.googleapis.com/google.protobuf.Struct", value)
		}
		return value, nil
	}
	switch f.kind.Kind() {
	case reflect.Pointer:
		object, isObject := value.(map[string]any)
		if !isObject {
			return nil, invalid(path, "message", value)
		}
		return readFields(path, f.kind.Elem(), object)
	case reflect.Slice:
		return readList(path, place, f, value)
	case reflect.Map:
		return readMap(path, place, f, value)
	case reflect.Bool:
		set, isBool := value.(bool)
		if !isBool {
			return nil, invalid(path, "TYPE_BOOL", value)
		}
		return orNil(set), nil
	case reflect.String:
		text, isText := value.(string)
		if !isText {
			return nil, invalid(path, "TYPE_STRING", value)
		}
		return readText(path, place, text)
	case reflect.Int64:
		return readInteger(path, f, value)
	case reflect.Float64:
		number, isNumber := value.(json.Number)
		if !isNumber {
			return nil, invalid(path, "TYPE_DOUBLE", value)
		}
		return number, nil
	}
	return value, nil
}

// orNil is nil for what has its default.
func orNil[T comparable](value T) any {
	var zero T
	if value == zero {
		return nil
	}
	return value
}

func readList(path, place string, f field, value any) (any, *failure) {
	list, isList := value.([]any)
	if !isList {
		return nil, invalid(path, "repeated field", value)
	}
	read := make([]any, 0, len(list))
	for i, item := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if item == nil {
			return nil, invalid(at, "null", item)
		}
		one, refusal := readValue(at, place, field{f.kind.Elem(), f.text}, item)
		if refusal != nil {
			return nil, refusal
		}
		if one == nil { // an item is there even if it has its default
			one = item
		}
		read = append(read, one)
	}
	if len(read) == 0 {
		return nil, nil
	}
	return read, nil
}

func readMap(path, place string, f field, value any) (any, *failure) {
	object, isObject := value.(map[string]any)
	if !isObject {
		return nil, invalid(path, "map", value)
	}
	for _, key := range sortedKeys(object) {
		if _, refusal := readValue(fmt.Sprintf("%s[%q]", path, key), place,
			field{kind: f.kind.Elem()}, object[key]); refusal != nil {
			return nil, refusal
		}
	}
	if len(object) == 0 {
		return nil, nil
	}
	return object, nil
}

func readText(path, place, text string) (any, *failure) {
	words := vocabulary[place]
	switch {
	case words == nil || text == "" && words[0] != "duration" && words[0] != "datetime":
		if words != nil {
			return nil, invalid(path, place, text)
		}
		return orNil(text), nil
	case words[0] == "duration":
		if _, err := readDuration(text); err != nil {
			return nil, invalid(path, "type.googleapis.com/google.protobuf.Duration", text)
		}
	case words[0] == "datetime":
		if _, err := time.Parse(time.RFC3339Nano, text); err != nil {
			return nil, invalid(path, "type.googleapis.com/google.protobuf.Timestamp", text)
		}
	case !slices.Contains(words, text):
		return nil, invalid(path, "type.googleapis.com/google.android.devicemanagement.v1."+place,
			text)
	case text == words[0] && strings.HasSuffix(text, "_UNSPECIFIED"):
		return nil, nil
	}
	return text, nil
}

// readDuration reads seconds with an s behind.
func readDuration(text string) (time.Duration, error) {
	number, found := strings.CutSuffix(text, "s")
	seconds, err := strconv.ParseFloat(number, 64)
	if !found || err != nil || math.Abs(seconds) > 315576000000 {
		return 0, fmt.Errorf("%q is no duration", text)
	}
	// a time.Duration ends at 292 years
	return time.Duration(min(seconds, math.MaxInt64/float64(time.Second)-1) *
		float64(time.Second)), nil
}

func readInteger(path string, f field, value any) (any, *failure) {
	kind, bits := "TYPE_INT32", 32
	if f.text {
		kind, bits = "TYPE_INT64", 64
	}
	digits := ""
	switch value := value.(type) {
	case json.Number:
		digits = value.String()
	case string:
		digits = value
	}
	number, err := strconv.ParseInt(digits, 10, bits)
	switch {
	case err != nil:
		return nil, invalid(path, kind, value)
	case number == 0:
		return nil, nil
	case f.text:
		return strconv.FormatInt(number, 10), nil
	}
	return number, nil
}

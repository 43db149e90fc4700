package msgraph_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/microsoft/kiota-abstractions-go/serialization"
)

// comparison holds what the SDK read against the JSON that it read it from.
type comparison struct {
	report func(format string, args ...any)
	values int // that were compared
}

// ours are properties that Graph's types do not have.
var ours = map[string]bool{"syncpayloads": true, "managedConfiguration": true, "manifestUrl": true,
	"storeId": true, "uninstallOnDeviceRemoval": true, "sequence": true, "statusCode": true,
	"failureReason": true, "skippedCount": true, "hash": true,
	// of role assignments, as Graph's reference has it and its metadata does not
	"roleScopeTagIds": true,
	// of VPNs, which name an app in Graph by its type alone
	"packageId": true}

// object compares an object: each property that has a value must have a typed getter with that.
func (c *comparison) object(at string, raw map[string]any, typed serialization.Parsable) {
	if name, ok := raw["@odata.type"].(string); ok {
		got := reflect.Indirect(reflect.ValueOf(typed)).Type().Name()
		if want := name[strings.LastIndexByte(name, '.')+1:]; !strings.EqualFold(got, want) {
			c.report("%s is of the type %s, and was read as %s", at, want, got)
			return
		}
	}
	known := typed.GetFieldDeserializers()
	for name, value := range raw {
		if value == nil || strings.ContainsAny(name, "@#") {
			continue
		}
		if known[name] == nil && ours[name] {
			continue
		}
		if known[name] == nil {
			c.report("%s.%s: the SDK has no such property of %T", at, name, typed)
			continue
		}
		got, ok := get(typed, name)
		if !ok {
			c.report("%s.%s: %T has no getter of it", at, name, typed)
			continue
		}
		c.value(at+"."+name, value, got)
	}
}

// get calls the getter of a property. Those whose name is a word of some language's have another.
func get(typed serialization.Parsable, name string) (reflect.Value, bool) {
	getter := "Get" + strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "_", "")
	for _, candidate := range []string{getter, getter + "Escaped"} {
		if m := reflect.ValueOf(typed).MethodByName(candidate); m.IsValid() {
			return m.Call(nil)[0], true
		}
	}
	return reflect.Value{}, false
}

func (c *comparison) value(at string, raw any, got reflect.Value) {
	c.values++
	if got.Kind() == reflect.Interface && !got.IsNil() {
		got = got.Elem()
	}
	list, isList := raw.([]any)
	if isNil(got) {
		if !isList || len(list) > 0 {
			c.report("%s is %.80s, and the getter has nil", at, inJSON(raw))
		}
		return
	}
	if typed, ok := got.Interface().(serialization.Parsable); ok {
		object, ok := raw.(map[string]any)
		if !ok {
			c.report("%s is %.80s, and was read as a %s", at, inJSON(raw), got.Type())
			return
		}
		c.object(at, object, typed)
		return
	}
	if isList {
		if got.Kind() != reflect.Slice || got.Len() != len(list) {
			c.report("%s has %d elements, and was read as %v", at, len(list), got)
			return
		}
		for i, element := range list {
			c.value(fmt.Sprintf("%s[%d]", at, i), element, got.Index(i))
		}
		return
	}
	if text := said(raw); !isSame(text, got) {
		c.report("%s is %.80s, and was read as %.80v", at, text, reflect.Indirect(got))
	}
}

func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	default:
		return false
	}
}

func inJSON(raw any) string {
	text, _ := json.Marshal(raw)
	return string(text)
}

// said is a value without the quotes of JSON.
func said(raw any) string {
	if text, ok := raw.(string); ok {
		return text
	}
	return inJSON(raw)
}

// isSame reports whether a value of the SDK's says what the JSON said.
func isSame(text string, got reflect.Value) bool {
	switch v := got.Interface().(type) {
	case []byte:
		return base64.StdEncoding.EncodeToString(v) == text
	case *time.Time:
		at, err := time.Parse(time.RFC3339Nano, text)
		return err == nil && at.Equal(*v)
	case fmt.Stringer: // enumerations, GUIDs, durations, dates
		return strings.ReplaceAll(v.String(), " ", "") == strings.ReplaceAll(text, " ", "")
	}
	got = reflect.Indirect(got)
	if v, ok := got.Interface().(fmt.Stringer); ok {
		return strings.ReplaceAll(v.String(), " ", "") == strings.ReplaceAll(text, " ", "")
	}
	if got.CanFloat() {
		var number float64
		_, err := fmt.Sscan(text, &number)
		return err == nil && number == got.Float()
	}
	return fmt.Sprint(got.Interface()) == text
}

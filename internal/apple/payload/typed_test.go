package payload_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	howett "howett.net/plist"
	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

const typedID = "5f9b3c1e-2a44-4d0e-9a35-0c6f2b8e7d11"

var updateTyped = flag.Bool("update", false, "write the golden profiles and the page anew")

func compileTyped(odataType string, props map[string]any) (*catalog.Payload, error) {
	raw, err := json.Marshal(props)
	if err != nil {
		return nil, err
	}
	return payload.CompileTyped(odataType, typedID, raw)
}

func first(int) int { return 0 }

// readProfile reads a profile with both readers, which must agree on what is inside.
func readProfile(t interface{ Fatalf(string, ...any) }, content []byte) []map[string]any {
	p, err := payload.ParseProfile(content)
	if err != nil {
		t.Fatalf("%v: %s", err, content)
	}
	var read struct{ PayloadContent []map[string]any }
	if _, err := howett.Unmarshal(content, &read); err != nil {
		t.Fatalf("the other reader: %v: %s", err, content)
	}
	if len(read.PayloadContent) != len(p.PayloadTypes) {
		t.Fatalf("one reader sees %d payloads, the other %v", len(read.PayloadContent),
			p.PayloadTypes)
	}
	return read.PayloadContent
}

// conforms checks that a value is what Apple has it for.
func conforms(s *payload.Setting, v any) error {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			i := slices.IndexFunc(s.Children,
				func(c *payload.Setting) bool { return c.Key == key })
			switch {
			case strings.HasPrefix(key, "Payload") && i < 0 || s.Key == "VendorConfig":
			case i < 0:
				return fmt.Errorf("%s has no key %s", s.ID, key)
			default:
				if err := conforms(s.Children[i], value); err != nil {
					return err
				}
			}
		}
		return nil
	case []any:
		for _, one := range v {
			of := s
			if _, isList := one.([]any); isList || len(s.Children) == 1 &&
				s.Children[0].Key == "item" {
				of = s.Children[0]
			}
			if err := conforms(of, one); err != nil {
				return err
			}
		}
		return nil
	}
	if s.Form == catalog.SettingGroupCollection {
		return fmt.Errorf("%s is %v", s.ID, v)
	}
	if len(s.Options) > 0 {
		if !slices.ContainsFunc(s.Options, func(o catalog.SettingOption) bool {
			return fmt.Sprint(o.Value) == fmt.Sprint(v)
		}) {
			return fmt.Errorf("%s is %v, which is none of its values", s.ID, v)
		}
		return nil
	}
	var fits bool
	switch s.Value {
	case catalog.IntegerValue:
		_, fits = v.(uint64)
	case catalog.DataValue, catalog.SecretDataValue:
		_, fits = v.([]byte)
	default:
		_, fits = v.(string)
	}
	if !fits {
		return fmt.Errorf("%s is the %T %v", s.ID, v, v)
	}
	return nil
}

// found is what is at a path of a payload; "0" and "." are any element.
func found(v any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	if list, ok := v.([]any); ok {
		if path[0] == "0" || path[0] == "." {
			path = path[1:]
		}
		return slices.ContainsFunc(list, func(one any) bool { return found(one, path) })
	}
	if path[0] == "0" || path[0] == "." {
		return false
	}
	dict, ok := v.(map[string]any)
	inner, has := dict[path[0]]
	return ok && has && found(inner, path[1:])
}

// Every row of the tables comes to a profile that holds its key, in Apple's type.
func TestTypedRows(t *testing.T) {
	for _, row := range payload.TypedRows() {
		if row.Kind == "refuse" || row.Kind == "note" {
			continue
		}
		props := row.Example(nil, first)
		if row.PayloadType == "" || row.Path == nil {
			continue // TestTypedTaken has them
		}
		p, err := compileTyped(row.Of, props)
		if err != nil {
			t.Errorf("%s.%s: %v: %v", row.Of, row.Property, err, props)
			continue
		}
		var holds bool
		for _, inner := range readProfile(t, p.Content) {
			if inner["PayloadType"] == row.PayloadType && found(inner, row.Path) {
				holds = true
			}
			kind := inner["PayloadType"].(string)
			if err := conforms(payload.PayloadSettings(kind)[0], inner); err != nil {
				t.Errorf("%s.%s: %v", row.Of, row.Property, err)
			}
		}
		if !holds {
			t.Errorf("%s.%s: %v is not in %s", row.Of, row.Property, row.Path, p.Content)
		}
	}
}

// Any configuration that is right compiles, to the same bytes each time, and its identifiers are
// its own and stay.
func TestRightTypedConfigurations(t *testing.T) {
	rows := payload.TypedRows()
	rapid.Check(t, func(t *rapid.T) {
		row := rapid.SampledFrom(rows).Filter(func(r payload.TypedRow) bool {
			return r.Kind != "refuse"
		}).Draw(t, "row")
		props := row.Example(nil, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") })
		p, err := compileTyped(row.Of, props)
		if nothing := new(invalid.Input); errors.As(err, &nothing) &&
			strings.Contains(nothing.Reason, "configure nothing") {
			t.Skip("nothing that a device could obey was drawn")
		}
		if clash := new(invalid.Input); errors.As(err, &clash) &&
			strings.Contains(clash.Reason, "sets to another value") {
			t.Skip("two properties that set the same were drawn with different values")
		}
		if err != nil {
			t.Fatalf("%s: %v: %v", row.Of, err, props)
		}
		again, err := compileTyped(row.Of, props)
		if err != nil || !bytes.Equal(p.Content, again.Content) {
			t.Fatalf("another profile of the same: %v", err)
		}
		if p.Identifier != "com.github.syncpayloads.configuration."+typedID {
			t.Fatalf("the identifier is %s", p.Identifier)
		}
		for _, inner := range readProfile(t, p.Content) {
			id, _ := inner["PayloadIdentifier"].(string)
			if !strings.HasPrefix(id, p.Identifier+".") {
				t.Fatalf("a payload is called %s", id)
			}
			kind := inner["PayloadType"].(string)
			if err := conforms(payload.PayloadSettings(kind)[0], inner); err != nil {
				t.Fatalf("%v", err)
			}
		}
	})
}

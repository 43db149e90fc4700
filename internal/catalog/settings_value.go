package catalog

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// simple is one value of a simple setting, as a property list has it.
func (c *settingCompiler) simple(s *Setting, v *simpleValue, where string) (any, error) {
	var value any
	var err error
	switch s.Value {
	case IntegerValue:
		value, err = s.integer(v)
	case SecretValue, SecretDataValue:
		value, err = c.secret(s, v)
	default:
		var text string
		if text, err = v.text(textValueType); err == nil {
			value, err = c.fromText(s, text, where)
		}
	}
	if err != nil {
		return nil, fault(where, s.ID, "%v", err)
	}
	return value, nil
}

// text is the value of a given type that is a string.
func (v *simpleValue) text(of string) (string, error) {
	if v.Type != of {
		return "", fmt.Errorf("is a %.100q, and the setting needs a %q", v.Type, of)
	}
	var text *string
	if err := json.Unmarshal(v.Value, &text); err != nil || text == nil {
		return "", fmt.Errorf("value must be a string")
	}
	if !inPropertyList(*text) {
		return "", fmt.Errorf("value has characters that a property list cannot hold")
	}
	return *text, nil
}

// inPropertyList reports whether an XML property list can hold a text (XML 1.0, Char).
func inPropertyList(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool {
		return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
	}) < 0
}

func (s *Setting) integer(v *simpleValue) (any, error) {
	if v.Type != integerValueType {
		return nil, fmt.Errorf("is a %.100q, and the setting needs a %q", v.Type, integerValueType)
	}
	n, err := strconv.ParseInt(string(v.Value), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("value %.100s is not an integer", v.Value)
	}
	if s.Least != nil && n < *s.Least {
		return nil, fmt.Errorf("value %d is less than %d", n, *s.Least)
	}
	if s.Greatest != nil && n > *s.Greatest {
		return nil, fmt.Errorf("value %d is greater than %d", n, *s.Greatest)
	}
	return n, nil
}

// secret is the secret that a token stands for.
func (c *settingCompiler) secret(s *Setting, v *simpleValue) (any, error) {
	token, err := v.text(secretValueType)
	if err != nil {
		return nil, err
	}
	text, ok := c.secrets[token]
	switch {
	case !ok:
		return nil, fmt.Errorf("the secret is not known")
	case !inPropertyList(text):
		return nil, fmt.Errorf("the secret has characters that a property list cannot hold")
	case s.Value == SecretDataValue:
		return DecodeBase64(text)
	default:
		return text, nil
	}
}

func (c *settingCompiler) fromText(s *Setting, text, where string) (any, error) {
	switch s.Value {
	case RealValue:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("value %.100q is not a number", text)
		}
		return f, nil
	case DataValue:
		return DecodeBase64(text)
	case DateValue:
		t, err := time.Parse(time.RFC3339, text)
		if err != nil || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
			return nil, fmt.Errorf("value %.100q is not a date such as 2026-01-02T03:04:05Z", text)
		}
		return t.UTC().Truncate(time.Second), nil
	case UUIDValue, PayloadReference:
		id, ok := guid(text)
		if !ok {
			return nil, fmt.Errorf("value %.100q is not a GUID", text)
		}
		if s.Value == PayloadReference {
			c.references = append(c.references, payloadReference{where, s.ID, id})
		}
		return id, nil
	default:
		return text, nil
	}
}

func platformName(p fleet.Platform) string {
	for name, platform := range settingPlatforms {
		if platform == p {
			return name
		}
	}
	return string(p)
}

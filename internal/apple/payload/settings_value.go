package payload

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// simple is one value of a simple setting, as a property list has it.
func (c *settingCompiler) simple(s *Setting, v *catalog.SimpleGiven, where string) (any, error) {
	var value any
	var err error
	switch s.Value {
	case catalog.IntegerValue:
		value, err = s.integer(v)
	case catalog.SecretValue, catalog.SecretDataValue:
		value, err = c.secret(s, v)
	default:
		var text string
		if text, err = givenText(v, catalog.TextValueType); err == nil {
			value, err = c.fromText(s, text, where)
		}
	}
	if err != nil {
		return nil, fault(where, s.ID, "%v", err)
	}
	return value, nil
}

// givenText is a value of a given type that is a string.
func givenText(v *catalog.SimpleGiven, of string) (string, error) {
	if v.Type != of {
		return "", fmt.Errorf("is a %.100q, and the setting needs a %q", v.Type, of)
	}
	var text *string
	if err := json.Unmarshal(v.Value, &text); err != nil || text == nil {
		return "", fmt.Errorf("value must be a string")
	}
	if !propertylist.IsText(*text) {
		return "", fmt.Errorf("value has characters that a property list cannot hold")
	}
	return *text, nil
}

func (s *Setting) integer(v *catalog.SimpleGiven) (any, error) {
	if v.Type != catalog.IntegerValueType {
		return nil, fmt.Errorf("is a %.100q, and the setting needs a %q", v.Type,
			catalog.IntegerValueType)
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
func (c *settingCompiler) secret(s *Setting, v *catalog.SimpleGiven) (any, error) {
	token, err := givenText(v, catalog.SecretValueType)
	if err != nil {
		return nil, err
	}
	text, ok := c.secrets[token]
	switch {
	case !ok:
		return nil, fmt.Errorf("the secret is not known")
	case !propertylist.IsText(text):
		return nil, fmt.Errorf("the secret has characters that a property list cannot hold")
	case s.Value == catalog.SecretDataValue:
		return catalog.DecodeBase64(text)
	default:
		return text, nil
	}
}

func (c *settingCompiler) fromText(s *Setting, text, where string) (any, error) {
	switch s.Value {
	case catalog.RealValue:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("value %.100q is not a number", text)
		}
		return f, nil
	case catalog.DataValue:
		return catalog.DecodeBase64(text)
	case catalog.DateValue:
		t, err := time.Parse(time.RFC3339, text)
		if err != nil || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
			return nil, fmt.Errorf("value %.100q is not a date such as 2026-01-02T03:04:05Z", text)
		}
		return t.UTC().Truncate(time.Second), nil
	case catalog.UUIDValue, catalog.PayloadReference:
		id, ok := catalog.ParseGUID(text)
		if !ok {
			return nil, fmt.Errorf("value %.100q is not a GUID", text)
		}
		if s.Value == catalog.PayloadReference {
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

package catalog

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// MaxPropertiesSize is the most bytes of JSON that the properties of one payload may have.
const MaxPropertiesSize = 1 << 20

const (
	maxDisplayName = 200   // characters
	maxDescription = 10000 // characters
	maxFileName    = 255   // characters
	maxText        = 10000 // characters of any other property that is a text
)

// checkTexts holds the texts among properties that are to be set against the most characters that
// they may have.
func (f *Form) checkTexts(props Properties) error {
	for name, raw := range props {
		var text string
		if p := f.Property(name); p != nil && p.Document || json.Unmarshal(raw, &text) != nil {
			continue
		}
		if n := utf8.RuneCountInString(text); n > maxText {
			return &invalid.Input{Property: name,
				Reason: fmt.Sprintf("must have at most %d characters; it has %d", maxText, n)}
		}
	}
	return nil
}

// Properties are the Graph properties of a payload that Payload has no field for, by name.
type Properties map[string]json.RawMessage

// ParseProperties reads a JSON object of properties; nothing is none. The error is an
// *invalid.Input.
func ParseProperties(raw json.RawMessage) (Properties, error) {
	if len(raw) > MaxPropertiesSize {
		return nil, &invalid.Input{Property: "properties",
			Reason: fmt.Sprintf("more than %d bytes", MaxPropertiesSize)}
	}
	props := Properties{}
	if len(raw) == 0 {
		return props, nil
	}
	if err := json.Unmarshal(raw, &props); err != nil || props == nil {
		return nil, &invalid.Input{Property: "properties", Reason: "not a JSON object"}
	}
	return props, nil
}

// merge sets what patch names; null takes a property away.
func (p Properties) merge(patch Properties) {
	for name, value := range patch {
		if string(value) == "null" {
			delete(p, name)
		} else {
			p[name] = value
		}
	}
}

// Has reports whether a property is set, and not null.
func (p Properties) Has(name string) bool {
	value, ok := p[name]
	return ok && string(value) != "null"
}

// Read decodes a property; its zero value if it is not there. what describes the type to a person.
// The error is an *invalid.Input.
func Read[T any](p Properties, name, what string) (v T, err error) {
	if !p.Has(name) {
		return v, nil
	}
	if err := json.Unmarshal(p[name], &v); err != nil {
		return v, &invalid.Input{Property: name, Reason: "is not " + what}
	}
	return v, nil
}

func checkFileName(name string) error {
	if n := utf8.RuneCountInString(name); n > maxFileName {
		return &invalid.Input{Property: "payloadFileName",
			Reason: fmt.Sprintf("must have at most %d characters; it has %d", maxFileName, n)}
	}
	return nil
}

func checkNames(displayName, description string) error {
	if n := utf8.RuneCountInString(displayName); n > maxDisplayName ||
		strings.TrimSpace(displayName) == "" {
		return &invalid.Input{Property: "displayName",
			Reason: fmt.Sprintf("must have 1 to %d characters; it has %d", maxDisplayName, n)}
	}
	if n := utf8.RuneCountInString(description); n > maxDescription {
		return &invalid.Input{Property: "description",
			Reason: fmt.Sprintf("must have at most %d characters; it has %d", maxDescription, n)}
	}
	return nil
}

// ParseGUID returns an id as it is stored, in lower case, and whether it is a GUID at all.
func ParseGUID(id string) (string, bool) {
	const hyphenated = 36
	_, err := uuid.Parse(id)
	return strings.ToLower(id), err == nil && len(id) == hyphenated
}

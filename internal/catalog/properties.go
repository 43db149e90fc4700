package catalog

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

// MaxPropertiesSize is the most bytes of JSON that the properties of one payload may have.
const MaxPropertiesSize = 1 << 20

const (
	maxDisplayName = 200   // characters
	maxDescription = 10000 // characters
	maxFileName    = 255   // characters
	maxText        = 10000 // characters of any other property that is a text
)

// documents are properties that hold a whole file.
var documents = []string{"encodedSettingXml", "managedConfiguration"}

// checkTexts holds the texts among properties that are to be set against the most characters that they may have.
func (p properties) checkTexts() error {
	for name, raw := range p {
		var text string
		if slices.Contains(documents, name) || json.Unmarshal(raw, &text) != nil {
			continue
		}
		if n := utf8.RuneCountInString(text); n > maxText {
			return &Invalid{Property: name, Reason: fmt.Sprintf("must have at most %d characters; it has %d", maxText, n)}
		}
	}
	return nil
}

// properties are the Graph properties of a payload that Payload has no field for, by name.
type properties map[string]json.RawMessage

func parseProperties(raw json.RawMessage) (properties, error) {
	if len(raw) > MaxPropertiesSize {
		return nil, &Invalid{Property: "properties", Reason: fmt.Sprintf("more than %d bytes", MaxPropertiesSize)}
	}
	props := properties{}
	if len(raw) == 0 {
		return props, nil
	}
	if err := json.Unmarshal(raw, &props); err != nil || props == nil {
		return nil, &Invalid{Property: "properties", Reason: "not a JSON object"}
	}
	return props, nil
}

// merge sets what patch names; null takes a property away.
func (p properties) merge(patch properties) {
	for name, value := range patch {
		if string(value) == "null" {
			delete(p, name)
		} else {
			p[name] = value
		}
	}
}

func (p properties) has(name string) bool {
	value, ok := p[name]
	return ok && string(value) != "null"
}

// read decodes a property; its zero value if it is not there. what describes the type to a person.
func read[T any](p properties, name, what string) (v T, err error) {
	if !p.has(name) {
		return v, nil
	}
	if err := json.Unmarshal(p[name], &v); err != nil {
		return v, &Invalid{Property: name, Reason: "is not " + what}
	}
	return v, nil
}

var bundleID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,255}$`)

func (p properties) bundleID(name string) (string, error) {
	id, err := read[string](p, name, "a string")
	if err == nil && !bundleID.MatchString(id) {
		err = &Invalid{Property: name, Reason: fmt.Sprintf(
			"%.60q is not a bundle id: give one such as com.example.app (letters, digits, dots, hyphens; at most %d)", id, maxIdentifier)}
	}
	return id, err
}

func (p properties) manifestURL() (string, error) {
	const name = "manifestUrl"
	text, err := read[string](p, name, "a string")
	if err != nil {
		return "", err
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || len(text) > 2048 {
		return "", &Invalid{Property: name,
			Reason: fmt.Sprintf("%.60q is not an https URL of at most 2048 characters; devices fetch a manifest over https only", text)}
	}
	return text, nil
}

func checkFileName(name string) error {
	if n := utf8.RuneCountInString(name); n > maxFileName {
		return &Invalid{Property: "payloadFileName", Reason: fmt.Sprintf("must have at most %d characters; it has %d", maxFileName, n)}
	}
	return nil
}

func checkNames(displayName, description string) error {
	if n := utf8.RuneCountInString(displayName); n > maxDisplayName || strings.TrimSpace(displayName) == "" {
		return &Invalid{Property: "displayName", Reason: fmt.Sprintf("must have 1 to %d characters; it has %d", maxDisplayName, n)}
	}
	if n := utf8.RuneCountInString(description); n > maxDescription {
		return &Invalid{Property: "description", Reason: fmt.Sprintf("must have at most %d characters; it has %d", maxDescription, n)}
	}
	return nil
}

// guid returns an id as it is stored, in lower case, and whether it is a GUID at all.
func guid(id string) (string, bool) {
	const hyphenated = 36
	_, err := uuid.Parse(id)
	return strings.ToLower(id), err == nil && len(id) == hyphenated
}

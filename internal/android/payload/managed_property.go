package payload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// Bounds of what an app is configured with. That of a text is Google's (ApplicationPolicy,
// managedConfiguration).
const (
	maxConfigured      = 10_000 // values in all
	maxConfiguredDepth = 8      // bundles within bundles
	maxConfiguredText  = 65_535 // characters
)

// configuration is what payloadJson holds (Play EMM API, ManagedConfiguration).
type configuration struct {
	Kind       string            `json:"kind"`
	ProductID  string            `json:"productId"`
	Properties []managedProperty `json:"managedProperty"`
}

// managedProperty is one key with one value.
type managedProperty struct {
	Key         string       `json:"key"`
	String      *string      `json:"valueString"`
	Bool        *bool        `json:"valueBool"`
	Integer     *json.Number `json:"valueInteger"`
	Strings     *[]string    `json:"valueStringArray"`
	Bundle      *bundle      `json:"valueBundle"`
	BundleArray *[]bundle    `json:"valueBundleArray"`
}

type bundle struct {
	Properties []managedProperty `json:"managedProperty"`
}

// readManagedConfiguration reads payloadJson: base64 of JSON, as Graph has it, or the JSON itself,
// as a person gives it.
func readManagedConfiguration(props catalog.Properties, app string, fields map[string]any) error {
	text, err := catalog.Read[string](props, payloadJSON, "a string")
	if err != nil || text == "" {
		return err
	}
	content := []byte(strings.TrimSpace(text))
	if !bytes.HasPrefix(content, []byte("{")) {
		if content, err = catalog.DecodeBase64(text); err != nil {
			return &invalid.Input{Property: payloadJSON,
				Reason: "is neither base64 nor a JSON object"}
		}
	}
	var c configuration
	if err := json.Unmarshal(bytes.TrimPrefix(content, []byte("\ufeff")), &c); err != nil {
		return &invalid.Input{Property: payloadJSON,
			Reason: `does not hold a managed configuration: give a JSON object such as {"managedProperty":[{"key":"server","valueString":"a.example"}]}`}
	}
	if c.ProductID != "" && c.ProductID != "app:"+app {
		return &invalid.Input{Property: payloadJSON,
			Reason: fmt.Sprintf("productId is %.60q, and the configuration is for app:%s",
				c.ProductID, app)}
	}
	if len(c.Properties) == 0 {
		return nil
	}
	r := configurationReader{left: maxConfigured}
	made, err := r.object(c.Properties, "managedProperty", 0)
	if err != nil {
		return err
	}
	fields[appPath(app, configurationOf)] = made
	return nil
}

// configurationReader makes what an app gets of its properties.
type configurationReader struct{ left int }

func wrongConfiguration(where, format string, args ...any) error {
	return &invalid.Input{Property: payloadJSON,
		Reason: where + ": " + fmt.Sprintf(format, args...)}
}

// object makes an object of properties. Depth is how many bundles it is inside of.
func (r *configurationReader) object(list []managedProperty, where string,
	depth int) (map[string]any, error) {
	if depth > maxConfiguredDepth {
		return nil, wrongConfiguration(where, "more than %d bundles within each other",
			maxConfiguredDepth)
	}
	made := make(map[string]any, len(list))
	for i := range list {
		p, at := &list[i], fmt.Sprintf("%s[%d]", where, i)
		if _, twice := made[p.Key]; twice || p.Key == "" {
			return nil, wrongConfiguration(at, "the key %.60q is empty, or there twice", p.Key)
		}
		value, err := r.value(p, at, depth)
		if err != nil {
			return nil, err
		}
		made[p.Key] = value
	}
	return made, nil
}

// value is the one value of a property.
func (r *configurationReader) value(p *managedProperty, at string,
	depth int) (value any, err error) {
	if r.left--; r.left < 0 {
		return nil, wrongConfiguration(at, "more than %d values", maxConfigured)
	}
	given := 0
	if p.String != nil {
		given++
		value, err = r.text(*p.String, at+".valueString")
	}
	if p.Bool != nil {
		given++
		value = *p.Bool
	}
	if p.Integer != nil {
		given++
		value, err = integer(*p.Integer, at+".valueInteger")
	}
	if p.Strings != nil {
		given++
		value, err = r.texts(*p.Strings, at+".valueStringArray")
	}
	if p.Bundle != nil {
		given++
		value, err = r.object(p.Bundle.Properties, at+".valueBundle.managedProperty", depth+1)
	}
	if p.BundleArray != nil {
		given++
		value, err = r.bundles(*p.BundleArray, at+".valueBundleArray", depth+1)
	}
	if given != 1 && err == nil {
		err = wrongConfiguration(at, "%d values of the key %.60q; give one of valueString, valueBool, valueInteger, valueStringArray, valueBundle and valueBundleArray", given, p.Key)
	}
	return value, err
}

func integer(n json.Number, at string) (any, error) {
	whole, err := n.Int64()
	if err != nil || whole != int64(int32(whole)) {
		return nil, wrongConfiguration(at, "%.60q is not an integer of 32 bits", n.String())
	}
	return whole, nil
}

func (r *configurationReader) texts(list []string, at string) (any, error) {
	if r.left -= len(list); r.left < 0 {
		return nil, wrongConfiguration(at, "more than %d values", maxConfigured)
	}
	for i, text := range list {
		if _, err := r.text(text, fmt.Sprintf("%s[%d]", at, i)); err != nil {
			return nil, err
		}
	}
	return anyOf(list), nil
}

func (r *configurationReader) bundles(list []bundle, at string, depth int) (any, error) {
	if r.left -= len(list); r.left < 0 {
		return nil, wrongConfiguration(at, "more than %d values", maxConfigured)
	}
	made := make([]any, len(list))
	for i := range list {
		object, err := r.object(list[i].Properties, fmt.Sprintf("%s[%d].managedProperty", at, i),
			depth)
		if err != nil {
			return nil, err
		}
		made[i] = object
	}
	return made, nil
}

// text refuses tokens such as {{mail}}: they stand for values of a user, and no device here has
// one.
func (r *configurationReader) text(text, at string) (any, error) {
	if open := strings.Index(text, "{{"); open >= 0 && strings.Contains(text[open:], "}}") {
		return nil, wrongConfiguration(at, "%.60q has a token, which needs a device's user, whom no device here has: give the value itself", text)
	}
	if len(text) > maxConfiguredText {
		return nil, wrongConfiguration(at, "%d bytes, more than %d", len(text), maxConfiguredText)
	}
	return text, nil
}

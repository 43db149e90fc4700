package payload

import (
	"fmt"
	"maps"
	"slices"

	"github.com/micromdm/plist"
)

// hiddenSecret stands for a secret where a profile is shown.
const hiddenSecret = "********"

// Show implements catalog.Shower: it is the profile as an XML property list.
func (profiles) Show(content []byte) (string, error) {
	p, err := ParseProfile(content)
	if err != nil {
		return "", err
	}
	shown := maps.Clone(p.dict)
	list := make([]any, len(p.inside()))
	for i, inner := range p.inside() {
		kind, _ := inner["PayloadType"].(string)
		list[i] = withoutSecrets(inner, settings().byType[kind])
	}
	shown["PayloadContent"] = list
	b, err := plist.MarshalIndent(shown, "\t")
	if err != nil {
		return "", fmt.Errorf("showing profile %s: %w", p.Identifier, err)
	}
	return string(b), nil
}

// Show implements catalog.Shower.
func (policies) Show(content []byte) (string, error) { return profiles{}.Show(content) }

// Show implements catalog.Shower.
func (typedCompiler) Show(content []byte) (string, error) { return profiles{}.Show(content) }

// withoutSecrets is a value with what the settings call a secret left out.
func withoutSecrets(v any, of []*Setting) any {
	switch v := v.(type) {
	case map[string]any:
		shown := make(map[string]any, len(v))
		for key, value := range v {
			var inner []*Setting
			for _, s := range of {
				for _, child := range s.Children {
					if child.Key == key || s.grouping == anyKeys {
						inner = append(inner, child)
					}
				}
			}
			shown[key] = withoutSecrets(value, inner)
		}
		return shown
	case []any:
		shown := make([]any, len(v))
		for i := range v {
			shown[i] = withoutSecrets(v[i], elements(of))
		}
		return shown
	}
	if slices.ContainsFunc(of, func(s *Setting) bool { return s.IsSecret() }) {
		return hiddenSecret
	}
	return v
}

// elements are the settings of what is in arrays: of an array of arrays, those of the inner ones.
func elements(of []*Setting) []*Setting {
	var inner []*Setting
	for _, s := range of {
		if s.grouping == someLists {
			inner = append(inner, s.Children...)
		} else {
			inner = append(inner, s)
		}
	}
	return inner
}

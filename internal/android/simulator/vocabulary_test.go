package simulator_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/android/simulator/discovery"
)

// requests are the schemas that requests have.
var requests = []string{"Policy", "Device", "EnrollmentToken", "Enterprise", "Command", "WebApp",
	"WebToken"}

// vocabulary.txt is what the discovery document has of enums, durations and times.
func TestVocabularyIsGoogles(t *testing.T) {
	documents, err := discovery.Documents()
	if err != nil {
		t.Fatal(err)
	}
	schemas := documents[0].Schemas
	lines, seen := []string{}, make(map[string]bool)
	var walk func(name string)
	var into func(s *discovery.Schema)
	into = func(s *discovery.Schema) {
		if s == nil {
			return
		}
		if s.Ref != "" {
			walk(s.Ref)
		}
		into(s.Items)
		into(s.AdditionalProperties)
	}
	walk = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, field := range slices.Sorted(maps.Keys(schemas[name].Properties)) {
			property := schemas[name].Properties[field]
			into(property)
			value := property
			if value.Items != nil {
				value = value.Items
			}
			format, isTime := strings.CutPrefix(value.Format, "google-")
			switch {
			case len(value.Enum) > 0:
				lines = append(lines, name+"."+field+" "+strings.Join(value.Enum, " "))
			case isTime:
				lines = append(lines, name+"."+field+" "+format)
			}
		}
	}
	for _, name := range requests {
		walk(name)
	}
	slices.Sort(lines)
	raw, err := os.ReadFile("vocabulary.txt")
	if err != nil {
		t.Fatal(err)
	}
	have := strings.Split(strings.TrimSpace(string(raw)), "\n")
	slices.Sort(have)
	for _, line := range lines {
		if !slices.Contains(have, line) {
			t.Errorf("missing: %s", line)
		}
	}
	for _, line := range have {
		if !slices.Contains(lines, line) {
			t.Errorf("not Google's: %s", line)
		}
	}
}

// Package discovery holds what goes over the wire against Google's own description of it: the
// discovery documents of the Android Management API and of Pub/Sub, which ship with Google's Go
// client. It is for tests.
package discovery

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Document is a discovery document.
type Document struct {
	Schemas map[string]*Schema `json:"schemas"`

	Parameters map[string]*Schema  `json:"parameters"`
	Resources  map[string]resource `json:"resources"`
	methods    []*Method
}

// Schema describes a value.
type Schema struct {
	Ref                  string             `json:"$ref"`
	Type                 string             `json:"type"`
	Format               string             `json:"format"`
	Description          string             `json:"description"`
	Enum                 []string           `json:"enum"`
	Items                *Schema            `json:"items"`
	Properties           map[string]*Schema `json:"properties"`
	AdditionalProperties *Schema            `json:"additionalProperties"`
	ReadOnly             bool               `json:"readOnly"`
	Location             string             `json:"location"` // of a parameter
}

type resource struct {
	Methods   map[string]*Method  `json:"methods"`
	Resources map[string]resource `json:"resources"`
}

// Method is a method of an API.
type Method struct {
	ID         string             `json:"id"`
	Verb       string             `json:"httpMethod"`
	FlatPath   string             `json:"flatPath"`
	Parameters map[string]*Schema `json:"parameters"`
	Request    *Schema            `json:"request"`
	Response   *Schema            `json:"response"`

	pattern *regexp.Regexp
}

// Documents returns those of the Android Management API and of Pub/Sub.
var Documents = sync.OnceValues(func() ([]*Document, error) {
	folder, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}",
		"google.golang.org/api").Output()
	if err != nil {
		return nil, fmt.Errorf("the module google.golang.org/api is not there, run "+
			"`go mod download`: %w", err)
	}
	var all []*Document
	for _, name := range []string{"androidmanagement", "pubsub"} {
		raw, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(folder)), name, "v1",
			name+"-api.json"))
		if err != nil {
			return nil, err
		}
		document := new(Document)
		if err := json.Unmarshal(raw, document); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, r := range document.Resources {
			document.collect(r)
		}
		all = append(all, document)
	}
	return all, nil
})

func (d *Document) collect(r resource) {
	for _, m := range r.Methods {
		m.compile()
		d.methods = append(d.methods, m)
	}
	for _, inner := range r.Resources {
		d.collect(inner)
	}
}

var variable = regexp.MustCompile(`\\\{[^}]*\\\}`)

// compile makes the pattern of the method's paths.
func (m *Method) compile() {
	quoted := regexp.QuoteMeta(m.FlatPath)
	m.pattern = regexp.MustCompile("^/" + variable.ReplaceAllString(quoted, `[^/:]+`) + "$")
}

// Methods returns the ids of all methods, sorted.
func (d *Document) Methods() []string {
	ids := make([]string, 0, len(d.methods))
	for _, m := range d.methods {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return ids
}

// Find returns the method of a call, nil if there is none.
func (d *Document) Find(verb, path string) *Method {
	for _, m := range d.methods {
		if m.Verb == verb && m.pattern.MatchString(path) {
			return m
		}
	}
	return nil
}

var readOnly = regexp.MustCompile(`(?i)^output only|read-only field|\(read only\)`)

// Check returns what is wrong with a value, by schema: fields, types, enums, formats, and in a
// request what only the service sets.
func (d *Document) Check(s *Schema, at string, value any, request bool) []string {
	if request && value == nil { // as if it were not there
		return nil
	}
	if s.Ref != "" {
		return d.Check(d.Schemas[s.Ref], at, value, request)
	}
	switch s.Type {
	case "object":
		return d.checkObject(s, at, value, request)
	case "array":
		list, isList := value.([]any)
		if !isList {
			return []string{at + " is no list"}
		}
		var wrong []string
		for i, item := range list {
			wrong = append(wrong, d.Check(s.Items, fmt.Sprintf("%s[%d]", at, i), item, request)...)
		}
		return wrong
	case "any":
		return nil
	}
	if problem := s.checkScalar(value); problem != "" {
		return []string{fmt.Sprintf("%s: %v %s", at, value, problem)}
	}
	return nil
}

func (d *Document) checkObject(s *Schema, at string, value any, request bool) []string {
	object, isObject := value.(map[string]any)
	if !isObject {
		return []string{at + " is no object"}
	}
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(object)) {
		inner, known := s.Properties[name]
		if !known {
			inner = s.AdditionalProperties
		}
		path := at + "." + name
		switch {
		case inner == nil:
			wrong = append(wrong, path+" is not in the schema")
		case request && known && (inner.ReadOnly || readOnly.MatchString(inner.Description)):
			wrong = append(wrong, path+" is set by the service only")
		default:
			wrong = append(wrong, d.Check(inner, path, object[name], request)...)
		}
	}
	return wrong
}

package payload_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/android/payload"
)

// policyOf decodes a document strictly.
func policyOf(t tester, c *payload.Composition) *androidmanagement.Policy {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(c.Document))
	d.DisallowUnknownFields()
	var p androidmanagement.Policy
	if err := d.Decode(&p); err != nil {
		t.Fatalf("%s: %v", c.Document, err)
	}
	return &p
}

// schema is a part of the discovery document.
type schema struct {
	Ref                  string             `json:"$ref"`
	Type                 string             `json:"type"`
	Format               string             `json:"format"`
	Enum                 []string           `json:"enum"`
	Properties           map[string]*schema `json:"properties"`
	Items                *schema            `json:"items"`
	AdditionalProperties *schema            `json:"additionalProperties"`
	ReadOnly             bool               `json:"readOnly"`
}

// discovery is Google's own description of the API, from the module of its client.
var discovery = sync.OnceValues(func() (map[string]*schema, error) {
	folder, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}",
		"google.golang.org/api").Output()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(folder)), "androidmanagement",
		"v1", "androidmanagement-api.json"))
	var doc struct{ Schemas map[string]*schema }
	if err == nil {
		err = json.Unmarshal(text, &doc)
	}
	return doc.Schemas, err
})

func schemas(t tester) map[string]*schema {
	t.Helper()
	all, err := discovery()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// check holds a value against the discovery document, and returns what is wrong with it.
func check(all map[string]*schema, s *schema, v any, where string) []string {
	if s.Ref != "" {
		s = all[s.Ref]
	}
	wrong := func(format string, args ...any) []string {
		return []string{where + ": " + fmt.Sprintf(format, args...)}
	}
	switch {
	case s.ReadOnly:
		return wrong("only Google sets it")
	case s.Type == "any":
		return nil
	case s.Type == "object":
		return checkObject(all, s, v, where)
	case s.Type == "array":
		list, ok := v.([]any)
		if !ok {
			return wrong("%v is no list", v)
		}
		var found []string
		for i, e := range list {
			found = append(found, check(all, s.Items, e, fmt.Sprintf("%s[%d]", where, i))...)
		}
		return found
	case s.Enum != nil && (!slices.Contains(s.Enum, fmt.Sprint(v)) ||
		strings.HasSuffix(fmt.Sprint(v), "_UNSPECIFIED")):
		return wrong("%v is none of %v", v, s.Enum)
	}
	is := map[bool]string{}
	switch v.(type) {
	case string:
		is[true] = "string"
	case bool:
		is[true] = "boolean"
	case json.Number:
		is[true] = "integer"
	}
	if is[true] != s.Type {
		return wrong("%v is no %s", v, s.Type)
	}
	return nil
}

func checkObject(all map[string]*schema, s *schema, v any, where string) (found []string) {
	object, ok := v.(map[string]any)
	if !ok {
		return []string{fmt.Sprintf("%s: %v is no object", where, v)}
	}
	for name, value := range object {
		inner := s.Properties[name]
		if inner == nil {
			inner = s.AdditionalProperties
		}
		if inner == nil {
			found = append(found, where+"."+name+": no such field")
			continue
		}
		found = append(found, check(all, inner, value, where+"."+name)...)
	}
	return found
}

// held holds a document against the discovery document and Google's rules across fields.
func held(t tester, c *payload.Composition) {
	t.Helper()
	p := policyOf(t, c)
	d := json.NewDecoder(bytes.NewReader(c.Document))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		t.Fatal(err)
	}
	all := schemas(t)
	for _, wrong := range check(all, all["Policy"], value, "policy") {
		t.Error(wrong)
	}
	kiosks, holders, seen := 0, map[string]int{}, map[string]bool{}
	for _, app := range p.Applications {
		if app.InstallType == "KIOSK" {
			kiosks++
		}
		if app.InstallType == "BLOCKED" && (app.ManagedConfiguration != nil ||
			app.DelegatedScopes != nil || app.PermissionGrants != nil) {
			t.Errorf("%s is blocked, and has settings", app.PackageName)
		}
		if seen[app.PackageName] || app.PackageName == "" {
			t.Errorf("%q is there twice", app.PackageName)
		}
		seen[app.PackageName] = true
		for _, scope := range app.DelegatedScopes {
			holders[scope]++
		}
	}
	if kiosks > 1 || holders["SECURITY_LOGS"] > 1 || holders["NETWORK_ACTIVITY_LOGS"] > 1 ||
		len(p.Applications) > 3000 || len(p.SetupActions) > 1 {
		t.Errorf("%d kiosk apps, holders %v, %d apps, %d setup actions", kiosks, holders,
			len(p.Applications), len(p.SetupActions))
	}
	if s := p.StatusReportingSettings; s == nil || !s.ApplicationReportsEnabled ||
		s.ApplicationReportingSettings == nil || !s.ApplicationReportingSettings.IncludeRemovedApps {
		t.Errorf("devices do not report: %+v", s)
	}
}

package graph_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// typeAt is the type of what a route's path leads to from the container.
func (m *csdl) typeAt(path string) (string, error) {
	typeName := ""
	for i, segment := range strings.Split(path, "/") {
		switch element, many := elementOf(typeName); {
		case i == 0:
			for _, set := range m.root.Sets {
				if set.Name == segment {
					typeName = "Collection(" + set.Type + ")"
				}
			}
			for _, single := range m.root.Singletons {
				if single.Name == segment {
					typeName = single.Type
				}
			}
		case many && strings.HasPrefix(segment, "{"):
			typeName = element
			continue
		default:
			found := slices.IndexFunc(m.all(m.types[typeName]),
				func(p csdlProperty) bool { return p.Name == segment })
			if found < 0 {
				return "", fmt.Errorf("%s has no %s", typeName, segment)
			}
			typeName = m.all(m.types[typeName])[found].Type
		}
	}
	if typeName == "" {
		return "", fmt.Errorf("%s is not in the container", path)
	}
	return typeName, nil
}

// TestMetadataFitsAnswers reads everything that there is, and holds each property of each answer
// against its declaration.
func TestMetadataFitsAnswers(t *testing.T) {
	w := newWorld(newSite(t))
	for _, version := range []string{"/beta/", "/v1.0/"} {
		m := w.metadata(version)
		checked := 0
		for _, op := range graph.Operations() {
			path, ok := strings.CutPrefix(op.Pattern, version)
			if !ok || op.Method != "GET" || strings.Contains(path, "$") {
				continue
			}
			if strings.Contains(path, "(") {
				continue // a function, which nothing is related by
			}
			if op.Name == "signedIn.get" {
				continue // no person holds the token
			}
			typeName, err := m.typeAt(path)
			if err != nil {
				t.Errorf("%s: %v", op.Pattern, err)
				continue
			}
			a := w.must(http.StatusOK, "GET", w.pathOf(op), nil)
			element, many := elementOf(typeName)
			if !many {
				m.fits(t, op.Pattern, a.body, element)
				checked++
			}
			for i, one := range a.values() {
				m.fits(t, fmt.Sprintf("%s[%d]", op.Pattern, i), one, element)
				checked++
			}
		}
		if checked < 20 {
			t.Errorf("%s: only %d things were checked", version, checked)
		}
	}
}

// fits checks a value against its declared type.
func (m *csdl) fits(t *testing.T, where string, v any, typeName string) {
	t.Helper()
	element, many := elementOf(typeName)
	ok := true
	switch value := v.(type) {
	case nil:
		return
	case []any:
		if !many {
			t.Errorf("%s is a list, declared %s", where, typeName)
		}
		for i := range value {
			m.fits(t, fmt.Sprintf("%s[%d]", where, i), value[i], element)
		}
		return
	case object:
		m.fitsObject(t, where, value, element)
		return
	case bool:
		ok = element == "Edm.Boolean"
	case json.Number:
		bits := map[string]int{"Edm.Int32": 32, "Edm.Int64": 64}[element]
		_, err := strconv.ParseInt(value.String(), 10, bits)
		ok = bits > 0 && err == nil || element == "Edm.Double"
	case string:
		ok = m.fitsText(value, element)
	}
	if !ok || many {
		t.Errorf("%s is %v, declared %s", where, v, typeName)
	}
}

func (m *csdl) fitsText(value, typeName string) bool {
	switch e := m.enums[typeName]; {
	case e != nil:
		for _, member := range strings.Split(value, ",") {
			known := false
			for _, declared := range e.Members {
				known = known || declared.Name == member
			}
			if !known || !e.Flags && member != value {
				return false
			}
		}
		return true
	case typeName == "Edm.DateTimeOffset":
		_, err := time.Parse(time.RFC3339Nano, value)
		return err == nil
	case typeName == "Edm.Guid":
		return uuid.Validate(value) == nil
	case typeName == "Edm.Binary":
		_, err := base64.StdEncoding.DecodeString(value)
		return err == nil
	default:
		return typeName == "Edm.String"
	}
}

func (m *csdl) fitsObject(t *testing.T, where string, o object, declared string) {
	t.Helper()
	typeName := declared
	if own, ok := o["@odata.type"].(string); ok {
		typeName = strings.TrimPrefix(own, "#")
		if !m.is(typeName, declared) {
			t.Errorf("%s is a %s, declared %s", where, own, declared)
		}
	}
	of := m.types[typeName]
	if of == nil || of.Abstract {
		t.Errorf("%s: type %s is missing or abstract, and the answer names none", where, typeName)
		return
	}
	properties := m.all(of)
	for name, v := range o {
		if strings.Contains(name, "@") {
			continue // an annotation: no type declares it
		}
		i := slices.IndexFunc(properties, func(p csdlProperty) bool { return p.Name == name })
		if i < 0 {
			t.Errorf("%s: %s has no property %s", where, typeName, name)
			continue
		}
		if v == nil && properties[i].Nullable == "false" {
			t.Errorf("%s.%s is null, and declared not to be", where, name)
		}
		m.fits(t, where+"."+name, v, properties[i].Type)
	}
}

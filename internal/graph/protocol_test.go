package graph

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The protocol has no resource's name: what it says of one, it was told.
func TestProtocolNamesNoResource(t *testing.T) {
	names := map[string]bool{"group": true, "groups": true, "subscription": true, "payload": true,
		"payloads": true, "device": true}
	for _, rt := range routes() {
		if rt.resource == nil {
			continue
		}
		for _, name := range append(strings.Split(rt.pattern, "/"), rt.resource.name,
			rt.resource.object,
			string(rt.resource.odataType), string(rt.answers)) {
			// Names of one word may be words of the protocol, too: token, members.
			if regexp.MustCompile(`^[a-z]+[A-Z][A-Za-z]*$`).MatchString(name) {
				names[name] = true
			}
		}
	}
	words := regexp.MustCompile(`\b(` + strings.Join(slices.Sorted(maps.Keys(names)), "|") + `)\b`)
	files, err := filepath.Glob("../odata/*.go")
	if err != nil || len(files) < 20 || len(names) < 40 {
		t.Fatalf("%d files, %d names, %v", len(files), len(names), err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if _, ok := n.(*ast.ImportSpec); ok {
				return false
			}
			if text, ok := n.(*ast.BasicLit); ok && words.MatchString(text.Value) {
				t.Errorf("%s: %s", set.Position(n.Pos()), text.Value)
			}
			return true
		})
	}
}

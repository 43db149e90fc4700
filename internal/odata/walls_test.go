package odata_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The protocol knows of the rest of the server only how lists are asked for, and how texts are
// written.
func TestImports(t *testing.T) {
	const module = "github.com/syncpayloads/syncpayloads/"
	allowed := []string{
		module + "internal/query", module + "internal/jsontext", module + "internal/plaintext",
		"github.com/CiscoM31/godata", "github.com/google/uuid",
		"golang.org/x/net/http/httpguts", "golang.org/x/sync/semaphore",
	}
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) < 20 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(path, "/")
			if strings.Contains(first, ".") && !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

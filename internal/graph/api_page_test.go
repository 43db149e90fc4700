package graph

import (
	goflag "flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

var updatePage = goflag.Bool("update", false,
	"write the tables of docs/api.md anew; what their last columns say is kept")

const apiPage = "../../docs/api.md"

// TestAPIPage holds the tables of docs/api.md against the routes, what their options take, and the
// errors.
func TestAPIPage(t *testing.T) {
	file, err := os.ReadFile(apiPage)
	if err != nil {
		t.Fatal(err)
	}
	page := string(file)
	for name, rows := range map[string][][]string{"routes": routeRows(t), "lists": listRows(t)} {
		begin, end := "<!-- "+name+": go test ./internal/graph -run TestAPIPage -update -->\n",
			"<!-- end of "+name+" -->\n"
		before, rest, ok := strings.Cut(page, begin)
		table, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("docs/api.md has no table between %q and %q", begin, end)
		}
		wanted := rendered(rows, table)
		if table != wanted && !*updatePage {
			t.Errorf("the table of %s in docs/api.md is not what the code says: go test ./internal/graph -run TestAPIPage -update\n%s",
				name, difference(table, wanted))
		}
		page = before + begin + wanted + end + after
	}
	if *updatePage && page != string(file) {
		if err := os.WriteFile(apiPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	checkErrorTable(t, page)
}

// rendered is a table with what the old one says in its last column. The first row is its head;
// what a row's first two columns say names it.
func rendered(rows [][]string, old string) string {
	notes := make(map[string]string)
	for line := range strings.Lines(old) {
		if cells := strings.Split(strings.TrimSpace(line), " | "); len(cells) == len(rows[0]) {
			notes[cells[0]+cells[1]] = strings.TrimSuffix(cells[len(cells)-1], " |")
		}
	}
	var b strings.Builder
	for i, cells := range rows {
		note := notes["| "+cells[0]+cells[1]]
		if i == 0 {
			note = cells[len(cells)-1]
		}
		fmt.Fprintf(&b, "| %s | %s |\n", strings.Join(cells[:len(cells)-1], " | "), note)
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(cells)) + "|\n")
		}
	}
	return b.String()
}

func difference(got, want string) string {
	var b strings.Builder
	has, needs := strings.Split(got, "\n"), strings.Split(want, "\n")
	for _, line := range has {
		if !slices.Contains(needs, line) {
			b.WriteString("- " + line + "\n")
		}
	}
	for _, line := range needs {
		if !slices.Contains(has, line) {
			b.WriteString("+ " + line + "\n")
		}
	}
	return b.String()
}

// functionPattern is a function with a text as patterns have it.
var functionPattern = regexp.MustCompile(`\((\w+)\)/\{(\w+)\}`)

// routeRows has every operation: those of v1.0 are marked on that of beta, and those of
// comanagedDevices and those with a namespace are told with their twins, from which they must not
// differ.
func routeRows(t *testing.T) [][]string {
	t.Helper()
	rows := [][]string{{"method", "path", "right", "options", "v1.0", ""}}
	all := routes()
	at := make(map[string]route, len(all))
	for _, rt := range all {
		at[rt.method+" "+rt.pattern] = rt
	}
	twin := func(rt route, old, new string) bool {
		other, ok := at[rt.method+" "+strings.Replace(rt.pattern, old, new, 1)]
		if ok && (!slices.Equal(rt.needs, other.needs) ||
			!slices.Equal(rt.options, other.options)) {
			t.Errorf("%s differs from %s", rt.pattern, other.pattern)
		}
		return ok
	}
	for _, rt := range all {
		switch {
		case strings.HasPrefix(rt.pattern, odata.StablePath) &&
			twin(rt, odata.StablePath, odata.BetaPath),
			strings.Contains(rt.pattern, "/comanagedDevices") &&
				twin(rt, "comanagedDevices", "managedDevices"),
			strings.Contains(rt.pattern, "/"+odata.GraphNamespace) &&
				twin(rt, odata.GraphNamespace, ""):
			continue
		}
		path, stable := rt.pattern, ""
		if strings.HasPrefix(path, odata.BetaPath) && twin(rt, odata.BetaPath, odata.StablePath) {
			stable = "yes"
		}
		if strings.Contains(path, "/managedDevices") &&
			twin(rt, "managedDevices", "comanagedDevices") {
			path = strings.Replace(path, "/managedDevices", "/(co)managedDevices", 1)
		}
		segments := strings.Split(rt.pattern, "/")
		for i, segment := range segments {
			if twin(rt, "/"+segment, "/"+odata.GraphNamespace+segment) &&
				!strings.HasPrefix(segment, odata.GraphNamespace) {
				path = strings.Replace(path, "/"+segments[i], "/[microsoft.graph.]"+segment, 1)
			}
		}
		path = functionPattern.ReplaceAllString(path, "($1='{$2}')")
		rows = append(rows, []string{rt.method, "`" + path + "`", rightsCell(rt),
			optionsCell(rt.options), stable, ""})
	}
	slices.SortStableFunc(rows[1:], func(a, b []string) int { return strings.Compare(a[1], b[1]) })
	return rows
}

func rightsCell(rt route) string {
	switch {
	case rt.open:
		return "open to all"
	case len(rt.needs) == 0:
		return "any caller"
	}
	names := make([]string, len(rt.needs))
	for i, right := range rt.needs {
		names[i] = "`" + string(right) + "`"
	}
	return strings.Join(names, " and ")
}

func optionsCell(options []string) string {
	switch {
	case len(options) == 0:
		return ""
	case slices.Equal(options, odata.QueryOptions):
		return "those of lists"
	case slices.Equal(options, odata.ExpandOptions):
		return "those of lists, `$expand`"
	}
	return "`" + strings.Join(options, " ") + "`"
}

// listRows has what $filter and $orderby take of every list that is compiled into a query.
func listRows(t *testing.T) [][]string {
	t.Helper()
	listings := map[string]*odata.Listing{"managedDevices": deviceListing, "groups": groupListing,
		"roleDefinitions": definitionListing,
		"roleAssignments": assignmentListing, "roleScopeTags": scopeTagListing,
		"remoteActionAudits":    remoteActionListing,
		"configurationSettings": settingListing, "configurationCategories": categoryListing}
	for _, k := range payloadKinds() {
		listings[k.set()] = k.listing(appleForms)
	}
	for _, k := range stateKinds {
		listings[k.set] = stateListing
	}
	rows := [][]string{{"list", "`$filter` takes", "`$orderby` takes", ""}}
	for _, set := range slices.Sorted(maps.Keys(listings)) {
		l := listings[set]
		filters := slices.Collect(maps.Keys(l.Filters))
		filters = slices.DeleteFunc(filters, func(name string) bool {
			return isTheSame(l.Filters[name])
		})
		if len(l.Types) > 0 {
			filters = append(filters, "isof")
		}
		slices.Sort(filters)
		rows = append(rows, []string{set, "`" + strings.Join(filters, " ") + "`",
			"`" + strings.Join(telling(l.Orders), " ") + "`", ""})
	}
	for _, rt := range routes() {
		segments := strings.Split(strings.TrimSuffix(rt.pattern, odata.CountSuffix), "/")
		set := strings.Replace(segments[len(segments)-1], "comanaged", "managed", 1)
		// auditEvents has a reader of its own, and some lists have nothing in them; the page tells
		// of these in words.
		if slices.Contains(rt.options, odata.OptionFilter) && listings[set] == nil &&
			set != "auditEvents" && !slices.ContainsFunc(emptySets,
			func(e *emptySet) bool { return e.name == set }) {
			t.Errorf("%s takes $filter and is in no row", rt.pattern)
		}
	}
	return rows
}

// isTheSame reports whether a comparer finds all things alike: the page tells of those in words.
func isTheSame(c odata.Comparer) bool {
	switch c.(type) {
	case odata.ConstField, odata.FixedField, odata.EmptyField, odata.UnknownField,
		odata.FixedNumber, odata.FixedTime:
		return true
	case odata.ChoiceField:
		for _, member := range c.(odata.ChoiceField) {
			if all, ok := member.(query.All); ok && len(all) == 0 {
				return true
			}
		}
	}
	return false
}

// telling are the properties that put some things before others.
func telling(orders map[string]query.Field) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(orders)) {
		if orders[name] != "" {
			names = append(names, name)
		}
	}
	return names
}

// checkErrorTable holds the page's statuses and codes of errors against those in the code.
func checkErrorTable(t *testing.T, page string) {
	t.Helper()
	_, table, _ := strings.Cut(page, "| status | code |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	told := make(map[string]bool)
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		for _, one := range strings.Split(cells[2], ";") {
			code := regexp.MustCompile(`^\s*([A-Z]\w+)`).FindStringSubmatch(one)
			if code == nil {
				t.Fatalf("no code in %q", line)
			}
			told[strings.TrimSpace(cells[1])+" "+code[1]] = true
		}
	}
	if known := answeredErrors(t); !maps.Equal(told, known) {
		t.Errorf("docs/api.md tells of the errors %v, and the code has %v",
			slices.Sorted(maps.Keys(told)), slices.Sorted(maps.Keys(known)))
	}
}

// answeredErrors are the statuses and codes of every fault that the package and its protocol make.
func answeredErrors(t *testing.T) map[string]bool {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.go", "../odata/*.go"} {
		some, err := filepath.Glob(pattern)
		if err != nil || len(some) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(some), err)
		}
		names = append(names, some...)
	}
	codes, made, used := make(map[string]string), make(map[string]bool), make(map[string]bool)
	var faults []*ast.CompositeLit
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if len(n.Values) == 1 && strings.HasPrefix(strings.ToLower(n.Names[0].Name),
					"code") {
					if text, ok := n.Values[0].(*ast.BasicLit); ok {
						codes[n.Names[0].Name], _ = strconv.Unquote(text.Value)
					}
				}
			case *ast.CompositeLit:
				if n.Type != nil && lastName(n.Type) == "Fault" {
					faults = append(faults, n)
				}
			}
			return true
		})
	}
	for _, f := range faults {
		var status, code string
		for _, element := range f.Elts {
			pair := element.(*ast.KeyValueExpr)
			switch pair.Key.(*ast.Ident).Name {
			case "Status":
				status = strconv.Itoa(statusNamed(t, lastName(pair.Value)))
			case "Code":
				code = lastName(pair.Value)
			}
		}
		made[status+" "+codes[code]], used[code] = true, true
	}
	// That of the handshake is given to a 400 after it was made.
	made["400 "+codeValidation], used["codeValidation"] = true, true
	for name := range codes {
		if !used[name] {
			t.Errorf("no fault has %s", name)
		}
	}
	return made
}

// lastName is that of a name, with or without its package.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	default:
		return ""
	}
}

// statusNamed is the status that net/http has under a name.
func statusNamed(t *testing.T, name string) int {
	t.Helper()
	for status := 400; status < 600; status++ {
		text := regexp.MustCompile(`[^A-Za-z]`).ReplaceAllString(http.StatusText(status), "")
		if strings.EqualFold("Status"+text, name) {
			return status
		}
	}
	t.Fatalf("%s is no status of an error", name)
	return 0
}

package odata

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// Names may be in letters of either case, and answers have the surface's own.
func TestNamesInAnyLetters(t *testing.T) {
	l := newLibrary(t, BatchBody)
	l.add("b", "a", "c")
	for options, want := range map[string]string{
		"$SELECT=TITLE,Id":                     "books(title,id)",
		"select=title":                         "books(title)",
		"$select=title,TITLE":                  "books(title)",
		"$select=*":                            "books(*)",
		"$select=@odata.type,title":            "books(title)",
		"$select=@odata.type":                  "books",
		"$select=title,loans&$expand=LOANS":    "books(title)",
		"$select=title,loans":                  "books(title)",
		"$select=graph.atlas/pages":            "books(pages)",
		"$select=microsoft.graph.nobody/scale": "books",
		"":                                     "books",
		"$format=json":                         "books",
		"$Format=application/json":             "books",
		"api-version=beta&Top=2":               "books",
	} {
		a := l.must(http.StatusOK, "GET", "/beta/books?"+options, nil)
		if context := a.body["@odata.context"]; context != libraryURL+"/beta/$metadata#"+want {
			t.Errorf("%s: the context is %v", options, context)
		}
		for _, v := range a.values() {
			for name := range v {
				if of, selected := strings.CutPrefix(want, "books("); selected && want != "books(*)" &&
					!slices.Contains(append(strings.Split(strings.TrimSuffix(of, ")"), ","), "loans"), name) {
					t.Errorf("%s: %s is shown", options, name)
				}
			}
		}
	}
	titles := func(options string) (list []string) {
		for _, v := range l.must(http.StatusOK, "GET", "/beta/books?"+options, nil).values() {
			list = append(list, fmt.Sprint(v["title"]))
		}
		return list
	}
	for options, want := range map[string][]string{
		"$OrderBy=Title%20DESC":                {"c", "b", "a"},
		"orderby=title%20Asc&top=2":            {"a", "b"},
		"$search=%22TITLE:b%22&$count=True":    {"b"},
		"filter=TITLE%20eq%20'a'":              {"a"},
		"$top=4294967295&$orderby=title":       {"a", "b", "c"},
		"$filter=title%20ne%20'a'&$skip=1":     {"c"},
		"$filter=isof('microsoft.graph.book')": nil,
	} {
		if got := titles(options); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", options, got, want)
		}
	}
	next, _ := l.must(http.StatusOK, "GET", "/beta/books?TOP=2&Select=TITLE&format=json",
		nil).body["@odata.nextLink"].(string)
	if !strings.Contains(next, "$format=json&$select=TITLE&$top=2&$skiptoken=") {
		t.Errorf("the next link is %s", next)
	}
	if a := l.must(http.StatusOK, "GET", next, nil); len(a.values()) != 1 {
		t.Errorf("the next page is %s", a.Body)
	}
	none := l.must(http.StatusOK, "GET",
		"/beta/books?$format="+url.QueryEscape("application/json;odata.metadata=none"), nil, "Accept",
		"application/json;odata.metadata=full")
	if none.body["@odata.context"] != nil {
		t.Errorf("$format does not take the place of Accept: %s", none.Body)
	}
	l.must(http.StatusOK, "GET", "/beta/$metadata?$format=xml", nil)
	l.must(http.StatusOK, "GET", "/v1.0/books?api-version=1.0", nil)
}

func TestOptionsThatMeanSomethingElse(t *testing.T) {
	l := newLibrary(t, BatchBody)
	for _, path := range []string{"/v1.0/books?top=1", "/beta/books?$top=1&TOP=2", "/beta/books?foo=bar",
		"/beta/books?$format=xml", "/beta/books?$format=atom", "/beta/books?$format=",
		"/beta/books?$format=" + url.QueryEscape("application/json;odata.metadata=most"),
		"/beta/$metadata?$format=json", "/beta/books?api-version=v1.0", "/v1.0/books?api-version=beta",
		"/beta/books?api-version=", "/beta/books?$select=id,colour", "/beta/books?$select=",
		"/beta/books?$select=graph.atlas/colour", "/beta/books?$select=@odata.",
		"/beta/books?$select=" + strings.Repeat("id,", 3000) + "id", "/beta/books?$select=x/title",
		"/beta/books?$orderby=title%20downwards", "/beta/books?$expand=library.atlas/loans",
		"/beta/books/1?$expand=loans", "/beta/books?$", "/beta/books?=1",
	} {
		if a := l.call("GET", path, nil); a.Code != http.StatusBadRequest {
			t.Errorf("%.80s: got %d %s", path, a.Code, a.Body)
		}
	}
	// What is not Graph's has one form.
	for _, options := range []string{"$TOP=1", "top=1", "$format=json", "api-version=beta"} {
		l.must(http.StatusBadRequest, "GET", "/api/books?"+options, nil)
	}
}

// What $select within $expand leaves out is not shown.
func TestNestedExpansions(t *testing.T) {
	l := newLibrary(t, BatchBody)
	l.add("a")
	const typed = `"@odata.type":"#microsoft.graph.loan",`
	for options, want := range map[string]string{
		"loans":                                          `[{` + typed + `"state":"open","state@note":"!","to":"Ada"}]`,
		"Loans($select=TO)":                              `[{` + typed + `"to":"Ada"}]`,
		"loans( $select = to , state )":                  "",
		"loans($select=to,state)":                        `[{` + typed + `"state":"open","state@note":"!","to":"Ada"}]`,
		"loans(select=state)":                            `[{` + typed + `"state":"open","state@note":"!"}]`,
		"loans($select=*)":                               `[{` + typed + `"state":"open","state@note":"!","to":"Ada"}]`,
		"loans($select=@odata.type)":                     `[{` + `"@odata.type":"#microsoft.graph.loan"}]`,
		"loans($expand=Lender)":                          `[{` + typed + `"lender":{"name":"Eve","town":"Ulm"},"state":"open","state@note":"!","to":"Ada"}]`,
		"graph.book/loans($select=to)":                   `[{` + typed + `"to":"Ada"}]`,
		"microsoft.graph.nobody/x($select=y)":            "",
		"loans($select=to;$expand=lender($select=name))": `[{` + typed + `"lender":{"name":"Eve"},"to":"Ada"}]`,
		"loans($expand=lender($select=name);$select=to)": `[{` + typed + `"lender":{"name":"Eve"},"to":"Ada"}]`,
		"loans($select=to;$expand=lender)":               `[{` + typed + `"lender":{"name":"Eve","town":"Ulm"},"to":"Ada"}]`,
		"loans($expand=*)":                               `[{` + typed + `"lender":{"name":"Eve","town":"Ulm"},"state":"open","state@note":"!","to":"Ada"}]`,
		"*":                                              `[{` + typed + `"state":"open","state@note":"!","to":"Ada"}]`,
	} {
		a := l.must(http.StatusOK, "GET", "/beta/books?$expand="+url.QueryEscape(options), nil)
		if got := jsonOf(t, a.values()[0]["loans"]); got != want && want != "" {
			t.Errorf("%s:\n got %s\nwant %s", options, got, want)
		}
	}
	for _, options := range []string{"", "loans,", "loans,loans", "Loans,loans", "colour", "loans(",
		"loans)", "loans()x", "loans(($select=to)", "loans($top=1)", "loans($filter=to eq 'a')",
		"loans($select=colour)", "loans($select=to;$select=to)", "loans($levels=max)", "loans()",
		"lender", "loans($expand=colour)", "loans($expand=lender($select=colour))", "loans/lender",
		"loans($expand=lender($expand=lender($expand=lender)))", "loans/$ref", "*($select=to)",
		strings.Repeat("loans,", 30) + "loans", strings.Repeat("(", 5000),
		"loans($expand=" + strings.Repeat("lender($expand=", 1000) + "x" + strings.Repeat(")", 1001),
	} {
		a := l.call("GET", "/beta/books?$expand="+url.QueryEscape(options), nil)
		if a.Code != http.StatusBadRequest || a.error()["target"] != OptionExpand {
			t.Errorf("%.80s: got %d %.300s", options, a.Code, a.Body)
		}
	}
}

// What $expand may ask for has bounds of its own, whatever the relationships are.
func TestBoundsOfExpansions(t *testing.T) {
	for text, reason := range map[string]string{
		strings.Repeat("a,", mostExpansions) + "a":                 "more than 20",
		"a($expand=b($expand=c($expand=d)))":                       "within each other",
		strings.Repeat("a", selectLengthLimit+1):                   "longer than 8192",
		"a($expand=" + strings.Repeat("b,", mostExpansions) + "b)": "more than 20",
		"a($expand=b;$expand=c)":                                   "each once",
	} {
		if _, err := parseExpand(text, 1); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%.40s: got %v, want %q", text, err, reason)
		}
	}
	if items, err := parseExpand("a($expand=b($expand=c)),d", 1); err != nil || len(items) != 2 ||
		items[0].inner[0].inner[0].name != "c" {
		t.Errorf("got %v, %v", items, err)
	}
}

// A path may have letters in either case, a slash at its end, and casts to the type of what it
// leads to.
func TestPathsWithCasts(t *testing.T) {
	l := newLibrary(t, BatchBody)
	l.add("a", "b")
	for path, want := range map[string]int{
		"/beta/books/": 2, "/beta/BOOKS": 2, "/beta/books/graph.book": 2, "/beta/books/microsoft.graph.Book/": 2,
		"/beta/books/graph.entity": 2, "/beta/books/graph.nobody": 0, "/V1.0/books/graph.book": 2,
	} {
		if n := len(l.must(http.StatusOK, "GET", path, nil).values()); n != want {
			t.Errorf("%s: %d books, want %d", path, n, want)
		}
	}
	for _, path := range []string{"/beta/books/1/", "/beta/books/1/graph.book", "/beta/books('1')/",
		"/beta/books/graph.book/1", "/beta/books('1')/Microsoft.Graph.entity"} {
		if id := l.must(http.StatusOK, "GET", path, nil).body["id"]; id != "1" {
			t.Errorf("%s: the book is %v", path, id)
		}
	}
	l.must(http.StatusNoContent, "POST", "/beta/books/1/graph.book/LEND/", "{}")
	if n := l.must(http.StatusOK, "GET", "/beta/books/graph.nobody/$count", nil).Body.String(); n != "0" {
		t.Errorf("counted %s", n)
	}
	for _, path := range []string{"/beta/books//", "/beta//books", "/beta/books/1/graph.nobody",
		"/beta/books/graph.book/graph.book", "/beta/graph.book", "/beta/books/1/graph.person",
		"/beta/books/graph.person", "/v1.0/books/graph.nobody", "/v1.0/books/graph.atlas", "/beta/books/graph.a%20b",
		"/beta/books/graph.", "/beta/books/graph.nobody/1", "/api/books/", "/Api/books",
		"/beta/books/1/lend/graph.book"} {
		if a := l.call("GET", path, nil); a.Code != http.StatusNotFound {
			t.Errorf("%s: got %d %s", path, a.Code, a.Body)
		}
	}
	// What changes something is of one type only.
	if a := l.call("POST", "/beta/books/graph.nobody", object{"title": "x"}); a.Code == http.StatusCreated {
		t.Errorf("got %d %s", a.Code, a.Body)
	}
}

// FuzzNames holds that no query string or path panics, and that what is refused is told so.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"$select=ID,graph.atlas/title&$expand=loans($select=to;$expand=lender)",
		"select=@odata.type&EXPAND=*", "$expand=loans((", "$expand=a(;b=)", "$format=json;x",
		"api-version=beta&top=1", "$select=,&$expand=,", "$expand=)(", "$orderby=TITLE%20DESC,"} {
		f.Add(seed, "/beta/books/graph.atlas")
		f.Add(seed, "/BETA/books('1')/GRAPH.book/")
	}
	f.Fuzz(func(t *testing.T, options, path string) {
		defer cost.Input(t)()
		l := newLibrary(t, BatchBody)
		l.add("a")
		for _, u := range []*url.URL{{Path: "/beta/books", RawQuery: options}, {Path: "/" + path}} {
			r := httptest.NewRequest("GET", "/", nil)
			r.URL = u
			a := httptest.NewRecorder()
			l.ServeHTTP(a, r)
			switch a.Code {
			case http.StatusOK, http.StatusBadRequest, http.StatusNotFound,
				http.StatusMethodNotAllowed:
			default:
				t.Fatalf("%s: %d %s", u, a.Code, a.Body)
			}
		}
	})
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

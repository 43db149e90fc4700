package odata

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Each thing comes once, whatever the order and the size of the pages; counts are of the whole
// list.
func TestPages(t *testing.T) {
	l := newLibrary(t, BatchBody)
	for i := range 13 {
		l.add(fmt.Sprintf("title %d", i%5))
	}
	for _, options := range []string{"$top=5", "$top=13&$count=true",
		"$top=4&$orderby=title%20desc&$select=id,title",
		"$top=2&$filter=" + url.QueryEscape("startswith(title,'TITLE') and not(id eq 'é&$=+')"),
		"$search=title:title&$top=3"} {
		var seen []string
		for link := libraryURL + "/beta/books?" + options; link != ""; {
			a := l.must(http.StatusOK, "GET", link, nil, "Prefer", "odata.maxpagesize=4")
			for _, v := range a.values() {
				seen = append(seen, v["id"].(string))
			}
			if len(a.values()) > 4 {
				t.Fatalf("%s: a page of %d", options, len(a.values()))
			}
			link, _ = a.body["@odata.nextLink"].(string)
			if link != "" && !strings.HasPrefix(link, libraryURL+"/beta/books?") {
				t.Fatalf("%s: nextLink is %s", options, link)
			}
		}
		if unique := slices.Compact(slices.Sorted(slices.Values(seen))); len(seen) != 13 ||
			len(unique) != 13 {
			t.Errorf("%s: %d books, %d of them different", options, len(seen), len(unique))
		}
	}
	a := l.must(http.StatusOK, "GET", "/beta/books?$count=true&$top=0&$filter=id%20eq%20'3'", nil)
	if fmt.Sprint(a.body["@odata.count"]) != "1" || len(a.values()) != 0 ||
		a.body["@odata.nextLink"] != nil {
		t.Errorf("got %s", a.Body)
	}
	if a := l.must(http.StatusOK, "GET", "/beta/books/$count?$filter=title%20eq%20'TITLE%200'",
		nil); a.Body.String() != "3" ||
		a.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("counted %s", a.Body)
	}
	if a := l.must(http.StatusOK, "GET", "/beta/books?$search=%22TLE%203%22",
		nil); len(a.values()) != 2 {
		t.Errorf("found %s", a.Body)
	}
	// A place of another order is none, and none is guessed.
	first := l.must(http.StatusOK, "GET", "/beta/books?$top=5&$orderby=title", nil)
	token := strings.SplitAfter(first.body["@odata.nextLink"].(string), "skiptoken=")[1]
	for _, options := range []string{"$top=5&$skiptoken=" + token,
		"$orderby=id&$skiptoken=" + token, "$skiptoken=x", "$skiptoken=e30&$orderby=id&$skip=1",
		"$top=4294967296", "$top=-1",
		"$skip=100001", "$count=yes", "$search=", "$orderby=colour", "$orderby=id,id",
		"$orderby=id,title,pages,printed", "$expand=all",
		"$select=colour", "$apply=x", "$top=1&$top=2", "$filter=%00", "%zz"} {
		if a := l.call("GET", "/beta/books?"+options, nil); a.Code != http.StatusBadRequest ||
			a.error()["code"] != "BadRequest" {
			t.Errorf("%s: got %d %s", options, a.Code, a.Body)
		}
	}
}

// A list that is the server's own is followed by its links, too.
func TestOwnPages(t *testing.T) {
	l := newLibrary(t, BatchBody)
	l.add("a", "b", "c", "d", "e")
	seen := 0
	for link := "/api/books?$top=2"; link != ""; {
		a := l.must(http.StatusOK, "GET", link, nil)
		seen += len(a.values())
		link, _ = a.body["@odata.nextLink"].(string)
	}
	if seen != 5 {
		t.Errorf("%d of 5 books", seen)
	}
	l.must(http.StatusBadRequest, "GET", "/api/books?$skiptoken=x", nil)
}

func TestMaxPageSize(t *testing.T) {
	for prefer, want := range map[string]int{"odata.maxpagesize=7": 7,
		"return=minimal, odata.maxpagesize = 7": 7, `ODATA.MaxPageSize="7";x=1`: 7,
		"maxpagesize=7": 7, "odata.maxpagesize=5000": largestPage, "odata.maxpagesize=0": 0,
		"odata.maxpagesize=-1": 0, "odata.maxpagesize": 0,
		"odata.maxpagesize=x": 0, "": 0, "respond-async": 0, "odata.maxpagesize=99999999999": 0} {
		if got := maxPageSize(http.Header{"Prefer": {prefer}}); got != want {
			t.Errorf("%q: %d, want %d", prefer, got, want)
		}
	}
}

// $metadata has the types, and of the operations what is bound to them.
func TestMetadata(t *testing.T) {
	l := newLibrary(t, BatchBody)
	a := l.must(http.StatusOK, "GET", "/beta/$metadata", nil)
	if err := xml.Unmarshal(a.Body.Bytes(), new(any)); err != nil &&
		a.Header().Get("Content-Type") != "application/xml" {
		t.Error(err)
	}
	for _, part := range []string{`<EntitySet Name="books" EntityType="microsoft.graph.book">`,
		`<Action Name="lend" IsBound="true">`, `<Parameter Name="to" Type="Edm.String">`,
		`<ReturnType Type="microsoft.graph.book">`,
		`<Property Name="topics" Type="Collection(Edm.String)">`, `<PropertyRef Name="id">`,
		`<Member Name="lost" Value="3">`,
		`<EntityType Name="book" BaseType="microsoft.graph.entity">`} {
		if !strings.Contains(a.Body.String(), part) {
			t.Errorf("no %s in %s", part, a.Body)
		}
	}
}

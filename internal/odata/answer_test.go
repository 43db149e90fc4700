package odata

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// An answer has the annotations that its reader wants.
func TestAnnotations(t *testing.T) {
	l := newLibrary(t, BatchBody)
	l.add("a")
	const book = libraryURL + "/beta/books/1"
	for _, accept := range []string{"", "*/*",
		"text/html, application/json; odata.metadata=minimal; charset=UTF-8; q=0.5"} {
		a := l.must(http.StatusOK, "GET", book, nil, "Accept", accept)
		if got := a.Header().Get("Content-Type"); got != "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8" {
			t.Errorf("%q: Content-Type is %q", accept, got)
		}
		if a.body["@odata.context"] != libraryURL+"/beta/$metadata#books/$entity" ||
			a.body["@odata.id"] != nil ||
			a.body["state"] != "unknownFutureValue" {
			t.Errorf("%q: got %s", accept, a.Body)
		}
	}
	for _, accept := range []string{"application/json;odata.metadata=most",
		"application/json;IEEE754Compatible=maybe",
		"application/json;charset=latin1", "application/json;colour=red"} {
		if a := l.must(http.StatusBadRequest, "GET", book, nil, "Accept",
			accept); a.error()["target"] != "Accept" {
			t.Errorf("%q: got %s", accept, a.Body)
		}
	}
	none := l.must(http.StatusOK, "GET", "/beta/books?$count=true", nil, "Accept",
		"application/json;odata.metadata=none")
	if strings.Contains(strings.ReplaceAll(none.Body.String(), "@odata.count", ""), "@odata.") ||
		none.body["@odata.count"] == nil {
		t.Errorf("none: %s", none.Body)
	}
	full := l.must(http.StatusOK, "GET", "/beta/books", nil, "Accept",
		"application/json;odata.metadata=full;IEEE754Compatible=true",
		"Prefer", "include-unknown-enum-members")
	for name, want := range map[string]any{"@odata.type": "#microsoft.graph.book",
		"@odata.id": book, "@odata.editLink": book,
		"state@odata.type": "#microsoft.graph.bookState", "pages@odata.type": "#Int64",
		"topics@odata.type": "#Collection(String)",
		"title@odata.type":  nil, "pages": "1152921504606846976", "state": "lost"} {
		if got := full.values()[0][name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if !slices.Contains(full.Header().Values("Preference-Applied"),
		"include-unknown-enum-members") {
		t.Errorf("applied %v", full.Header())
	}
	own := l.must(http.StatusOK, "GET", "/api/books", nil, "Accept",
		"application/json;odata.metadata=none")
	if own.Header().Get("Content-Type") != "application/json" {
		t.Errorf("own: %v", own.Header())
	}
}

// An answer to a write goes without a body if its caller wants that.
func TestReturnPreference(t *testing.T) {
	l := newLibrary(t, BatchBody)
	a := l.must(http.StatusNoContent, "POST", "/beta/books", object{"title": "a"}, "Prefer",
		"return=minimal")
	at := a.Header().Get("Location")
	if at != libraryURL+"/beta/books/1" || a.Header().Get("OData-EntityId") != at ||
		a.Body.Len() > 0 ||
		a.Header().Get("Preference-Applied") != "return=minimal" {
		t.Errorf("got %v %s", a.Header(), a.Body)
	}
	a = l.must(http.StatusCreated, "POST", "/beta/books", object{"title": "b"}, "Prefer",
		"return=representation")
	if a.Header().Get("Preference-Applied") != "return=representation" || a.body["id"] != "2" {
		t.Errorf("got %v %s", a.Header(), a.Body)
	}
	l.must(http.StatusOK, "GET", "/beta/books", nil, "Prefer", "return=minimal")
	l.must(http.StatusBadRequest, "POST", "/beta/books", object{}, "Prefer", "return=minimal")
	l.must(http.StatusBadRequest, "GET", "/beta/books", nil, "Prefer",
		"return=minimal, return=representation")
}

// A change is made only to the thing that was read, and an answer that is known is not sent again.
func TestConditions(t *testing.T) {
	l := newLibrary(t, BatchBody)
	l.add("a")
	const book = "/beta/books/1"
	first := l.must(http.StatusOK, "GET", book, nil).Header().Get("ETag")
	if a := l.must(http.StatusNotModified, "GET", book, nil, "If-None-Match",
		`"x", `+first); a.Body.Len() > 0 {
		t.Errorf("not modified, and yet %s", a.Body)
	}
	l.must(http.StatusOK, "PATCH", book, object{"title": "b"}, "If-Match", first)
	if a := l.must(http.StatusPreconditionFailed, "PATCH", book, object{"title": "c"}, "If-Match",
		first); a.error()["code"] != "PreconditionFailed" {
		t.Errorf("got %s", a.Body)
	}
	l.must(http.StatusOK, "PATCH", book, object{"title": nil}, "If-Match", "*")
	l.must(http.StatusOK, "GET", book, nil, "If-None-Match", first)
	l.must(http.StatusBadRequest, "PATCH", book, object{}, "If-Match", "x")
	// Where it would not be obeyed, a condition is refused.
	l.must(http.StatusBadRequest, "POST", book+"/lend", nil, "If-Match", first)
	l.must(http.StatusNoContent, "POST", book+"/lend", nil, "If-Match", "*")
}

// A path may be in any letters, and may have its keys in parentheses.
func TestPathsInAnyLetters(t *testing.T) {
	l := newLibrary(t, BatchBody)
	l.add("a")
	for _, path := range []string{"/BETA/Books('1')/LEND", "/beta/books/1/microsoft.graph.lend",
		"/beta/BOOKS/1/Microsoft.Graph.Lend"} {
		l.must(http.StatusNoContent, "POST", path, object{})
	}
	l.must(http.StatusNotFound, "POST", "/beta/books/1/other.lend", nil)
}

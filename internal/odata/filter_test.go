package odata

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

func TestParseFilter(t *testing.T) {
	is := func(f query.Field, o query.Operator, v any) query.Condition {
		return query.Comparison{Field: f, Operator: o, Value: v}
	}
	noon := time.Date(2025, 2, 13, 12, 0, 0, 0, time.UTC)
	atlas, pages := query.Is("kind", "atlas"), is("pages", query.Greater, int64(3))
	hasFlag := func(member string) query.Condition {
		return query.Any{is("flags", query.Equal, member), is("flags", query.StartsWith, member+","),
			is("flags", query.EndsWith, ","+member), is("flags", query.Contains, ","+member+",")}
	}
	for text, want := range map[string]query.Condition{
		"title eq 'a'":                      is("title", query.Equal, "a"),
		"title EQ 'O''Brien'":               is("title", query.Equal, "O'Brien"),
		"title eq ''''":                     is("title", query.Equal, "'"),
		"title eq 'a or b) eq (c'":          is("title", query.Equal, "a or b) eq (c"),
		"title ne null":                     is("title", query.NotEqual, nil),
		"printed ge 2025-02-13T12:00:00Z":   is("printed", query.GreaterOrEqual, noon),
		"printed lt 2025-02-13T13:00+01:00": is("printed", query.Less, noon),
		"printed gt 2025-02-13":             is("printed", query.Greater, noon.Add(-12*time.Hour)),
		"bound eq true":                     is("bound", query.Equal, true),
		"pages le -7":                       is("pages", query.LessOrEqual, int64(-7)),
		"startswith(title,'i')":             is("title", query.StartsWith, "i"),
		"endswith(title, 'x')":              is("title", query.EndsWith, "x"),
		"not contains(title,'a')":           query.Not{Is: is("title", query.Contains, "a")},
		"title in ('a','b')": query.Any{is("title", query.Equal, "a"),
			is("title", query.Equal, "b")},
		"state eq 'lent'":       query.Is("state", "lent"),
		"state ne 'lost'":       query.Not{Is: query.Any{}},
		"owner eq 'US'":         query.All{},
		"shop eq null":          query.All{},
		"shop eq 'us'":          query.Any{},
		"paper ne true":         query.Any{},
		"heirs/any(h:h eq 'x')": query.Any{},
		"topics/any(t: t in ('0','1'))": query.Any{query.Has{Field: "topics", Value: "0"},
			query.Has{Field: "topics", Value: "1"}},
		"isof('microsoft.graph.atlas')":  query.Is("kind", "atlas"),
		"isof(microsoft.graph.globe)":    query.Any{},
		"isof('#Microsoft.Graph.ATLAS')": query.Is("kind", "atlas"),
		"isof('graph.atlas') eq true":    query.Is("kind", "atlas"),
		"isof('atlas') ne true":          query.Not{Is: query.Is("kind", "atlas")},
		"not isof('microsoft.graph.nobody') and isof('microsoft.graph.nobody') eq false": query.All{
			query.Not{Is: query.Any{}}, query.Not{Is: query.Any{}}},
		"(contains(title,'a')) eq FALSE":           query.Not{Is: is("title", query.Contains, "a")},
		"TITLE eq 'a'":                             is("title", query.Equal, "a"),
		"contains(Title,'a')":                      is("title", query.Contains, "a"),
		"State eq 'LENT'":                          query.Is("state", "lent"),
		"state eq microsoft.graph.x'lent'":         query.Is("state", "lent"),
		"title eq a.b'it''s'":                      is("title", query.Equal, "it's"),
		"bound eq True":                            is("bound", query.Equal, true),
		"title ne NULL":                            is("title", query.NotEqual, nil),
		"Shelf/ROW eq 'x'":                         is("row", query.Equal, "x"),
		"microsoft.graph.atlas/pages gt 3":         query.All{atlas, pages},
		"graph.Atlas/Pages ne 3":                   query.Any{query.Not{Is: atlas}, is("pages", query.NotEqual, int64(3))},
		"microsoft.graph.atlas/title eq null":      query.Any{query.Not{Is: atlas}, is("title", query.Equal, nil)},
		"microsoft.graph.atlas/title ne null":      query.All{atlas, is("title", query.NotEqual, nil)},
		"microsoft.graph.nobody/x eq null":         query.All{},
		"microsoft.graph.nobody/x/y eq 'a'":        query.Any{},
		"microsoft.graph.nobody/x ne 7":            query.All{},
		"microsoft.graph.nobody/x eq false":        query.Any{},
		"startswith(microsoft.graph.nobody/x,'a')": query.Any{},
		"microsoft.graph.nobody/x has 'a'":         query.Any{},
		"flags has 'new'":                          hasFlag("new"),
		"Flags HAS microsoft.graph.f'NEW'":         hasFlag("new"),
		"flags has 'new, torn'":                    query.All{hasFlag("new"), hasFlag("torn")},
		"flags eq 'new, torn'":                     is("flags", query.Equal, "new,torn"),
		"flags ne null":                            is("flags", query.NotEqual, nil),
		"Topics/Any(t:t eq 'x')":                   query.Has{Field: "topics", Value: "x"},
		"Loans/any(l:l/STATE eq 'Over')":           query.Is("loans", "[1]"),
		"loans/any()":                              query.Is("loans", "[0 1]"),
		"loans/any(l:l/state eq 'over')":           query.Is("loans", "[1]"),
		"loans/any(l:l/to ne 'Ada')":               query.Is("loans", "[]"),
		"loans/any(l:not(l/state in ('over','lost')) and l/to eq 'Ada')": query.Is("loans", "[0]"),
		"title eq 'a' or title eq 'b' and bound eq false": query.Any{is("title", query.Equal, "a"),
			query.All{is("title", query.Equal, "b"), is("bound", query.Equal, false)}},
		"title eq 'a' or title eq 'b' or title eq 'c'": query.Any{is("title", query.Equal, "a"),
			is("title", query.Equal, "b"),
			is("title", query.Equal, "c")},
	} {
		got, err := ParseFilter(text, bookListing)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %#v, %v\nwant %#v", text, got, err, want)
		}
	}
}

func TestParseFilterRefuses(t *testing.T) {
	for text, named := range map[string]string{
		"":                                   "$filter",
		"title":                              "title",
		"bound":                              "bound",
		"'a' eq title":                       "property",
		"title eq":                           "$filter",
		"title eq 'a":                        "'a",
		"title eq 7":                         "title",
		"topics eq '0'":                      "topics",
		"topics/any()":                       "topics",
		"topics/any(t:t ne '0')":             "topics",
		"topics/any(t:u eq '0')":             "topics",
		"topics/any(t:t eq 0)":               "topics",
		"title/any(t:t eq '0')":              "title",
		"isof('colour')":                     "colour",
		"isof('microsoft.graph.a b')":        "a b",
		"isof(title,'x')":                    "isof",
		"title eq true":                      "title",
		"title eq 'a' title":                 "title",
		"title gt null":                      "title",
		"colour eq 'red'":                    "colour",
		"state eq 'x'":                       "state",
		"state gt 'managed'":                 "state",
		"bound gt true":                      "bound",
		"printed eq '2025-02-13'":            "printed",
		"printed gt 2025-13-01":              "printed",
		"contains(printed,'2')":              "printed",
		"contains(title)":                    "$filter",
		"contains(title,'a') eq 'x'":         "contains",
		"contains(title,'a') gt true":        "contains",
		"title has 'a'":                      "title",
		"flags has 'red'":                    "red",
		"flags has 7":                        "flags",
		"flags eq 'red'":                     "flags",
		"flags gt 'new'":                     "flags",
		"microsoft.graph.atlas/colour eq 1":  "colour",
		"microsoft.graph.atlas/pages eq 'x'": "pages",
		"library.atlas/pages eq 1":           "library.atlas",
		"a/b/c eq 1":                         "a/b/c",
		"flags has '" + strings.Repeat("new,", 250) + "new'": "200",
		"tolower(title) eq 'a'":                              "$filter",
		"length(title) gt 3":                                 "$filter",
		"title in ()":                                        "$filter",
		"title in 'a'":                                       "in",
		"title in ('a',true)":                                "title",
		"not title eq 'a'":                                   "not",
		"(title eq 'a'":                                      "$filter",
		"title eq 'a' and":                                   "$filter",
		"title eq 'a' and 'b'":                               "'b'",
		"loans/any(a:a eq 'b')":                              "$filter",
		"id eq 'a'; drop table devices":                      "drop",
		strings.Repeat("title eq 'abcdefghij' or ", 200) + "id eq 'a'": "4096",
		strings.Repeat("id eq 'a' or ", 200) + "id eq 'a'":             "200",
	} {
		got, err := ParseFilter(text, bookListing)
		var f *Fault
		if !errors.As(err, &f) || f.Status != http.StatusBadRequest ||
			!strings.Contains(f.Message, named) {
			t.Errorf("%.60s: got %#v, %v; want a 400 that names %s", text, got, err, named)
		}
	}
}

// Inside any() of objects, only what the objects have can be asked for.
func TestParseFilterRefusesOfObjects(t *testing.T) {
	for text, named := range map[string]string{
		"loans eq 'a'":                    "loans",
		"loans/any(l:l/state eq 'x')":     "state",
		"loans/any(l:l/colour eq 'x')":    "colour",
		"loans/any(l:m/state eq 'open')":  "its variable",
		"loans/any(l:l/state gt 'open')":  "gt",
		"loans/any(l:l/to eq 1)":          "to",
		"loans/any(l:contains(l/to,'A'))": "'any' needs",
		"loans/any(l:" + strings.Repeat("l/to eq 'Ada' and ", 120) + "l/to eq 'Ada')": "200",
	} {
		got, err := ParseFilter(text, bookListing)
		var f *Fault
		if !errors.As(err, &f) || f.Status != http.StatusBadRequest ||
			!strings.Contains(f.Message, named) {
			t.Errorf("%.60s: got %#v, %v; want a 400 that names %s", text, got, err, named)
		}
	}
}

// FuzzOptions holds that no query string panics, and that what is accepted is within its bounds.
func FuzzOptions(f *testing.F) {
	for _, seed := range []string{
		"$filter=title%20eq%20'a'&$top=5", "$top=-1",
		"$filter=not%20(contains(id,'a')%20and%20bound%20eq%20true)",
		"$orderby=printed%20desc,title&$count=true", "$select=id,title", "$skiptoken=e30",
		"$filter=id%20in%20(null,'a')",
		"$filter=((((", "$filter=not%20not%20id%20eq%20'a'", "$filter=id,id", "$filter=in%20(,)",
		"$filter=eq%20eq%20eq%20eq",
		"$filter=topics/any(t:t%20eq%20'0')&$skip=5&$search=%22title:a%22",
		"$filter=isof('microsoft.graph.atlas')", "$skip=100001",
		"$skiptoken=eyJQb3NpdGlvbiI6eyJLZXlzIjpbMWU5OSwiYSJdfX0", "$orderby=id,id",
		"$filter=loans/any(a:a/to%20in%20('x'))%20or%20pages%20lt%202",
		"$filter=microsoft.graph.atlas/pages%20eq%20null%20or%20graph.nobody/a/b%20ne%201",
		"$filter=isof('microsoft.graph.nobody')%20eq%20false", "$top=99999&$ORDERBY=TITLE%20DESC",
		"$filter=flags%20has%20microsoft.graph.f'new,torn'", "$filter=a.b'%20eq%20a.b''",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		defer cost.Input(t)()
		options, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		r := &Request{Options: options, HTTP: &http.Request{}, Writer: httptest.NewRecorder()}
		q, err := r.readQuery(bookListing)
		var bad *Fault
		if err != nil && (!errors.As(err, &bad) || bad.Status != http.StatusBadRequest) {
			t.Fatalf("%q: %v is not a 400", text, err)
		}
		if err == nil && (q.Limit == 0 || q.Limit > largestPage || q.Skip < 0 ||
			q.Skip > largestSkip || len(q.OrderBy) > mostOrders) {
			t.Fatalf("%q: %+v", text, q)
		}
		if err == nil && (options.Has(OptionFilter) || options.Has(OptionSearch)) &&
			q.Where == nil {
			t.Fatalf("%q: the filter is ignored", text)
		}
	})
}

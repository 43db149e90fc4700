package odata

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// A key in parentheses, with its quotes doubled, is the segment behind the name; what has no such
// key stays as it is.
func FuzzKeySegments(f *testing.F) {
	for _, key := range []string{"a", "it's", "''", "b('c')", "", "a/b", "%2F", ")'"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		defer cost.Input(t)()
		path := "/beta/users('" + strings.ReplaceAll(key, "'", "''") + "')/things"
		r := &http.Request{URL: &url.URL{Path: path}}
		want := "/beta/users/" + key + "/things"
		if key == "" || strings.ContainsAny(key, "/\n") {
			want = path
		}
		if got := withKeySegments(r).URL.Path; got != want && !strings.ContainsAny(key, "/") {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
		call := &http.Request{URL: &url.URL{Path: "/beta/users/n.find(name='" +
			strings.ReplaceAll(key, "'", "''") + "')"}}
		want = "/beta/users/n.find(name)/" + key
		if key == "" || strings.ContainsAny(key, "/\n") {
			want = call.URL.Path
		}
		if got := withKeySegments(call).URL.Path; got != want && !strings.ContainsAny(key, "/") {
			t.Errorf("%q: got %q, want %q", call.URL.Path, got, want)
		}
		if r.URL.Path != path {
			t.Errorf("the request has become %q", r.URL.Path)
		}
		plain := &http.Request{URL: &url.URL{Path: "/api/users('" + key + "')"}}
		if withKeySegments(plain) != plain {
			t.Error("what is not Graph's has changed")
		}
	})
}

package graph_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// TestWalk walks every operation with what is wrong in each way that there is, as somebody who may
// do everything.
func TestWalk(t *testing.T) {
	const most = 64 << 10
	w := newWorld(newSite(t, func(c *graph.Config) { c.MaxBody = most }))
	seen := map[string]bool{}
	for _, op := range graph.Operations() {
		s := specimens[op.Name]
		if op.Name == "" || seen[op.Method+op.Pattern] {
			t.Errorf("%s %s: name %q", op.Method, op.Pattern, op.Name)
		}
		seen[op.Method+op.Pattern] = true
		t.Run(op.Method+" "+op.Pattern, func(t *testing.T) {
			w.t = t
			var body any
			if s.body != nil {
				body = s.body(w)
			}
			path := w.pathOf(op)
			w.expect(http.StatusBadRequest, "BadRequest", op.Method, path+"?$apply=x", body)
			w.expect(http.StatusBadRequest, "BadRequest", op.Method, path+"?%zz", body)
			w.wrongMethod(path)
			if strings.HasPrefix(path, "/beta/") || strings.HasPrefix(path, "/v1.0/") {
				w.wrongMethod(inOtherLetters(op.Pattern, path))
			}
			for _, bad := range []string{"%00", "x%00y", "%ff"} {
				w.expect(http.StatusBadRequest, "BadRequest", op.Method, path+bad, body)
				if strings.Contains(op.Pattern, "{id}") {
					w.expect(http.StatusBadRequest, "BadRequest", op.Method,
						strings.Replace(path, idIn(op.Pattern, path), bad, 1), body)
				}
				for _, option := range op.Options {
					w.expect(http.StatusBadRequest, "BadRequest", op.Method,
						path+"?"+option+"="+bad, body)
				}
			}
			if strings.Contains(op.Pattern, "{id}") {
				strange := strings.Replace(path, idIn(op.Pattern, path), uuid.NewString(), 1)
				w.expect(http.StatusNotFound, "ResourceNotFound", op.Method, strange, body)
				w.expect(http.StatusNotFound, "ResourceNotFound", op.Method,
					strings.Replace(path, idIn(op.Pattern, path), "x", 1), body)
			}
			if s.body == nil {
				return
			}
			w.expect(http.StatusBadRequest, "BadRequest", op.Method, path, `{"colour":1}`)
			w.expect(http.StatusBadRequest, "BadRequest", op.Method, path, `{`)
			w.expect(http.StatusBadRequest, "BadRequest", op.Method, path, `[]`)
			w.expect(http.StatusBadRequest, "BadRequest", op.Method, path, nil, "Content-Type",
				"application/json")
			w.expect(http.StatusUnsupportedMediaType, "UnsupportedMediaType", op.Method, path,
				`a=b`, "Content-Type", "text/plain")
			w.expect(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", op.Method, path,
				`{"a":"`+strings.Repeat("a", most)+`"}`)
		})
	}
}

// inOtherLetters is a path in capitals, but for its keys.
func inOtherLetters(pattern, path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range strings.Split(pattern, "/") {
		if !strings.HasPrefix(segment, "{") {
			segments[i] = strings.ToUpper(segments[i])
		}
	}
	return strings.Join(segments, "/")
}

// idIn is what a path has where its pattern has {id}.
func idIn(pattern, path string) string {
	i := slices.Index(strings.Split(pattern, "/"), "{id}")
	return strings.Split(path, "/")[i]
}

// expect calls, and holds status, code and shape of the answer.
func (w *world) expect(status int, code, method, path string, body any, headers ...string) {
	w.t.Helper()
	a := w.call(method, path, body, headers...)
	if a.status != status || a.code() != code {
		w.t.Errorf("%s %s: got %s; want %d %s", method, path, a, status, code)
		return
	}
	checkError(w.t, a)
}

func (w *world) wrongMethod(path string) {
	w.t.Helper()
	a := w.call("TRACE", path, nil)
	if a.status != http.StatusMethodNotAllowed || a.code() != "MethodNotAllowed" ||
		a.header.Get("Allow") == "" {
		w.t.Errorf("TRACE %s: got %s, allowed %q", path, a, a.header.Get("Allow"))
		return
	}
	checkError(w.t, a)
}

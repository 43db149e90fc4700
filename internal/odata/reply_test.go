package odata

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
)

// reply is an answer, with its body if that is JSON.
type reply struct {
	*httptest.ResponseRecorder
	body map[string]any
}

func (a *reply) error() map[string]any { e, _ := a.body["error"].(map[string]any); return e }

func (a *reply) values() []map[string]any {
	list, _ := a.body["value"].([]any)
	values := make([]map[string]any, len(list))
	for i := range list {
		values[i] = list[i].(map[string]any)
	}
	return values
}

// call sends a request with a body, and headers in pairs, and returns its answer.
func (l *library) call(method, path string, body any, headers ...string) *reply {
	l.t.Helper()
	text, raw := body.(string)
	if !raw && body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			l.t.Fatal(err)
		}
		text = string(encoded)
	}
	r := httptest.NewRequest(method, strings.TrimPrefix(path, libraryURL), strings.NewReader(text))
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a := &reply{ResponseRecorder: httptest.NewRecorder()}
	l.ServeHTTP(a, r)
	d := json.NewDecoder(bytes.NewReader(a.Body.Bytes()))
	d.UseNumber()
	_ = d.Decode(&a.body)
	return a
}

// must is call, and the status must be this one.
func (l *library) must(status int, method, path string, body any, headers ...string) *reply {
	l.t.Helper()
	a := l.call(method, path, body, headers...)
	if a.Code != status {
		l.t.Fatalf("%s %s: got %d %s, want %d", method, path, a.Code, a.Body, status)
	}
	return a
}

type object = map[string]any

func (l *library) add(titles ...string) {
	l.t.Helper()
	for _, title := range titles {
		l.must(http.StatusCreated, "POST", "/beta/books", object{"title": title})
	}
}

package odata

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// refusedWith holds that an error is one that the caller is told, with one of these statuses.
func refusedWith(t *testing.T, err error, statuses ...int) {
	t.Helper()
	var f *Fault
	if !errors.As(err, &f) {
		t.Fatalf("%v is not told to the caller", err)
	}
	for _, status := range statuses {
		if f.Status == status && f.Message != "" && utf8.ValidString(f.Message) {
			return
		}
	}
	t.Fatalf("status %d, %q", f.Status, f.Message)
}

// What a body says is kept, and given back as JSON of the same meaning; what is no JSON is refused.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"title":"x","publisher":null,"type":{"a":true},"icon":{"value":1.50e3}}`,
		`{"a":[[[[{}]]]]}`, `{"shelf":{"shelf":{"row":0}},"loans":[],"@odata.type":"#microsoft.graph.atlas"}`,
		`{"#a":1,"@b":2,"a@odata.type":3,"@odata.type":"x"}`, "\ufeff{}", `{"a":"\u0000"}`,
		`{"a":[1,]}`, `{"a":1,}`, `{} {}`,
		`{"a":[` + strings.Repeat("[],", 60_000) + `0]}`, `{"a":` + strings.Repeat("1", 200) + `}`,
		strings.Repeat(`{"a":`, 40),
		`[]`, `{`, `{"a":1,"a":2}`, `1 2`, "\xff", `{"a":"\ud800"}`,
		"\xff\xfe{\x00}\x00", "\x00{\x00}", "{\x00\"\x00a\x00\"\x00:\x001\x00}\x00", "\xfe\xff\x00{\xd8",
		"{\x00\x3d\xd8\x00\xde}\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		defer cost.Input(t)()
		o, err := ParseObject(body)
		if err != nil {
			refusedWith(t, err, http.StatusBadRequest)
			return
		}
		text, err := json.Marshal(o)
		decoded, decodeErr := decodeText(body)
		if err != nil || decodeErr != nil || !json.Valid(decoded) {
			t.Fatalf("%q was taken, %v", body, err)
		}
		again, err := ParseObject(text)
		if err != nil || !reflect.DeepEqual(o, again) {
			t.Fatalf("%s became %s, %v", body, text, err)
		}
		o.vocabulary, o.declared = bookTerms, "book"
		if err := o.Only("title"); err != nil {
			refusedWith(t, err, http.StatusBadRequest)
		}
	})
}

func FuzzGzip(f *testing.F) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(strings.Repeat("a", 2000)))
	_ = z.Close()
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:15])
	f.Add(append(b.Bytes(), b.Bytes()...))
	f.Add(append(b.Bytes(), 'x'))
	f.Add([]byte("{}"))
	service := NewService(NewModel(Definition{}), BatchBody)
	f.Fuzz(func(t *testing.T, sent []byte) {
		defer cost.Input(t)()
		const limit = 1000
		h := httptest.NewRequest("POST", "/", bytes.NewReader(sent))
		h.Header.Set("Content-Encoding", "gzip")
		r := service.NewRequest(httptest.NewRecorder(), h, "")
		r.BodyLimit = limit
		text, _, err := r.bodyBytes()
		if err != nil {
			refusedWith(t, err, http.StatusBadRequest, http.StatusRequestEntityTooLarge)
		} else if len(text) > limit || len(sent) > limit {
			t.Fatalf("accepted %d bytes in %d", len(text), len(sent))
		}
	})
}

// What a body may have beside what is known: what says nothing, and what only the server sets.
func TestBodies(t *testing.T) {
	l := newLibrary(t, BatchBody)
	for text, status := range map[string]int{
		`{"title":"a"}`: 201,
		`{"title":"a","id":{"x":1},"loans":[],"@odata.etag":"x","#lend":{},"title@odata.type":"#String"}`: 201,
		`{"title":"a","@odata.type":"#microsoft.graph.book"}`:                                             201,
		"\ufeff" + `{"title":"a"}`:                             201,
		`{"title":"a","@odata.type":"#microsoft.graph.globe"}`: 400,
		`{"title":"a","loans":[{}]}`:                           400,
		`{"title":"a","colour":1}`:                             400,
		`{"title":"a","loans@odata.bind":[]}`:                  400,
		`{"title":1}`:                                          400,
		`{}`:                                                   400,
		``:                                                     400,
		`[]`:                                                   400,
		`{"title":"a"} {}`:                                     400,
		`{"title":"a","title":"b"}`:                            400,
		`{"title":"` + strings.Repeat("a", OrdinaryBody) + `"}`:                        413,
		`{"title":"a","id":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`: 400,
		`{"title":"a","id":[` + strings.Repeat("1,", 60_000) + `1]}`:                   400,
		`{"title":"a` + "\xff" + `"}`:                                                  400,
	} {
		if a := l.call("POST", "/beta/books", text); a.Code != status {
			t.Errorf("%.60s: got %d %s, want %d", text, a.Code, a.Body, status)
		}
	}
	l.must(http.StatusUnsupportedMediaType, "POST", "/beta/books", `{"title":"a"}`, "Content-Type",
		"text/plain")
	l.must(http.StatusUnsupportedMediaType, "POST", "/beta/books", `{"title":"a"}`, "Content-Type",
		"application/json; charset=latin1")
	l.must(http.StatusUnsupportedMediaType, "POST", "/beta/books", `{"title":"a"}`,
		"Content-Encoding", "br")
	l.must(http.StatusNoContent, "POST", "/beta/books/1/lend", "{}")
	l.must(http.StatusBadRequest, "POST", "/beta/books/1/lend", `{"to":"Ada"}`)
}

// Of what is Graph's and not kept here, what says nothing is taken, and what says something is
// refused with its name. What is nobody's is refused.
func TestBodiesBeyondWhatIsKept(t *testing.T) {
	l := newLibrary(t, BatchBody)
	const kept, unknown = "does not keep", "is not known"
	for text, want := range map[string]string{
		`"price":null`: "", `"price":0`: "", `"price":0.0e3`: "", `"price":1e-9`: kept,
		`"rare":false`: "", `"rare":true`: kept, `"language":""`: "", `"language":"de"`: kept,
		`"kind":"open"`: "", `"kind":"Open"`: kept, `"kind":"closed"`: kept, `"loans":[]`: "",
		`"loans":[{}]`: kept, `"shelf":{}`: "", `"shelf":{"row":0,"kind":"open","@odata.type":"#microsoft.graph.shelf"}`: "",
		`"shelf":{"row":1}`: kept, `"shelf":{"kind":"closed"}`: kept,
		`"Price":null`: unknown, `"colour":null`: unknown, `"scale":0`: unknown,
		`"scale":0,"@odata.type":"#microsoft.graph.atlas"`:    "",
		`"price":0,"@odata.type":"#microsoft.graph.atlas"`:    "",
		`"scale":7,"@odata.type":"#microsoft.graph.atlas"`:    kept,
		`"scale":0,"@odata.type":"#library.atlas"`:            unknown,
		`"loans@odata.bind":[]`:                               unknown,
		`"price@odata.type":"#Double","#microsoft.graph.x":0`: "",
	} {
		a := l.call("POST", "/beta/books", `{"title":"a",`+text+`}`)
		message, _ := a.error()["message"].(string)
		target, _ := a.error()["target"].(string)
		switch {
		case want == "" && a.Code != http.StatusCreated,
			want != "" && (a.Code != http.StatusBadRequest || !strings.Contains(message, want) ||
				!strings.Contains(text, `"`+target) && target != "@odata.type"):
			t.Errorf("%s: got %d %s, want %q", text, a.Code, a.Body, want)
		}
	}
	l.must(http.StatusBadRequest, "POST", "/beta/books/1/lend", `{"price":null}`)
}

// Clients that write UTF-16 do so with a byte order mark or without one, and say so or not.
func TestBodiesInUTF16(t *testing.T) {
	l := newLibrary(t, BatchBody)
	const text = `{"title":"Füße 😀"}`
	encode := func(order binary.AppendByteOrder, text string) string {
		var b []byte
		for _, unit := range utf16.Encode([]rune(text)) {
			b = order.AppendUint16(b, unit)
		}
		return string(b)
	}
	for _, body := range []string{encode(binary.LittleEndian, text), encode(binary.BigEndian, text),
		encode(binary.LittleEndian, "\ufeff"+text), encode(binary.BigEndian, "\ufeff"+text),
		"\ufeff" + text} {
		for _, charset := range []string{"", "; charset=utf-16", "; charset=UTF-8"} {
			a := l.must(http.StatusCreated, "POST", "/beta/books", body, "Content-Type",
				"application/json"+charset)
			if a.body["title"] != "Füße 😀" {
				t.Errorf("%q: got %s", body, a.Body)
			}
		}
	}
	whole := encode(binary.LittleEndian, "\ufeff"+text)
	for _, body := range []string{whole[:len(whole)-1], "\xff\xfe{\x00\x3d\xd8}\x00", "\xff\xfe",
		"{\x00\x3d\xd8", "\x00\x00{}", encode(binary.LittleEndian, `{"title":"`) + "\x3d\xd8" +
			encode(binary.LittleEndian, `x"}`), encode(binary.LittleEndian, "\ufeff\ufeff"+text)} {
		if a := l.call("POST", "/beta/books", body); a.Code != http.StatusBadRequest {
			t.Errorf("%q: got %d %s", body, a.Code, a.Body)
		}
	}
}

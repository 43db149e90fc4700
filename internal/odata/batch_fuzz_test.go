package odata

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// FuzzBatch reads any body as a batch: it is refused with a fault, or each of its requests comes
// once, behind all that it depends on, and is either a fault or a request within Graph's part of
// the surface.
func FuzzBatch(f *testing.F) {
	for _, seed := range []string{
		`{"requests":[{"id":"1","method":"GET","url":"/groups"}]}`,
		`{"requests":[{"id":"a","method":"GET","url":"x","dependsOn":["B"]},{"id":"b","method":"POST","url":"/beta/x","body":{},"headers":{"a":"b"}}]}`,
		`{"requests":[{"id":"1","method":"GET","url":"/v1.0/../api/x","dependsOn":["1"]}]}`,
		`{"requests":[{"id":"1","method":"G T","url":"//h/%zz?#"}]}`, `{"requests":{}}`, `[]`, `{`,
	} {
		f.Add([]byte(seed))
	}
	whole, err := http.NewRequest(http.MethodPost, "https://graph.example/beta/$batch", nil)
	if err != nil {
		f.Fatal(err)
	}
	r := &Request{HTTP: whole}
	f.Fuzz(func(t *testing.T, text []byte) {
		defer cost.Input(t)()
		body, err := ParseObject(text)
		if err != nil {
			return
		}
		items, err := readBatch(body)
		if err != nil {
			mustBeFault(t, err)
			return
		}
		ordered, err := inOrder(items)
		if err != nil {
			mustBeFault(t, err)
			return
		}
		if len(ordered) != len(items) {
			t.Fatalf("%d of %d requests are carried out", len(ordered), len(items))
		}
		for i, item := range ordered {
			if slices.Contains(ordered[:i], item) {
				t.Fatalf("request %q is carried out twice", item.id)
			}
			for _, id := range item.after {
				if find(ordered[:i], id) == nil {
					t.Fatalf("request %q comes before %q", item.id, id)
				}
			}
			one, err := new(Batch).itemRequest(r, item)
			if err != nil {
				mustBeFault(t, err)
			} else if at := one.URL.Path; !strings.HasPrefix(at, BetaPath) &&
				!strings.HasPrefix(at, StablePath) || one.URL.Host != "" {
				t.Fatalf("%q leads to %s", item.url, one.URL)
			}
		}
	})
}

func mustBeFault(t *testing.T, err error) {
	t.Helper()
	if f, ok := err.(*Fault); !ok || f.Status < 400 || f.Status > 499 || f.Message == "" {
		t.Fatalf("not a fault of the caller's: %v", err)
	}
}

// FuzzTags reads any header as entity tags: what is read can be written and read again.
func FuzzTags(f *testing.F) {
	for _, seed := range []string{`*`, `"a"`, `W/"a", "b"`, `"a" "b"`, `W/`, `"`, `,`, ``,
		`"a",,"b"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		defer cost.Input(t)()
		tags, err := readTags(http.Header{"If-Match": {value}}, "If-Match")
		if err != nil {
			mustBeFault(t, err)
			return
		}
		if slices.Equal(tags, []string{anyTag}) {
			return
		}
		var written []string
		for _, tag := range tags {
			written = append(written, QuoteTag(tag))
		}
		again, err := readTags(http.Header{"If-Match": written}, "If-Match")
		if err != nil || !slices.Equal(again, tags) {
			t.Fatalf("%q is %q, and written and read again %q, %v", value, tags, again, err)
		}
	})
}

// FuzzAccept reads any header as what answer is wanted: one of the known kinds, or a fault.
func FuzzAccept(f *testing.F) {
	for _, seed := range []string{"*/*",
		"application/json;odata.metadata=full;IEEE754Compatible=true",
		"text/html, application/json;q=0.1",
		"application/json;odata.metadata=", "application/json;;",
		`application/json;metadata="none"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		defer cost.Input(t)()
		wanted, err := readFormat(http.Header{"Accept": {value}})
		if err != nil {
			mustBeFault(t, err)
		} else if !slices.Contains([]string{metadataMinimal, metadataFull, metadataNone},
			wanted.metadata) {
			t.Fatalf("%q asks for %+v", value, wanted)
		}
	})
}

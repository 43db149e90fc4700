package odata

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// request is an element of a batch. Headers are pairs of name and value.
func request(id, method, url string, body any, headers ...string) object {
	r := object{"id": id, "method": method, "url": url}
	if body != nil {
		r["body"] = body
		headers = append(headers, "Content-Type", "application/json")
	}
	h := object{}
	for i := 0; i < len(headers); i += 2 {
		h[headers[i]] = headers[i+1]
	}
	if len(h) > 0 {
		r["headers"] = h
	}
	return r
}

func batchOf(requests ...object) object { return object{"requests": requests} }

// part is one answer of a batch.
type part struct {
	status int
	header map[string]any
	body   object
}

func (p part) error() object { e, _ := p.body["error"].(object); return e }

func (p part) message() string { return fmt.Sprint(p.error()["message"]) }

// parts are the answers of a batch by their ids.
func (a *reply) parts() map[string]part {
	found := make(map[string]part)
	list, _ := a.body["responses"].([]any)
	for _, one := range list {
		o := one.(object)
		p := part{header: o["headers"].(object)}
		_, _ = fmt.Sscan(fmt.Sprint(o["status"]), &p.status)
		p.body, _ = o["body"].(object)
		found[o["id"].(string)] = p
	}
	return found
}

func TestBatchDependencies(t *testing.T) {
	l := newLibrary(t, BatchBody)
	dependent := func(r object, ids ...string) object { r["dependsOn"] = ids; return r }
	make := func(id,
		name string) object {
		return request(id, "POST", "/books", object{"title": name})
	}
	parts := l.must(http.StatusOK, "POST", "/beta/$batch", batchOf(
		dependent(request("Last", "GET", "/books", nil), "SECOND"),
		dependent(make("second", "b"), "first"),
		make("first", "a"),
		request("bad", "GET", "/books/x", nil),
		dependent(make("never", "c"), "first", "bad"),
		dependent(request("nor this", "GET", "/books", nil), "never"),
	)).parts()
	for id, status := range map[string]int{"first": 201, "second": 201, "Last": 200, "bad": 404,
		"never": 424, "nor this": 424} {
		if parts[id].status != status {
			t.Errorf("%s: got %v, want %d", id, parts[id], status)
		}
	}
	if n := len(parts["Last"].body["value"].([]any)); n != 2 ||
		parts["never"].error()["code"] != "FailedDependency" {
		t.Errorf("%d books; %v", n, parts["never"])
	}
}

// Some scripts number their requests. They are answered with texts, as Graph's are.
func TestBatchesWithNumbers(t *testing.T) {
	l := newLibrary(t, BatchBody)
	numbered := func(id any, r object) object { r["id"] = id; return r }
	last := numbered(2, request("", "GET", "/books/", nil))
	last["dependsOn"] = []any{1, "10"}
	parts := l.must(http.StatusOK, "POST", "/beta/$batch", batchOf(last,
		numbered(1, request("", "POST", "/books", object{"title": "a"})),
		numbered(10, request("", "POST", "/Books", object{"title": "b"})))).parts()
	if len(parts) != 3 || parts["1"].status != 201 || parts["10"].status != 201 ||
		len(parts["2"].body["value"].([]any)) != 2 {
		t.Errorf("got %v", parts)
	}
}

// TestBadBatches: a broken frame is refused as a whole, and nothing of it is done.
func TestBadBatches(t *testing.T) {
	l := newLibrary(t, BatchBody)
	good := func(id string) object { return request(id, "POST", "/books", object{"title": id}) }
	with := func(name string, value any) object { r := good("1"); r[name] = value; return r }
	many := make([]object, 21)
	for i := range many {
		many[i] = good(fmt.Sprint(i))
	}
	for name, body := range map[string]any{
		"none":                    object{},
		"empty":                   batchOf(),
		"too many":                batchOf(many...),
		"no collection":           object{"requests": good("1")},
		"another property":        object{"requests": []object{good("1")}, "colour": 1},
		"no object":               object{"requests": []string{"x"}},
		"the same id":             batchOf(good("a"), good("A")),
		"no id":                   batchOf(with("id", nil)),
		"an empty id":             batchOf(with("id", "")),
		"the same id as a number": batchOf(good("1"), with("id", 1)),
		"a truth for an id":       batchOf(with("id", true)),
		"a truth to depend on":    batchOf(good("0"), with("dependsOn", []any{true})),
		"nothing to depend on":    batchOf(good("0"), with("dependsOn", []any{""})),
		"no method":               batchOf(with("method", nil)),
		"no url":                  batchOf(with("url", nil)),
		"unknown dependency":      batchOf(good("0"), with("dependsOn", []string{"2"})),
		"itself":                  batchOf(with("dependsOn", []string{"1"})),
		"a circle": batchOf(with("dependsOn", []string{"2"}),
			object{"id": "2", "method": "GET", "url": "/books", "dependsOn": []string{"1"}}),
		"no list of ids":       batchOf(with("dependsOn", "1")),
		"headers in a list":    batchOf(with("headers", []string{})),
		"an unknown part":      batchOf(with("atomicityGroup", "g")),
		"the whole not object": "[]",
	} {
		a := l.call("POST", "/beta/$batch", body)
		if a.Code != http.StatusBadRequest || a.error()["code"] != "BadRequest" {
			t.Errorf("%s: got %s", name, a.Body)
		}
	}
	if list := l.must(http.StatusOK, "GET", "/beta/books", nil).values(); len(list) != 0 {
		t.Errorf("a refused batch made %v", list)
	}
	most := l.must(http.StatusOK, "POST", "/beta/$batch", batchOf(many[:20]...))
	if n := len(most.parts()); n != 20 {
		t.Errorf("%d of 20 requests are answered", n)
	}
}

// TestBadBatchItems: what is wrong with one request is that one's answer.
func TestBadBatchItems(t *testing.T) {
	l := newLibrary(t, BatchBody)
	for name, tt := range map[string]struct {
		item   object
		status int
	}{
		"absolute":          {request("1", "GET", libraryURL+"/beta/books", nil), 400},
		"another host":      {request("1", "GET", "//example.com/beta/books", nil), 400},
		"our own":           {request("1", "GET", "/api/tokens", nil), 400},
		"a stream":          {request("1", "GET", "api/events", nil), 400},
		"around the corner": {request("1", "GET", "/beta/../api/tokens", nil), 404},
		"a batch": {request("1", "POST", "/$batch",
			batchOf(request("1", "GET", "/books", nil))), 400},
		"a batch elsewhere": {request("1", "POST", "/v1.0/$batch",
			batchOf(request("1", "GET", "/books", nil))), 400},
		"no URL":            {request("1", "GET", "/books?%zz", nil), 400},
		"bad escape":        {request("1", "GET", "/%zz", nil), 400},
		"a fragment":        {request("1", "GET", "/books#x", nil), 400},
		"binary body":       {request("1", "POST", "/books", "AAAA"), 400},
		"a list for a body": {request("1", "POST", "/books", []int{1}), 400},
		"no content type": {object{"id": "1", "method": "POST", "url": "/books",
			"body": object{"title": "x"}}, 415},
		"another caller": {request("1", "GET", "/books", nil, "authorization", "Bearer x"),
			400},
		"another place": {request("1", "GET", "/books", nil, "X-Forwarded-For", "1.2.3.4"),
			400},
		"a frame": {request("1", "POST", "/books", object{"title": "x"},
			"Content-Encoding", "gzip"), 400},
		"no header":          {request("1", "GET", "/books", nil, "a b", "x"), 400},
		"two header lines":   {request("1", "GET", "/books", nil, "x", "a\r\nb: c"), 400},
		"unknown method":     {request("1", "PURGE", "/books", nil), 405},
		"no method":          {request("1", "GET /", "/books", nil), 400},
		"unsupported option": {request("1", "GET", "/books?$apply=x", nil), 400},
	} {
		a := l.must(http.StatusOK, "POST", "/beta/$batch",
			batchOf(tt.item, request("2", "GET", "/books", nil)))
		parts := a.parts()
		if parts["1"].status != tt.status || parts["1"].message() == "" ||
			parts["1"].error()["innerError"].(object)["request-id"] != parts["1"].header["request-id"] {
			t.Errorf("%s: got %v", name, parts["1"])
		}
		if parts["2"].status != http.StatusOK {
			t.Errorf("%s: it took another with it: %v", name, parts["2"])
		}
	}
}

// A batch's answer has an end, and what was written is told in any case.
func TestLargeBatchAnswer(t *testing.T) {
	l := newLibrary(t, 4<<10)
	for range 12 {
		l.must(http.StatusCreated, "POST", "/beta/books",
			object{"title": strings.Repeat("long ", 150)})
	}
	items := []object{}
	for i := range 4 {
		items = append(items, request(fmt.Sprint(i), "GET", "/books", nil))
	}
	items = append(items, request("made", "POST", "/books", object{"title": "made"}))
	a := l.must(http.StatusOK, "POST", "/beta/$batch", batchOf(items...))
	parts := a.parts()
	if parts["0"].status != 200 || parts["3"].status != 400 ||
		!strings.Contains(parts["3"].message(), "$top") || parts["made"].status != 201 {
		t.Errorf("got %.2000s", a.Body)
	}
	if a.Body.Len() > 20<<10 {
		t.Errorf("the answer has %d bytes", a.Body.Len())
	}
}

package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/graph"
)

const batchURL = "/beta/$batch"

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
	answer
	letters map[string]string // its headers, by their names as they are written
}

// parts are the answers of a batch by their ids.
func (a answer) parts() map[string]part {
	found := make(map[string]part)
	list, _ := a.body["responses"].([]any)
	for _, one := range list {
		o := one.(object)
		p := part{answer{header: make(http.Header), text: []byte(fmt.Sprint(o["body"]))}, make(map[string]string)}
		_, _ = fmt.Sscan(fmt.Sprint(o["status"]), &p.status)
		p.body, _ = o["body"].(object)
		for name, value := range o["headers"].(object) {
			p.letters[name] = value.(string)
			p.header.Set(name, p.letters[name])
		}
		found[o["id"].(string)] = p
	}
	return found
}

func TestBatch(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	wifi := s.addProfile("wifi")
	a := s.must(http.StatusOK, "POST", batchURL, batchOf(
		request("1", "GET", "/deviceManagement/managedDevices?$select=id", nil),
		request("2", "GET", "groups", nil),
		request("3", "GET", "/beta/groups", nil, "client-request-id", "third"),
		request("4", "get", "/v1.0/groups", nil),
		request("5", "POST", p.path()+"/syncPayloads", object{"deviceActionPayloads": []object{config(wifi)}}),
		request("6", "GET", p.path()+"?$select=deviceActionResults", nil),
		request("7", "GET", "/deviceManagement/managedDevices/nobody", nil),
		request("8", "POST", "/groups", object{"displayName": "made"}),
	), "client-request-id", "whole")
	parts := a.parts()
	for id, status := range map[string]int{"1": 200, "2": 200, "3": 200, "4": 200, "5": 204, "6": 200, "7": 404, "8": 201} {
		part := parts[id]
		if part.status != status || part.letters["request-id"] == "" || part.letters["client-request-id"] == "" {
			t.Errorf("%s: %s %v, want %d", id, part, part.header, status)
		}
		if status != 204 && (part.body == nil || !strings.HasPrefix(part.letters["Content-Type"], "application/json")) {
			t.Errorf("%s has no JSON body: %v", id, part.letters)
		}
	}
	if len(parts) != 8 || at(parts["1"].body, "value", 0, "id") != string(p.id) {
		t.Errorf("got %s", a)
	}
	if parts["5"].letters["Content-Type"] != "" || parts["5"].body != nil {
		t.Errorf("a part without content has some: %v", parts["5"])
	}
	if at(parts["6"].body, "deviceActionResults", 0, "actionState") != "pending" {
		t.Errorf("the fifth was not done before the sixth: %s", parts["6"])
	}
	if at(parts["4"].body, "@odata.context") != s.URL+"/v1.0/$metadata#groups" || at(parts["2"].body, "@odata.context") != s.URL+"/beta/$metadata#groups" {
		t.Errorf("versions: %s %s", parts["2"], parts["4"])
	}
	if parts["3"].letters["client-request-id"] != "third" || parts["4"].letters["client-request-id"] != "whole" ||
		parts["3"].letters["request-id"] == parts["4"].letters["request-id"] {
		t.Errorf("ids: %v %v", parts["3"].letters, parts["4"].letters)
	}
	if parts["8"].header.Get("Location") == "" || parts["7"].code() != "ResourceNotFound" {
		t.Errorf("got %v %s", parts["8"].header, parts["7"])
	}
}

// What one request of a batch does is recorded as if it had come alone.
func TestBatchIsRecorded(t *testing.T) {
	s := newSite(t)
	_, reader, err := s.tokens.Create(t.Context(), access.TokenInput{Name: "reader", Role: access.ReadOnlyOperator})
	if err != nil {
		t.Fatal(err)
	}
	body := batchOf(request("1", "POST", "/groups", object{"displayName": "made"}), request("2", "GET", "/groups", nil))
	if parts := s.must(http.StatusOK, "POST", batchURL, body, "Authorization", "Bearer "+reader).parts(); parts["1"].status != http.StatusForbidden ||
		parts["1"].code() != "Forbidden" || parts["2"].status != http.StatusOK {
		t.Errorf("as a reader: %v", parts)
	}
	s.must(http.StatusOK, "POST", batchURL, body)
	var got []string
	for _, e := range s.must(http.StatusOK, "GET", auditEvents, nil).values() {
		if e["activityType"] == "groups.create" || e["activityType"] == "batch" {
			got = append(got, fmt.Sprint(e["activityType"], " ", e["activityResult"], " ", at(e, "actor", "userPrincipalName")))
		}
	}
	if want := []string{"groups.create Success help desk", "groups.create ClientError reader"}; !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
}

func TestBatchDependencies(t *testing.T) {
	s := newSite(t)
	dependent := func(r object, ids ...string) object { r["dependsOn"] = ids; return r }
	make := func(id, name string) object { return request(id, "POST", "/groups", object{"displayName": name}) }
	parts := s.must(http.StatusOK, "POST", batchURL, batchOf(
		dependent(request("Last", "GET", "/groups", nil), "SECOND"),
		dependent(make("second", "b"), "first"),
		make("first", "a"),
		request("bad", "GET", "/groups/x", nil),
		dependent(make("never", "c"), "first", "bad"),
		dependent(request("nor this", "GET", "/groups", nil), "never"),
	)).parts()
	for id, status := range map[string]int{"first": 201, "second": 201, "Last": 200, "bad": 404, "never": 424, "nor this": 424} {
		if parts[id].status != status {
			t.Errorf("%s: got %s, want %d", id, parts[id], status)
		}
	}
	if n := len(parts["Last"].values()); n != 2 || parts["never"].code() != "FailedDependency" {
		t.Errorf("%d groups; %s", n, parts["never"])
	}
}

// TestBadBatches: a broken frame is refused as a whole, and nothing of it is done.
func TestBadBatches(t *testing.T) {
	s := newSite(t)
	good := func(id string) object { return request(id, "POST", "/groups", object{"displayName": id}) }
	with := func(name string, value any) object { r := good("1"); r[name] = value; return r }
	many := make([]object, 21)
	for i := range many {
		many[i] = good(fmt.Sprint(i))
	}
	for name, body := range map[string]any{
		"none":                 object{},
		"empty":                batchOf(),
		"too many":             batchOf(many...),
		"no collection":        object{"requests": good("1")},
		"another property":     object{"requests": []object{good("1")}, "colour": 1},
		"no object":            object{"requests": []string{"x"}},
		"the same id":          batchOf(good("a"), good("A")),
		"no id":                batchOf(with("id", nil)),
		"an empty id":          batchOf(with("id", "")),
		"a number for an id":   batchOf(with("id", 1)),
		"no method":            batchOf(with("method", nil)),
		"no url":               batchOf(with("url", nil)),
		"unknown dependency":   batchOf(good("0"), with("dependsOn", []string{"2"})),
		"itself":               batchOf(with("dependsOn", []string{"1"})),
		"a circle":             batchOf(with("dependsOn", []string{"2"}), object{"id": "2", "method": "GET", "url": "/groups", "dependsOn": []string{"1"}}),
		"no list of ids":       batchOf(with("dependsOn", "1")),
		"headers in a list":    batchOf(with("headers", []string{})),
		"an unknown part":      batchOf(with("atomicityGroup", "g")),
		"the whole not object": "[]",
	} {
		a := s.call("POST", batchURL, body)
		if a.status != http.StatusBadRequest || a.code() != "BadRequest" {
			t.Errorf("%s: got %s", name, a)
		}
		checkError(t, a)
	}
	if list := s.must(http.StatusOK, "GET", groups, nil).values(); len(list) != 0 {
		t.Errorf("a refused batch made %v", list)
	}
}

// TestBadBatchItems: what is wrong with one request is that one's answer.
func TestBadBatchItems(t *testing.T) {
	s := newSite(t)
	for name, tt := range map[string]struct {
		item   object
		status int
	}{
		"absolute":           {request("1", "GET", s.URL+groups, nil), 400},
		"another host":       {request("1", "GET", "//example.com/beta/groups", nil), 400},
		"our own":            {request("1", "GET", "/api/tokens", nil), 400},
		"a stream":           {request("1", "GET", "api/events", nil), 400},
		"around the corner":  {request("1", "GET", "/beta/../api/tokens", nil), 404},
		"a batch":            {request("1", "POST", "/$batch", batchOf(request("1", "GET", "/groups", nil))), 400},
		"a batch elsewhere":  {request("1", "POST", "/v1.0/$batch", batchOf(request("1", "GET", "/groups", nil))), 400},
		"no URL":             {request("1", "GET", "/groups?%zz", nil), 400},
		"bad escape":         {request("1", "GET", "/%zz", nil), 400},
		"a fragment":         {request("1", "GET", "/groups#x", nil), 400},
		"binary body":        {request("1", "POST", "/groups", "AAAA"), 400},
		"a list for a body":  {request("1", "POST", "/groups", []int{1}), 400},
		"no content type":    {object{"id": "1", "method": "POST", "url": "/groups", "body": object{"displayName": "x"}}, 415},
		"another caller":     {request("1", "GET", "/groups", nil, "authorization", "Bearer x"), 400},
		"another place":      {request("1", "GET", "/groups", nil, "X-Forwarded-For", "1.2.3.4"), 400},
		"a frame":            {request("1", "POST", "/groups", object{"displayName": "x"}, "Content-Encoding", "gzip"), 400},
		"no header":          {request("1", "GET", "/groups", nil, "a b", "x"), 400},
		"two header lines":   {request("1", "GET", "/groups", nil, "x", "a\r\nb: c"), 400},
		"unknown method":     {request("1", "PURGE", "/groups", nil), 405},
		"no method":          {request("1", "GET /", "/groups", nil), 400},
		"unsupported option": {request("1", "GET", "/groups?$apply=x", nil), 400},
	} {
		a := s.must(http.StatusOK, "POST", batchURL, batchOf(tt.item, request("2", "GET", "/groups", nil)))
		parts := a.parts()
		if parts["1"].status != tt.status || parts["1"].message() == "" ||
			at(parts["1"].body, "error", "innerError", "request-id") != parts["1"].letters["request-id"] {
			t.Errorf("%s: got %s", name, parts["1"])
		}
		if parts["2"].status != http.StatusOK {
			t.Errorf("%s: it took another with it: %s", name, parts["2"])
		}
	}
}

// A batch's answer has an end, and what was written is told in any case.
func TestLargeBatchAnswer(t *testing.T) {
	s := newSite(t, func(c *graph.Config) { c.MaxBody = 4 << 10 })
	for i := range 12 {
		s.must(http.StatusCreated, "POST", groups, object{"displayName": fmt.Sprint(i), "description": strings.Repeat("long ", 150)})
	}
	items := []object{}
	for i := range 4 {
		items = append(items, request(fmt.Sprint(i), "GET", "/groups", nil))
	}
	items = append(items, request("made", "POST", "/groups", object{"displayName": "made"}))
	a := s.must(http.StatusOK, "POST", batchURL, batchOf(items...))
	parts := a.parts()
	if parts["0"].status != 200 || parts["3"].status != 400 || !strings.Contains(parts["3"].message(), "$top") || parts["made"].status != 201 {
		t.Errorf("got %.2000s", a)
	}
	if len(a.text) > 20<<10 {
		t.Errorf("the answer has %d bytes", len(a.text))
	}
}

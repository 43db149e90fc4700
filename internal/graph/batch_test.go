package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
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
		p := part{answer{header: make(http.Header), text: []byte(fmt.Sprint(o["body"]))},
			make(map[string]string)}
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
		request("5", "POST", p.path()+"/syncPayloads",
			object{"deviceActionPayloads": []object{config(wifi)}}),
		request("6", "GET", p.path()+"?$select=deviceActionResults", nil),
		request("7", "GET", "/deviceManagement/managedDevices/nobody", nil),
		request("8", "POST", "/groups", object{"displayName": "made"}),
	), "client-request-id", "whole")
	parts := a.parts()
	for id, status := range map[string]int{"1": 200, "2": 200, "3": 200, "4": 200, "5": 204,
		"6": 200, "7": 404, "8": 201} {
		part := parts[id]
		if part.status != status || part.letters["request-id"] == "" ||
			part.letters["client-request-id"] == "" {
			t.Errorf("%s: %s %v, want %d", id, part, part.header, status)
		}
		if status != 204 && (part.body == nil ||
			!strings.HasPrefix(part.letters["Content-Type"], "application/json")) {
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
	if at(parts["4"].body, "@odata.context") != s.URL+"/v1.0/$metadata#groups" ||
		at(parts["2"].body, "@odata.context") != s.URL+"/beta/$metadata#groups" {
		t.Errorf("versions: %s %s", parts["2"], parts["4"])
	}
	if parts["3"].letters["client-request-id"] != "third" ||
		parts["4"].letters["client-request-id"] != "whole" ||
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
	_, reader, err := s.tokens.Create(t.Context(),
		access.TokenInput{Name: "reader", Role: access.ReadOnlyOperator})
	if err != nil {
		t.Fatal(err)
	}
	body := batchOf(request("1", "POST", "/groups", object{"displayName": "made"}),
		request("2", "GET", "/groups", nil))
	if parts := s.must(http.StatusOK, "POST", batchURL, body, "Authorization",
		"Bearer "+reader).parts(); parts["1"].status != http.StatusForbidden ||
		parts["1"].code() != "Forbidden" || parts["2"].status != http.StatusOK {
		t.Errorf("as a reader: %v", parts)
	}
	s.must(http.StatusOK, "POST", batchURL, body)
	var got []string
	for _, e := range s.must(http.StatusOK, "GET", auditEvents, nil).values() {
		if e["activityType"] == "groups.create" || e["activityType"] == "batch" {
			got = append(got, fmt.Sprint(e["activityType"], " ", e["activityResult"], " ",
				at(e, "actor", "userPrincipalName")))
		}
	}
	if want := []string{"groups.create Success help desk",
		"groups.create ClientError reader"}; !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
}

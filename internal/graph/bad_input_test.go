package graph_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestBadActions posts every kind of bad call of both names. Each is refused naming what is wrong,
// and none changes anything.
func TestBadActions(t *testing.T) {
	const bad, media, large = "400 BadRequest", "415 UnsupportedMediaType",
		"413 RequestEntityTooLarge"
	s := newSite(t)
	wifi, mail := s.addProfile("wifi"), s.addApp("mail")
	p := s.enrollPhone()
	p.sync(config(wifi))
	p.connect()
	before := p.must(http.StatusOK, "GET", p.path(), nil).body
	gzipped := []string{"Content-Encoding", "gzip"}
	for _, n := range []struct{ action, collection, id, kind, intent, status string }{
		{"syncPayloads", "deviceActionPayloads", "payloadId", "payloadType", "intent", "status"},
		{"changeAssignments", "deviceAssignmentItems", "itemId", "itemType",
			"assignmentItemActionIntent", "assignmentItemActionStatus"},
	} {
		good := fmt.Sprintf(`{%q:%q,%q:"application"}`, n.id, mail, n.kind)
		body := func(elements ...string) string {
			return fmt.Sprintf(`{%q:[%s]}`, n.collection, strings.Join(elements, ","))
		}
		with := func(extra string) string { return body(good[:len(good)-1] + "," + extra + "}") }
		idOf := func(id string) string {
			return fmt.Sprintf(`{%q:%s,%q:"application"}`, n.id, id, n.kind)
		}
		ofType := func(kind string) string {
			return body(fmt.Sprintf(`{%q:%q,%q:%s}`, n.id, mail, n.kind, kind))
		}
		many := make([]string, 31)
		for i := range many {
			many[i] = idOf(fmt.Sprintf(`"0b8ccbe0-5c39-4f0a-9c3c-0000000000%02d"`, i))
		}
		huge := body(idOf(`"` + strings.Repeat("a", 10_000_000) + `"`))
		first := n.collection + "[0]."
		for _, tt := range []struct {
			name   string
			body   any
			want   string
			named  string
			header []string
		}{
			{"31 payloads", body(many...), bad, n.collection, nil},
			{"a duplicate", body(good, good), bad, n.collection + "[1]." + n.id, nil},
			{"a duplicate in another case", body(good, idOf(`"`+strings.ToUpper(mail)+`"`)), bad,
				n.collection + "[1]." + n.id, nil},
			{"an empty id", body(idOf(`""`)), bad, first + n.id, nil},
			{"a null id", body(idOf(`null`)), bad, first + n.id, nil},
			{"a number for an id", body(idOf(`7`)), bad, first + n.id, nil},
			{"an over-long id", body(idOf(`"` + strings.Repeat("a", 41) + `"`)), bad, first + n.id,
				nil},
			{"an unknown payload", body(idOf(`"0b8ccbe0-5c39-4f0a-9c3c-000000000001"`)), bad,
				first + n.id, nil},
			{"an id that is no GUID", body(idOf(`"mail"`)), bad, first + n.id, nil},
			{"the wrong type", ofType(`"deviceConfiguration"`), bad, first + n.kind, nil},
			{"a duplicate that is to be restored",
				body(good, good[:len(good)-1]+fmt.Sprintf(`,%q:"restore"}`, n.intent)), bad,
				n.collection + "[1]." + n.id, nil},
			{"an unknown payload behind one to restore",
				body(fmt.Sprintf(`{%q:%q,%q:"deviceConfiguration",%q:"restore"}`, n.id, wifi,
					n.kind, n.intent),
					idOf(`"0b8ccbe0-5c39-4f0a-9c3c-000000000001"`)), bad,
				n.collection + "[1]." + n.id,
				nil},
			{"U+0000 in an id", body(idOf(`"a\u0000b"`)), bad, first + n.id, nil},
			{"U+0000 in a name", body(`{"a\u0000b":1}`), bad, "U+0000", nil},
			{"a number of a million digits", with(`"x":` + strings.Repeat("1", 200_000)), bad,
				first + "x", nil},
			{"too many values", with(`"x":[` + strings.Repeat("0,", 60_000) + `0]`), bad,
				"50000 values", nil},
			{"a long name", with(`"` + strings.Repeat("n", 200_000) + `":1`), bad, first + "nnn",
				nil},
			{"an unknown intent", with(fmt.Sprintf(`%q:"install"`, n.intent)), bad,
				first + n.intent, nil},
			{"a number for an intent", with(fmt.Sprintf(`%q:0`, n.intent)), bad, first + n.intent,
				nil},
			{"an unknown type", ofType(`"app"`), bad, first + n.kind, nil},
			{"the type unknownFutureValue", ofType(`"unknownFutureValue"`), bad, first + n.kind,
				nil},
			{"a number for a type", ofType(`0`), bad, first + n.kind, nil},
			{"no id", body(fmt.Sprintf(`{%q:"application"}`, n.kind)), bad, first + n.id, nil},
			{"no type", body(fmt.Sprintf(`{%q:%q}`, n.id, mail)), bad, first + n.kind, nil},
			{"an unknown property", with(`"colour":"red"`), bad, first + "colour", nil},
			{"a property in another case", with(`"Intent":"remove"`), bad, first + "Intent", nil},
			{"a repeated property", with(fmt.Sprintf(`%q:"application"`, n.kind)), bad,
				first + n.kind, nil},
			{"an unknown property beside the collection", `{"colour":1,` + body(good)[1:], bad,
				"colour", nil},
			{"no collection", `{}`, bad, n.collection, nil},
			{"a null collection", fmt.Sprintf(`{%q:null}`, n.collection), bad, n.collection, nil},
			{"an object for the collection", fmt.Sprintf(`{%q:{}}`, n.collection), bad,
				n.collection, nil},
			{"a string for an element", fmt.Sprintf(`{%q:["x"]}`, n.collection), bad,
				n.collection + "[0]", nil},
			{"the collection twice", fmt.Sprintf(`{%q:[],%[1]q:[]}`, n.collection), bad,
				n.collection, nil},
			{"not JSON", `deviceActionPayloads=`, bad, "JSON", nil},
			{"an array", `[]`, bad, "object", nil},
			{"broken off", body(good)[:20], bad, "JSON", nil},
			{"trailing garbage", body(good) + "x", bad, "JSON", nil},
			{"a second value", body(good) + body(), bad, "JSON", nil},
			{"not UTF-8", body(idOf("\"\xff\"")), bad, "UTF-8", nil},
			{"deep nesting", with(`"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100)),
				bad, "nests", nil},
			{"nothing", "", bad, "body", nil},
			{"text", body(good), media, "text/plain", []string{"Content-Type", "text/plain"}},
			{"no content type", body(good), media, "Content-Type", []string{"Content-Type", ""}},
			{"another charset", body(good), media, "latin1",
				[]string{"Content-Type", "application/json; charset=latin1"}},
			{"another encoding", body(good), media, "br", []string{"Content-Encoding", "br"}},
			{"not really gzip", body(good), bad, "Content-Encoding", gzipped},
			{"gzip broken off", zipped(t, body(good))[:30], bad, "Content-Encoding", gzipped},
			{"10 MB", huge, large, "262144", nil},
			{"10 MB in gzip", zipped(t, huge), large, "262144", gzipped},
		} {
			a := s.call("POST", p.path()+"/"+n.action, tt.body, tt.header...)
			if fmt.Sprint(a.status, " ", a.code()) != tt.want ||
				!strings.Contains(a.message(), tt.named) {
				t.Errorf("%s, %s: got %.300s\nwant %s naming %s", n.action, tt.name, a, tt.want,
					tt.named)
			}
			checkError(t, a)
			if len(a.text) > 4<<10 {
				t.Errorf("%s, %s: the answer has %d bytes", n.action, tt.name, len(a.text))
			}
		}
		for _, id := range []string{"0b8ccbe0-5c39-4f0a-9c3c-000000000001", "nobody", "$count"} {
			a := s.call("POST", devices+"/"+id+"/"+n.action, body(good))
			if a.status != http.StatusNotFound || a.code() != "ResourceNotFound" {
				t.Errorf("%s of device %s: got %s", n.action, id, a)
			}
			checkError(t, a)
		}
	}
	if after := p.must(http.StatusOK, "GET", p.path(), nil).body; !reflect.DeepEqual(before,
		after) {
		t.Errorf("a refused call changed the device:\n got %v\nwant %v", after, before)
	}
}

// checkError holds an answer against the shape of Graph's errors.
func checkError(t *testing.T, a answer) {
	t.Helper()
	inner, _ := at(a.body, "error", "innerError").(object)
	if a.header.Get("Content-Type") != "application/json" || a.code() == "" || a.message() == "" ||
		inner["date"] != "2025-02-13T10:17:05" ||
		inner["request-id"] != a.header.Get("request-id") ||
		inner["client-request-id"] != a.header.Get("client-request-id") ||
		a.header.Get("request-id") == "" || a.header.Get("OData-Version") != "4.0" {
		t.Errorf("not an error as Graph's: %v %s", a.header, a)
	}
}

func TestAcceptedBodies(t *testing.T) {
	s := newSite(t)
	mail := s.addApp("mail")
	p := s.enrollPhone()
	plain := fmt.Sprintf(`{"deviceActionPayloads":[{"payloadId":%q,"payloadType":"application"}]}`,
		mail)
	for name, tt := range map[string]struct {
		body   any
		header []string
	}{
		"charset": {plain, []string{"Content-Type", "application/json; charset=UTF-8"}},
		"OData metadata": {plain, []string{"Content-Type",
			"application/json;odata.metadata=minimal"}},
		"gzip": {zipped(t, plain), []string{"Content-Encoding", "gzip"}},
		"GZIP": {zipped(t, plain), []string{"Content-Encoding", "GZIP"}},
		"as clients echo it": {fmt.Sprintf(`{"@odata.type":"#x","deviceActionPayloads":[{"@odata.type":"#microsoft.graph.deviceActionPayload",
			"payloadId":%q,"payloadType@odata.type":"#x","payloadType":"application","intent":null,"displayName":null,"status":null,
			"detail":null,"errorCode":null,"lastModifiedDateTime":null}]}`, mail), nil},
		"with what is read only": {fmt.Sprintf(`{"deviceActionPayloads":[{"payloadId":%q,"payloadType":"application","displayName":"x",
			"status":"removed","detail":"x","errorCode":1024,"lastModifiedDateTime":"2026-01-01T00:00:00Z"}]}`, mail), nil},
		"intent remove": {fmt.Sprintf(`{"deviceActionPayloads":[{"payloadId":%q,"payloadType":"application","intent":"remove"}]}`, mail), nil},
	} {
		p.sync()
		p.connect()
		a := s.call("POST", p.path()+"/syncPayloads", tt.body, tt.header...)
		if a.status != http.StatusNoContent || len(a.text) != 0 ||
			a.header.Get("Content-Type") != "" {
			t.Errorf("%s: got %s %v", name, a, a.header)
		}
		checkResult(t, p.result("syncPayloads"), "pending",
			map[string]string{mail: "remove inProgress"})
	}
}

package graph_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

func (p *phone) syncKeyed(key string, body any, headers ...string) answer {
	p.t.Helper()
	return p.call("POST", p.path()+"/syncPayloads", body,
		append([]string{"Idempotency-Key", key}, headers...)...)
}

func (p *phone) actions() int {
	p.t.Helper()
	return len(p.must(http.StatusOK, "GET", "/api/devices/"+string(p.id)+"/actions", nil).values())
}

func setOfPayloads(set ...object) object {
	return object{"deviceActionPayloads": append([]object{}, set...)}
}

func TestIdempotencyKey(t *testing.T) {
	s := newSite(t)
	wifi, mail := s.addProfile("wifi"), s.addApp("mail")
	p := s.enrollPhone()
	expect := func(what string, a answer, status, actions int) {
		t.Helper()
		if n := p.actions(); a.status != status || n != actions {
			t.Errorf("%s: got %s and %d actions; want %d and %d", what, a, n, status, actions)
		}
	}
	remove, restore := setOfPayloads(config(wifi)), setOfPayloads()
	expect("the first", p.syncKeyed("one", remove), 204, 1)
	p.connect()
	expect("another call", p.syncKeyed("two", restore), 204, 2)
	p.connect()
	// Sent again, the first would remove it again.
	expect("the first again", p.syncKeyed("one", remove), 204, 2)
	expect("again, otherwise written", p.syncKeyed("one", fmt.Sprintf(`{ "deviceActionPayloads" : [ {"payloadType":"deviceConfiguration",
		"payloadId":%q} ] }`, strings.ToUpper(wifi))), 204, 2)
	checkResult(t, p.result("syncPayloads"), "done", map[string]string{wifi: "restore succeeded"})
	for what, a := range map[string]answer{
		"another set":  p.syncKeyed("one", restore),
		"another time": p.syncKeyed("one", remove, "Restore-After", "1h"),
		"another name": p.call("POST", p.path()+"/changeAssignments",
			object{"deviceAssignmentItems": []object{{"itemId": wifi,
				"itemType": "deviceConfiguration"}}},
			"Idempotency-Key", "one"),
	} {
		expect(what, a, http.StatusUnprocessableEntity, 2)
		if a.code() != "IdempotencyKeyReused" ||
			at(a.body, "error", "target") != "Idempotency-Key" {
			t.Errorf("%s: got %s", what, a)
		}
		checkError(t, a)
	}
	// A key is one caller's, on one device.
	_, other, err := s.tokens.Create(t.Context(),
		access.TokenInput{Name: "other", Role: access.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	expect("another caller", p.syncKeyed("one", setOfPayloads(app(mail)), "Authorization",
		"Bearer "+other), 204, 3)
	p.connect()
	// A refused call has no key: what was at fault may be mended.
	expect("a refused one", p.syncKeyed("three", setOfPayloads(config("nothing"))), 400, 3)
	expect("the mended one", p.syncKeyed("three", restore), 204, 4)
	p.connect()
	// What was carried out before is not held against If-Match.
	tag := s.must(http.StatusOK, "GET", p.path(), nil).header.Get("ETag")
	expect("with a tag", p.syncKeyed("four", remove, "If-Match", tag), 204, 5)
	expect("again", p.syncKeyed("four", remove, "If-Match", tag), 204, 5)
	p.connect()
	s.clock.Advance(25 * time.Hour)
	expect("a day later", p.syncKeyed("one", restore), 204, 6)
	if err := s.engine.ForgetKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect("what is kept", p.syncKeyed("one", restore), 204, 6)
}

func TestBadIdempotencyKeys(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	for _, key := range []string{strings.Repeat("k", 256), "é", "a\tb"} {
		a := p.syncKeyed(key, setOfPayloads())
		if a.status != http.StatusBadRequest || at(a.body, "error", "target") != "Idempotency-Key" {
			t.Errorf("%q: got %s", key, a)
		}
	}
	if a := p.syncKeyed(strings.Repeat("k", 255),
		setOfPayloads()); a.status != http.StatusNoContent {
		t.Errorf("the longest: got %s", a)
	}
	if a := s.call("POST", groups, object{"displayName": "x"}, "Idempotency-Key",
		"k"); a.status != http.StatusBadRequest {
		t.Errorf("where it means nothing: got %s", a)
	}
	s.must(http.StatusOK, "GET", groups, nil, "Idempotency-Key", "k")
}

// However many send the same call at once, it is carried out once.
func TestIdempotencyKeySentAtOnce(t *testing.T) {
	s := newSite(t)
	wifi := s.addProfile("wifi")
	p := s.enrollPhone()
	before := p.actions()
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			// Every second call is another one, so that each of the same would start an action
			// anew.
			key, body := "same", setOfPayloads(config(wifi))
			if i%2 == 1 {
				key, body = fmt.Sprint("other ", i), setOfPayloads()
			}
			if a := p.syncKeyed(key, body); a.status != http.StatusNoContent {
				t.Errorf("got %s", a)
			}
		})
	}
	wg.Wait()
	removing := 0
	for _, a := range s.must(http.StatusOK, "GET",
		"/api/devices/"+string(p.id)+"/actions?$top=1000", nil).values() {
		for _, item := range a["deviceActionPayloads"].([]any) {
			if at(item, "intent") == "remove" {
				removing++
			}
		}
	}
	if before != 0 || removing != 1 {
		t.Errorf("it was carried out %d times", removing)
	}
}

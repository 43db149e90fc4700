package graph_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// A device may say what it likes, at any length and with any characters: it is managed as any
// other, and what is kept, shown, streamed and counted of its words has an end.
func TestWhatADeviceSaysIsBounded(t *testing.T) {
	s := newSite(t)
	wifi, mail := s.addProfile("wifi"), s.addApp("mail")
	long := strings.Repeat("写\x00\xff", 300_000)
	p := s.enroll(fleet.Device{Name: long, Platform: fleet.IOS, Manufacturer: long, Model: long,
		OSVersion: long, SerialNumber: long,
		UDID: "00008120-000A", Supervised: true})
	check := func(what string, v any, characters, bytes int) {
		t.Helper()
		text, _ := v.(string)
		if text == "" || utf8.RuneCountInString(text) > characters || len(text) > bytes ||
			!strings.HasSuffix(text, "…") ||
			!strings.HasPrefix(text, "写\ufffd") || strings.ContainsRune(text, 0) {
			t.Errorf("%s has %d characters, %d bytes: %.100q", what, utf8.RuneCountInString(text),
				len(text), text)
		}
	}
	fields := []string{"deviceName", "manufacturer", "model", "osVersion", "serialNumber"}
	device := s.must(http.StatusOK, "GET", p.path(), nil).body
	for _, name := range fields {
		check(name, device[name], 256, 1024)
	}
	// The same when an inventory tells it.
	task, err := s.engine.Idle(t.Context(), p.id)
	for err == nil && task != nil {
		report := engine.Report{Task: task.ID, Outcome: p.do(task)}
		if task.Kind == action.TakeInventory && task.Class == action.Facts {
			report.Facts = &fleet.Facts{Device: fleet.Device{Name: long + "2", Model: long,
				OSVersion: long, SerialNumber: long}}
		}
		task, err = s.engine.Answer(t.Context(), p.id, report)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range fields {
		check(name, s.must(http.StatusOK, "GET", p.path(), nil).body[name], 256, 1024)
	}
	s.must(http.StatusOK, "GET",
		devices+"?$orderby=deviceName&$filter=startswith(deviceName,'%E5%86%99')", nil)

	p.fail["com.example.wifi"] = action.Outcome{Verdict: action.Permanent, Code: 12, Detail: long}
	p.fail["com.example.mail"] = action.Outcome{Verdict: action.Retriable, Code: 13, Detail: long}
	p.sync(config(wifi), app(mail))
	p.connect()
	for i := range 2 {
		detail, _ := at(p.result("syncPayloads"), "deviceActionPayloads", i, "detail").(string)
		if len(detail) < 2<<10 || len(detail) > 4<<10 || !utf8.ValidString(detail) ||
			strings.ContainsRune(detail, 0) {
			t.Errorf("detail %d has %d bytes: %.200q", i, len(detail), detail)
		}
	}
	p.must(http.StatusNoContent, "POST", p.path()+"/changeAssignments",
		object{"deviceAssignmentItems": []object{
			{"itemId": wifi, "itemType": "deviceConfiguration"}}})
	p.connect()
	if said := fmt.Sprint(at(p.result("changeAssignments"), "deviceAssignmentItems", 0,
		"intentActionMessage")); utf8.RuneCountInString(said) > 1500 ||
		!strings.HasPrefix(said, "写") {
		t.Errorf("intentActionMessage is %.200q", said)
	}
	failures := s.must(http.StatusOK, "GET", "/api/failures", nil)
	if list, _ := failures.body["recent"].([]any); len(list) == 0 ||
		len(failures.text) > len(list)*6<<10+1000 {
		t.Errorf("%d failures have %d bytes", len(list), len(failures.text))
	}
	events, err := s.store.Events(t.Context(), "", 0, 1000)
	if err != nil || len(events) == 0 {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Result != nil && len(e.Result.Detail) > 4<<10 {
			t.Errorf("an event has a detail of %d bytes", len(e.Result.Detail))
		}
	}
	entries := s.must(http.StatusOK, "GET", auditEvents+"?$top=5", nil)
	if len(entries.text) > 32<<10 {
		t.Errorf("5 audit entries have %d bytes", len(entries.text))
	}
}

// Failures are read some at a time, so that what they say is not in memory all at once; each is
// counted once.
func TestManyFailures(t *testing.T) {
	s := newSite(t)
	wifi := s.addProfile("wifi")
	var phones []*phone
	for i := range 40 {
		p := s.enroll(fleet.Device{Name: "p", Platform: fleet.IOS, UDID: fmt.Sprint("00008120-", i),
			Supervised: true})
		p.connect()
		phones = append(phones, p)
	}
	for round := range 16 { // more than one reading, most of them at the same moment
		for _, p := range phones {
			p.fail["com.example.wifi"] = action.Outcome{Verdict: action.Permanent,
				Code: int64(round % 3), Detail: "no"}
			if round%2 == 0 {
				p.sync(config(wifi))
			} else {
				p.sync()
			}
			p.connect()
		}
	}
	total := func(bearer string) (n int) {
		for _, count := range s.as(bearer, http.StatusOK, "GET", "/api/failures",
			nil).body["value"].([]any) {
			var of int
			_, _ = fmt.Sscan(fmt.Sprint(at(count, "count")), &of)
			n += of
		}
		return n
	}
	if whole, part := total(s.token), total(s.limitedTo("0")); whole < 600 || whole != part {
		t.Errorf("%d failures, and %d for who sees all of them one by one", whole, part)
	}
}

// What callers name is bounded as well, in the words that Graph's clients understand.
func TestWhatCallersNameIsBounded(t *testing.T) {
	s := newSite(t)
	id := s.addProfile("wifi")
	for _, tt := range []struct{ method, path, name, most string }{
		{"POST", groups, "displayName", "200"}, {"POST", groups, "description", "10000"},
		{"POST", definitions, "displayName", "128"},
		{"POST", scopeTags, "displayName", "128"}, {"POST", scopeTags, "description", "1024"},
		{"POST", "/api/tokens", "name", "100"},
		{"PATCH", configurations + "/" + id, "displayName", "200"},
		{"PATCH", configurations + "/" + id, "payloadFileName", "255"},
		{"PATCH", configurations + "/" + id, "payloadName", "10000"},
	} {
		body := object{"displayName": "x", "name": "x", "role": "Administrator",
			tt.name: strings.Repeat("ä", 100_000)}
		if tt.path == "/api/tokens" {
			delete(body, "displayName")
		} else {
			delete(body, "name")
			delete(body, "role")
		}
		a := s.call(tt.method, tt.path, body)
		if a.status != http.StatusBadRequest || at(a.body, "error", "target") != tt.name ||
			!strings.Contains(a.message(), tt.most) || len(a.text) > 2000 {
			t.Errorf("%s %s with a long %s: got %.600s", tt.method, tt.path, tt.name, a)
		}
	}
}

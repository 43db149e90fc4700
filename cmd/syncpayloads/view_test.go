package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-runewidth"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/plaintext"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

func TestChoose(t *testing.T) {
	known := []client.Payload{{ID: "11111111-1111-4111-8111-11111111111a", DisplayName: "Wi-Fi"},
		{ID: "22222222-2222-4222-8222-22222222222b", DisplayName: "Mail"},
		{ID: "33333333-3333-4333-8333-33333333333c", DisplayName: "Mail"}}
	for _, test := range []struct {
		names []string
		ids   string // first digits
		fails string
	}{
		{[]string{"wi-fi"}, "1", ""},
		{[]string{"22222222-2222-4222-8222-22222222222B", "Wi-Fi"}, "21", ""},
		{[]string{"Wi-Fi", "WI-FI", known[0].ID}, "1", ""},
		{[]string{"Mail"}, "", "2 payloads of the device have the name \"Mail\""},
		{[]string{"Wi"}, "", "no payload with the id or name \"Wi\""},
		{[]string{""}, "", "no payload with the id or name \"\""},
	} {
		chosen, err := choose(known, test.names)
		ids := ""
		for _, p := range chosen {
			ids += p.ID[:1]
		}
		if ids != test.ids || (err == nil) != (test.fails == "") ||
			err != nil && !strings.Contains(err.Error(), test.fails) {
			t.Errorf("choose(%q) is %q, %v; want %q, %q", test.names, ids, err, test.ids,
				test.fails)
		}
	}
}

func parsed(t *testing.T, text string) *client.ActionResult {
	t.Helper()
	r := new(client.ActionResult)
	if err := json.Unmarshal([]byte(text), r); err != nil {
		t.Fatal(err)
	}
	return r
}

const running = `{"actionName":"syncPayloads","actionState":"active","startDateTime":"2026-01-02T10:00:00Z",
 "lastUpdatedDateTime":"2026-01-02T10:00:01Z","deviceActionPayloads":[
 {"payloadId":"a","payloadType":"application","displayName":"写作 \u001b[31m","intent":"remove","status":"removed","detail":null,"errorCode":0,
  "lastModifiedDateTime":"2026-01-02T10:00:01Z"},
 {"payloadId":"b","payloadType":"deviceConfiguration","displayName":"Wi-Fi","intent":"restore","status":"error","detail":"no","errorCode":7,
  "lastModifiedDateTime":"2026-01-02T10:00:01Z"},
 {"payloadId":"c","payloadType":"deviceConfiguration","displayName":null,"intent":"remove","status":"inProgress","detail":"installing","errorCode":0,
  "lastModifiedDateTime":"2026-01-02T10:00:01Z"}]}`

func TestTable(t *testing.T) {
	table := newTable(parsed(t, running), map[string]string{"b": "wiFi"})
	want := []struct{ mark, text string }{
		{"✓", "写作  [31m  application          remove   removed"},
		{"✗", "Wi-Fi       wiFi                 restore  error        no (code 7)"},
		{"", "c           deviceConfiguration  remove   in progress  installing"},
	}
	for i, row := range table.rows {
		if row.mark != want[i].mark || row.text() != want[i].text {
			t.Errorf("row %d is %q %q, want %q %q", i, row.mark, row.text(), want[i].mark,
				want[i].text)
		}
		if cut := truncate(row.text(), 20); runewidth.StringWidth(cut) > 20 ||
			!strings.HasSuffix(cut, "…") {
			t.Errorf("row %d in 20 columns is %q", i, cut)
		}
	}
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	v := newView(&out, "Phone", nil)
	first := parsed(t, running)
	ended := parsed(t, strings.NewReplacer(`"active"`, `"failed"`,
		`"inProgress","detail":"installing"`, `"removed","detail":null`).Replace(running))
	for _, r := range []*client.ActionResult{first, first, ended} {
		if err := v.show(nil, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 7 { // heading, three payloads, active; then what changed: one payload, failed
		t.Fatalf("%d lines:\n%s", len(lines), out.String())
	}
	if !strings.HasSuffix(lines[4], "action active") || !strings.Contains(lines[5], "removed") ||
		!strings.HasSuffix(lines[6], "action failed") {
		t.Errorf("lines are:\n%s", out.String())
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("a display name steers the terminal")
	}
}

// No text from outside turns the direction of writing, ends a line or steers the terminal in
// another way.
func TestNothingSteersATerminal(t *testing.T) {
	const steering = "\u202e\u2066\u200f\u2028\u0085\u009b31m\x1b[2J\a\u061c"
	steers := func(what, text string, lines int) {
		t.Helper()
		if strings.Count(text, "\n") != lines || strings.ContainsFunc(text, func(r rune) bool {
			return r != '\n' && plaintext.Steers(r)
		}) {
			t.Errorf("%s writes %q", what, text)
		}
	}
	var out bytes.Buffer
	if err := printTable(&out, []string{"id", "name"},
		[][]string{{"1", "Anna" + steering}, {"2", steering}}); err != nil {
		t.Fatal(err)
	}
	steers("a table", out.String(), 3)
	out.Reset()
	if err := printLine(&out, map[string]string{"name" + steering: steering}); err != nil {
		t.Fatal(err)
	}
	steers("a line of JSON", out.String(), 1)
	var read map[string]string
	if err := json.Unmarshal(out.Bytes(), &read); err != nil || read["name"+steering] != steering {
		t.Errorf("the JSON says %q, %v", read, err)
	}
	out.Reset()
	result := parsed(t, running)
	for i := range result.Payloads {
		p := &result.Payloads[i]
		p.DisplayName, p.Detail, p.SubType, p.Status = steering, steering, steering,
			client.Status(steering)
	}
	if err := newView(&out, steering, nil).show(nil, result); err != nil {
		t.Fatal(err)
	}
	steers("watch", out.String(), 5)
	result.State, result.Payloads[0].Status = client.StateNotSupported, client.Failed
	for _, err := range []error{endError(result), errors.New("the server said" + steering),
		&exit{exitTimeout, errors.New(steering)}} {
		if err != nil {
			out.Reset()
			report(t.Context(), &out, err)
			steers("an error", out.String(), 1)
		}
	}
	if _, err := choose([]client.Payload{{ID: "a", DisplayName: steering}},
		[]string{"x"}); err == nil {
		t.Error("chosen")
	} else {
		steers("a choice", err.Error(), 1)
	}
}

func TestVerdict(t *testing.T) {
	for state, code := range map[string]int{"done": 0, "failed": exitPayloads,
		"notSupported": exitPayloads, "canceled": exitFailure} {
		err := endError(parsed(t, strings.Replace(running, `"active"`, `"`+state+`"`, 1)))
		got, special := 0, (*exit)(nil)
		if errors.As(err, &special) {
			got = special.code
		} else if err != nil {
			got = exitFailure
		}
		if got != code {
			t.Errorf("%s: exit code %d, want %d (%v)", state, got, code, err)
		}
	}
}

func TestStanding(t *testing.T) {
	for _, test := range []struct {
		payload client.Payload
		want    string
	}{
		{client.Payload{Assigned: true, Presence: client.Present, Work: client.WorkIdle},
			"installed"},
		{client.Payload{Assigned: true, Presence: client.Absent, Work: "queued"},
			"not installed, queued"},
		{client.Payload{Assigned: true, Presence: client.Unknown, Removed: true,
			Work: client.WorkSent}, "not known, sent"},
		{client.Payload{Presence: client.Absent, Removed: true, Work: client.WorkIdle},
			"removed, no longer assigned"},
		{client.Payload{Assigned: true, Presence: client.Present, Removed: true,
			Work:  client.WorkFailed,
			Error: &client.Failure{Code: 7, Detail: "no"}}, "installed, given up: no (code 7)"},
	} {
		if got := payloadState(test.payload); got != test.want {
			t.Errorf("%+v stands as %q, want %q", test.payload, got, test.want)
		}
	}
}

func TestEveryFlagHasATwin(t *testing.T) {
	parser, err := newParser()
	if err != nil {
		t.Fatal(err)
	}
	flags := 0
	err = kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok && flag.Name != "help" {
			flags++
			if len(flag.Envs) != 1 || !strings.HasPrefix(flag.Envs[0], "SYNCPAYLOADS_") {
				t.Errorf("--%s has the environment twins %v", flag.Name, flag.Envs)
			}
		}
		return next(nil)
	})
	if err != nil || flags < 50 {
		t.Errorf("%d flags, %v", flags, err)
	}
}

func TestCompletion(t *testing.T) {
	for line, want := range map[string]string{"syncpayloads rem": "remove",
		"syncpayloads token ":       "revoke",
		"syncpayloads demo --ready": "--ready-file", "syncpayloads completion ": "zsh"} {
		runProgram(t, []string{"COMP_LINE=" + line}).want(t, 0, want)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		runProgram(t, nil, "completion", shell).want(t, 0, servertest.Program(t), "syncpayloads")
	}
}

func TestHelpAndVersion(t *testing.T) {
	runProgram(t, nil).want(t, 0, "Usage: syncpayloads", "Exit codes")
	runProgram(t, nil, "remove", "--help").want(t, 0, "SYNCPAYLOADS_TOKEN", "--restore-after")
	runProgram(t, nil, "version").want(t, 0, "syncpayloads", "go1.")
	if v := decode[map[string]string](t, runProgram(t, nil, "version",
		"--json").stdout); v["version"] == "" {
		t.Errorf("version is %v", v)
	}
}

// What goes on is told by its step; a step that is not known yet is in progress.
func TestStepInTable(t *testing.T) {
	for step, want := range map[string]string{"asked": "asked", "notNow": "not now", "sent": "sent",
		"failing":           "trying again",
		"of a later server": "in progress", "": "in progress"} {
		r := parsed(t, strings.Replace(running, `"status":"inProgress"`,
			`"status":"inProgress","@syncpayloads.step":"`+step+`"`, 1))
		if row := newTable(r, nil).rows[2]; row.cells[3] != want {
			t.Errorf("step %q is shown as %q, want %q", step, row.cells[3], want)
		}
		ended := parsed(t, strings.Replace(running, `"status":"removed"`,
			`"status":"removed","@syncpayloads.step":"`+step+`"`, 1))
		if row := newTable(ended, nil).rows[0]; row.cells[3] != "removed" {
			t.Errorf("after step %q what was removed is shown as %q", step, row.cells[3])
		}
	}
}

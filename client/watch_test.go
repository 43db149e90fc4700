package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/cost"
)

const (
	eventBase  = `"deviceId":"d","actionName":"syncPayloads","startDateTime":"2026-01-02T10:00:00Z","initiatedBy":"admin"`
	eventItem  = `{"@odata.type":"microsoft.graph.deviceActionPayload","payloadId":"%s","new":1,"status":"%s"}`
	resultHead = `{"@odata.type":"#microsoft.graph.syncPayloadsActionResult","actionName":"syncPayloads","actionState":"%s",` +
		`"startDateTime":"2026-01-02T10:00:00Z","lastUpdatedDateTime":"2026-01-02T10:00:%02dZ","deviceActionPayloads":[%s]}`
)

func snapshotLine(id int, results string) string {
	return fmt.Sprintf(`{"id":%d,"type":"snapshot","value":[%s]}`, id, results) + "\n"
}

func startedLine(id int, state string) string {
	return fmt.Sprintf(`{"id":%d,"type":"actionStarted","dateTime":"2026-01-02T10:00:00Z","actionState":"%s",%s}`, id, state, eventBase) + "\n"
}

// payloadLine already has the state that the action has after all of the step.
func payloadLine(id int, payload, status, state string) string {
	return fmt.Sprintf(`{"id":%d,"type":"payloadChanged","actionState":"%s",%s,"deviceActionPayload":`+eventItem+`}`, id, state, eventBase,
		payload, status) + "\n"
}

func changedLine(id int, state string, second int) string {
	return fmt.Sprintf(`{"id":%d,"type":"actionChanged","dateTime":"2026-01-02T10:00:%02dZ","actionState":"%s",%s}`, id, second, state,
		eventBase) + "\n"
}

// connection is how the scripted server answers one request of a watch.
type connection struct {
	resumes string // the Last-Event-ID that is wanted
	status  int    // 0: a stream
	lines   string
	cut     bool // the connection, instead of an end in good order
}

// script is an HTTPS server that streams as a test says, and checks what it is asked.
func script(t *testing.T, connections []connection) *client.Client {
	t.Helper()
	var calls atomic.Int64
	c := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		n := int(calls.Add(1)) - 1
		if n >= len(connections) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		now := connections[n]
		if got := r.Header.Get("Last-Event-ID"); got != now.resumes ||
			r.Header.Get("Accept") != "application/x-ndjson" ||
			r.URL.Path != "/api/devices/d/events" ||
			r.Header.Get("Authorization") != "Bearer sp_test" {
			t.Errorf("request %d is %s %v, want to resume behind %q", n, r.URL, r.Header,
				now.resumes)
		}
		w.Header().Set("Content-Type", "application/x-ndjson; charset=utf-8")
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(max(now.status, http.StatusOK))
		_, _ = io.WriteString(w, now.lines)
		_ = http.NewResponseController(w).Flush()
		if now.cut {
			panic(http.ErrAbortHandler)
		}
	})
	t.Cleanup(func() {
		if got := int(calls.Load()); got < len(connections) {
			t.Errorf("%d requests, want %d", got, len(connections))
		}
	})
	c.SetStreamTiming(time.Minute, time.Millisecond, time.Minute)
	return c
}

// watched is what a watch yields until it ends, as JSON, and how it ends.
func watched(ctx context.Context, c *client.Client) (got []string, ended error) {
	for update, err := range c.Watch(ctx, "d") {
		if err != nil {
			return got, err
		}
		text, err := json.Marshal(update.Results)
		if err != nil {
			return got, err
		}
		got = append(got, string(text))
	}
	return got, nil
}

// A watch yields at every event that changes something, exactly once, whatever becomes of its
// connections.
func TestWatch(t *testing.T) {
	a, b := fmt.Sprintf(eventItem, "a", "inProgress"), fmt.Sprintf(eventItem, "b", "inProgress")
	aEnded := fmt.Sprintf(eventItem, "a", "removed")
	result := func(state string, second int, items ...string) string {
		return fmt.Sprintf(resultHead, state, second, strings.Join(items, ","))
	}
	other := `{"@odata.type":"x","future":{"b":1,"a":[2]},"actionName":"changeAssignments","startDateTime":"2026-01-01T10:00:00Z"}`
	added := `{"deviceId":"d","initiatedBy":"admin",` + other[1:]
	got, ended := watched(t.Context(), script(t, []connection{
		{lines: "\n" + snapshotLine(5, added)[:40], cut: true}, // half a snapshot is none
		{status: http.StatusInternalServerError},
		{lines: snapshotLine(5, added) + "\n" + startedLine(6, "pending") +
			payloadLine(7, "a", "inProgress", "pending") +
			payloadLine(8, "b", "inProgress", "pending")[:30], cut: true},
		{resumes: "7", status: http.StatusServiceUnavailable},
		{resumes: "7", status: http.StatusTooManyRequests},
		{resumes: "7", lines: payloadLine(7, "a", "error", "failed") + "\r\n" +
			payloadLine(8, "b", "inProgress", "pending") +
			changedLine(9, "active", 1) + changedLine(10, "active", 1) +
			`{"id":11,"type":"ofALaterServer"}` + "\n"},
		{resumes: "11", status: http.StatusBadGateway},
		{resumes: "11"},
		{resumes: "11", lines: "not JSON\n" + changedLine(12, "done", 2)},
		{resumes: "11", lines: payloadLine(12, "a", "removed", "done") +
			changedLine(13, "done", 2)[:50], cut: true},
		// a backup was put back: as it was
		{resumes: "12", lines: snapshotLine(2, result("active", 1, aEnded, b)+","+added)},
		{resumes: "2", lines: changedLine(3, "done", 3) + snapshotLine(1, "")},
		// ended as it began
		{resumes: "1", lines: startedLine(2, "done") + changedLine(3, "done", 0)},
		{resumes: "3", status: http.StatusNotFound},
	}))
	want := []string{
		"[" + other + "]",
		"[" + result("pending", 0) + "," + other + "]",
		"[" + result("pending", 0, a) + "," + other + "]",
		"[" + result("pending", 0, a, b) + "," + other + "]",
		"[" + result("active", 1, a, b) + "," + other + "]",
		"[" + result("active", 1, aEnded, b) + "," + other + "]",
		"[" + result("done", 3, aEnded, b) + "," + other + "]",
		"[]",
		"[" + result("pending", 0) + "]",
		"[" + result("done", 0) + "]",
	}
	if !slices.Equal(got, want) || !client.IsNotFound(ended) {
		t.Errorf("ended with %v, yielded\n%s\nwant\n%s", ended, strings.Join(got, "\n"),
			strings.Join(want, "\n"))
	}
}

// An answer that will not change ends a watch at once.
func TestWatchRefused(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized,
		http.StatusForbidden, http.StatusNotFound} {
		_, err := watched(t.Context(), script(t,
			[]connection{{status: status, lines: `{"error":{"code":"No"}}`}}))
		var answer *client.Error
		if !errors.As(err, &answer) || answer.Status != status || answer.Code != "No" {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// What is no event stream is an outage, which a watch endures only for its time.
func TestWatchOutage(t *testing.T) {
	for name, test := range map[string]struct {
		contentType, body, says string
	}{
		"a page":   {"text/html", "<html>", "not an event stream"},
		"not JSON": {"application/x-ndjson", "<html>\n", "is 127.0.0.1:"},
		"no snapshot": {"application/x-ndjson", startedLine(1, "pending"),
			"does not begin with a snapshot"},
		"no id": {"application/x-ndjson", `{"type":"snapshot","value":[]}` + "\n",
			"has no id"},
		"not a result": {"application/x-ndjson", snapshotLine(1, "7"), "not a JSON object"},
	} {
		var calls atomic.Int64
		c := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
			calls.Add(1)
			w.Header().Set("Content-Type", test.contentType)
			_, _ = io.WriteString(w, test.body)
		})
		c.SetStreamTiming(time.Minute, time.Millisecond, 500*time.Millisecond)
		if got, err := watched(t.Context(), c); len(got) != 0 || err == nil ||
			!strings.Contains(err.Error(), test.says) || calls.Load() < 2 {
			t.Errorf("%s: %d calls, yielded %q, %v", name, calls.Load(), got, err)
		}
	}
	c, err := client.New(client.Config{URL: "https://127.0.0.1:1", Token: "x"})
	if err != nil {
		t.Fatal(err)
	}
	c.SetStreamTiming(time.Minute, time.Millisecond, 50*time.Millisecond)
	if _, err := watched(t.Context(), c); err == nil ||
		!strings.Contains(err.Error(), "the server does not answer") {
		t.Errorf("nothing listens: %v", err)
	}
}

// A stream outlives the client's limit to the time of an answer, and ends with its context.
func TestWatchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	limit := 200 * time.Millisecond
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = io.WriteString(w, snapshotLine(1, ""))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(2 * limit): // it is this time that matters
			_, _ = io.WriteString(w, startedLine(2, "pending"))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		case <-r.Context().Done():
			t.Error("the stream was cut off")
			cancel()
		}
	}))
	defer s.Close()
	limited := s.Client()
	limited.Timeout = limit
	c, err := client.New(client.Config{URL: s.URL, Token: "x", HTTPClient: limited})
	if err != nil {
		t.Fatal(err)
	}
	yields := 0
	for _, err := range c.Watch(ctx, "d") {
		if err != nil {
			if !errors.Is(err, context.Canceled) || yields != 2 {
				t.Errorf("after %d yields: %v", yields, err)
			}
			return
		}
		if yields++; yields == 2 {
			cancel()
		}
	}
	t.Error("ended without an error")
}

// roundTrip answers requests in the process, as fast as fuzzing needs it.
type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

// FuzzWatch: whatever a server streams, in whatever pieces, a watch yields sound results, and
// resumes where it was.
func FuzzWatch(f *testing.F) {
	f.Add([]byte(snapshotLine(1, "") + "\n" + startedLine(2, "pending") +
		payloadLine(3, "a", "inProgress", "pending") +
		changedLine(4, "done", 1)))
	f.Add([]byte(snapshotLine(1,
		`{"actionName":"changeAssignments","deviceAssignmentItems":[{"itemId":"a"},null],"a":1,"a":2}`) +
		`{"id":2,"type":"payloadChanged","actionName":"changeAssignments","deviceAssignmentItem":{"itemId":"a","errorCode":7}}` + "\n"))
	f.Add([]byte(snapshotLine(9, `null`) + snapshotLine(1,
		`{"initiatedBy":"<\u2028>","ACTIONNAME":"x"}`) + `{"id":-1}`))
	f.Add([]byte(`{"id":1,"type":"snapshot","value":null}` + "\n" +
		`{"id":2,"type":"actionStarted","startDateTime":"9999-12-31T23:59:59-23:59"}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		defer cost.Input(t)()
		follow := func(body io.Reader) (got []string, resumed string) {
			requests := 0
			transport := roundTrip(func(r *http.Request) *http.Response {
				answer := &http.Response{StatusCode: 200, Status: "200 OK", Request: r,
					Body:   io.NopCloser(body),
					Header: http.Header{"Content-Type": {"application/x-ndjson"}}}
				if requests++; requests > 1 {
					resumed = r.Header.Get("Last-Event-ID")
					answer.StatusCode, answer.Body = 404, http.NoBody
				}
				return answer
			})
			c, err := client.New(client.Config{URL: "https://localhost", Token: "x",
				HTTPClient: &http.Client{Transport: transport}})
			if err != nil {
				t.Fatal(err)
			}
			c.SetStreamTiming(time.Minute, 0, time.Minute)
			got, err = watched(t.Context(), c)
			if !client.IsNotFound(err) {
				t.Errorf("ended with %v", err)
			}
			return got, resumed
		}
		got, resumed := follow(bytes.NewReader(text))
		pieces, again := follow(iotest.OneByteReader(bytes.NewReader(text)))
		if !slices.Equal(got, pieces) || resumed != again {
			t.Errorf("yielded %q and then resumed behind %q; in pieces %q and %q", got, resumed,
				pieces, again)
		}
		if (resumed == "") != (len(got) == 0) ||
			resumed != "" && !bytes.Contains(text, []byte(resumed)) {
			t.Errorf("resumed behind %q after %q", resumed, got)
		}
		for i, now := range got {
			var results []client.ActionResult
			if err := json.Unmarshal([]byte(now), &results); err != nil ||
				i > 0 && now == got[i-1] {
				t.Errorf("yielded %s: %v", now, err)
			}
		}
	})
}

// A result of either name says how far each payload has come.
func TestStepOfResult(t *testing.T) {
	for _, text := range []string{
		`{"actionName":"syncPayloads","deviceActionPayloads":[{"payloadId":"a","@syncpayloads.step":"notNow"}]}`,
		`{"actionName":"changeAssignments","deviceAssignmentItems":[{"itemId":"a","@syncpayloads.step":"notNow"}]}`,
	} {
		var r client.ActionResult
		if err := json.Unmarshal([]byte(text), &r); err != nil || len(r.Payloads) != 1 ||
			r.Payloads[0].Step != client.StepNotNow {
			t.Errorf("%s is read as %+v, %v", text, r, err)
		}
	}
}

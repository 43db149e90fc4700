package client_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// scripted is an HTTPS server that answers as a test says.
func scripted(t *testing.T, handler http.HandlerFunc) *client.Client {
	t.Helper()
	s := httptest.NewTLSServer(handler)
	t.Cleanup(s.Close)
	c, err := client.New(client.Config{URL: s.URL, Token: "sp_test", CAFile: caFile(t, s)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func caFile(t *testing.T, s *httptest.Server) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestNewRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		config client.Config
		says   string
	}{
		{client.Config{URL: "http://localhost", Token: "x"}, "give https://host[:port]"},
		{client.Config{URL: "localhost:8443", Token: "x"}, "give https://host[:port]"},
		{client.Config{URL: "https://localhost/beta", Token: "x"}, "give https://host[:port]"},
		{client.Config{URL: "https://localhost"}, "token create"},
		{client.Config{URL: "https://localhost", Token: "x\n"}, "copy it again"},
		{client.Config{URL: "https://localhost", Token: "x", CAFile: "/nowhere.pem"},
			"/nowhere.pem"},
		{client.Config{URL: "https://localhost", Token: "x", CAFile: empty},
			"no certificate in PEM"},
		{client.Config{URL: "https://localhost", Token: "x", CAFile: empty,
			HTTPClient: http.DefaultClient}, "exclude each other"},
	} {
		if _, err := client.New(test.config); err == nil ||
			!strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v: %v, want %q", test.config, err, test.says)
		}
	}
	if _, err := client.New(client.Config{URL: "https://localhost:1/", Token: "x"}); err != nil {
		t.Errorf("a URL that ends in a slash: %v", err)
	}
}

func TestBusyServerIsAskedAgain(t *testing.T) {
	var calls atomic.Int64
	c := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") != "Bearer sp_test" ||
			string(body) != `{"deviceActionPayloads":[]}` {
			t.Errorf("call %d: %s with body %s", calls.Load(), r.Header, body)
		}
		if calls.Add(1) < 4 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader([]int{503, 429, 504}[calls.Load()-1])
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	if err := c.SyncPayloads(t.Context(), "d", nil, client.SyncOptions{}); err != nil ||
		calls.Load() != 4 {
		t.Errorf("%d calls, %v", calls.Load(), err)
	}
}

func TestBusyServerIsGivenUp(t *testing.T) {
	for retryAfter, want := range map[string]int64{"0": 4, "3600": 1} {
		var calls atomic.Int64
		c := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
			calls.Add(1)
			w.Header().Set("Retry-After", retryAfter)
			w.Header().Set("request-id", "r1")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		err := c.SyncDevice(t.Context(), "d")
		var answer *client.Error
		if !errors.As(err, &answer) || answer.Status != 503 || answer.RequestID != "r1" ||
			calls.Load() != want {
			t.Errorf("Retry-After %s: %d calls, %v", retryAfter, calls.Load(), err)
		}
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
		cancel()
	})
	if err := c.SyncDevice(ctx, "d"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestErrors(t *testing.T) {
	const graph = `{"error":{"code":"BadRequest","message":"No.","target":"$top","innerError":{"request-id":"r2"}}}`
	for body, want := range map[string]client.Error{
		graph: {Status: 400, Code: "BadRequest", Message: "No.", Target: "$top",
			RequestID: "r2"},
		"<html>proxy</html>": {Status: 400},
		"":                   {Status: 400},
		"[]":                 {Status: 400},
	} {
		c := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, body)
		})
		var got *client.Error
		if err := c.SyncDevice(t.Context(), "d"); !errors.As(err, &got) || *got != want {
			t.Errorf("%s: %+v", body, err)
		}
		if !strings.Contains(got.Error(), "400") || strings.HasSuffix(got.Error(), ": ") {
			t.Errorf("%s: the message is %q", body, got)
		}
	}
	c := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<html>")
	})
	if _, err := c.Payloads(t.Context(), "d"); err == nil ||
		!strings.Contains(err.Error(), "is 127.0.0.1:") {
		t.Errorf("an answer that is not JSON: %v", err)
	}
}

// The token goes only to the server that was given, wherever links lead, and an id cannot change
// the path.
func TestTokenStays(t *testing.T) {
	stranger := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a stranger was asked")
	}))
	defer stranger.Close()
	var paths []string
	c := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.EscapedPath())
		page := map[string]any{"value": []any{map[string]any{"id": r.URL.Query().Get("$skiptoken")}}}
		if len(paths) == 1 {
			page["@odata.nextLink"] = stranger.URL +
				"/beta/deviceManagement/managedDevices?$skiptoken=two"
		}
		_ = json.NewEncoder(w).Encode(page)
	})
	var ids []string
	for d, err := range c.Devices(t.Context(), client.DeviceOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, d.ID)
	}
	if len(ids) != 2 || ids[1] != "two" {
		t.Errorf("devices are %q", ids)
	}
	if err := c.SyncDevice(t.Context(), "../x?y"); err != nil ||
		!strings.Contains(paths[2], "..%2Fx%3Fy/syncDevice") {
		t.Errorf("path %s, %v", paths[2], err)
	}
}

func TestRestoreAfterIsSent(t *testing.T) {
	var sent []string
	c := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		sent = append(sent, strings.Join(r.Header.Values("Restore-After"), "|"))
		w.WriteHeader(http.StatusNoContent)
	})
	never, hour := time.Duration(0), time.Hour
	for _, after := range []*time.Duration{nil, &never, &hour} {
		if err := c.SyncPayloads(t.Context(), "d", nil,
			client.SyncOptions{RestoreAfter: after}); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Join(sent, ",") != ",0s,1h0m0s" {
		t.Errorf("headers are %q", sent)
	}
}

func FuzzActionResult(f *testing.F) {
	f.Add(`{"actionName":"syncPayloads","actionState":"done","deviceActionPayloads":[{"payloadId":"a","errorCode":-1,"detail":null}]}`)
	f.Add(`{"actionName":"changeAssignments","deviceAssignmentItems":[{"itemId":"a","assignmentItemActionStatus":"initiated"}]}`)
	f.Add(`{"startDateTime":null,"deviceActionPayloads":null}`)
	f.Fuzz(func(t *testing.T, text string) {
		defer cost.Input(t)()
		var r client.ActionResult
		if json.Unmarshal([]byte(text), &r) != nil {
			return
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var second client.ActionResult
		if err := json.Unmarshal(again, &second); err != nil ||
			len(second.Payloads) != len(r.Payloads) || second.State != r.State {
			t.Errorf("%s became %s: %v", text, again, err)
		}
		_ = r.Failures()
	})
}

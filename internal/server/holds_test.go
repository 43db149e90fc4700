package server_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/console"
	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// holding is which places a request takes while it is worked on: of devices' requests, of calls, of
// streams.
type holding [3]int64

var (
	nothing  = holding{}
	aDevices = holding{1, 0, 0}
	aCalls   = holding{0, 1, 0}
	aStreams = holding{0, 0, 1}
)

// mayHold says what every method of every route may hold. What is not here is a call.
func mayHold(method, pattern string) holding {
	switch pattern {
	case "/healthz", "/readyz":
		if method == "GET" || method == "HEAD" {
			return nothing
		}
	case "/mdm", "/scep", "/enroll/{code}":
		return aDevices
	case "/api/events", "/api/devices/{id}/events", "/console/events",
		"/console/devices/{id}/events":
		if method == "GET" { // HEAD has nothing to follow
			return aStreams
		}
	}
	return aCalls
}

var anyWildcard = regexp.MustCompile(`\{[a-z]+\}`)

// Every method of every route holds what the table says while it is worked on, and nothing when it
// is answered, but that a stream goes on.
func TestWhatEveryMethodOfEveryRouteHolds(t *testing.T) {
	w := newSlowWorld(t)
	found := make(chan holding, 1)
	w.Hold(func(r *http.Request) {
		if r.Header.Get(stays) != "" {
			var h holding
			h[0], h[1], h[2] = w.Held()
			found <- h
		}
	})
	var device string
	answer := call(t, w.Server, w.admin, "/beta/$batch", 200,
		`{"requests":[{"id":"1","method":"GET","url":"/deviceManagement/managedDevices"}]}`)
	device = answer["responses"].([]any)[0].(map[string]any)["body"].(map[string]any)["value"].([]any)[0].(map[string]any)["id"].(string)
	patterns := map[string]bool{"/": true, "/readyz": true, "/mdm": true, "/scep": true,
		"/enroll/{code}": true, "/console/nothing": true, "/nothing": true}
	for _, p := range append(graph.Patterns(), console.Patterns()...) {
		_, pattern, _ := strings.Cut(p, " ")
		patterns[pattern] = true
	}
	client := browser(t, trust(t, w.Server))
	for pattern := range patterns {
		path := strings.ReplaceAll(strings.ReplaceAll(pattern, "{$}", ""), "/devices/{id}",
			"/devices/"+device)
		path = anyWildcard.ReplaceAllString(path, "x")
		if strings.HasSuffix(pattern, "/sign-out") {
			continue // the session is needed for the others
		}
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
			"TRACE", "QUERY"} {
			r, err := http.NewRequestWithContext(t.Context(), method, w.URL()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header = bearer(w.admin)
			r.Header.Set(stays, "yes")
			r.Header.Set("Cookie", "__Host-syncpayloads="+w.session)
			answer, err := client.Do(r)
			if err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			want := mayHold(method, pattern)
			if got := <-found; got != want {
				t.Errorf("%s %s holds %v while it is worked on, want %v", method, pattern, got,
					want)
			}
			if want == aStreams && answer.StatusCode == http.StatusOK {
				if got := w.held(); got != want {
					t.Errorf("%s %s holds %v while it goes on, want %v", method, pattern, got, want)
				}
			} else if _, err := io.Copy(io.Discard, answer.Body); err != nil {
				t.Errorf("%s %s: %v", method, pattern, err)
			}
			_ = answer.Body.Close()
			w.freed(fmt.Sprintf("%s %s", method, pattern))
		}
	}
}

func (w *slowWorld) held() (h holding) {
	h[0], h[1], h[2] = w.Held()
	return h
}

// freed waits until nothing is held any more.
func (w *slowWorld) freed(after string) {
	w.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if h := w.held(); h == nothing && w.HeldBytes() == 0 {
			return
		} else if time.Now().After(end) {
			w.Fatalf("%s holds %v places and %d bytes for ever", after, h, w.HeldBytes())
		}
	}
}

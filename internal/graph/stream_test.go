package graph_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// A stream on which nothing happens for longer than a write may take goes on, over either version
// of HTTP.
func TestQuietStreamStaysOpen(t *testing.T) {
	const patience = 50 * time.Millisecond
	graph.SetWritePatience(patience)
	defer graph.SetWritePatience(10 * time.Second)
	for _, two := range []bool{false, true} {
		s := newSite(t)
		p := s.enrollPhone()
		vpn := s.addProfile("vpn")
		secure := httptest.NewUnstartedServer(s.Config.Handler)
		secure.EnableHTTP2 = two
		secure.StartTLS()
		defer secure.Close()
		r, err := http.NewRequestWithContext(t.Context(), "GET", secure.URL+"/api/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.token)
		r.Header.Set("Accept", "application/x-ndjson")
		response, err := secure.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if (response.ProtoMajor == 2) != two {
			t.Fatalf("the stream is served over %s", response.Proto)
		}
		lines := bufio.NewReader(response.Body)
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		<-time.After(4 * patience) // the deadline is real time
		p.sync(config(vpn))
		if line, err := lines.ReadString('\n'); err != nil ||
			!strings.Contains(line, "actionStarted") {
			t.Errorf("%s: after a while without events: %q, %v", response.Proto, line, err)
		}
		_ = response.Body.Close()
	}
}

// HEAD tells what a stream would be, and ends.
func TestHeadOfAStream(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	for path, status := range map[string]int{"/api/events": 200,
		"/api/devices/" + string(p.id) + "/events": 200} {
		a := s.call("HEAD", path, nil)
		if a.status != status || status == 200 &&
			a.header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("HEAD %s: %d %v", path, a.status, a.header)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), "HEAD", s.URL+"/api/devices/nothing/events",
		nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("HEAD of no device's stream: %s", response.Status)
	}
}

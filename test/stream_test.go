package test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

// event is one event of a stream, as it was served.
type event struct {
	ID          int64
	Type        string
	DeviceID    string
	ActionState string
	InitiatedBy string
	Payload     struct{ PayloadID, Intent, Status string } `json:"deviceActionPayload"`
	Value       []struct{ DeviceID, ActionState string }
}

func (e event) String() string {
	return strings.TrimSpace(fmt.Sprint(e.Type, " ", e.ActionState, " ", e.Payload.Intent, " ",
		e.Payload.Status))
}

// listen opens a stream and hands on its events until ctx ends.
func (s *site) listen(ctx context.Context, path string,
	header map[string]string) (<-chan event, *http.Response) {
	s.Helper()
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	res, err := s.http.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	events := make(chan event, 1024)
	if res.StatusCode != http.StatusOK {
		_ = res.Body.Close()
		close(events)
		return events, res
	}
	go func() {
		defer close(events)
		defer res.Body.Close()
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			text, data := strings.CutPrefix(lines.Text(), "data: ")
			if !data && !strings.HasPrefix(text, "{") {
				continue
			}
			var e event
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				s.Errorf("%v in %s", err, text)
				return
			}
			events <- e
		}
	}()
	return events, res
}

// take reads events until one is as wanted.
func (s *site) take(events <-chan event, until func(event) bool) (got []event) {
	s.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case e, more := <-events:
			if !more {
				s.Fatalf("the stream ended after %v", got)
			}
			if got = append(got, e); until(e) {
				return got
			}
		case <-limit:
			s.Fatalf("no more after %v", got)
		}
	}
}

func ended(e event) bool { return e.Type == "actionChanged" && e.ActionState == "done" }

// An admin watches a removal: every change comes by itself, in order, and after a break from where
// it broke off.
func TestStream(t *testing.T) {
	for name, accept := range map[string]string{"server-sent events": "text/event-stream",
		"lines of JSON": "application/x-ndjson"} {
		t.Run(name, func(t *testing.T) {
			s, phone, vpn, app := onePhone(t)
			path := "/api/devices/" + s.ids[phone] + "/events"
			ctx, cut := context.WithCancel(t.Context())
			events, res := s.listen(ctx, path, map[string]string{"Accept": accept})
			if got := res.Header.Get("Content-Type"); got != accept {
				t.Fatalf("served as %s", got)
			}
			if first := s.take(events, func(event) bool {
				return true
			}); first[0].Type != "snapshot" || len(first[0].Value) != 0 {
				t.Fatalf("begins with %+v", first)
			}
			s.sync(phone, vpn)
			got := s.take(events, ended)
			want := []string{"actionStarted pending", "payloadChanged pending remove inProgress",
				"payloadChanged active remove inProgress",
				"actionChanged active", "payloadChanged active remove inProgress",
				"payloadChanged done remove removed", "actionChanged done"}
			if lines := texts(got); !slices.Equal(lines, want) {
				t.Fatalf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
			}
			if got[0].InitiatedBy != "admin" || got[1].Payload.PayloadID != vpn.ID ||
				got[0].DeviceID != s.ids[phone] {
				t.Errorf("events are %+v", got)
			}
			cut()

			// While nobody listens, something happens; who resumes in the middle gets the rest, all
			// of it.
			s.sync(phone, vpn, app)
			s.ends(phone, "the second removal ends")
			resumed, _ := s.listen(t.Context(), path,
				map[string]string{"Accept": accept, "Last-Event-ID": fmt.Sprint(got[3].ID)})
			rest := s.take(resumed,
				func(e event) bool { return ended(e) && e.ID > got[len(got)-1].ID })
			if lines := texts(rest); !slices.Equal(lines[:3], want[4:]) ||
				rest[3].Type != "actionStarted" {
				t.Fatalf("resumed with\n%s", strings.Join(lines, "\n"))
			}

			// A new reader first sees how it stands.
			fresh, _ := s.listen(t.Context(), path, map[string]string{"Accept": accept})
			if first := s.take(fresh, func(event) bool { return true })[0]; len(first.Value) != 1 ||
				first.Value[0].ActionState != "done" ||
				first.ID != rest[len(rest)-1].ID {
				t.Errorf("begins with %+v", first)
			}
		})
	}
}

func texts(events []event) (lines []string) {
	for _, e := range events {
		lines = append(lines, e.String())
	}
	return lines
}

// The fleet's stream has the events of all devices; its snapshot has the actions that have not
// ended.
func TestFleetStream(t *testing.T) {
	s, first, vpn, _ := onePhone(t)
	second := s.enroll(simulator.Config{Kind: simulator.IPhone, Seed: 2})
	s.eventually("the second has everything",
		func() bool { return len(inventory(second)) == 2 && s.due(second) == 0 })
	first.SetOnline(false)
	s.sync(first, vpn)
	events, _ := s.listen(t.Context(), "/api/events", nil)
	if e := s.take(events, func(event) bool { return true })[0]; len(e.Value) != 1 ||
		e.Value[0].DeviceID != s.ids[first] || e.Value[0].ActionState != "pending" {
		t.Fatalf("begins with %+v", e)
	}
	s.sync(second, vpn)
	first.SetOnline(true)
	seen := map[string]bool{}
	s.take(events, func(e event) bool {
		seen[e.DeviceID] = seen[e.DeviceID] || ended(e)
		return seen[s.ids[first]] && seen[s.ids[second]]
	})
}

func TestStreamRefusals(t *testing.T) {
	s, phone, _, _ := onePhone(t)
	device := "/api/devices/" + s.ids[phone] + "/events"
	for _, c := range []struct {
		path   string
		header map[string]string
		status int
	}{
		{"/api/devices/unknown/events", nil, http.StatusNotFound},
		{"/api/devices/unknown/events?after=1", nil, http.StatusNotFound},
		{device, map[string]string{"Authorization": "Bearer x"}, http.StatusUnauthorized},
		{device, map[string]string{"Last-Event-ID": "x"}, http.StatusBadRequest},
		{device + "?after=-1", nil, http.StatusBadRequest},
		{device + "?since=1", nil, http.StatusBadRequest},
	} {
		if _, res := s.listen(t.Context(), c.path, c.header); res.StatusCode != c.status {
			t.Errorf("%s %v: %s, want %d", c.path, c.header, res.Status, c.status)
		}
	}
	// From another database, or longer ago than events are kept: begin anew.
	events, _ := s.listen(t.Context(), device+"?after=999999", nil)
	if e := s.take(events, func(event) bool { return true })[0]; e.Type != "snapshot" {
		t.Errorf("begins with %+v", e)
	}
}

// Readers that never read keep nobody waiting, and a server that closes does not wait for its
// readers.
func TestReadersThatDoNotRead(t *testing.T) {
	s, phone, vpn, app := onePhone(t)
	for range 100 {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"),
			s.transport().TLSClientConfig)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn,
			"GET /api/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+s.token+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		s.sync(phone, vpn, app)
		s.ends(phone, "the removal ends")
		s.sync(phone)
		s.ends(phone, "the restoration ends")
	}
	closing, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.server.Close(closing); err != nil {
		t.Errorf("closing: %v", err)
	}
}

// Old events are dropped.
func TestEventsAreDropped(t *testing.T) {
	s, phone, vpn, _ := onePhone(t)
	s.sync(phone, vpn)
	s.ends(phone, "the removal ends")
	count := func() (n int) {
		s.query(&n, "SELECT count(*) FROM events")
		return n
	}
	if count() == 0 {
		t.Fatal("there are no events")
	}
	s.clock.Advance(server.DefaultKeepEvents + 24*time.Hour)
	s.eventually("only what happened since is kept", func() bool {
		var oldest int64
		s.query(&oldest, "SELECT coalesce(min(at), 0) FROM events")
		return oldest == 0 || s.clock.Now().Sub(time.UnixMicro(oldest)) < server.DefaultKeepEvents
	})
}

package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// crowded is a server with little room.
type crowded struct {
	*testing.T
	*server.Server
	bearer  string
	client  *http.Client
	entered chan struct{} // one for each request that stays on its place
	leave   chan struct{} // closed when they may go on
}

// stays is the header of requests that stay on their places.
const stays = "Stays"

func newCrowded(t *testing.T, c server.Config) *crowded {
	c.DataDir = servertest.Folder(t)
	s := start(t, c)
	_, bearer, err := s.Tokens().Create(t.Context(),
		access.TokenInput{Name: "test", Role: access.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	crowd := &crowded{t, s, bearer, browser(t, trust(t, s)), make(chan struct{}),
		make(chan struct{})}
	s.Hold(func(r *http.Request) {
		if r.Header.Get(stays) != "" {
			crowd.entered <- struct{}{}
			<-crowd.leave
		}
	})
	return crowd
}

// stay has requests take their places and stay there. The returned function lets them go.
func (c *crowded) stay(n int, method, path string) (end func()) {
	var gone sync.WaitGroup
	for range n {
		gone.Go(func() {
			r, err := http.NewRequestWithContext(c.Context(), method, c.URL()+path,
				strings.NewReader("{}"))
			if err != nil {
				c.Error(err)
				return
			}
			r.Header.Set(stays, "yes")
			if answer, err := browser(c.T, trust(c.T, c.Server)).Do(r); err == nil {
				_ = answer.Body.Close()
			}
		})
		<-c.entered
	}
	return sync.OnceFunc(func() {
		close(c.leave)
		gone.Wait()
	})
}

func (c *crowded) ask(method, path string) (*http.Response, string) {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, c.URL()+path, strings.NewReader("{}"))
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.bearer)
	r.Header.Set("client-request-id", "mine")
	answer, err := c.client.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		c.Fatal(err)
	}
	return answer, string(text)
}

// Devices that take all their places leave the API alone, and the other way round. Who finds no
// place is told when to come again, and gets one when there is.
func TestCrowds(t *testing.T) {
	const devices, calls = "/mdm", "/beta/deviceManagement/deviceConfigurations"
	for name, c := range map[string]struct {
		crowd, other, crowdMethod, otherMethod string
		inDevices, inCalls                     int64 // the places that the crowd takes
	}{
		"devices": {devices, calls, "PUT", "GET", 2, 0},
		"calls":   {calls, devices, "POST", "PUT", 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newCrowded(t, server.Config{Capacity: server.Capacity{Devices: 2, Calls: 2,
				Waiting: 1, Wait: 50 * time.Millisecond}})
			end := s.stay(2, c.crowdMethod, c.crowd)
			defer end()
			if inDevices, inCalls, _ := s.Held(); inDevices != c.inDevices || inCalls != c.inCalls {
				t.Errorf("the crowd takes %d places of devices and %d of calls, want %d and %d",
					inDevices, inCalls, c.inDevices, c.inCalls)
			}
			for range 5 {
				answer, text := s.ask(c.crowdMethod, c.crowd)
				if answer.StatusCode != http.StatusServiceUnavailable ||
					answer.Header.Get("Retry-After") == "" {
					t.Fatalf("a crowded place answers %s %v %s", answer.Status, answer.Header, text)
				}
				if answer, text := s.ask(c.otherMethod,
					c.other); answer.StatusCode == http.StatusServiceUnavailable {
					t.Fatalf("the other place answers %s %s", answer.Status, text)
				}
				for _, path := range []string{"/healthz", "/readyz"} {
					if answer, _ := s.ask("GET", path); answer.StatusCode != http.StatusOK {
						t.Fatalf("the server says of itself at %s %s", path, answer.Status)
					}
				}
			}
			end()
			if answer, text := s.ask(c.crowdMethod,
				c.crowd); answer.StatusCode == http.StatusServiceUnavailable {
				t.Errorf("an empty place answers %s %s", answer.Status, text)
			}
		})
	}
}

// A refusal has the shape of every error of the API.
func TestRefusalForTheCrowd(t *testing.T) {
	t.Parallel()
	s := newCrowded(t, server.Config{Capacity: server.Capacity{Calls: 1, Waiting: 1,
		Wait: time.Millisecond}})
	defer s.stay(1, "POST", "/beta/deviceManagement/deviceConfigurations")()
	answer, text := s.ask("GET", "/beta/deviceManagement/managedDevices")
	var body struct {
		Error struct {
			Code, Message string
			InnerError    map[string]string
		}
	}
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	e := body.Error
	if e.Code != "ServiceUnavailable" || e.Message == "" ||
		e.InnerError["request-id"] != answer.Header.Get("request-id") ||
		e.InnerError["date"] == "" {
		t.Errorf("refused with %s %v", text, answer.Header)
	}
	if answer.Header.Get("client-request-id") != "mine" ||
		e.InnerError["client-request-id"] != "mine" || answer.Header.Get("Retry-After") != "5" ||
		answer.Header.Get("Content-Type") != "application/json" ||
		answer.Header.Get("OData-Version") != "4.0" {
		t.Errorf("a refusal differs from other errors: %s %v", text, answer.Header)
	}
	answer, text = s.ask("GET", "/console/")
	if answer.StatusCode != http.StatusServiceUnavailable || strings.HasPrefix(text, "{") ||
		answer.Header.Get("Retry-After") == "" {
		t.Errorf("a page is refused with %s %s", answer.Status, text)
	}
}

// Who waits is served in time if a place becomes free, and no more wait than may.
func TestWaitingRoom(t *testing.T) {
	t.Parallel()
	s := newCrowded(t, server.Config{Capacity: server.Capacity{Devices: 1, Waiting: 3,
		Wait: time.Minute}})
	end := s.stay(1, "PUT", "/mdm")
	defer end()
	const came = 8
	codes := make(chan int, came)
	for range came {
		go func() {
			answer, _ := s.ask("PUT", "/mdm")
			codes <- answer.StatusCode
		}()
	}
	counts := map[bool]int{}
	for range came - 3 { // all but those who wait are refused now, and nobody else
		counts[<-codes == http.StatusServiceUnavailable]++
	}
	end()
	for range 3 {
		counts[<-codes == http.StatusServiceUnavailable]++
	}
	if counts[true] != came-3 {
		t.Errorf("%d of %d were refused; one is served at a time, and three may wait", counts[true],
			came)
	}
}

// Readers of events take no place of calls, however many they are, and have a bound of their own.
func TestReadersTakeNoPlace(t *testing.T) {
	t.Parallel()
	s := newCrowded(t, server.Config{Capacity: server.Capacity{Calls: 1, Streams: 4, Waiting: 1,
		Wait: 50 * time.Millisecond}})
	for i := range 6 {
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL()+"/api/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.bearer)
		answer, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if want := map[bool]int{true: http.StatusOK,
			false: http.StatusServiceUnavailable}[i < 4]; answer.StatusCode != want {
			t.Errorf("reader %d: %s, want %d", i, answer.Status, want)
		}
		if answer, text := s.ask("GET",
			"/beta/deviceManagement/managedDevices"); answer.StatusCode != http.StatusOK {
			t.Fatalf("with %d readers a call is answered %s %s", i, answer.Status, text)
		}
	}
}

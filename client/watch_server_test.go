package client_test

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

// line is a network on the way to a server, which breaks when a test says so.
type line struct {
	listener net.Listener
	to       string

	mu     sync.Mutex
	open   []net.Conn
	closed bool          // to new connections
	frozen chan struct{} // of the connections that are open; closed: they carry nothing more
}

// newLine returns a line and the URL of its near end.
func newLine(t *testing.T, to string) (*line, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{listener: listener, to: strings.TrimPrefix(to, "https://"),
		frozen: make(chan struct{})}
	go l.serve()
	t.Cleanup(func() {
		_ = listener.Close()
		l.cut()
	})
	return l, "https://" + listener.Addr().String()
}

func (l *line) serve() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", l.to)
		l.mu.Lock()
		if err != nil || l.closed {
			_ = near.Close()
			if far != nil {
				_ = far.Close()
			}
		} else {
			l.open = append(l.open, near, far)
			go carry(near, far, l.frozen)
			go carry(far, near, l.frozen)
		}
		l.mu.Unlock()
	}
}

func carry(from, to net.Conn, frozen <-chan struct{}) {
	piece := make([]byte, 4096)
	for {
		n, err := from.Read(piece)
		select {
		case <-frozen: // what comes is lost, and nobody is told
			_, _ = io.Copy(io.Discard, from)
			return
		default:
		}
		if _, lost := to.Write(piece[:n]); err != nil || lost != nil {
			_ = errors.Join(from.Close(), to.Close())
			return
		}
	}
}

// cut breaks what is open, and lets nothing new through.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, c := range l.open {
		_ = c.Close()
	}
	l.open = nil
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = false
}

// freeze makes what is open carry nothing more, without an end. New connections work.
func (l *line) freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.frozen)
	l.frozen = make(chan struct{})
}

// watcher collects what a watch yields, as JSON.
type watcher struct {
	t      *testing.T
	yields chan string // closed when the watch has ended
	ended  error
	got    []string
}

// watch watches a device over a network that is taken for dead after some silence.
func watch(t *testing.T, c *client.Client, device string, silence time.Duration) *watcher {
	t.Helper()
	c.SetStreamTiming(silence, 10*time.Millisecond, time.Minute)
	w := &watcher{t: t, yields: make(chan string, 1024)}
	ctx := t.Context()
	go func() {
		defer close(w.yields)
		for update, err := range c.Watch(ctx, device) {
			if err != nil {
				w.ended = err
				return
			}
			text, err := json.Marshal(update.Results)
			if err != nil {
				t.Error(err)
			}
			w.yields <- string(text)
		}
	}()
	return w
}

// until waits for a yield whose latest action stands so.
func (w *watcher) until(want string) {
	w.t.Helper()
	for limit := time.After(time.Minute); ; {
		select {
		case text, more := <-w.yields:
			if !more {
				w.t.Fatalf("ended with %v after\n%s", w.ended, strings.Join(w.got, "\n"))
			}
			w.got = append(w.got, text)
			var results []client.ActionResult
			if err := json.Unmarshal([]byte(text), &results); err != nil {
				w.t.Fatalf("%v in %q", err, text)
			}
			if latest := client.Latest(results); latest != nil && summary(latest) == want ||
				latest == nil && want == "" {
				return
			}
		case <-limit:
			w.t.Fatalf("not %q after\n%s", want, strings.Join(w.got, "\n"))
		}
	}
}

// Over a line that is cut and that dies, and from a server that restarts, a watch yields the very
// same as one that was not disturbed, and in the end what the device's results are.
func TestWatchThroughBreaks(t *testing.T) {
	s := newSite(t)
	id, phone, device := s.phoneWithWiFi(t)
	network, url := newLine(t, s.server.URL())
	steady := watch(t, s.client(t, s.server.URL()), device.ID, time.Minute)
	// HTTP/2 without pings, as programs have it that bring their own
	unaided := s.http.Transport.(*http.Transport).Clone()
	unaided.ForceAttemptHTTP2 = true
	defer unaided.CloseIdleConnections()
	c, err := client.New(client.Config{URL: url, Token: s.bearer,
		HTTPClient: &http.Client{Transport: unaided}})
	if err != nil {
		t.Fatal(err)
	}
	disturbed := watch(t, c, device.ID, 400*time.Millisecond)
	both := func(want string) {
		t.Helper()
		steady.until(want)
		disturbed.until(want)
	}
	both("")

	network.cut()
	s.post(t, device.ID, "syncPayloads",
		`{"deviceActionPayloads":[{"payloadId":"`+id+`","payloadType":"deviceConfiguration"}]}`)
	s.connect(t, phone)
	steady.until("done remove removed")
	network.mend()
	disturbed.until("done remove removed")

	network.freeze()
	s.post(t, device.ID, "changeAssignments", `{"deviceAssignmentItems":[]}`)
	both("pending restore initiated")

	s.restart(t)
	s.connect(t, phone)
	both("done restore succeeded")

	if !slices.Equal(steady.got, disturbed.got) {
		t.Errorf("disturbed:\n%s\nundisturbed:\n%s", strings.Join(disturbed.got, "\n"),
			strings.Join(steady.got, "\n"))
	}
	results, err := s.ActionResults(t.Context(), device.ID)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := json.Marshal(results); err != nil ||
		string(text) != steady.got[len(steady.got)-1] {
		t.Errorf("the results are\n%s, %v\nwatched:\n%s", text, err, steady.got[len(steady.got)-1])
	}
}

// restart ends the server and starts it again, where it was and with what it had.
func (s *site) restart(t *testing.T) {
	t.Helper()
	if err := s.server.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := s.config
	again.Listen = strings.TrimPrefix(s.server.URL(), "https://")
	running, err := server.Start(t.Context(), again)
	if err != nil {
		t.Fatal(err)
	}
	s.server = running
}

// Events that are not kept any more give way to a new snapshot, and a token that is revoked ends a
// watch.
func TestWatchFromAFewEvents(t *testing.T) {
	s := newSite(t)
	id, phone, device := s.phoneWithWiFi(t)
	network, url := newLine(t, s.server.URL())
	away := watch(t, s.client(t, url), device.ID, time.Minute)
	away.until("")
	network.cut()
	s.post(t, device.ID, "syncPayloads",
		`{"deviceActionPayloads":[{"payloadId":"`+id+`","payloadType":"deviceConfiguration"}]}`)
	s.connect(t, phone)
	steady := watch(t, s.client(t, s.server.URL()), device.ID, time.Minute)
	steady.until("done remove removed")
	s.config.KeepEvents = time.Nanosecond
	s.restart(t)
	s.dropped(t, device.ID)
	network.mend()
	away.until("done remove removed")
	if len(away.got) != 2 { // nothing, and then the snapshot
		t.Errorf("yielded\n%s", strings.Join(away.got, "\n"))
	}

	network.cut()
	if err := s.server.Tokens().Revoke(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	network.mend()
	for text := range away.yields {
		t.Errorf("with a token that was revoked: %s", text)
	}
	var answer *client.Error
	if !errors.As(away.ended, &answer) || answer.Status != http.StatusUnauthorized {
		t.Errorf("with a token that was revoked: %v", away.ended)
	}
}

// dropped waits until the server has dropped its old events: who resumes from the beginning gets a
// snapshot.
func (s *site) dropped(t *testing.T, device string) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
			s.server.URL()+"/api/devices/"+device+"/events?after=0", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Authorization": {"Bearer " + s.bearer},
			"Accept": {"application/x-ndjson"}}
		answer, err := s.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var first struct{ Type string }
		err = json.NewDecoder(answer.Body).Decode(&first)
		_ = answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if first.Type == "snapshot" {
			return
		}
	}
	t.Fatal("old events are kept")
}

package server_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// paced sends a text in pieces, one every so often.
func paced(text string, piece int, every time.Duration) io.Reader {
	r, w := io.Pipe()
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for text != "" {
			n := min(piece, len(text))
			if _, err := io.WriteString(w, text[:n]); err != nil {
				return
			}
			text = text[n:]
			<-tick.C
		}
		_ = w.Close()
	}()
	return r
}

// A body may take as long as it likes if it makes progress: over many times what a window lasts.
// One that does not is answered 408, as the API and devices are answered.
func TestProgressOfBodies(t *testing.T) {
	const window = 600 * time.Millisecond
	s := newCrowded(t, server.Config{Capacity: server.Capacity{Window: window}})
	group := func(size int) string {
		return strings.Repeat(" ", size) + `{"displayName":"` + uuid.NewString() + `"}`
	}
	for name, c := range map[string]struct {
		path   string
		text   string
		piece  int
		known  bool // the length is told
		http2  bool
		status int
	}{
		"steady":            {"/beta/groups", group(50 << 10), 2 << 10, true, false, 201},
		"steady, chunked":   {"/beta/groups", group(50 << 10), 2 << 10, false, false, 201},
		"steady, HTTP/2":    {"/beta/groups", group(50 << 10), 2 << 10, true, true, 201},
		"steady, long":      {"/beta/groups", group(200 << 10), 8 << 10, true, false, 201},
		"steady, long, h2":  {"/beta/groups", group(200 << 10), 8 << 10, false, true, 201},
		"steady, a message": {"/mdm", strings.Repeat(" ", 50<<10), 2 << 10, true, false, 400},
		"slow":              {"/beta/groups", group(50 << 10), 10, true, false, 408},
		"slow, chunked":     {"/beta/groups", group(50 << 10), 10, false, false, 408},
		"slow, HTTP/2":      {"/beta/groups", group(50 << 10), 10, true, true, 408},
		"slow, long":        {"/beta/groups", group(200 << 10), 10, true, false, 408},
		"slow, long, h2":    {"/beta/groups", group(200 << 10), 10, true, true, 408},
		"slow, a message":   {"/mdm", strings.Repeat(" ", 50<<10), 10, true, false, 408},
		"slow, a page": {"/console/sign-in", "token=" + strings.Repeat("x", 5000), 10, true,
			false, 408},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := browser(t, trust(t, s.Server))
			client.Transport.(*http.Transport).ForceAttemptHTTP2 = c.http2
			method := map[bool]string{true: "PUT", false: "POST"}[c.path == "/mdm"]
			r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+c.path,
				paced(c.text, c.piece, 100*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = bearer(s.bearer)
			if c.known {
				r.ContentLength = int64(len(c.text))
			}
			began := time.Now()
			answer, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			text, _ := io.ReadAll(answer.Body)
			if answer.StatusCode != c.status {
				t.Fatalf("%s after %s: %s", answer.Status, time.Since(began), text)
			}
			if took := time.Since(began); (took < 2*window) == (c.status != http.StatusRequestTimeout) {
				t.Errorf("answered %d after %s", c.status, took)
			}
			var body struct{ Error struct{ Code string } }
			if c.path == "/beta/groups" && c.status == 408 &&
				(json.Unmarshal(text, &body) != nil || body.Error.Code != "RequestTimeout") {
				t.Errorf("answered %s", text)
			}
		})
	}
}

// Who waits for leave to send a body gets it where the body would be read, and a refusal where not.
func TestExpectContinue(t *testing.T) {
	s := newCrowded(t, server.Config{})
	for name, c := range map[string]struct {
		bearer string
		length int
		says   string
	}{
		"short":             {s.bearer, 1000, "100 Continue"},
		"short, by nobody":  {"x", 1000, "100 Continue"}, // it is as cheap to read
		"a file":            {s.bearer, 1 << 20, "100 Continue"},
		"a file, by nobody": {"x", 1 << 20, "401 Unauthorized"},
		"too much":          {s.bearer, 100 << 20, "413 Request Entity Too Large"},
	} {
		conn, err := newTalker(t, s.Server)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, err = fmt.Fprintf(conn,
			"POST /beta/deviceManagement/deviceConfigurations HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"+
				"Authorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", c.bearer, c.length)
		if err != nil {
			t.Fatal(err)
		}
		if line, err := conn.in.ReadString('\n'); err != nil || !strings.Contains(line, c.says) {
			t.Errorf("%s: %q, %v; want %s", name, line, err, c.says)
		}
	}
}

// An answer that is not read is given up when its reader takes nothing for a window; one that is
// read slowly is sent whole.
func TestProgressOfAnswers(t *testing.T) {
	s := start(t, server.Config{DataDir: servertest.Folder(t),
		Capacity: server.Capacity{Window: 500 * time.Millisecond}})
	const asked = 60 // 4 MB: more than the system keeps
	read := func(t *testing.T, pause, between time.Duration) (whole int) {
		raw, err := net.Dial("tcp", address(s))
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		tcp := raw.(*net.TCPConn)
		_ = tcp.SetReadBuffer(64 << 10) // the system would take megabytes
		config := trust(t, s)
		config.ServerName = "127.0.0.1"
		conn := tls.Client(raw, config)
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		for range asked {
			if _, err := io.WriteString(conn,
				"GET /beta/$metadata HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(pause) // it is the pause that is tested
		in := bufio.NewReader(&trickle{conn, between})
		for ; whole < asked; whole++ {
			answer, err := http.ReadResponse(in, nil)
			if err != nil {
				return whole
			}
			if _, err := io.Copy(io.Discard, answer.Body); err != nil {
				return whole
			}
		}
		return whole
	}
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		if whole := read(t, 3*time.Second, 0); whole == asked {
			t.Errorf("a reader that paused for longer than it may was sent everything")
		}
	})
	t.Run("slow", func(t *testing.T) {
		t.Parallel()
		if whole := read(t, 0, 4*time.Millisecond); whole != asked {
			t.Errorf("a slow reader got %d of %d answers", whole, asked)
		}
	})
}

// trickle reads slowly.
type trickle struct {
	io.Reader
	pause time.Duration
}

func (s *trickle) Read(p []byte) (int, error) {
	time.Sleep(s.pause)
	return s.Reader.Read(p)
}

// However many bodies come at once, and however large they become when they are unpacked, no more
// is held than may be.
func TestBodiesAreCounted(t *testing.T) {
	const most = 24 << 20
	w := newSlowWorld(t)
	s := start(t, server.Config{DataDir: servertest.Folder(t),
		Capacity: server.Capacity{Bodies: most, Wait: 100 * time.Millisecond}})
	w.Server = s
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(make([]byte, 64<<20))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	heap := peak()
	var all sync.WaitGroup
	stop, stopped := make(chan struct{}), make(chan struct{})
	held := int64(0)
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				held = max(held, s.HeldBytes())
				time.Sleep(time.Millisecond)
			}
		}
	}()
	for i := range 60 {
		all.Go(func() {
			switch conn, err := w.dial(greedyNetwork, trust(t, s)); {
			case err != nil:
				t.Error(err)
			case i%2 == 0: // more than may be of somebody who may be a device
				_ = pour(conn,
					"PUT /mdm HTTP/1.1\r\nHost: x\r\nMdm-Signature: MAA=\r\nContent-Length: 3145728\r\n\r\n", 3<<20)
				_ = conn.Close()
			default:
				_, _ = fmt.Fprintf(conn,
					"POST /beta/$batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s",
					packed.Len(), packed.Bytes())
				answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) ||
					err == nil && answer.StatusCode == http.StatusOK {
					t.Errorf("a bomb is answered %v, %v", answer, err)
				}
				_ = conn.Close()
			}
		})
	}
	all.Wait()
	close(stop)
	<-stopped
	w.freed("a flood")
	if grown := heap(); held > most || held == 0 || grown > mostHeap {
		t.Errorf("%d bytes of bodies are held, and the heap grew by %d MiB", held, grown>>20)
	}
}

// Connections that have not asked for anything whole make room for another network's, whatever they
// wait with. Of one network's own it is those that have taken long.
func TestConnectionsOfOneNetworkMakeRoomForOthers(t *testing.T) {
	w := newSlowWorld(t)
	w.Server = start(t, server.Config{DataDir: servertest.Folder(t), MaxConnections: 12})
	const first = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, c := range map[string]struct {
		secure bool
		text   string
	}{"nothing": {false, ""}, "no request": {true, ""}, "a header": {true, "GET / HTTP/1.1\r\n"},
		"a second header": {true, first + "G"},
		"a body":          {true, "PUT /mdm HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"}} {
		t.Run(name, func(t *testing.T) {
			of := *w
			of.T = t
			end := of.crowd(12, c.secure, func(_ int, conn net.Conn) error {
				_, err := io.WriteString(conn, c.text)
				return err
			})
			defer end()
			if err := of.expect(otherNetwork, "GET", "/healthz", nil, nil, 200); err != nil {
				t.Error(err)
			}
			var err error
			for end := time.Now().Add(8 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
				if err = of.expect(greedyNetwork, "GET", "/healthz", nil, nil, 200); err == nil {
					return
				}
			}
			t.Errorf("the same network: %v", err)
		})
	}
}

package server_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// talker is a connection of HTTP/1.1.
type talker struct {
	*tls.Conn
	in *bufio.Reader
}

func newTalker(t *testing.T, s *server.Server) (*talker, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", address(s), trust(t, s))
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &talker{conn, bufio.NewReader(conn)}, nil
}

// talk asks for a path, which must be there. The connection is idle afterwards.
func (c *talker) talk(path string) error {
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	if _, err = io.Copy(io.Discard, answer.Body); err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(answer.Status)
	}
	return errors.Join(err, answer.Body.Close())
}

// closed waits for the end of a connection that has nothing to say.
func closed(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, err := conn.Read(make([]byte, 1))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// Idle connections up to the bound keep nobody out: for each that comes one of them is closed, and
// no more.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	s := start(t, server.Config{DataDir: servertest.Folder(t), MaxConnections: 5})
	var idle []*talker
	for range 5 {
		c, err := newTalker(t, s)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.talk("/healthz"); err != nil {
			t.Fatal(err)
		}
		idle = append(idle, c)
	}
	for _, http2 := range []bool{false, true} {
		admin := browser(t, trust(t, s))
		admin.Transport.(*http.Transport).ForceAttemptHTTP2 = http2
		if status, _, text := ask(t, admin, "GET",
			s.URL()+"/beta/groups"); status != http.StatusUnauthorized {
			t.Fatalf("an admin beside idle connections is answered %d %s", status, text)
		}
	}
	left := 0
	for _, c := range idle {
		if c.talk("/healthz") == nil {
			left++
		}
	}
	if left != 3 {
		t.Errorf("of 5 idle connections %d are left, and 2 came", left)
	}
}

// Idle connections of HTTP/2 make room as well, and their clients find a place again.
func TestIdleHTTP2ConnectionsMakeRoom(t *testing.T) {
	s := start(t, server.Config{DataDir: servertest.Folder(t), MaxConnections: 3})
	var clients []*http.Client
	for range 6 {
		c := browser(t, trust(t, s))
		c.Transport.(*http.Transport).ForceAttemptHTTP2 = true
		clients = append(clients, c)
	}
	for range 3 {
		for i, c := range clients {
			if status, _, text := ask(t, c, "GET", s.URL()+"/healthz"); status != http.StatusOK {
				t.Fatalf("client %d is answered %d %s", i, status, text)
			}
		}
	}
}

// What is worked on is never closed for another: streams of both kinds, and a request that is slow.
// Who finds no place is told at once.
func TestWorkingConnectionsStay(t *testing.T) {
	s := newCrowded(t, server.Config{MaxConnections: 3})
	streams := map[string]*bufio.Reader{}
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		client := browser(t, trust(t, s.Server))
		client.Transport.(*http.Transport).ForceAttemptHTTP2 = http2
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL()+"/api/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Authorization": {"Bearer " + s.bearer},
			"Accept": {"application/x-ndjson"}}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if http2 != (answer.ProtoMajor == 2) {
			t.Fatalf("the stream over %s is over %s", name, answer.Proto)
		}
		streams[name] = bufio.NewReader(answer.Body)
	}
	end := s.stay(1, "POST", "/beta/deviceManagement/deviceConfigurations")
	for range 5 {
		if c, err := newTalker(t, s.Server); err == nil && c.talk("/healthz") == nil {
			t.Fatal("a connection was taken, and none was idle")
		}
	}
	end()
	roomAgain(t, s.Server)
	if _, err := s.Engine().Enroll(t.Context(),
		fleet.Device{Name: "phone", UDID: "1", Platform: fleet.IOS}, ""); err != nil {
		t.Fatal(err)
	}
	for name, stream := range streams {
		for {
			line, err := stream.ReadString('\n')
			if err != nil {
				t.Fatalf("the stream over %s ended: %v", name, err)
			}
			if strings.Contains(line, "deviceEnrolled") {
				break
			}
		}
	}
}

// A flood of connections that say nothing takes no more places than there are, and those only for
// as long as it holds them.
func TestFloodOfConnections(t *testing.T) {
	const most, flood = 8, 200
	s := start(t, server.Config{DataDir: servertest.Folder(t), MaxConnections: most})
	var silent []net.Conn
	for range flood {
		c, err := net.Dial("tcp", address(s))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		silent = append(silent, c)
	}
	for i, c := range silent[most:] {
		if !closed(c) {
			t.Fatalf("connection %d of %d is open", most+i, flood)
		}
	}
	for _, c := range slices.Backward(silent[:most]) {
		_ = c.Close()
	}
	roomAgain(t, s)
}

// roomAgain waits until the server has found out that connections are gone.
func roomAgain(t *testing.T, s *server.Server) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		if c, err := newTalker(t, s); err == nil && c.talk("/healthz") == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal("no connection is taken, though others have ended")
		}
	}
}

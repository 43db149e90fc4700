package faults

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A server that is started with its socket is restarted under load, in order: no connection is
// refused, every call and every message of a device is answered, by the one that ends or by the one
// that begins.
func TestRestartRefusesNobody(t *testing.T) {
	t.Parallel()
	s, _ := onFile(t, 4)
	n := s.nodes[0]
	var refused atomic.Int64
	s.front.lead(func() (net.Conn, error) {
		c, err := net.Dial("tcp", n.listen)
		if err != nil {
			refused.Add(1)
		}
		return c, err
	})
	failures := s.fleet.Stats().Failures
	l := s.load(s.devices)
	for range 10 {
		l.again()
		n.signal(syscall.SIGTERM)
		if code := n.last.ProcessState.ExitCode(); code != 0 {
			t.Fatalf("a server that was told to end ended with %d: %s", code, n.said)
		}
		n.start()
	}
	l.again()
	l.finish()
	if refused.Load() > 0 || l.refused.Load() > 0 || s.fleet.Stats().Failures > failures {
		t.Errorf("%d connections were refused; %d calls and %d connections of devices failed:\n%s",
			refused.Load(),
			l.refused.Load(), s.fleet.Stats().Failures-failures, s.troubles.String())
	}
}

// What a server is told to end has begun to read, it answers.
func TestEndAnswersWhatHasBegun(t *testing.T) {
	t.Parallel()
	s, _ := onFile(t, 0)
	n := s.nodes[0]
	dial := func() (*tls.Conn, *bufio.Reader) {
		t.Helper()
		c, err := tls.Dial("tcp", n.listen, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		return c, bufio.NewReader(c)
	}
	ask := func(c io.Writer, text string) {
		t.Helper()
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
	}
	answer := func(in *bufio.Reader) *http.Response {
		t.Helper()
		res, err := http.ReadResponse(in, nil)
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
		}
		if err != nil {
			t.Fatalf("no answer: %v; the server says %s", err, n.said)
		}
		return res
	}
	idle, fromIdle := dial()
	ask(idle, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	answer(fromIdle)
	const doc = `{"displayName": "made while the server ends"}`
	call, fromCall := dial()
	ask(call,
		fmt.Sprintf("POST /beta/groups HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
			"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", s.token, len(doc)))
	// it reads the body now
	if line, err := fromCall.ReadString('\n'); err != nil ||
		!strings.Contains(line, "100 Continue") {
		t.Fatalf("the server does not want the body: %q %v", line, err)
	}
	if _, err := fromCall.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { n.signal(syscall.SIGTERM); close(ended) }()
	if _, err := fromIdle.ReadByte(); err == nil { // what is idle is closed first
		t.Fatal("an idle connection says something")
	}
	ask(call, doc)
	if res := answer(fromCall); res.StatusCode != http.StatusCreated || !res.Close {
		t.Errorf("a call that had begun is answered %s, and the connection is to be used again: %t",
			res.Status, !res.Close)
	}
	<-ended
	n.start()
	n.up()
	var found struct{ Value []any }
	s.must("GET", "/beta/groups?$filter=displayName%20eq%20'made%20while%20the%20server%20ends'",
		nil, &found)
	if len(found.Value) != 1 {
		t.Errorf("the group is there %d times", len(found.Value))
	}
}

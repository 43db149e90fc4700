package server_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// An answer also waits for the end of a body that nobody reads. When others need its room it ends,
// as one that is not read.
func TestAnswersWaitForNoBodyWhenOthersNeedTheirRoom(t *testing.T) {
	w := newSlowWorld(t)
	w.Server = start(t, server.Config{DataDir: servertest.Folder(t),
		Capacity: server.Capacity{Answers: 512 << 10, Window: time.Minute}})
	_, token, err := w.Tokens().Create(t.Context(),
		access.TokenInput{Name: "greedy", Role: access.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	const path = "/beta/$metadata"
	conns := make([]*tls.Conn, 8)
	for i := range conns {
		conn, err := w.dial(greedyNetwork, trust(t, w.Server))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns[i] = conn.(*tls.Conn)
		if _, err := fmt.Fprintf(conn,
			"GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", path, token); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		for range 4 {
			if err := w.expect(otherNetwork, "GET", path, bearer(token), nil, 200); err != nil {
				t.Fatal(err)
			}
		}
		for _, conn := range conns {
			if hasEnded(conn) {
				return
			}
		}
	}
	t.Error("no answer that waits for its request's body made room for others")
}

func hasEnded(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, err := conn.Read(make([]byte, 1))
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

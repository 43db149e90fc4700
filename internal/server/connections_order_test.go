package server

import (
	"log/slog"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"
)

// The connection that has been idle for longest goes first. This is not seen from outside: who has
// got an answer does not know whether its connection is idle yet.
func TestLongestIdleIsClosedFirst(t *testing.T) {
	c := newConnections(4, time.Now, slog.New(slog.DiscardHandler))
	var conns []net.Conn
	come := func(n int) {
		for range n {
			near, far := net.Pipe()
			t.Cleanup(func() { _ = far.Close() })
			conns = append(conns, near)
			if !c.add(near) {
				_ = near.Close()
			}
		}
	}
	become := func(state http.ConnState, of ...int) {
		for _, i := range of {
			c.stateChanged(conns[i], state)
		}
	}
	check := func(want ...int) {
		t.Helper()
		var gone []int
		for i, conn := range conns {
			if conn.SetDeadline(time.Time{}) != nil {
				gone = append(gone, i)
			}
		}
		if !slices.Equal(gone, want) {
			t.Fatalf("closed are %v, want %v", gone, want)
		}
	}
	come(4)
	become(http.StateActive, 0, 1, 2, 3)
	become(http.StateIdle, 2, 0, 1)
	become(http.StateActive, 2)
	become(http.StateIdle, 2)
	become(http.StateActive, 0)
	check()
	come(1) // idle are 1 and then 2
	check(1)
	come(1)
	check(1, 2)
	come(2) // 0 and 3 work, 4 and 5 are new: nobody is idle
	check(1, 2, 6, 7)
	become(http.StateActive, 1)          // its last words
	become(http.StateClosed, 1, 2, 6, 7) // their room was given away
	come(1)
	check(1, 2, 6, 7, 8)
	become(http.StateClosed, 0) // by itself
	come(1)
	check(1, 2, 6, 7, 8)
}

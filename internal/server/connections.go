package server

import (
	"container/list"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// connections bounds how many connections are open. At the bound a new one takes the place of the one that has been idle
// for longest; if none is idle, the new one is closed. One that is worked on, as a stream's is all the time, is never
// closed for another. One that has not sent a request yet is not idle: the server's timeouts end it.
type connections struct {
	most int
	now  func() time.Time
	log  *slog.Logger

	mu   sync.Mutex
	open map[net.Conn]*list.Element // where it is in idle; nil: it is not
	idle *list.List                 // of net.Conn, the one for longest first
	told time.Time                  // when the log was, that the bound is reached
}

func newConnections(most int, now func() time.Time, log *slog.Logger) *connections {
	return &connections{most: most, now: now, log: log, open: make(map[net.Conn]*list.Element), idle: list.New()}
}

// changed is for http.Server's ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state == http.StateNew {
		c.take(conn)
		return
	}
	place, known := c.open[conn]
	if !known {
		return // it was closed for another
	}
	if place != nil {
		c.idle.Remove(place)
		c.open[conn] = nil
	}
	switch state {
	case http.StateIdle:
		c.open[conn] = c.idle.PushBack(conn)
	case http.StateClosed, http.StateHijacked:
		delete(c.open, conn)
	}
}

func (c *connections) take(conn net.Conn) {
	if len(c.open) >= c.most {
		c.tell()
		longest := c.idle.Front()
		if longest == nil {
			sever(conn)
			return
		}
		other := c.idle.Remove(longest).(net.Conn)
		delete(c.open, other)
		sever(other)
	}
	c.open[conn] = nil
}

// tell logs at most once a minute, however many come.
func (c *connections) tell() {
	if now := c.now(); now.Sub(c.told) >= time.Minute {
		c.told = now
		c.log.Warn("all connections that may be open are: idle ones are closed for new ones", "connections", c.most, "idle", c.idle.Len())
	}
}

// sever closes a connection at once. TLS would say goodbye, and may wait for a peer that does not read.
func sever(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	_ = conn.Close()
}

// mostConnections bounds the default: what connections need of memory is more than most machines have for more of them.
const mostConnections = 200_000

// defaultConnections leaves a fifth of the files that the process may have open to the database and the rest.
func defaultConnections() int { return int(min(mostConnections, openFiles()/10*8)) }

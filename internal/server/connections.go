package server

import (
	"container/list"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/origin"
)

// connections bounds how many connections are open. At the bound a new one takes the place of the
// one that has been idle for longest, or else of one of the network that has most, on which no
// request is worked on: it shakes hands, or sends a header or a body. If there is none, the new one
// is closed. One that is worked on, as a stream's is all the time, is never closed for another.
type connections struct {
	most int
	now  func() time.Time
	log  *slog.Logger

	mu     sync.Mutex
	open   map[net.Conn]*connection // by what the listener accepted
	idle   *list.List               // of *connection, the one for longest first
	warned time.Time                // when the log last said that the bound is reached
	shares *shares

	// awaited counts the connections whose next request may be lost if the server stops now.
	// noneAwaited is closed when there are none; nil: nobody waits for that.
	awaited     int
	noneAwaited chan struct{}
}

// connection is an open one.
type connection struct {
	conn    net.Conn
	idle    *list.Element // nil: it is not
	share   *share
	working atomic.Int32 // requests that are worked on
	awaited bool         // it is new, or a request was read that no handler has yet
}

// connectionPatience is how long a connection may say nothing worth an answer when its own network
// needs its place.
const connectionPatience = 2 * time.Second

func newConnections(most int, now func() time.Time, log *slog.Logger) *connections {
	return &connections{most: most, now: now, log: log, open: make(map[net.Conn]*connection),
		idle:   list.New(),
		shares: newShares(connectionPatience)}
}

// add takes a connection that was accepted, and tells whether there is a place for it. Whoever
// closes it calls remove.
func (c *connections) add(conn net.Conn) bool {
	network := origin.Network(origin.Host(conn.RemoteAddr().String()))
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) >= c.most && !c.makeRoom(network) {
		return false
	}
	one := &connection{conn: conn}
	one.share = c.shares.add(network, &share{n: 1,
		busy: func() bool { return one.working.Load() > 0 },
		cut:  func() { c.forget(one); sever(conn) }})
	c.open[conn] = one
	c.await(one, true)
	return true
}

// makeRoom closes a connection for another.
func (c *connections) makeRoom(network string) bool {
	c.warnFull()
	if longest := c.idle.Front(); longest != nil {
		other := longest.Value.(*connection)
		c.forget(other)
		sever(other.conn)
		return true
	}
	taken := c.shares.takeBack(network, 1)
	if taken == nil {
		return false
	}
	taken.cut()
	return true
}

// remove forgets a connection that the listener accepted, or one of TLS over it.
func (c *connections) remove(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one := c.open[underlying(conn)]; one != nil {
		c.forget(one)
	}
}

func (c *connections) forget(one *connection) {
	delete(c.open, one.conn)
	c.setIdle(one, false)
	c.await(one, false)
	one.share.end()
}

// setIdle notes whether a connection is idle.
func (c *connections) setIdle(one *connection, idle bool) {
	if one.idle != nil {
		c.idle.Remove(one.idle)
		one.idle = nil
	}
	if idle {
		one.idle = c.idle.PushBack(one)
	}
}

// changed is for http.Server's ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.open[underlying(conn)]
	if one == nil {
		return // it was closed for another
	}
	switch state {
	case http.StateNew: // the handshake is done
	case http.StateClosed, http.StateHijacked:
		c.forget(one)
	default:
		c.await(one, state == http.StateActive)
		c.setIdle(one, state == http.StateIdle)
	}
}

// await notes whether a connection's next request may be lost if the server stops now.
func (c *connections) await(one *connection, awaited bool) {
	if one.awaited == awaited {
		return
	}
	one.awaited = awaited
	if awaited {
		c.awaited++
		return
	}
	if c.awaited--; c.awaited == 0 && c.noneAwaited != nil {
		close(c.noneAwaited)
		c.noneAwaited = nil
	}
}

// handling is the outermost handler. A request that has come this far is answered even if the
// server stops meanwhile. That the connection is active does not say so: net/http tells of that
// first, and then drops the request if the server has stopped in between.
func (c *connections) handling(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if one, _ := r.Context().Value(connectionKey{}).(*connection); one != nil {
			c.mu.Lock()
			c.await(one, false)
			c.mu.Unlock()
		}
		next.ServeHTTP(w, r)
	})
}

// allHandled is closed when no connection's request can be lost any more. Ask for it once, when no
// more connections come and idle ones are closed.
func (c *connections) allHandled() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	handled := make(chan struct{})
	if c.awaited == 0 {
		close(handled)
	} else {
		c.noneAwaited = handled
	}
	return handled
}

type connectionKey struct{}

// with is for http.Server's ConnContext: requests find their connection.
func (c *connections) with(ctx context.Context, conn net.Conn) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	return context.WithValue(ctx, connectionKey{}, c.open[underlying(conn)])
}

// working notes that a request is worked on, until what is returned is called.
func working(ctx context.Context) (end func()) {
	one, _ := ctx.Value(connectionKey{}).(*connection)
	if one == nil {
		return func() {}
	}
	one.working.Add(1)
	return func() { one.working.Add(-1) }
}

// warnFull logs that the bound is reached, at most once a minute, however many come.
func (c *connections) warnFull() {
	if now := c.now(); now.Sub(c.warned) >= time.Minute {
		c.warned = now
		c.log.Warn("all connections that may be open are: idle ones are closed for new ones",
			"connections", c.most, "idle", c.idle.Len())
	}
}

// underlying is the connection that the listener accepted. TLS would say goodbye to a peer that may
// not read.
func underlying(conn net.Conn) net.Conn {
	if secure, ok := conn.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return conn
}

// sever closes a connection at once.
func sever(conn net.Conn) { _ = underlying(conn).Close() }

// mostConnections bounds the default: what connections need of memory is more than most machines
// have for more of them.
const mostConnections = 200_000

// defaultConnections leaves a fifth of the files that the process may have open to the database and
// the rest.
func defaultConnections() int { return int(min(mostConnections, openFiles()/10*8)) }

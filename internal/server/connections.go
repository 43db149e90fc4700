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

// connections bounds how many connections are open. When all are open, a new one takes the place of
// the one that has been idle for longest. If none is idle, it takes that of a connection of the
// network that has most, on which no request is worked on: one that is still in its handshake, or
// sends a header or a body. If there is none either, the new one is closed. A connection on which
// the server works, such as a stream's, is never closed for another.
type connections struct {
	limit int
	now   func() time.Time
	log   *slog.Logger

	mu     sync.Mutex
	open   map[net.Conn]*connection // by the connection that the listener returned, without TLS
	idle   *list.List               // of *connection; the longest idle one is first
	warned time.Time                // when it was last logged that all connections are in use
	shares *shares

	// awaited counts the connections whose next request would be lost if the server stopped now.
	// noneAwaited is closed when there are none; nil: nobody waits for that.
	awaited     int
	noneAwaited chan struct{}
}

// connection is an open connection.
type connection struct {
	conn    net.Conn
	idle    *list.Element // in connections.idle; nil: not idle
	share   *share
	working atomic.Int32 // requests that the server is working on
	awaited bool         // it is new, or a request has been read that no handler has got yet
}

// connectionPatience is how long a connection may send nothing worth an answer when its own network
// needs its place.
const connectionPatience = 2 * time.Second

func newConnections(limit int, now func() time.Time, log *slog.Logger) *connections {
	return &connections{limit: limit, now: now, log: log, open: make(map[net.Conn]*connection),
		idle:   list.New(),
		shares: newShares(connectionPatience)}
}

// add records an accepted connection, and reports whether there is a place for it. Whoever closes
// the connection calls remove.
func (c *connections) add(conn net.Conn) bool {
	network := origin.Network(origin.Host(conn.RemoteAddr().String()))
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) >= c.limit && !c.makeRoom(network) {
		return false
	}
	one := &connection{conn: conn}
	one.share = c.shares.add(network, &share{n: 1,
		busy:   func() bool { return one.working.Load() > 0 },
		revoke: func() { c.forget(one); closeNow(conn) }})
	c.open[conn] = one
	c.setAwaited(one, true)
	return true
}

// makeRoom closes a connection to make room for one of a network, and reports whether it could.
func (c *connections) makeRoom(network string) bool {
	c.warnFull()
	if longest := c.idle.Front(); longest != nil {
		other := longest.Value.(*connection)
		c.forget(other)
		closeNow(other.conn)
		return true
	}
	taken := c.shares.removeSlowest(network, 1)
	if taken == nil {
		return false
	}
	taken.revoke()
	return true
}

// remove forgets a connection. It may be the TLS connection over the one that was added.
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
	c.setAwaited(one, false)
	one.share.end()
}

// setIdle records whether a connection is idle.
func (c *connections) setIdle(one *connection, idle bool) {
	if one.idle != nil {
		c.idle.Remove(one.idle)
		one.idle = nil
	}
	if idle {
		one.idle = c.idle.PushBack(one)
	}
}

// stateChanged is the http.Server's ConnState hook.
func (c *connections) stateChanged(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.open[underlying(conn)]
	if one == nil {
		return // it was closed to make room for another
	}
	switch state {
	case http.StateNew: // the handshake is done
	case http.StateClosed, http.StateHijacked:
		c.forget(one)
	default:
		c.setAwaited(one, state == http.StateActive)
		c.setIdle(one, state == http.StateIdle)
	}
}

// setAwaited records whether a connection's next request would be lost if the server stopped now.
func (c *connections) setAwaited(one *connection, awaited bool) {
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

// markHandled is the outermost handler. A request that has come this far is answered even if the
// server stops meanwhile. http.StateActive does not say so: net/http reports that state first, and
// drops the request if the server has stopped in between.
func (c *connections) markHandled(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if one, _ := r.Context().Value(connectionKey{}).(*connection); one != nil {
			c.mu.Lock()
			c.setAwaited(one, false)
			c.mu.Unlock()
		}
		next.ServeHTTP(w, r)
	})
}

// allHandled returns a channel that is closed when no request can be lost any more. Call it once,
// when no more connections are accepted and idle ones are closed.
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

// withConnection is the http.Server's ConnContext hook: it lets a request find its connection.
func (c *connections) withConnection(ctx context.Context, conn net.Conn) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	return context.WithValue(ctx, connectionKey{}, c.open[underlying(conn)])
}

// markWorking records that a request is being worked on, until end is called.
func markWorking(ctx context.Context) (end func()) {
	one, _ := ctx.Value(connectionKey{}).(*connection)
	if one == nil {
		return func() {}
	}
	one.working.Add(1)
	return func() { one.working.Add(-1) }
}

// warnFull logs that all connections are in use, at most once a minute.
func (c *connections) warnFull() {
	if now := c.now(); now.Sub(c.warned) >= time.Minute {
		c.warned = now
		c.log.Warn("all connections that may be open are: idle ones are closed for new ones",
			"connections", c.limit, "idle", c.idle.Len())
	}
}

// underlying returns the connection that the listener accepted. It is closed instead of the TLS
// connection, because TLS would first send a goodbye to a peer that may not read.
func underlying(conn net.Conn) net.Conn {
	if secure, ok := conn.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return conn
}

// closeNow closes a connection without a goodbye of TLS.
func closeNow(conn net.Conn) { _ = underlying(conn).Close() }

// maxDefaultConnections bounds the default, because more connections would need more memory than
// most machines have.
const maxDefaultConnections = 200_000

// defaultConnections returns how many connections may be open by default. It leaves a fifth of the
// files that the process may open to the database and the rest.
func defaultConnections() int { return int(min(maxDefaultConnections, openFiles()/10*8)) }

package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// newcomerTime is how long an ending server waits for the first request of connections that it has taken.
const newcomerTime = 5 * time.Second

// door is where connections come in.
type door struct {
	http     *http.Server
	listener net.Listener
	closing  atomic.Bool
	deaf     chan struct{} // closed when no more connections are taken
	newcomers
}

// open returns what serves until close.
func (d *door) open(h *http.Server, l net.Listener) (serve func() error) {
	d.http, d.listener, d.deaf = h, l, make(chan struct{})
	return func() error {
		defer close(d.deaf)
		err := h.ServeTLS(l, "", "")
		if errors.Is(err, http.ErrServerClosed) || d.closing.Load() && errors.Is(err, net.ErrClosed) {
			return nil
		}
		return err
	}
}

// close takes no more connections and answers what has come on those that it has, until ctx ends. http.Server.Shutdown alone
// would close a new connection when its first request comes, and one whose next request it has just read.
func (d *door) close(ctx context.Context) error {
	d.closing.Store(true)
	err := d.listener.Close()
	<-d.deaf
	d.http.SetKeepAlivesEnabled(false)
	select {
	case <-d.gone():
	case <-time.After(newcomerTime):
	case <-ctx.Done():
	}
	if err = errors.Join(err, d.http.Shutdown(ctx)); err != nil {
		err = errors.Join(err, d.http.Close())
	}
	return err
}

// newcomers are the connections on which no request has come yet.
type newcomers struct {
	mu    sync.Mutex
	known map[net.Conn]struct{}
	none  chan struct{} // closed when they are gone; nil: nobody waits for that
}

// changed is for http.Server's ConnState.
func (n *newcomers) changed(conn net.Conn, state http.ConnState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if state == http.StateNew {
		if n.known == nil {
			n.known = make(map[net.Conn]struct{})
		}
		n.known[conn] = struct{}{}
		return
	}
	delete(n.known, conn)
	n.tell()
}

func (n *newcomers) tell() {
	if n.none != nil && len(n.known) == 0 {
		close(n.none)
		n.none = nil
	}
}

// gone is closed when there are none. It is asked for once, when no more come.
func (n *newcomers) gone() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	none := make(chan struct{})
	n.none = none
	n.tell()
	return none
}

// connState tells several of a connection's state.
func connState(all ...func(net.Conn, http.ConnState)) func(net.Conn, http.ConnState) {
	return func(conn net.Conn, state http.ConnState) {
		for _, changed := range all {
			changed(conn, state)
		}
	}
}

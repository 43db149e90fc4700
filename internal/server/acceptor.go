package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"

	"github.com/syncpayloads/syncpayloads/internal/lane"
	"github.com/syncpayloads/syncpayloads/internal/origin"
)

const (
	handshakeTimeout = 10 * time.Second
	headerTimeout    = 10 * time.Second
	// handshakePatience is how long a handshake may take when others wait. All that may be under
	// way at once cost each processor less than a second.
	handshakePatience = 3 * time.Second
	// sendBuffer bounds what the system keeps for a reader that does not read, in bytes. By itself
	// it would keep megabytes of each, and as it tells of room only when a third is free, a slow
	// reader would seem to take nothing for long. With this one that takes 5 KB/s is seen to within
	// the default window.
	sendBuffer = 128 << 10
)

// http2Bounds are what one connection of HTTP/2 may have. A sender of bodies that nobody reads yet
// fills the buffers.
func http2Bounds(c Capacity) *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams:          100, // what RFC 9113 section 6.5.2 recommends at least
		MaxReceiveBufferPerStream:     64 << 10,
		MaxReceiveBufferPerConnection: 256 << 10,
		WriteByteTimeout:              c.Window,
	}
}

// door is where connections come in. It shakes hands with each by itself, with a bounded number at
// once and in turn with each network, before the server of HTTP sees it. net/http would do as many
// at once as come, and tells nobody of one before it has ended.
type door struct {
	config      *tls.Config
	connections *connections
	handshakes  *budget
	log         *slog.Logger
	ready       chan *tls.Conn
	deaf        chan struct{} // closed when no more connections are accepted
	// no more connections are accepted, and those that were are answered
	closing  atomic.Bool
	stop     context.Context // ends when nothing more is let in
	close    context.CancelCauseFunc
	listener net.Listener
}

func newDoor(c Capacity, config *tls.Config, open *connections, log *slog.Logger) *door {
	d := &door{config: config, connections: open,
		handshakes: newBudget(int64(c.Handshakes), open.most, handshakePatience), log: log,
		ready: make(chan *tls.Conn), deaf: make(chan struct{})}
	d.stop, d.close = context.WithCancelCause(context.Background())
	return d
}

// open returns the listener of connections that have shaken hands.
func (d *door) open(listener net.Listener) net.Listener {
	d.listener = listener
	go d.accept()
	return &opened{door: d}
}

// newcomerTime is how long an ending server waits for the first request of connections that it has
// accepted.
const newcomerTime = 5 * time.Second

// drain accepts no more connections and answers what has come on those that it has, until ctx ends.
// http.Server.Shutdown alone would close a new connection when its first request comes, and any
// whose next request was just read but has not reached a handler.
func (d *door) drain(ctx context.Context, h *http.Server) error {
	d.closing.Store(true)
	err := d.listener.Close()
	<-d.deaf
	h.SetKeepAlivesEnabled(false)
	select {
	case <-d.connections.allHandled():
	case <-time.After(newcomerTime):
	case <-ctx.Done():
	}
	if err = errors.Join(err, h.Shutdown(ctx)); err != nil {
		err = errors.Join(err, h.Close())
	}
	return err
}

// opened is a door that is open.
type opened struct {
	*door
}

// Accept implements net.Listener. The connections are of TLS.
func (o *opened) Accept() (net.Conn, error) {
	select {
	case conn := <-o.ready:
		return conn, nil
	case <-o.stop.Done():
		return nil, context.Cause(o.stop)
	}
}

// Close implements net.Listener.
func (o *opened) Close() error {
	o.close(net.ErrClosed)
	if err := o.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Addr implements net.Listener.
func (o *opened) Addr() net.Addr { return o.listener.Addr() }

const (
	firstPause   = 5 * time.Millisecond
	longestPause = time.Second
)

// accept takes connections for as long as the listener gives some. It never waits for the other
// side of one.
func (d *door) accept() {
	defer close(d.deaf)
	pause := firstPause
	for {
		conn, err := d.listener.Accept()
		if err == nil {
			pause = firstPause
			if d.connections.add(conn) {
				go d.welcome(conn)
			} else {
				_ = conn.Close()
			}
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			if !d.closing.Load() {
				d.close(err)
			}
			return
		}
		// As when the process has no more files, of which some are closed soon.
		d.log.Warn("connections cannot be accepted; it is tried again", "err", err, "after", pause)
		select {
		case <-d.stop.Done():
			return
		case <-time.After(pause):
			pause = min(2*pause, longestPause)
		}
	}
}

// welcome shakes hands with who comes, and shows it in.
func (d *door) welcome(conn net.Conn) {
	secure, err := d.shake(conn)
	if err == nil && secure.ConnectionState().NegotiatedProtocol == acme.ALPNProto {
		err = errors.New("an ACME CA has seen the certificate that it came for (RFC 8737)")
	}
	if err == nil {
		select {
		case d.ready <- secure:
			return
		case <-d.stop.Done():
			err = net.ErrClosed
		}
	}
	d.log.Debug("a connection ended with its handshake", "remote", conn.RemoteAddr(), "err", err)
	d.connections.remove(conn)
	_ = conn.Close()
}

func (d *door) shake(conn net.Conn) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(d.stop, handshakeTimeout)
	defer cancel()
	g := lane.Client{Owner: origin.Network(origin.Host(conn.RemoteAddr().String()))}
	held, err := d.handshakes.await(ctx, g, &share{n: 1, cut: func() { sever(conn) }})
	if err != nil {
		return nil, err
	}
	defer held.end()
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := tcp.SetWriteBuffer(sendBuffer); err != nil {
			return nil, err
		}
	}
	secure := tls.Server(conn, d.config)
	return secure, secure.HandshakeContext(ctx)
}

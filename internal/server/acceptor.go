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
	// handshakePatience is how long a handshake may take while others wait. All that may be under
	// way at once cost each processor less than a second.
	handshakePatience = 3 * time.Second
	// sendBuffer bounds, in bytes, what the system keeps for a reader that does not read. By
	// default it would keep megabytes for each. It also reports free room only when a third is
	// free, so with a large buffer a slow reader would seem to take nothing for a long time. With
	// this one, a reader that takes 5 KB/s is seen to read within the default window.
	sendBuffer = 128 << 10
)

// http2Bounds bounds what one HTTP/2 connection may use. The buffers hold bodies that have been
// sent and that nobody reads yet.
func http2Bounds(c Capacity) *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams:          100, // at least what RFC 9113 section 6.5.2 recommends
		MaxReceiveBufferPerStream:     64 << 10,
		MaxReceiveBufferPerConnection: 256 << 10,
		WriteByteTimeout:              c.Window,
	}
}

// acceptor accepts connections and does their TLS handshakes before net/http sees them. It does a
// bounded number of handshakes at once, from each network in turn. net/http would start as many as
// clients like, and reports a connection only after its handshake.
type acceptor struct {
	config      *tls.Config
	connections *connections
	handshakes  *budget
	log         *slog.Logger
	secured     chan *tls.Conn
	acceptEnded chan struct{} // closed when no more connections are accepted
	// set when the server shuts down: no connections are accepted, and open ones are still answered
	closing  atomic.Bool
	stop     context.Context // ends when no handshake may go on
	close    context.CancelCauseFunc
	listener net.Listener
}

func newAcceptor(c Capacity, config *tls.Config, open *connections, log *slog.Logger) *acceptor {
	a := &acceptor{config: config, connections: open,
		handshakes: newBudget(int64(c.Handshakes), open.limit, handshakePatience), log: log,
		secured: make(chan *tls.Conn), acceptEnded: make(chan struct{})}
	a.stop, a.close = context.WithCancelCause(context.Background())
	return a
}

// start accepts connections of a listener, and returns a listener of those that have done their TLS
// handshake.
func (a *acceptor) start(listener net.Listener) net.Listener {
	a.listener = listener
	go a.accept()
	return &secureListener{acceptor: a}
}

// firstRequestTime is how long a server that shuts down waits for the first request of connections
// that it has accepted.
const firstRequestTime = 5 * time.Second

// drain stops accepting connections, and answers the requests that have come on those that are
// open, until ctx ends. http.Server.Shutdown alone would lose requests: it closes a new connection
// when its first request comes, and any connection whose next request was read but has not reached
// a handler.
func (a *acceptor) drain(ctx context.Context, h *http.Server) error {
	a.closing.Store(true)
	err := a.listener.Close()
	<-a.acceptEnded
	h.SetKeepAlivesEnabled(false)
	select {
	case <-a.connections.allHandled():
	case <-time.After(firstRequestTime):
	case <-ctx.Done():
	}
	if err = errors.Join(err, h.Shutdown(ctx)); err != nil {
		err = errors.Join(err, h.Close())
	}
	return err
}

// secureListener is the listener of connections that have done their handshake.
type secureListener struct {
	*acceptor
}

// Accept implements net.Listener. The connections are *tls.Conn.
func (l *secureListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.secured:
		return conn, nil
	case <-l.stop.Done():
		return nil, context.Cause(l.stop)
	}
}

// Close implements net.Listener.
func (l *secureListener) Close() error {
	l.close(net.ErrClosed)
	if err := l.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Addr implements net.Listener.
func (l *secureListener) Addr() net.Addr { return l.listener.Addr() }

const (
	firstPause   = 5 * time.Millisecond
	longestPause = time.Second
)

// accept accepts connections until the listener is closed. It never waits for the other side of
// one.
func (a *acceptor) accept() {
	defer close(a.acceptEnded)
	pause := firstPause
	for {
		conn, err := a.listener.Accept()
		if err == nil {
			pause = firstPause
			if a.connections.add(conn) {
				go a.admit(conn)
			} else {
				_ = conn.Close()
			}
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			if !a.closing.Load() {
				a.close(err)
			}
			return
		}
		// For example, the process has as many files open as it may; some will be closed soon.
		a.log.Warn("connections cannot be accepted; it is tried again", "err", err, "after", pause)
		select {
		case <-a.stop.Done():
			return
		case <-time.After(pause):
			pause = min(2*pause, longestPause)
		}
	}
}

// admit does the handshake of a connection and passes it on to the listener.
func (a *acceptor) admit(conn net.Conn) {
	secure, err := a.handshake(conn)
	if err == nil && secure.ConnectionState().NegotiatedProtocol == acme.ALPNProto {
		err = errors.New("an ACME CA has seen the certificate that it came for (RFC 8737)")
	}
	if err == nil {
		select {
		case a.secured <- secure:
			return
		case <-a.stop.Done():
			err = net.ErrClosed
		}
	}
	a.log.Debug("a connection ended with its handshake", "remote", conn.RemoteAddr(), "err", err)
	a.connections.remove(conn)
	_ = conn.Close()
}

func (a *acceptor) handshake(conn net.Conn) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(a.stop, handshakeTimeout)
	defer cancel()
	client := lane.Client{Owner: origin.Network(origin.Host(conn.RemoteAddr().String()))}
	place, err := a.handshakes.takeOrWait(ctx, client,
		&share{n: 1, revoke: func() { closeNow(conn) }})
	if err != nil {
		return nil, err
	}
	defer place.end()
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := tcp.SetWriteBuffer(sendBuffer); err != nil {
			return nil, err
		}
	}
	secure := tls.Server(conn, a.config)
	return secure, secure.HandshakeContext(ctx)
}

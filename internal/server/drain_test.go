package server

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener of connections within the process, so that the test's clock is theirs.
type pipes struct {
	come   chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.come:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close says of a listener that is closed already what TCP's says.
func (p *pipes) Close() error {
	select {
	case <-p.closed:
		return net.ErrClosed
	default:
		close(p.closed)
		return nil
	}
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

// draining is an acceptor with an HTTP server, whose state changes take a second: between the moment
// in which a request was read and the one in which its handler begins, everything else can happen.
type draining struct {
	*testing.T
	acceptor *acceptor
	http     *http.Server
	pipes    *pipes
	served   chan struct{}
}

func newDraining(t *testing.T) *draining {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	open := newConnections(100, time.Now, log)
	certificate := selfSigned(t)
	d := &draining{T: t, pipes: &pipes{make(chan net.Conn), make(chan struct{})},
		served: make(chan struct{})}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	d.acceptor = newAcceptor(Capacity{}.withDefaults(100), config, open, log)
	answer := func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) }
	d.http = &http.Server{
		Handler: open.markHandled(http.HandlerFunc(answer)),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return open.withConnection(ctx, conn)
		},
		ConnState: func(conn net.Conn, state http.ConnState) {
			open.stateChanged(conn, state)
			if state == http.StateActive {
				time.Sleep(time.Second)
			}
		},
	}
	entrance := d.acceptor.start(d.pipes)
	go func() {
		defer close(d.served)
		_ = d.http.Serve(entrance)
	}()
	return d
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1),
		NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// dial returns a connection that has shaken hands.
func (d *draining) dial() *tls.Conn {
	d.Helper()
	near, far := net.Pipe()
	d.pipes.come <- far
	c := tls.Client(near, &tls.Config{InsecureSkipVerify: true})
	if err := c.Handshake(); err != nil {
		d.Fatal(err)
	}
	return c
}

func (d *draining) ask(c net.Conn, path string) {
	d.Helper()
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		d.Fatalf("asking for %s: %v", path, err)
	}
}

// answered fails the test if there is no whole answer, and tells whether the connection may be used
// again.
func (d *draining) answered(in *bufio.Reader, path string) (again bool) {
	d.Helper()
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		d.Fatalf("%s is not answered: %v", path, err)
	}
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != path {
		d.Errorf("%s is answered %q, %v", path, body, err)
	}
	return !res.Close
}

// drain begins to end the server, and returns when nothing moves by itself any more.
func (d *draining) drain() (ended <-chan error) {
	done := make(chan error, 1)
	go func() { done <- d.acceptor.drain(d.Context(), d.http) }()
	synctest.Wait()
	return done
}

func (d *draining) ends(ended <-chan error) {
	d.Helper()
	if err := <-ended; err != nil {
		d.Errorf("the server ends with %v", err)
	}
	<-d.served
}

// What a server that ends has read, it answers: the first request of a connection, whenever it
// comes, and a further one that was read before. What says nothing is closed.
func TestDrainAnswersWhatWasRead(t *testing.T) {
	t.Run("a first request", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := newDraining(t)
			c := d.dial()
			ended := d.drain()
			d.ask(c, "/first")
			if d.answered(bufio.NewReader(c), "/first") {
				t.Error("the connection is to be used again")
			}
			d.ends(ended)
		})
	})
	t.Run("a further request", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := newDraining(t)
			c := d.dial()
			in := bufio.NewReader(c)
			d.ask(c, "/first")
			if !d.answered(in, "/first") {
				t.Fatal("the connection is not to be used again")
			}
			d.ask(c, "/second")
			synctest.Wait() // it was read
			ended := d.drain()
			if d.answered(in, "/second") {
				t.Error("the connection is to be used again")
			}
			d.ends(ended)
		})
	})
	t.Run("nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := newDraining(t)
			idle, silent := d.dial(), d.dial()
			d.ask(idle, "/first")
			in := bufio.NewReader(idle)
			d.answered(in, "/first")
			synctest.Wait() // it is idle
			began := time.Now()
			ended := d.drain()
			if _, err := in.ReadByte(); err == nil || time.Since(began) > 0 {
				t.Errorf("an idle connection is closed after %v: %v", time.Since(began), err)
			}
			if _, err := silent.Read(make([]byte, 1)); err == nil ||
				time.Since(began) < firstRequestTime {
				t.Errorf("one that says nothing is closed after %v: %v", time.Since(began), err)
			}
			d.ends(ended)
		})
	})
}

package faults

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// wall is a TCP proxy that can do to connections what networks do: it delays, goes silent without
// closing, cuts, and refuses.
type wall struct {
	listener net.Listener

	mu      sync.Mutex
	dial    func() (net.Conn, error)
	delay   time.Duration // of each piece, in each direction
	gate    chan struct{} // closed: bytes pass
	refuses bool
	open    map[net.Conn]struct{}
}

// newWall listens on a port of its own, and dials for each connection.
func newWall(t *testing.T, dial func() (net.Conn, error)) *wall {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wall{listener: l, dial: dial, gate: make(chan struct{}),
		open: make(map[net.Conn]struct{})}
	close(w.gate)
	var running sync.WaitGroup
	running.Go(func() { w.accept(&running) })
	t.Cleanup(func() {
		_ = l.Close()
		w.heal()
		w.cut()
		running.Wait()
	})
	return w
}

func (w *wall) address() string { return w.listener.Addr().String() }

func (w *wall) accept(running *sync.WaitGroup) {
	for {
		near, err := w.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		running.Go(func() { w.carry(near) })
	}
}

// carry joins a connection with one to the other side until either ends.
func (w *wall) carry(near net.Conn) {
	if !w.keep(near) {
		return
	}
	defer w.drop(near)
	w.wait()
	w.mu.Lock()
	dial := w.dial
	w.mu.Unlock()
	far, err := dial()
	if err != nil || !w.keep(far) {
		return
	}
	defer w.drop(far)
	var both sync.WaitGroup
	for from, to := range map[net.Conn]net.Conn{near: far, far: near} {
		both.Go(func() {
			w.pump(to, from)
			w.drop(to)
			w.drop(from)
		})
	}
	both.Wait()
}

func (w *wall) pump(to, from net.Conn) {
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		w.wait()
		if n > 0 {
			if _, err := to.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// wait passes when bytes do.
func (w *wall) wait() {
	w.mu.Lock()
	delay := w.delay
	w.mu.Unlock()
	time.Sleep(delay)
	for {
		w.mu.Lock()
		gate := w.gate
		w.mu.Unlock()
		<-gate
		w.mu.Lock()
		same := gate == w.gate
		w.mu.Unlock()
		if same {
			return
		}
	}
}

func (w *wall) keep(c net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuses {
		_ = c.Close()
		return false
	}
	w.open[c] = struct{}{}
	return true
}

func (w *wall) drop(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, c)
	_ = c.Close()
}

// slow delays each piece of what passes, in each direction.
func (w *wall) slow(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delay = by
}

// silence lets nothing pass any more, and closes nothing: to both sides the other seems to think.
func (w *wall) silence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gate = make(chan struct{})
}

// refuse closes all connections, and new ones at once.
func (w *wall) refuse() {
	w.mu.Lock()
	w.refuses = true
	w.mu.Unlock()
	w.cut()
}

// lead leads new connections elsewhere.
func (w *wall) lead(dial func() (net.Conn, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dial = dial
}

// cut closes all connections.
func (w *wall) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		_ = c.Close()
	}
}

// heal lets everything pass as at first; what waited passes now.
func (w *wall) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delay, w.refuses = 0, false
	select {
	case <-w.gate:
	default:
		close(w.gate)
	}
}

// anyOf dials one of several addresses by chance, and another if that one does not take the
// connection: a balancer without sticky sessions.
func anyOf(addresses ...string) func() (net.Conn, error) {
	return func() (c net.Conn, err error) {
		for _, i := range rand.Perm(len(addresses)) {
			if c, err = net.DialTimeout("tcp", addresses[i], time.Second); err == nil {
				return c, nil
			}
		}
		return nil, err
	}
}

package faults

import (
	"bytes"
	"crypto/tls"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/activation"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests wait much more than they compute.
	if err := flag.Set("test.parallel", strconv.Itoa(max(8, runtime.GOMAXPROCS(0)))); err != nil {
		panic(err)
	}
	os.Exit(servertest.Main(m))
}

// node is a server, as its own process.
type node struct {
	*testing.T
	path, data, listen string
	socket             *activation.Socket // on listen, which it is started with
	flags              []string
	login              *syscall.Credential // nil: this process's

	mu      sync.Mutex
	running *exec.Cmd
	last    *exec.Cmd     // that ran, whether it still does or not
	exited  chan struct{} // closed when it has
	said    *output
}

// newNode returns a server that does not run yet. It gets the same socket whenever it starts, which
// nobody else can have.
func newNode(t *testing.T, flags ...string) *node {
	t.Helper()
	socket, err := activation.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	n := &node{T: t, path: servertest.Program(t), data: t.TempDir(), listen: socket.Addr(),
		socket: socket, flags: flags}
	t.Cleanup(n.kill)
	return n
}

func (n *node) start() {
	n.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.said = new(output)
	c := exec.Command(n.path, append([]string{"serve", "--data", n.data, "--rate-limit", "0",
		"--log-level", "WARN"}, n.flags...)...)
	if err := n.socket.Pass(c); err != nil {
		n.Fatal(err)
	}
	c.Stdout, c.Stderr = n.said, n.said
	c.SysProcAttr = &syscall.SysProcAttr{Credential: n.login}
	if err := c.Start(); err != nil {
		n.Fatal(err)
	}
	exited := make(chan struct{})
	n.running, n.last, n.exited = c, c, exited
	go func() {
		_ = c.Wait() // ProcessState has how it ended
		close(exited)
	}()
}

// kill ends the process at once, wherever it is.
func (n *node) kill() { n.signal(syscall.SIGKILL) }

// signal sends the process a signal that ends it, and waits for its end.
func (n *node) signal(s syscall.Signal) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running == nil {
		return
	}
	_ = n.running.Process.Signal(s) // it may have ended
	<-n.exited
	n.running = nil
	for _, bad := range []string{"panic", "DATA RACE", "fatal error"} {
		if strings.Contains(n.said.String(), bad) {
			n.Errorf("the server said:\n%s", n.said)
		}
	}
}

// ends waits until the process has ended by itself and returns how, and what it said.
func (n *node) ends(within time.Duration) (code int, said string) {
	n.Helper()
	select {
	case <-n.exited:
		return n.running.ProcessState.ExitCode(), n.said.String()
	case <-time.After(within):
		n.Fatalf("the server still runs; it said:\n%s", n.said)
		return 0, ""
	}
}

// alive fails the test if the process has ended by itself.
func (n *node) alive() {
	n.Helper()
	select {
	case <-n.exited:
		n.Fatalf("the server ended by itself: %s; it said:\n%s", n.running.ProcessState, n.said)
	default:
	}
}

// up waits until the server answers.
func (n *node) up() {
	n.Helper()
	anyCertificate := &http.Client{Timeout: 10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
			DisableKeepAlives: true}}
	end := time.Now().Add(time.Minute)
	for {
		n.alive()
		if answer, err := anyCertificate.Get("https://" + n.listen + "/healthz"); err == nil {
			_ = answer.Body.Close()
			return
		}
		if time.Now().After(end) {
			n.Fatalf("the server does not come up; it said:\n%s", n.said)
		}
		time.Sleep(5 * time.Millisecond) // a process that starts has no event to wait for
	}
}

// output is what a process says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

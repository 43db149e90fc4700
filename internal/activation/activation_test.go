//go:build unix

package activation_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/activation"
)

// asServer makes this binary a process that says what it was started with.
const asServer = "ACTIVATION_TEST_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) == "" {
		os.Exit(m.Run())
	}
	l, err := activation.Listener()
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		if value, set := os.LookupEnv(name); set {
			fmt.Printf("%s is still %q; ", name, value)
		}
	}
	switch {
	case err != nil:
		fmt.Print("refused: ", err)
	case l == nil:
		fmt.Print("none")
	default:
		if out, _ := exec.Command("sh", "-c",
			"[ ! -e /dev/fd/3 ] || echo open").Output(); len(out) > 0 {
			fmt.Print("a process of its own has the socket; ")
		}
		conn, err := l.Accept()
		if err == nil {
			_, err = io.WriteString(conn, "at "+l.Addr().String())
			_ = conn.Close()
		}
		fmt.Print("served ", err)
	}
	os.Exit(0)
}

func serverProcess(t *testing.T, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), append(env, asServer+"=1")...)
	return c
}

// Processes that get the socket one after the other serve at the same address, and who connects in
// between waits for the next.
func TestSocketOutlivesProcesses(t *testing.T) {
	s, err := activation.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 3 {
		conn, err := net.Dial("tcp", s.Addr()) // nobody runs who could take it
		if err != nil {
			t.Fatal(err)
		}
		c := serverProcess(t)
		if err := s.Pass(c); err != nil {
			t.Fatal(err)
		}
		said, err := c.Output()
		if err != nil || string(said) != "served <nil>" {
			t.Fatalf("the process says %q, %v", said, err)
		}
		if got, err := io.ReadAll(conn); err != nil || string(got) != "at "+s.Addr() {
			t.Errorf("answered is %q, %v; the socket is at %s", got, err, s.Addr())
		}
	}
}

// What is not meant for the process, or is not what it can serve on, is not used.
func TestListenerRefuses(t *testing.T) {
	tcp := func() (*os.File, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		return l.(*net.TCPListener).File()
	}
	udp := func() (*os.File, error) {
		l, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		return l.(*net.UDPConn).File()
	}
	connected := func() (*os.File, error) { // what Accept=yes passes
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			return nil, err
		}
		defer c.Close()
		return c.(*net.TCPConn).File()
	}
	local := func() (*os.File, error) {
		l, err := net.Listen("unix", t.TempDir()+"/socket")
		if err != nil {
			return nil, err
		}
		return l.(*net.UnixListener).File()
	}
	plain := func() (*os.File, error) { return os.Open(os.DevNull) }
	const own = `export LISTEN_PID=$$; exec "$0"`
	for name, c := range map[string]struct {
		shell string
		env   []string
		file  func() (*os.File, error)
		says  string
	}{
		"no variables": {`exec "$0"`, nil, tcp, "none"},
		"no process":   {`exec "$0"`, []string{"LISTEN_FDS=1"}, tcp, "none"},
		"another process": {`export LISTEN_PID=1; exec "$0"`, []string{"LISTEN_FDS=1"}, tcp,
			"none"},
		"no number": {`export LISTEN_PID=x; exec "$0"`, []string{"LISTEN_FDS=1"}, tcp,
			"refused: LISTEN_PID"},
		"no files":         {own, []string{"LISTEN_FDS=0"}, tcp, "none"},
		"a number below 0": {own, []string{"LISTEN_FDS=-1"}, tcp, "refused: LISTEN_FDS"},
		"far too many":     {own, []string{"LISTEN_FDS=1000000000"}, tcp, "refused: LISTEN_FDS"},
		"several sockets": {own, []string{"LISTEN_FDS=2", "LISTEN_FDNAMES=web:metrics"}, tcp,
			"refused: 2 sockets are passed (web, metrics)"},
		"a datagram socket": {own, []string{"LISTEN_FDS=1"}, udp, "refused: "},
		"a connection": {own, []string{"LISTEN_FDS=1"}, connected,
			"refused: the socket that was passed does not listen"},
		"a local socket": {own, []string{"LISTEN_FDS=1"}, local,
			"refused: the socket that was passed is at "},
		"no socket":        {own, []string{"LISTEN_FDS=1"}, plain, "refused: file 3"},
		"a file not there": {own, []string{"LISTEN_FDS=1"}, nil, "refused: file 3"},
	} {
		t.Run(name, func(t *testing.T) {
			p := serverProcess(t, c.env...)
			p.Args = []string{"sh", "-c", c.shell, p.Path}
			p.Path = "/bin/sh"
			if c.file != nil {
				f, err := c.file()
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				p.ExtraFiles = []*os.File{f}
			}
			said, err := p.Output()
			if err != nil || !strings.HasPrefix(string(said), c.says) {
				t.Errorf("it says %q, %v; want %q", said, err, c.says)
			}
		})
	}
}

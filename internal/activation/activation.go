// Package activation passes a listening socket from who starts a process to the process, as systemd
// does (sd_listen_fds(3)): the process may end and be started again, and no connection is refused
// meanwhile, nor does another process get the port. It imports no other package of this project.
// Listener is for the process that is started, Socket for who starts it.
package activation

import (
	"net"
	"os"
	"os/exec"
)

// Variables of the protocol, and a bound for what they say.
const (
	pidVariable   = "LISTEN_PID"
	countVariable = "LISTEN_FDS"
	namesVariable = "LISTEN_FDNAMES"

	mostFiles = 1024
)

// Socket listens for the processes that it is passed to, one after the other. Connections wait
// while none of them runs.
type Socket struct {
	addr string
	file *os.File
}

// Listen opens a socket on a TCP address; port 0: any free one, which stays the same until Close.
func Listen(address string) (*Socket, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	defer l.Close() // the file is a copy
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		return nil, err
	}
	return &Socket{l.Addr().String(), file}, nil
}

// Addr is where the socket listens, host:port.
func (s *Socket) Addr() string { return s.addr }

// Listener listens on the socket in this process. To close it leaves the socket open.
func (s *Socket) Listener() (net.Listener, error) { return net.FileListener(s.file) }

// Close ends it for who has no copy yet; a process that was started with it listens on.
func (s *Socket) Close() error { return s.file.Close() }

// Pass has a program, which must not run yet and gets no other file, start with the socket. The
// program must be told its own number before it runs, which nobody knows earlier than the process
// itself: a shell that becomes the program says it.
func (s *Socket) Pass(c *exec.Cmd) error {
	shell, err := exec.LookPath("sh")
	if err != nil {
		return err
	}
	c.Args = append([]string{"sh", "-c", "export " + pidVariable + `=$$; exec "$@"`, "sh", c.Path},
		c.Args[1:]...)
	c.Path = shell
	c.Env = append(c.Environ(), countVariable+"=1", namesVariable+"=https")
	c.ExtraFiles = []*os.File{s.file}
	return nil
}

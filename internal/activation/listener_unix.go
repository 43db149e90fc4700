//go:build unix

package activation

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// firstFile is the number of the first file that is passed (SD_LISTEN_FDS_START).
const firstFile = 3

// Listener is the listening socket that this process was started with; nil: it was started with
// none. It takes the variables of the protocol out of the environment, so that no program started
// by this one believes to be meant, and is of use once, before anything else is opened or started.
func Listener() (net.Listener, error) {
	pid, count, names := os.Getenv(pidVariable), os.Getenv(countVariable), os.Getenv(namesVariable)
	for _, name := range []string{pidVariable, countVariable, namesVariable, "LISTEN_PIDFDID"} {
		if err := os.Unsetenv(name); err != nil {
			return nil, err
		}
	}
	if pid == "" || count == "" {
		return nil, nil
	}
	if n, err := strconv.Atoi(pid); err != nil || n <= 0 {
		return nil, fmt.Errorf("%s is %q, which is no number of a process", pidVariable, pid)
	} else if n != os.Getpid() {
		return nil, nil // they are meant for who started this process
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > mostFiles {
		return nil, fmt.Errorf("%s is %q, which is no number of files", countVariable, count)
	}
	for i := range n {
		syscall.CloseOnExec(firstFile + i)
	}
	switch n {
	case 0:
		return nil, nil
	case 1:
		return listener(firstFile)
	default:
		return nil,
			fmt.Errorf("%d sockets are passed (%s), and the server listens on one: leave one ListenStream= in its socket unit, "+
				"and one socket unit in its service", n, strings.ReplaceAll(names, ":", ", "))
	}
}

// listener is what listens on a file that was passed.
func listener(number int) (net.Listener, error) {
	const want = ", and the server needs one that listens for TCP: ListenStream= with a port, and Accept=no"
	listens, err := syscall.GetsockoptInt(number, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	if err != nil {
		return nil, fmt.Errorf("file %d that was passed is no socket: %w%s", number, err, want)
	}
	if listens == 0 {
		return nil, fmt.Errorf("the socket that was passed does not listen%s", want)
	}
	file := os.NewFile(uintptr(number), "passed socket")
	l, err := net.FileListener(file) // has a copy of it
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("the socket that was passed: %w", err)
	}
	if _, tcp := l.Addr().(*net.TCPAddr); !tcp {
		return nil, errors.Join(fmt.Errorf("the socket that was passed is at %s%s", l.Addr(), want),
			l.Close())
	}
	return l, nil
}

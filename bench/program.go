package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/activation"
)

// program is a running server.
type program struct {
	name    string
	command *exec.Cmd
	log     string // file
	ended   chan struct{}
	err     error // read it when ended is closed
}

// start runs a server whose output goes into a file in dir, with a listening socket, if there is
// one.
func start(dir, name string, socket *activation.Socket, args ...string) (*program, error) {
	p := &program{name: name, log: filepath.Join(dir, name+".log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // the program has its own
	p.command = exec.Command(args[0], args[1:]...)
	p.command.Dir, p.command.Stdout, p.command.Stderr = dir, log, log
	// Ended with the bench, however that ends.
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if socket != nil {
		if err := socket.Pass(p.command); err != nil {
			return nil, err
		}
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		p.err = p.command.Wait()
		close(p.ended)
	}()
	return p, nil
}

const startTime = 30 * time.Second

// untilListening waits until the server takes connections.
func (p *program) untilListening(ctx context.Context, address string) error {
	return p.until(ctx, address, func(context.Context) error {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// untilAnswering waits until the server answers a request. Connections to a socket that it was
// started with are taken before.
func (p *program) untilAnswering(ctx context.Context, client *http.Client, url string) error {
	return p.until(ctx, url, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		answer, err := client.Do(request)
		if err != nil {
			return err
		}
		return answer.Body.Close()
	})
}

func (p *program) until(ctx context.Context, where string,
	reached func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for reached(limited) != nil {
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended: %w\n%s", p.name, p.err, p.tail())
		case <-limited.Done():
			return fmt.Errorf("%s is not reached at %s: %w\n%s", p.name, where, limited.Err(),
				p.tail())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// stop ends the server in order.
func (p *program) stop(signal os.Signal) error {
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(startTime):
		_ = p.command.Process.Kill()
		<-p.ended
		return fmt.Errorf("%s did not end when told to", p.name)
	}
	return nil
}

// tail is the end of what the server wrote.
func (p *program) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

// output runs a program to its end and returns what it printed.
func output(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, args[0], args[1:]...)
	command.Dir, command.Env = dir, append(os.Environ(), env...)
	var said bytes.Buffer
	command.Stderr = &said
	text, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, said.Bytes())
	}
	return strings.TrimSpace(string(text)), nil
}

// freeAddress is an address of the loopback interface that nobody listens on, for who cannot be
// given a socket.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

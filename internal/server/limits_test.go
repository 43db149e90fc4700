package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

func TestTLSVersions(t *testing.T) {
	s := start(t, server.Config{DataDir: servertest.Folder(t)})
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false,
		tls.VersionTLS12: true, tls.VersionTLS13: true} {
		c := trust(t, s)
		c.MinVersion, c.MaxVersion, c.NextProtos = version, version, []string{"h2", "http/1.1"}
		conn, err := tls.Dial("tcp", address(s), c)
		if (err == nil) != want {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err != nil {
			continue
		}
		if protocol := conn.ConnectionState().NegotiatedProtocol; protocol != "h2" {
			t.Errorf("%s: speaks %q", tls.VersionName(version), protocol)
		}
		_ = conn.Close()
	}
}

func TestTooMuchIsRefused(t *testing.T) {
	s := start(t, server.Config{DataDir: servertest.Folder(t)})
	client := browser(t, trust(t, s))
	long := strings.Repeat("x", 100<<10)
	for name, c := range map[string]struct {
		method, path, contentType string
		size                      int64
		header                    string
		want                      int
	}{
		"check-in": {"PUT", "/mdm", "application/x-apple-aspen-mdm-checkin", 1 << 20, "",
			413},
		"report":            {"PUT", "/mdm", "application/x-apple-aspen-mdm", 16 << 20, "", 413},
		"no content type":   {"PUT", "/mdm", "", 16 << 20, "", 413},
		"SCEP message":      {"POST", "/scep?operation=PKIOperation", "", 1 << 20, "", 413},
		"SCEP, allowed":     {"POST", "/scep?operation=PKIOperation", "", 64 << 10, "", 400},
		"SCEP, a byte more": {"POST", "/scep?operation=PKIOperation", "", 64<<10 + 1, "", 413},
		"SCEP query": {"GET", "/scep?operation=PKIOperation&message=" + long, "", 0, "",
			431},
		"enrollment code": {"GET", "/enroll/" + long, "", 0, "", 431},
		"header":          {"GET", "/healthz", "", 0, long, 431},
		"device's header": {"PUT", "/mdm", "", 0, long, 431},
		"enrollment link": {"POST", "/enroll/x", "", 16 << 20, "", 405},
		"without a token": {"POST", "/beta/deviceManagement/deviceConfigurations",
			"application/json", 16 << 20, "", 401},
		"nothing too much": {"GET", "/healthz", "", 0, "x", 200},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), c.method, s.URL()+c.path,
				io.LimitReader(letters{}, c.size))
			if err != nil {
				t.Fatal(err)
			}
			r.ContentLength = c.size
			if c.contentType != "" {
				r.Header.Set("Content-Type", c.contentType)
			}
			if c.header != "" {
				r.Header.Set("Mdm-Signature", c.header)
			}
			res, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != c.want {
				t.Errorf("%s, want %d", res.Status, c.want)
			}
		})
	}
}

// letters is an endless text.
type letters struct{}

func (letters) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte("x"), len(p))), nil }

// An HTTP/2 client either keeps to the limit that the server tells it, or is answered 431.
func TestTooLargeHeaderOverHTTP2(t *testing.T) {
	s := start(t, server.Config{DataDir: servertest.Folder(t)})
	client := browser(t, trust(t, s))
	client.Transport.(*http.Transport).ForceAttemptHTTP2 = true
	for size, refused := range map[int]bool{100: false, 1 << 20: true} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL()+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Mdm-Signature", strings.Repeat("x", size))
		res, err := client.Do(r)
		if err == nil {
			_ = res.Body.Close()
		}
		if (err != nil || res.StatusCode == http.StatusRequestHeaderFieldsTooLarge) != refused {
			t.Errorf("%d bytes: %v, %v", size, res, err)
		}
	}
}

// Where no body is expected, an endless one is cut off after the answer.
func TestUnexpectedBodyIsCutOff(t *testing.T) {
	s := start(t, server.Config{DataDir: servertest.Folder(t)})
	conn, err := tls.Dial("tcp", address(s), trust(t, s))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn,
		"GET /enroll/x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", 1<<40); err != nil {
		t.Fatal(err)
	}
	answered := make(chan int, 1)
	go func() {
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			answered <- 0
			return
		}
		answered <- res.StatusCode
	}()
	_ = conn.SetWriteDeadline(time.Now().Add(30 * time.Second))
	sent, err := io.Copy(conn, io.LimitReader(letters{}, 64<<20))
	if errors.Is(err, os.ErrDeadlineExceeded) || err == nil {
		t.Errorf("the server took %d bytes: %v", sent, err)
	}
	if status := <-answered; status != http.StatusNotFound {
		t.Errorf("answered %d", status)
	}
}

// Who sends its TLS handshake or header a byte a second (Slowloris) is cut off when its time is up.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	s := start(t, server.Config{DataDir: servertest.Folder(t)})
	for name, dial := range map[string]func() (net.Conn, error){
		"header": func() (net.Conn, error) {
			conn, err := tls.Dial("tcp", address(s), trust(t, s))
			if err == nil {
				_, err = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
			}
			return conn, err
		},
		"handshake": func() (net.Conn, error) {
			conn, err := net.Dial("tcp", address(s))
			if err == nil {
				_, err = conn.Write([]byte{22, 3, 1, 1, 0}) // a handshake record of 256 bytes
			}
			return conn, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := dial()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			began := time.Now()
			ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
			defer stop()
			go drip(ctx, conn)
			if _, err := io.Copy(io.Discard, conn); ctx.Err() != nil {
				t.Fatalf("still connected after %s: %v", time.Since(began), err)
			}
			if lasted := time.Since(began); lasted < 5*time.Second {
				t.Errorf("cut off after %s, before it was slow", lasted)
			}
		})
	}
}

// drip sends a byte a second until the connection or ctx ends.
func drip(ctx context.Context, conn net.Conn) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = conn.Close()
			return
		case <-tick.C:
			if _, err := conn.Write([]byte("x")); err != nil {
				return
			}
		}
	}
}

package server_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// mostHeap bounds what slow and greedy senders make the heap grow by, with their own memory, which
// is in this process too.
const mostHeap = 256 << 20

// Who is slow or greedy, of whatever kind, keeps nobody of another kind from being answered within
// a second, nor the balancer; and the server's memory is bounded. Nearly all of it holds for others
// of the same network, too.
func TestSlowAndGreedyKeepNobodyWaiting(t *testing.T) {
	w := newSlowWorld(t)
	w.answered(greedyNetwork, otherNetwork)
	const auth, form = "Authorization: Bearer ",
		"Content-Type: application/x-www-form-urlencoded\r\n"
	cookie := "Cookie: __Host-syncpayloads=" + w.session + "\r\n"
	report := bytes.Repeat([]byte(" "), 1<<20)
	signature := "Mdm-Signature: " + w.device.sign(report) + "\r\n"
	send := func(head, body string) func(int, net.Conn) error {
		return func(_ int, conn net.Conn) error {
			_, err := io.WriteString(conn, head+"\r\n"+body)
			return err
		}
	}
	half := string(report[:len(report)/2])
	for name, c := range map[string]struct {
		n       int
		plain   bool // without TLS
		do      func(int, net.Conn) error
		private bool // only other networks are promised an answer
	}{
		"unauthenticated, sign-in without a body": {n: 300,
			do: send("POST /console/sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"+form, "")},
		"unauthenticated, a short body": {n: 600,
			do: send("PUT /mdm HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n", "x")},
		"unauthenticated, a SCEP message": {n: 300,
			do: send("POST /scep?operation=PKIOperation HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n", half[:50000])},
		"unauthenticated, 7 MiB": {n: 60, do: func(_ int, conn net.Conn) error {
			return pour(conn,
				"PUT /mdm HTTP/1.1\r\nHost: x\r\nMdm-Signature: MAA=\r\nContent-Length: 7340032\r\n\r\n", 7<<20)
		}},
		"unauthenticated, a header": {n: 200, do: func(_ int, conn net.Conn) error {
			_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nX: ")
			return err
		}},
		"unauthenticated, a handshake": {n: 300, plain: true, do: func(_ int, conn net.Conn) error {
			_, err := conn.Write([]byte{22, 3, 1, 1, 0})
			return err
		}, private: true},
		"unauthenticated, gzip": {n: 100,
			do: send("POST /beta/$batch HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "5\r\n\x1f\x8b\x08\x00\x00\r\n")},
		"device, a report": {n: 100,
			do: send("PUT /mdm HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n"+signature,
				half)},
		"reader, takes nothing": {n: 200,
			do: send("GET /api/events HTTP/1.1\r\nHost: x\r\n"+auth+w.greedy+"\r\n", "")},
		"reader, HEAD": {n: 100,
			do: send("HEAD /api/events HTTP/1.1\r\nHost: x\r\n"+auth+w.greedy+"\r\n", "")},
		"caller, a file": {n: 100,
			do: send("POST /beta/deviceManagement/deviceConfigurations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1048576\r\n"+
				auth+w.greedy+"\r\n", half)},
		"caller, reads nothing": {n: 50, do: func(_ int, conn net.Conn) error {
			for range 100 {
				if _, err := fmt.Fprintf(conn,
					"GET /beta/$metadata HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
					return err
				}
			}
			return nil
		}},
		"console, an upload": {n: 100,
			do: send("POST /console/catalog/policies HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1048576\r\n"+
				cookie,
				"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n"+half)},
		"webhook target": {n: 50, do: func(_ int, conn net.Conn) error {
			body := w.subscription(w.silent)
			_, err := fmt.Fprintf(conn,
				"POST /beta/subscriptions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s%s\r\n\r\n%s",
				len(body), auth, w.greedy, body)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			of := *w
			of.T = t
			heap := peak()
			end := of.crowd(c.n, !c.plain, c.do)
			if c.private {
				of.answered(otherNetwork)
			} else {
				of.answered(greedyNetwork, otherNetwork)
			}
			if grown := heap(); grown > mostHeap {
				t.Errorf("the heap grew by %d MiB", grown>>20)
			}
			end()
		})
	}
	if of := *w; !t.Failed() {
		of.answered(greedyNetwork, otherNetwork)
	}
}

// pour sends as much as is taken.
func pour(conn net.Conn, head string, n int) error {
	_, err := io.WriteString(conn, head)
	for chunk := make([]byte, 16<<10); err == nil && n > 0; n -= len(chunk) {
		_, err = conn.Write(chunk)
	}
	return err
}

// A connection of HTTP/2 that opens streams and resets them at once, or sends more headers than a
// header has, keeps nobody waiting.
func TestHTTP2Floods(t *testing.T) {
	w := newSlowWorld(t)
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "x"},
		{":path", "/beta/groups"},
		{"authorization", "Bearer " + w.greedy}} {
		if err := encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
			t.Fatal(err)
		}
	}
	head := block.Bytes()[:block.Len():block.Len()]
	for name, flood := range map[string]func(f *http2.Framer, i int) error{
		"reset": func(f *http2.Framer, i int) error {
			if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*i + 1),
				BlockFragment: head, EndStream: true, EndHeaders: true}); err != nil {
				return err
			}
			return f.WriteRSTStream(uint32(2*i+1), http2.ErrCodeCancel)
		},
		"continuation": func(f *http2.Framer, i int) error {
			if i == 0 {
				return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: head})
			}
			return f.WriteContinuation(1, false, bytes.Repeat([]byte{0}, 1000))
		},
		"settings": func(f *http2.Framer, i int) error { return f.WriteSettings() },
		"ping":     func(f *http2.Framer, i int) error { return f.WritePing(false, [8]byte{}) },
	} {
		t.Run(name, func(t *testing.T) {
			of := *w
			of.T = t
			config := trust(t, w.Server)
			config.NextProtos = []string{"h2"}
			heap := peak()
			var conns []net.Conn
			for range 4 {
				conn, err := w.dial(greedyNetwork, config)
				if err != nil {
					t.Fatal(err)
				}
				conns = append(conns, conn)
				go func() {
					_, err := io.WriteString(conn, http2.ClientPreface)
					f := http2.NewFramer(conn, conn)
					if err == nil {
						err = f.WriteSettings()
					}
					for i := 0; err == nil; i++ {
						err = flood(f, i)
					}
				}()
			}
			of.answered(greedyNetwork, otherNetwork)
			if grown := heap(); grown > mostHeap {
				t.Errorf("the heap grew by %d MiB", grown>>20)
			}
			for _, conn := range conns {
				_ = conn.Close()
			}
		})
	}
}

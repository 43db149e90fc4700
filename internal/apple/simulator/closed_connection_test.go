package simulator_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// A server may close a connection that is idle while a device sends on it, and the device sends the
// message again on another one. An answer that breaks off is a failure, and so is a fresh
// connection that is closed.
func TestClosedConnections(t *testing.T) {
	const whole = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for name, test := range map[string]struct {
		// to the device's messages, each before the connection is closed; after these the server
		// answers
		answers []string
		ends    bool  // early
		sent    int64 // messages
	}{
		"idle":           {[]string{"", ""}, true, 2}, // the second one comes on a fresh connection
		"idle once":      {[]string{""}, false, 2},
		"half an answer": {[]string{whole[:20]}, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t)
			device := server.enrolled(t, server.fleet(simulator.Options{}),
				simulator.Config{Kind: simulator.IPhone, Seed: 1})
			// on the connection that is idle then
			if err := device.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			next := server.Config.Handler
			var sent atomic.Int64
			server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				i := int(sent.Add(1)) - 1
				if i >= len(test.answers) {
					next.ServeHTTP(w, r)
					return
				}
				conn, out, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = out.WriteString(test.answers[i])
				_ = out.Flush()
				_ = conn.Close()
			})
			if err := device.Connect(t.Context()); (err != nil) != test.ends ||
				sent.Load() != test.sent {
				t.Errorf("%d messages were sent, want %d; the connection ended with %v",
					sent.Load(), test.sent, err)
			}
		})
	}
}

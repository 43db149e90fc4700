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
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// The networks of those who are slow or greedy, and of others.
const (
	greedyNetwork = "127.0.0.1"
	otherNetwork  = "127.0.0.2"
)

// slowWorld is a server with everybody who uses it: each kind can be slow or greedy, and each can
// be asked for.
type slowWorld struct {
	*testing.T
	*server.Server
	admin, greedy string // bearer tokens
	session       string // of the admin in the console
	device        *wire
	idle          []byte // a device's message: it has nothing to answer
	target        string // a webhook that answers
	silent        string // one that never does
}

func newSlowWorld(t *testing.T) *slowWorld {
	t.Helper()
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	s := start(t, server.Config{DataDir: servertest.Folder(t),
		Notify:   server.Notify{AllowHTTP: true, Allow: loopback},
		Capacity: server.Capacity{Devices: 32, Calls: 8, Handshakes: 64}})
	w := &slowWorld{T: t, Server: s}
	for name, to := range map[string]*string{"admin": &w.admin, "greedy": &w.greedy} {
		_, bearer, err := s.Tokens().Create(t.Context(),
			access.TokenInput{Name: name, Role: access.Administrator})
		if err != nil {
			t.Fatal(err)
		}
		*to = bearer
	}
	who, err := s.Tokens().Identify(t.Context(), w.admin)
	if err == nil {
		w.session, err = s.Sessions().Begin(t.Context(), who)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.enroll()
	answering := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, r.URL.Query().Get("validationToken"))
	}))
	t.Cleanup(answering.Close)
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dead.Close() })
	w.target, w.silent = answering.URL, "http://"+dead.Addr().String()
	return w
}

func (w *slowWorld) enroll() {
	w.Helper()
	link, _, err := w.Channel().EnrollmentLink(w.Context(), time.Hour)
	if err != nil {
		w.Fatal(err)
	}
	w.device = newWire(w.T, w.Server, uuid.NewString(), link)
	if !w.device.certify(w.device.challenge) {
		w.Fatal("no identity")
	}
	for _, m := range []map[string]any{{"MessageType": "Authenticate", "Topic": "com.apple.mgmt.x",
		"ProductName": "iPhone15,2"},
		{"MessageType": "TokenUpdate", "Topic": "com.apple.mgmt.x", "PushMagic": "x",
			"Token": []byte("x")}} {
		if status, text := w.device.send(checkin, w.device.message(m)); status != http.StatusOK {
			w.Fatalf("enrolling: %d %s", status, text)
		}
	}
	w.idle = w.device.message(map[string]any{"Status": "Idle"})
}

// dial opens a connection from a network, as TLS unless config is nil.
func (w *slowWorld) dial(network string, config *tls.Config) (net.Conn, error) {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(network)},
		Timeout: 20 * time.Second}
	if config == nil {
		return dialer.Dial("tcp", address(w.Server))
	}
	return tls.DialWithDialer(dialer, "tcp", address(w.Server), config)
}

// ask sends a request on a connection of its own.
func (w *slowWorld) ask(network, method, path string, header http.Header,
	body []byte) (*http.Response, error) {
	client := &http.Client{Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request,
			[]*http.Request) error {
			return http.ErrUseLastResponse
		},
		Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: trust(w.T, w.Server),
			DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(network)}}).DialContext}}
	r, err := http.NewRequestWithContext(w.Context(), method, w.URL()+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = header
	return client.Do(r)
}

// expect asks, and wants an answer with the status and this text in it.
func (w *slowWorld) expect(network, method, path string, header http.Header, body []byte,
	status int) error {
	answer, err := w.ask(network, method, path, header, body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != status {
		err = fmt.Errorf("%s %s: %s %s", method, path, answer.Status, text)
	}
	return err
}

func bearer(token string) http.Header {
	return http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
}

// witnesses are one of each kind, who do nothing wrong and want their answer.
func (w *slowWorld) witnesses() map[string]func(network string) error {
	cookie := http.Header{"Cookie": {"__Host-syncpayloads=" + w.session}}
	return map[string]func(string) error{
		"balancer": func(from string) error {
			return w.expect(from, "GET", "/readyz", nil, nil, 200)
		},
		"unauthenticated": func(from string) error {
			return errors.Join(w.expect(from, "GET", "/console/sign-in", nil, nil, 200),
				w.expect(from, "POST", "/beta/groups", nil, []byte(`{}`), 401))
		},
		"device": func(from string) error {
			return w.expect(from, "PUT", "/mdm",
				http.Header{"Mdm-Signature": {w.device.sign(w.idle)}}, w.idle, 200)
		},
		"reader": func(from string) error {
			answer, err := w.ask(from, "GET", "/api/events", bearer(w.admin), nil)
			if err != nil {
				return err
			}
			defer answer.Body.Close()
			line, err := bufio.NewReader(answer.Body).ReadString('\n')
			if err == nil && !strings.HasPrefix(line, "id: ") {
				err = fmt.Errorf("a stream begins with %s %q", answer.Status, line)
			}
			return err
		},
		"caller": func(from string) error {
			return errors.Join(w.expect(from, "GET", "/beta/groups?$top=1", bearer(w.admin), nil,
				200),
				w.expect(from, "POST", "/beta/groups", bearer(w.admin),
					[]byte(`{"displayName":"`+uuid.NewString()+`"}`), 201))
		},
		"console": func(from string) error {
			return w.expect(from, "GET", "/console/", cookie, nil, 200)
		},
		"webhook target": func(from string) error {
			return w.expect(from, "POST", "/beta/subscriptions", bearer(w.admin),
				w.subscription(w.target), 201)
		},
	}
}

func (w *slowWorld) subscription(target string) []byte {
	return fmt.Appendf(nil,
		`{"changeType":"updated","notificationUrl":%q,"resource":"deviceManagement/managedDevices","expirationDateTime":%q}`,
		target, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

// answered checks that everybody is answered within a second. On a machine with other work one try
// may take longer.
func (w *slowWorld) answered(networks ...string) {
	w.Helper()
	for _, from := range networks {
		for name, ask := range w.witnesses() {
			var took time.Duration
			var err error
			for range 4 {
				began := time.Now()
				err = ask(from)
				if took = time.Since(began); err == nil && took < time.Second {
					break
				}
			}
			if err != nil || took >= time.Second {
				w.Errorf("%s from %s: answered in %s, %v", name, from, took, err)
			}
		}
	}
}

// crowd opens connections from the greedy network that do something and stay. The returned function
// ends them.
func (w *slowWorld) crowd(n int, secure bool, do func(i int, conn net.Conn) error) (end func()) {
	w.Helper()
	config := trust(w.T, w.Server)
	conns := make([]net.Conn, n)
	var next atomic.Int32
	var come, stay sync.WaitGroup
	for range 16 {
		come.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				var conn net.Conn
				var err error
				if conn, err = w.dial(greedyNetwork,
					map[bool]*tls.Config{true: config}[secure]); err != nil {
					continue // refused: so much the better
				}
				conns[i] = conn
				stay.Go(func() { _ = do(i, conn) })
			}
		})
	}
	come.Wait()
	return func() {
		for _, conn := range conns {
			if conn != nil {
				_ = conn.Close()
			}
		}
		stay.Wait()
	}
}

// peak measures how much the heap grows until the returned function is called, in bytes. It has
// everybody's memory, those who are greedy included.
func peak() (end func() int64) {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	before, most := int64(stats.HeapInuse), int64(0)
	ctx, stop := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			runtime.ReadMemStats(&stats)
			most = max(most, int64(stats.HeapInuse)-before)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return func() int64 {
		stop()
		watching.Wait()
		return most
	}
}

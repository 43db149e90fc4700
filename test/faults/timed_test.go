package faults

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// timed is a site of one device whose server runs in the test's process by the test's clock, and
// whose push service fails when the test says so. The device does not connect but when it is
// pushed, or was interrupted.
type timed struct {
	*site
	clock *clocktest.Ringing
	apns  *service
	wall  *wall // before the push service
}

func newTimed(t *testing.T) *timed {
	t.Helper()
	s := &timed{site: &site{T: t, troubles: new(output)},
		clock: clocktest.NewRinging(time.Now().UTC().Truncate(time.Second))}
	var err error
	if s.gateway, err = simulator.NewGateway(simulator.GatewayOptions{Log: quiet()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.gateway.Close() })
	cas := s.pushes()
	data := t.TempDir()
	s.database = storetest.Location(t)
	running, err := server.Start(t.Context(),
		server.Config{DataDir: data, Database: s.database, Listen: "127.0.0.1:0",
			APNsURL: "https://" + s.wall.address(), APNsCAs: cas, Clock: s.clock, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Close(context.Background()) })
	if _, s.token, err = running.Tokens().Create(t.Context(),
		access.TokenInput{Name: "admin", Role: access.Administrator}); err != nil {
		t.Fatal(err)
	}
	s.url, s.ca = running.URL(), running.CAFile()
	s.fill()
	s.fleet = simulator.NewFleet(simulator.Options{Transport: s.transport(), Keys: keys,
		Gateway: s.gateway, Apps: appStore, Clock: s.clock, Log: quiet()})
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() { s.fleet.Run(ctx); close(ran) }()
	t.Cleanup(func() { stop(); <-ran })
	s.enroll(1)
	s.eventually("the device has everything", time.Second, 10*time.Minute, func() bool {
		return slices.Equal(inventory(s.devices[0].Device), s.left(nil))
	})
	s.settle()
	return s
}

// service is a push service in front of the gateway: it passes pushes on, or refuses them.
type service struct {
	mu     sync.Mutex
	status int // 0: passes
	reason string
	asked  int
	inside int // pushes that are not answered yet
}

func (s *service) answers(status int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.reason, s.asked = status, reason, 0
}

// count is how many pushes came since answers was called.
func (s *service) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *service) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inside == 0
}

// begin counts a push and returns what to do with it.
func (s *service) begin() (status int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	s.inside++
	return s.status, s.reason
}

func (s *service) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inside--
}

// pushes starts the push service and the wall before it, and returns the CA of its certificate.
func (s *timed) pushes() *x509.CertPool {
	s.Helper()
	to, err := url.Parse(s.gateway.URL())
	if err != nil {
		s.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(s.gateway.CA())
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}},
		ErrorLog:  log.New(io.Discard, "", 0)}
	s.apns = &service{}
	listening := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		status, reason := s.apns.begin()
		defer s.apns.end()
		if status == 0 {
			pass.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"reason":%q}`, reason)
	}))
	listening.EnableHTTP2, listening.Config.ErrorLog = true, log.New(io.Discard, "", 0)
	listening.StartTLS()
	s.Cleanup(listening.Close)
	s.wall = newWall(s.T,
		func() (net.Conn, error) { return net.Dial("tcp", listening.Listener.Addr().String()) })
	cas := x509.NewCertPool()
	cas.AddCert(listening.Certificate())
	return cas
}

// eventually lets time pass, step by step and at most so long, until ok.
func (s *timed) eventually(what string, step, most time.Duration, ok func() bool) {
	s.Helper()
	for passed := time.Duration(0); !ok(); passed += step {
		if passed > most {
			s.Fatalf("not within %s: %s", most, what)
		}
		s.clock.Advance(step)
		time.Sleep(5 * time.Millisecond) // in which what is due now can happen
	}
}

// settle lets the server and the device do what is due: no push is on its way, and no device is
// connected or about to be.
func (s *timed) settle() {
	s.Helper()
	calm, before := 0, s.fleet.Stats()
	s.eventually("the device rests", time.Second, time.Hour, func() bool {
		time.Sleep(10 * time.Millisecond)
		now := s.fleet.Stats()
		if now != before || !s.apns.idle() || !s.fleet.Idle() {
			calm = 0
		}
		calm, before = calm+1, now
		return calm > 10
	})
}

func (s *timed) mustDeclare(d *device, restoreAfter string, set ...payload) {
	s.Helper()
	if !s.declare(s.url, d, set, restoreAfter) {
		s.Fatal("a call is not accepted")
	}
}

// remove declares a set and waits until it is off the device.
func (s *timed) remove(d *device, restoreAfter string, set ...payload) {
	s.Helper()
	s.mustDeclare(d, restoreAfter, set...)
	s.eventually("the set is off the device", time.Second, 10*time.Minute, func() bool {
		r, _ := s.result(d)
		return r.ActionState == "done" && slices.Equal(inventory(d.Device), s.left(set))
	})
}

// shows reports how an action stands with a payload, and whether the device's own stores say the
// same.
func (s *timed) shows(d *device, p payload, want string) bool {
	r, ok := s.result(d)
	has := slices.Contains(inventory(d.Device), p.Identifier)
	return ok && r.of(p) == want && has == (want == "restore/succeeded")
}

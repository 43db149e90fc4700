package simulator_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/micromdm/nanomdm/cryptoutil"
	"github.com/micromdm/nanomdm/mdm"
	"github.com/micromdm/plist"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

const topic = "com.apple.mgmt.External.4e3cb7a1-55d2-4b5c-9d0f-2f7f3c1f4f6e"

var keys = simulator.NewKeyPool(4)

// result is one answer as the server got it.
type result struct {
	*mdm.CommandResults
	values map[string]any
}

// testServer is a small MDM server: one queue of commands a device, sent again in a later
// connection until answered.
type testServer struct {
	*httptest.Server
	mutualTLS, signProfile, checkOutWhenRemoved bool

	mu       sync.Mutex
	changed  sync.Cond
	codes    map[string]bool
	issued   int64
	queues   map[string][]queued // by UDID or EnrollmentID
	deferred map[string]bool     // command UUIDs that got NotNow in the present connection
	results  []result
	checkIns []any
	pushes   map[string]mdm.Push
	idles    int
	answers  int // refuses devices with this status, if set
	problems []error
}

type queued struct {
	uuid string
	raw  []byte
}

func newServer(t *testing.T, options ...func(*testServer)) *testServer {
	t.Helper()
	s := &testServer{codes: map[string]bool{}, queues: map[string][]queued{},
		deferred: map[string]bool{},
		pushes:   map[string]mdm.Push{}, checkOutWhenRemoved: true}
	s.changed.L = &s.mu
	for _, option := range options {
		option(s)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /enroll/{code}", s.serveProfile)
	mux.HandleFunc("/scep", s.serveSCEP)
	mux.HandleFunc("PUT /mdm", s.serveMDM)
	s.Server = httptest.NewUnstartedServer(mux)
	if s.mutualTLS {
		s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(func() {
		s.Close()
		for _, problem := range s.problems {
			t.Errorf("server: %v", problem)
		}
	})
	return s
}

// fleet makes a fleet that trusts the server.
func (s *testServer) fleet(options simulator.Options) *simulator.Fleet {
	options.Transport = s.Client().Transport.(*http.Transport)
	options.MutualTLS = s.mutualTLS
	if options.Keys == nil {
		options.Keys = keys
	}
	return simulator.NewFleet(options)
}

// enrolled adds an enrolled device to a fleet.
func (s *testServer) enrolled(t *testing.T, fleet *simulator.Fleet,
	cfg simulator.Config) *simulator.Device {
	t.Helper()
	device := fleet.Add(cfg)
	if err := device.Enroll(t.Context(), s.link()); err != nil {
		t.Fatal(err)
	}
	return device
}

func (s *testServer) link() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	code := fmt.Sprintf("code-%d", len(s.codes))
	s.codes[code] = true
	return s.URL + "/enroll/" + code
}

// identity returns the certificate by which a device proved who it is.
func (s *testServer) identity(r *http.Request, body []byte) (*x509.Certificate, error) {
	if s.mutualTLS {
		if len(r.TLS.PeerCertificates) == 0 {
			return nil, errors.New("no client certificate")
		}
		return r.TLS.PeerCertificates[0], nil
	}
	return cryptoutil.VerifyMdmSignature(r.Header.Get("Mdm-Signature"), body)
}

func (s *testServer) serveMDM(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	certificate, err := s.identity(r, body)
	if err == nil {
		err = certificate.CheckSignatureFrom(authority().certificate)
	}
	if err != nil {
		s.problem(fmt.Errorf("identity: %w", err))
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changed.Broadcast()
	if s.answers != 0 {
		w.WriteHeader(s.answers)
		return
	}
	switch contentType := r.Header.Get("Content-Type"); contentType {
	case "application/x-apple-aspen-mdm-checkin":
		s.checkIn(body)
	case "application/x-apple-aspen-mdm":
		w.Write(s.report(body))
	default:
		s.problems = append(s.problems, fmt.Errorf("Content-Type %q", contentType))
	}
}

func (s *testServer) checkIn(body []byte) {
	message, err := mdm.DecodeCheckin(body)
	if err != nil {
		s.problems = append(s.problems, err)
		return
	}
	s.checkIns = append(s.checkIns, message)
	if update, isUpdate := message.(*mdm.TokenUpdate); isUpdate {
		s.pushes[id(update.Enrollment)] = update.Push
	}
}

func (s *testServer) report(body []byte) []byte {
	answer, err := mdm.DecodeCommandResults(body)
	if err != nil {
		s.problems = append(s.problems, err)
		return nil
	}
	device := id(answer.Enrollment)
	if answer.Status == "Idle" {
		s.idles++
		for _, command := range s.queues[device] {
			delete(s.deferred, command.uuid)
		}
	} else {
		values := map[string]any{}
		if err := plist.Unmarshal(body, &values); err != nil {
			s.problems = append(s.problems, err)
		}
		s.results = append(s.results, result{answer, values})
		s.settle(device, answer)
	}
	for _, command := range s.queues[device] {
		if !s.deferred[command.uuid] {
			return command.raw
		}
	}
	return nil
}

func (s *testServer) settle(device string, answer *mdm.CommandResults) {
	if answer.Status == "NotNow" {
		s.deferred[answer.CommandUUID] = true
		return
	}
	s.queues[device] = slices.DeleteFunc(s.queues[device],
		func(q queued) bool { return q.uuid == answer.CommandUUID })
}

func (s *testServer) problem(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, err)
}

func id(e mdm.Enrollment) string { return e.UDID + e.EnrollmentID }

func deviceID(device *simulator.Device) string {
	if facts := device.Facts(); facts.EnrollmentID == "" {
		return facts.UDID
	}
	return device.Facts().EnrollmentID
}

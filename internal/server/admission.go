package server

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// Capacity is how many requests the server works on at the same time. What comes beyond waits in order, and is told to
// come again when too many wait already, or it has waited for too long. Devices, calls and streams have their own each, so
// that none of them waits behind the others. The zero value of a field has a default.
type Capacity struct {
	Devices int           // requests of devices; default 128 for each processor
	Calls   int           // requests of the API and the console; default 32 for each processor
	Streams int           // readers of events, none of whom waits; default 16,384
	Waiting int           // requests that wait, for each one that is worked on; default 16
	Wait    time.Duration // the longest; default 10 s
}

func (c Capacity) withDefaults() Capacity {
	for field, value := range map[*int]int{&c.Devices: 128 * runtime.GOMAXPROCS(0), &c.Calls: 32 * runtime.GOMAXPROCS(0), &c.Streams: 1 << 14,
		&c.Waiting: 16} {
		if *field <= 0 {
			*field = value
		}
	}
	if c.Wait <= 0 {
		c.Wait = 10 * time.Second
	}
	return c
}

// lane admits some requests at a time, first come first served.
type lane struct {
	places  chan struct{}
	waiting atomic.Int64
	most    int64 // that may wait
	wait    time.Duration
}

func newLane(places, most int, wait time.Duration) *lane {
	return &lane{places: make(chan struct{}, places), most: int64(most), wait: wait}
}

// admit handles a request when there is a place for it. refuse answers one that gets none.
func (l *lane) admit(next http.Handler, w http.ResponseWriter, r *http.Request, refuse http.HandlerFunc) {
	if !l.enter(r) {
		refuse(w, r)
		return
	}
	defer func() { <-l.places }()
	next.ServeHTTP(w, r)
}

// enter takes a place; false if there is none in time. Who sends slowly has no place yet.
func (l *lane) enter(r *http.Request) bool {
	if l.waiting.Add(1) > l.most+int64(cap(l.places)-len(l.places)) {
		l.waiting.Add(-1)
		return false
	}
	defer l.waiting.Add(-1)
	readAhead(r)
	select {
	case l.places <- struct{}{}:
		return true
	default:
	}
	patient, cancel := context.WithTimeout(r.Context(), l.wait)
	defer cancel()
	select {
	case l.places <- struct{}{}:
		return true
	case <-patient.Done():
		return false
	}
}

// aheadLimit bounds what is kept of each request that waits, in bytes. Most of what devices and callers send is shorter.
const aheadLimit = 64 << 10

// readAhead reads a body that is short. What cannot be read, the handler finds so.
func readAhead(r *http.Request) {
	if r.ContentLength <= 0 || r.ContentLength > aheadLimit || r.Method == http.MethodGet {
		return
	}
	body := make([]byte, r.ContentLength)
	n, _ := io.ReadFull(r.Body, body)
	r.Body = readBody{io.MultiReader(bytes.NewReader(body[:n]), r.Body), r.Body}
}

type readBody struct {
	io.Reader
	io.Closer
}

// admission stands before all handlers.
type admission struct {
	devices, calls, streams *lane
	next                    http.Handler
	now                     func() time.Time
}

func newAdmission(c Capacity, now func() time.Time, next http.Handler) *admission {
	c = c.withDefaults()
	return &admission{devices: newLane(c.Devices, c.Devices*c.Waiting, c.Wait), calls: newLane(c.Calls, c.Calls*c.Waiting, c.Wait),
		streams: newLane(c.Streams, 0, c.Wait), next: next, now: now}
}

// ServeHTTP implements http.Handler. That the server lives, and whether it can serve, is told always.
func (a *admission) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case isProbe(r):
		a.next.ServeHTTP(w, r)
	case path == "/mdm", path == "/scep", strings.HasPrefix(path, "/enroll/"):
		a.devices.admit(a.next, w, r, refuseDevice)
	case isStream(r):
		a.streams.admit(a.next, w, r, a.refuseCall)
	default:
		a.calls.admit(a.next, w, r, a.refuseCall)
	}
}

// isProbe reports whether a balancer asks how the server is. With another method it would be a call.
func isProbe(r *http.Request) bool {
	return (r.URL.Path == "/healthz" || r.URL.Path == readyPath) && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// isStream reports whether an answer goes on for as long as its reader likes.
func isStream(r *http.Request) bool {
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api"), "/console")
	if path == r.URL.Path || r.Method != http.MethodGet {
		return false
	}
	device, ofDevice := strings.CutPrefix(strings.TrimSuffix(path, "/events"), "/devices/")
	return path == "/events" || ofDevice && strings.HasSuffix(path, "/events") && !strings.Contains(device, "/")
}

// comeAgain is after how long who was refused may try again.
const comeAgain = 5 * time.Second

// refuseDevice tells a device to come again later. It does: its work waits.
func refuseDevice(w http.ResponseWriter, _ *http.Request) {
	unavailable(w, "the server is busy; come again later")
}

func unavailable(w http.ResponseWriter, reason string) {
	w.Header().Set("Retry-After", strconv.Itoa(int(comeAgain/time.Second)))
	http.Error(w, reason, http.StatusServiceUnavailable)
}

// refuseCall answers as the API does, and who looks at a page in words.
func (a *admission) refuseCall(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/console/") {
		refuseDevice(w, r)
		return
	}
	graph.Unavailable(w, r, a.now(), comeAgain)
}

package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/lane"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/origin"
)

// kind says what sort of request it is. Each sort has a lane of its own, so that none of them waits
// behind another.
type kind int

const (
	callRequest kind = iota
	deviceRequest
	streamRequest
	probeRequest // needs no place
)

// kindOf tells the kind by path and method alone, because nothing is known of the sender yet.
func (a *admission) kindOf(r *http.Request) kind {
	switch {
	case isProbe(r):
		return probeRequest
	case a.devices.of(r.URL.Path) != nil:
		return deviceRequest
	case isStream(r):
		return streamRequest
	default:
		return callRequest
	}
}

// isProbe reports whether a load balancer asks how the server is. With any other method the request
// is treated as a call.
func isProbe(r *http.Request) bool {
	return (r.URL.Path == "/healthz" || r.URL.Path == readyPath) &&
		(r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// isStream reports whether the answer is an event stream, which goes on for as long as its reader
// likes. HEAD has no content and ends at once, so it is not one.
func isStream(r *http.Request) bool {
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api"), "/console")
	if path == r.URL.Path || r.Method != http.MethodGet {
		return false
	}
	device, ofDevice := strings.CutPrefix(strings.TrimSuffix(path, "/events"), "/devices/")
	return path == "/events" || ofDevice && strings.HasSuffix(path, "/events") &&
		!strings.Contains(device, "/")
}

// admission is the handler in front of all others. It bounds how many requests of each kind are
// worked on at once. A request has a place in its kind's lane only while the server works on it:
// not while its body arrives, and not while its answer is being read, because both last as long as
// the other side likes.
type admission struct {
	capacity       Capacity
	lanes          map[kind]*lane.Lane
	streams        *budget // counts open event streams
	bodies         *bodyBudgets
	answers        map[kind]*budget
	devices        devicePaths
	trustForwarded bool
	next           http.Handler
	now            func() time.Time
}

func newAdmission(c Capacity, trustForwarded bool, now func() time.Time, devices devicePaths,
	next http.Handler) *admission {
	answers := func() *budget {
		return newBudget(c.Answers/2/pageSize, c.Waiting*c.Devices, c.Window/4)
	}
	return &admission{capacity: c, devices: devices, trustForwarded: trustForwarded, next: next,
		now: now, bodies: newBodyBudgets(c, devices.shown),
		streams: newBudget(int64(c.Streams), 0, neverReclaim),
		answers: map[kind]*budget{deviceRequest: answers(), callRequest: answers()},
		lanes: map[kind]*lane.Lane{deviceRequest: lane.New(int64(c.Devices), c.Devices*c.Waiting),
			callRequest: lane.New(int64(c.Calls), c.Calls*c.Waiting)}}
}

// ServeHTTP implements http.Handler. Probes are always answered, however busy the server is.
func (a *admission) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k := a.kindOf(r)
	client := lane.Client{Owner: origin.Network(origin.Address(r, a.trustForwarded)),
		Connection: r.RemoteAddr}
	switch k {
	case probeRequest:
		a.next.ServeHTTP(w, r)
	case streamRequest:
		a.stream(w, r, client)
	default:
		a.work(w, r, k, client)
	}
}

// work reads the beginning of the request's body, waits for a place, and calls the next handler.
func (a *admission) work(w http.ResponseWriter, r *http.Request, k kind, client lane.Client) {
	refuse := func(cause error) { a.refuse(w, r, k, cause) }
	b := a.bodies.newBody(w, r, k, client)
	if b != nil {
		defer b.end()
		if b.readEarly(); b.refusal() != nil {
			refuse(b.refusal())
			return
		}
	}
	place, err := a.lanes[k].Take(r.Context(), client, a.capacity.Wait)
	if err != nil {
		refuse(err)
		return
	}
	defer markWorking(r.Context())()
	to := &answer{ResponseWriter: w, r: r, client: client, place: place, body: b,
		answers: a.answers[k], window: a.capacity.Window, wait: a.capacity.Wait, refuse: refuse,
		started: time.Now()}
	defer place.End() // in case the handler panics
	worked := r.WithContext(lane.With(r.Context(), place))
	if b != nil {
		b.handOver(worked, place)
	}
	a.next.ServeHTTP(to, worked)
	to.end()
}

// stream serves an event stream until its reader leaves, or until its place is needed for the first
// streams of another network. Readers whose stream ends reconnect and continue where they were.
func (a *admission) stream(w http.ResponseWriter, r *http.Request, client lane.Client) {
	ctx, cut := context.WithCancel(r.Context())
	defer cut()
	place := a.streams.takeNow(client, &share{n: 1, revoke: cut})
	if place == nil {
		a.refuse(w, r, streamRequest, lane.ErrFull)
		return
	}
	defer place.end()
	defer markWorking(r.Context())()
	a.next.ServeHTTP(w, r.WithContext(ctx))
}

// retryAfter is how long a refused client is told to wait.
const retryAfter = 5 * time.Second

const slowBody = "the request's body did not come in time; send it again"

// refuse answers that the client should try again later. The API answers with its usual error
// document; devices and people at the console, in plain text.
func (a *admission) refuse(w http.ResponseWriter, r *http.Request, k kind, cause error) {
	slow := errors.Is(cause, errBodySlow)
	if k != deviceRequest && !strings.HasPrefix(r.URL.Path, "/console/") {
		if slow {
			odata.AnswerTooSlow(w, r, a.now())
		} else {
			odata.AnswerBusy(w, r, a.now(), retryAfter)
		}
		return
	}
	if slow {
		http.Error(w, slowBody, http.StatusRequestTimeout)
		return
	}
	answerUnavailable(w, "the server is busy; come again later")
}

func answerUnavailable(w http.ResponseWriter, reason string) {
	w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	http.Error(w, reason, http.StatusServiceUnavailable)
}

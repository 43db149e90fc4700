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

// kind is whose request it is: each has a lane of its own.
type kind int

const (
	ofCall kind = iota
	ofDevice
	ofStream
	ofProbe // takes no place
)

// kindOf tells by what a request asks for, before anything is known of who sends it.
func (a *admission) kindOf(r *http.Request) kind {
	switch {
	case isProbe(r):
		return ofProbe
	case a.devices.of(r.URL.Path) != nil:
		return ofDevice
	case isStream(r):
		return ofStream
	default:
		return ofCall
	}
}

// isProbe reports whether a balancer asks how the server is. With another method it would be a
// call.
func isProbe(r *http.Request) bool {
	return (r.URL.Path == "/healthz" || r.URL.Path == readyPath) &&
		(r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// isStream reports whether an answer goes on for as long as its reader likes. One to HEAD has no
// content, and ends at once.
func isStream(r *http.Request) bool {
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api"), "/console")
	if path == r.URL.Path || r.Method != http.MethodGet {
		return false
	}
	device, ofDevice := strings.CutPrefix(strings.TrimSuffix(path, "/events"), "/devices/")
	return path == "/events" || ofDevice && strings.HasSuffix(path, "/events") &&
		!strings.Contains(device, "/")
}

// admission stands before all handlers. A request has a place in its kind's lane only while the
// server works on it: not while its body comes, nor while its answer is read.
type admission struct {
	capacity       Capacity
	lanes          map[kind]*lane.Lane
	readers        *budget // of streams
	intake         *intake
	answers        map[kind]*budget
	devices        devicePaths
	trustForwarded bool
	next           http.Handler
	now            func() time.Time
}

func newAdmission(c Capacity, trustForwarded bool, now func() time.Time, devices devicePaths,
	next http.Handler) *admission {
	answers := func() *budget {
		return newBudget(c.Answers/2/page, c.Waiting*c.Devices, c.Window/4)
	}
	return &admission{capacity: c, devices: devices, trustForwarded: trustForwarded, next: next,
		now: now, intake: newIntake(c, devices.shown),
		readers: newBudget(int64(c.Streams), 0, neverBack),
		answers: map[kind]*budget{ofDevice: answers(), ofCall: answers()},
		lanes: map[kind]*lane.Lane{ofDevice: lane.New(int64(c.Devices), c.Devices*c.Waiting),
			ofCall: lane.New(int64(c.Calls), c.Calls*c.Waiting)}}
}

// ServeHTTP implements http.Handler. That the server lives, and whether it can serve, is told
// always.
func (a *admission) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k := a.kindOf(r)
	g := lane.Client{Owner: origin.Network(origin.Address(r, a.trustForwarded)),
		Connection: r.RemoteAddr}
	switch k {
	case ofProbe:
		a.next.ServeHTTP(w, r)
	case ofStream:
		a.stream(w, r, g)
	default:
		a.work(w, r, k, g)
	}
}

// work reads what a request brings, then works on it when there is a place.
func (a *admission) work(w http.ResponseWriter, r *http.Request, k kind, g lane.Client) {
	refuse := func(cause error) { a.refuse(w, r, k, cause) }
	b := a.intake.newBody(w, r, k, g)
	if b != nil {
		defer b.end()
		if b.begin(); b.refusal() != nil {
			refuse(b.refusal())
			return
		}
	}
	place, err := a.lanes[k].Take(r.Context(), g, a.capacity.Wait)
	if err != nil {
		refuse(err)
		return
	}
	defer working(r.Context())()
	to := &answer{ResponseWriter: w, r: r, guest: g, place: place, body: b, answers: a.answers[k],
		window: a.capacity.Window,
		wait:   a.capacity.Wait, refuse: refuse, since: time.Now()}
	defer place.End() // should the handler panic
	worked := r.WithContext(lane.With(r.Context(), place))
	if b != nil {
		b.handOver(worked, place)
	}
	a.next.ServeHTTP(to, worked)
	to.end()
}

// stream lets a reader follow for as long as it likes, or until another network's first readers
// need its place: readers come again, and go on where they were.
func (a *admission) stream(w http.ResponseWriter, r *http.Request, g lane.Client) {
	ctx, cut := context.WithCancel(r.Context())
	defer cut()
	held := a.readers.take(g, &share{n: 1, cut: cut})
	if held == nil {
		a.refuse(w, r, ofStream, lane.ErrFull)
		return
	}
	defer held.end()
	defer working(r.Context())()
	a.next.ServeHTTP(w, r.WithContext(ctx))
}

// comeAgain is after how long who was refused may try again.
const comeAgain = 5 * time.Second

const slowBody = "the request's body did not come in time; send it again"

// refuse tells to come again later. Devices do: their work waits. The API answers as it always
// does, and who looks at a page is told in words.
func (a *admission) refuse(w http.ResponseWriter, r *http.Request, k kind, cause error) {
	slow := errors.Is(cause, errBodySlow)
	if k != ofDevice && !strings.HasPrefix(r.URL.Path, "/console/") {
		if slow {
			odata.AnswerTooSlow(w, r, a.now())
		} else {
			odata.AnswerBusy(w, r, a.now(), comeAgain)
		}
		return
	}
	if slow {
		http.Error(w, slowBody, http.StatusRequestTimeout)
		return
	}
	unavailable(w, "the server is busy; come again later")
}

func unavailable(w http.ResponseWriter, reason string) {
	w.Header().Set("Retry-After", strconv.Itoa(int(comeAgain/time.Second)))
	http.Error(w, reason, http.StatusServiceUnavailable)
}

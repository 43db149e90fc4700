package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// readyPath is where a load balancer asks whether this server can serve requests.
const readyPath = "/readyz"

const (
	readyWithin = 2 * time.Second // the time within which the database must answer
	readyFor    = time.Second     // how long its answer is reused
)

var errSlow = errors.New("the database does not answer within " + readyWithin.String())

// readiness answers whether the server can serve: whether its database answers. However many ask,
// the database is asked by one at a time, and at most once in readyFor. A server that is shutting
// down is not ready, although it still answers requests on connections that it has accepted.
type readiness struct {
	ping   func(context.Context) error
	ending func() bool // whether the server is shutting down
	now    func() time.Time
	log    *slog.Logger

	mu      sync.Mutex
	last    *check // the last check; nil: nobody has asked yet
	failing bool   // whether the last check failed
}

// check is one question to the database. Read err and at only when done is closed.
type check struct {
	over context.Context // ends when the database has had its time (readyWithin)
	done chan struct{}   // closed when the database has answered
	err  error           // why the server cannot serve; nil if it can
	at   time.Time       // when it answered
}

// ServeHTTP implements http.Handler. Its words are for outsiders; the cause of a failure is only in
// the log.
func (r *readiness) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.ending() {
		answerUnavailable(w, "not ready: the server is shutting down")
		return
	}
	if r.askDatabase() != nil {
		answerUnavailable(w, "not ready: the database does not answer")
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ready\n") // an error means that the client has gone
}

// askDatabase returns the result of the current check, and waits for it at most until its time is
// over.
func (r *readiness) askDatabase() error {
	l := r.currentCheck()
	select {
	case <-l.done:
	case <-l.over.Done():
	}
	select {
	case <-l.done:
		return l.err
	default:
		return errSlow
	}
}

// currentCheck returns the check that is under way, or has just ended, or else starts a new one.
func (r *readiness) currentCheck() *check {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.last; l != nil {
		select {
		case <-l.done:
			if r.now().Sub(l.at) < readyFor {
				return l
			}
		default:
			return l
		}
	}
	// The check does not depend on who asks first: that request may end while others wait for the
	// same result. The database may also answer long after its time.
	over, stop := context.WithTimeout(context.Background(), readyWithin)
	l := &check{over: over, done: make(chan struct{})}
	r.last = l
	go func() {
		defer stop()
		l.err = r.ping(over)
		if l.err == nil && over.Err() != nil {
			l.err = errSlow
		}
		l.at = r.now()
		r.logChange(l.err)
		close(l.done)
	}()
	return l
}

// logChange logs when the result changes.
func (r *readiness) logChange(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if failing := err != nil; failing != r.failing {
		r.failing = failing
		if failing {
			r.log.Warn("not ready: the database does not answer; balancers are told until it does",
				"err", err)
		} else {
			r.log.Info("ready: the database answers again")
		}
	}
}

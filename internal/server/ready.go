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

// readyPath is where a balancer asks whether this server can serve.
const readyPath = "/readyz"

const (
	readyWithin = 2 * time.Second // in which the database must answer
	readyFor    = time.Second     // for which its answer is kept
)

var errSlow = errors.New("the database does not answer within " + readyWithin.String())

// readiness tells whether the server can serve: whether its database answers. However many ask, the
// database is asked once at a time, and at most once in readyFor. A server that is shutting down
// answers what comes first on connections that it has taken; it is not ready.
type readiness struct {
	ping   func(context.Context) error
	ending func() bool // it is shutting down
	now    func() time.Time
	log    *slog.Logger

	mu   sync.Mutex
	last *look // at the database; nil: nobody has asked
	lost bool  // as the last look found: it does not answer
}

// look is one question to the database.
type look struct {
	over context.Context // ends when the database has had its time
	done chan struct{}   // closed when it has answered
	err  error           // why it cannot serve, nil if it can; read it and at when done is closed
	at   time.Time       // of the answer
}

// ServeHTTP answers in a word, and with 503 in a few: they are for outsiders, and the log has the
// cause.
func (r *readiness) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.ending() {
		unavailable(w, "not ready: the server is shutting down")
		return
	}
	if r.database() != nil {
		unavailable(w, "not ready: the database does not answer")
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ready\n") // to who has gone, nothing can be said
}

// database waits for an answer of the database, for as long as it has from when it was asked.
func (r *readiness) database() error {
	l := r.look()
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

// look is the one that goes on, or has ended a moment ago, or else a new one.
func (r *readiness) look() *look {
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
	// Who asks may leave: others wait for the same answer. An answer may come long after its time.
	over, stop := context.WithTimeout(context.Background(), readyWithin)
	l := &look{over: over, done: make(chan struct{})}
	r.last = l
	go func() {
		defer stop()
		l.err = r.ping(over)
		if l.err == nil && over.Err() != nil {
			l.err = errSlow
		}
		l.at = r.now()
		r.note(l.err)
		close(l.done)
	}()
	return l
}

// note logs when the answers change.
func (r *readiness) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if lost := err != nil; lost != r.lost {
		r.lost = lost
		if lost {
			r.log.Warn("not ready: the database does not answer; balancers are told until it does",
				"err", err)
		} else {
			r.log.Info("ready: the database answers again")
		}
	}
}

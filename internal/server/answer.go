package server

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/lane"
)

const (
	// writeTimeout ends what is neither a stream nor written by an answer, counted from the header.
	writeTimeout = 2 * time.Minute
	piece        = 16 << 10 // bytes that must be taken within a window
	smallAnswer  = page     // bytes of an answer that is not counted: the system's buffers take it
)

// answer is what a request's handler writes to. With the first byte the request gives its place
// back: an answer is ready when it is begun, and its reader may be slow. Until it is read it counts
// among the answers that wait.
type answer struct {
	http.ResponseWriter
	r       *http.Request
	guest   lane.Client
	place   *lane.Place
	body    *body // nil: the request has none
	answers *budget
	window  time.Duration
	wait    time.Duration
	refuse  func(error)
	since   time.Time
	begun   bool
	refused bool // what the handler writes is not sent

	mu   sync.Mutex
	lost bool // its room was given to others
	over bool // it is written
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.begin() {
		a.ResponseWriter.WriteHeader(status)
	}
}

// begin is the last moment to answer something else: that the body did not come.
func (a *answer) begin() bool {
	if a.begun {
		return !a.refused
	}
	a.begun = true
	if time.Since(a.since) > writeTimeout/4 {
		a.renew()
	}
	if err := a.body.refusal(); err != nil {
		a.refused = true
		a.refuse(err)
	}
	return !a.refused
}

func (a *answer) renew() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lost {
		return
	}
	_ = http.NewResponseController(a.ResponseWriter).SetWriteDeadline(time.Now().Add(a.window))
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	if !a.begin() {
		return len(p), nil
	}
	if len(p) <= smallAnswer {
		a.place.End()
		return a.ResponseWriter.Write(p)
	}
	// As long as there is no room the place is kept, so that no more answers are made than can
	// wait.
	patient, cancel := context.WithTimeout(a.r.Context(), a.wait)
	defer cancel()
	held, err := a.answers.await(patient, a.guest,
		&share{n: min(pages(int64(len(p))), a.answers.total/4+1), cut: a.abort})
	if err != nil {
		panic(http.ErrAbortHandler) // to end it in order would tell the reader that it is whole
	}
	defer held.end()
	a.place.End()
	return a.writePieces(p)
}

// abort ends an answer that is not read while others need its room. It may also wait for a body
// that the handler did not read: HTTP/1 has that come before it begins to write.
func (a *answer) abort() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lost = true; !a.over {
		control := http.NewResponseController(a.ResponseWriter)
		_ = errors.Join(control.SetReadDeadline(time.Unix(1, 0)),
			control.SetWriteDeadline(time.Unix(1, 0)))
	}
}

// writePieces writes for as long as the reader takes a piece within each window.
func (a *answer) writePieces(p []byte) (written int, err error) {
	renewed := time.Time{}
	for written < len(p) {
		if now := time.Now(); now.Sub(renewed) > a.window/4 {
			a.renew()
			renewed = now
		}
		n, err := a.ResponseWriter.Write(p[written:min(written+piece, len(p))])
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// end is called when the handler has ended.
func (a *answer) end() {
	a.begin()
	a.place.End()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
}

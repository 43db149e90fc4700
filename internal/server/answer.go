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
	// writeTimeout bounds the time from a request's header to the end of its answer, for all but
	// streams and answers that are written in pieces.
	writeTimeout = 2 * time.Minute
	pieceSize    = 16 << 10 // bytes that the reader must take within each window
	// answers up to so many bytes are not counted: the system's buffers take them
	smallAnswer = pageSize
)

// answer is the http.ResponseWriter that handlers write to. Handlers write an answer only when it
// is complete, so with the first byte the request gives its place back, and a slow reader keeps
// nobody from being worked on. Until it is read, the answer counts in the budget of answers.
type answer struct {
	http.ResponseWriter
	r       *http.Request
	client  lane.Client
	place   *lane.Place
	body    *body // nil: the request has no body
	answers *budget
	window  time.Duration
	wait    time.Duration
	refuse  func(error)
	started time.Time
	begun   bool
	refused bool // the request was refused: what the handler writes is discarded

	mu      sync.Mutex
	revoked bool // its memory was given to others
	ended   bool // the answer is written
}

// Unwrap implements what http.ResponseController needs.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.begin() {
		a.ResponseWriter.WriteHeader(status)
	}
}

// begin is called before the first byte. It is the last moment to answer something else: that the
// body did not arrive. It reports whether the handler's answer is to be sent.
func (a *answer) begin() bool {
	if a.begun {
		return !a.refused
	}
	a.begun = true
	if time.Since(a.started) > writeTimeout/4 {
		a.extendDeadline()
	}
	if err := a.body.refusal(); err != nil {
		a.refused = true
		a.refuse(err)
	}
	return !a.refused
}

func (a *answer) extendDeadline() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.revoked {
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
	// The place is kept until there is room for the answer, so that no more answers are made than
	// can wait.
	patient, cancel := context.WithTimeout(a.r.Context(), a.wait)
	defer cancel()
	room, err := a.answers.takeOrWait(patient, a.client,
		&share{n: min(pages(int64(len(p))), a.answers.total/4+1), revoke: a.abort})
	if err != nil {
		// ending it normally would tell the reader that the answer is complete
		panic(http.ErrAbortHandler)
	}
	defer room.end()
	a.place.End()
	return a.writePieces(p)
}

// abort ends an answer that is not read while others need its memory. The write may also be waiting
// for a body that the handler did not read, because HTTP/1 reads that before it writes the answer.
// So both deadlines are set.
func (a *answer) abort() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.revoked = true; !a.ended {
		control := http.NewResponseController(a.ResponseWriter)
		_ = errors.Join(control.SetReadDeadline(time.Unix(1, 0)),
			control.SetWriteDeadline(time.Unix(1, 0)))
	}
}

// writePieces writes the answer in pieces, for as long as the reader takes one within each window.
func (a *answer) writePieces(p []byte) (written int, err error) {
	renewed := time.Time{}
	for written < len(p) {
		if now := time.Now(); now.Sub(renewed) > a.window/4 {
			a.extendDeadline()
			renewed = now
		}
		n, err := a.ResponseWriter.Write(p[written:min(written+pieceSize, len(p))])
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// end is called when the handler has returned.
func (a *answer) end() {
	a.begin()
	a.place.End()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
}

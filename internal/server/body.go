package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/lane"
)

const (
	// bytes of a body that are read before anything is known of its sender: enough for a SCEP
	// message, and for nearly every call and report
	earlyLimit = 64 << 10
	// the same for requests whose sender is never known, such as signing in; more is not read
	openEarlyLimit = 16 << 10
	// the longest body, in bytes, both as sent and unpacked: a file in base64, or the report of a
	// full device
	maxBody    = 8 << 20
	pageSize   = 4 << 10  // bodies are counted in pages of so many bytes
	maxChunk   = 64 << 10 // the most that is allocated at once, in bytes
	gzipMemory = 48 << 10 // memory of a gzip reader beside what it makes, in bytes
)

var (
	errBodySlow = errors.New("the body did not come in time")
	errBodyBusy = errors.New("too many bodies are on their way")
)

// identity says what a request's header proves about its sender, before its body is read.
type identity int

const (
	unknownSender  identity = iota // not known: the proof, if any, is in the body
	nobody                         // the request will be refused
	provenIdentity                 // the sender has proved who they are
)

// bodyBudgets bounds the memory that request bodies take. Bodies are read outside of the lanes, so
// that a slow sender does not keep others from being worked on. Senders that have proved who they
// are have budgets of their own, so that strangers cannot use up theirs.
type bodyBudgets struct {
	window   time.Duration
	wait     time.Duration
	unproven map[kind]*budget // for senders that have not proved who they are
	proven   map[kind]*budget
	// device tells what a device's request proves about its sender.
	device func(*http.Request) identity
}

// bodyPatience is how long a body may take while others need its memory. One that has not arrived
// by then is a slow one.
const bodyPatience = 2 * time.Second

func newBodyBudgets(c Capacity, device func(*http.Request) identity) *bodyBudgets {
	share := func(part int64) map[kind]*budget {
		return map[kind]*budget{
			deviceRequest: newBudget(c.Bodies/part/pageSize, c.Waiting*c.Devices, bodyPatience),
			callRequest:   newBudget(c.Bodies/part/pageSize, c.Waiting*c.Calls, bodyPatience),
		}
	}
	return &bodyBudgets{window: c.Window, wait: c.Wait, unproven: share(6), proven: share(3),
		device: device}
}

// body is a request's body, read in two parts. The first bytes are read before the request gets a
// place in its lane. The rest is read when the handler asks for it, which it does only after it
// knows the sender; meanwhile the request leaves its place. All bytes are counted until the request
// is answered.
//
// A body can lose its memory to others at any time (abort). Then its reading ends, and the request
// is answered as busy.
type body struct {
	*bodyBudgets
	r          *http.Request
	kind       kind
	client     lane.Client
	raw        io.ReadCloser
	source     io.Reader // what is read: raw, or its unpacked content
	control    *http.ResponseController
	place      *lane.Place // the request's place; nil: none yet
	earlyBytes int64       // bytes that are read before the request has a place
	gzipped    bool        // the body is sent as gzip

	chunks    [][]byte // read, and not yet given to the handler
	size      int64    // bytes read so far, after unpacking
	declared  int64    // Content-Length; -1: unknown
	freePages int64    // pages that share has and no chunk uses yet
	budget    *budget
	share     *share
	err       error // why nothing more is read; io.EOF: the body is complete

	windowStart time.Time // when the current window began
	windowBytes int64     // bytes received in it
	received    atomic.Int64
	finished    atomic.Bool // reading has ended

	mu         sync.Mutex
	answered   bool               // the request has been answered
	revoked    bool               // its memory was given to others
	cancelWait context.CancelFunc // ends the wait for memory; nil: it does not wait
}

// newBody returns the body of a request; nil if the request has none.
func (bb *bodyBudgets) newBody(w http.ResponseWriter, r *http.Request, k kind,
	client lane.Client) *body {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil
	}
	if k != deviceRequest {
		k = callRequest
	}
	b := &body{bodyBudgets: bb, r: r, kind: k, client: client, raw: r.Body,
		control: http.NewResponseController(w), earlyBytes: earlyLimit,
		declared: r.ContentLength, budget: bb.unproven[k], windowStart: time.Now()}
	if isOpen(r) && k != deviceRequest { // but a whole SCEP message must be read
		b.earlyBytes = openEarlyLimit
	}
	b.source = pacedReader{b}
	if k == callRequest && !strings.HasPrefix(r.URL.Path, "/console/") &&
		strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		b.source, b.declared, b.gzipped = &gzipReader{raw: b.source, room: b.makeRoom}, -1, true
	}
	return b
}

// handOver sets the body in the request that the handler gets. That is a copy: net/http looks at
// the original request's body to learn whether it was read, so that must stay as it is.
func (b *body) handOver(r *http.Request, place *lane.Place) {
	b.place, r.Body = place, b
	if b.gzipped {
		r.Header.Del("Content-Encoding")
		r.ContentLength = -1
	}
}

// isOpen reports whether a request is open to everybody, so that its sender is still unknown when
// its body is read. (What devices send to /scep is never longer than earlyLimit.)
func isOpen(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/console/sign-") ||
		strings.HasPrefix(r.URL.Path, "/console/oidc/") || r.URL.Path == "/scep"
}

// readEarly reads the first bytes, before anything is known of the sender. A body of GET or HEAD is
// not read, because no handler expects one, nor one that is longer than what may be read early.
func (b *body) readEarly() {
	if b.r.Method != http.MethodGet && b.r.Method != http.MethodHead &&
		b.r.ContentLength <= b.earlyBytes {
		b.readUpTo(b.earlyBytes)
	}
}

// refusal returns why the request cannot be answered; nil if it can.
func (b *body) refusal() error {
	if b != nil && (errors.Is(b.err, errBodySlow) || errors.Is(b.err, errBodyBusy)) {
		return b.err
	}
	return nil
}

// Read implements io.Reader, for the handler.
func (b *body) Read(p []byte) (int, error) {
	for len(b.chunks) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		b.readRest()
	}
	n := copy(p, b.chunks[0])
	if b.chunks[0] = b.chunks[0][n:]; len(b.chunks[0]) == 0 {
		b.chunks[0] = nil // its bytes were copied; let it be freed
		b.chunks = b.chunks[1:]
	}
	return n, nil
}

// Close implements io.Closer.
func (b *body) Close() error { return b.raw.Close() }

// end gives back the body's memory. Its handler has returned.
func (b *body) end() {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.answered = true
	b.mu.Unlock()
	b.share.end()
}

// readRest reads what is left of the body, while the request leaves its place.
func (b *body) readRest() {
	who := provenIdentity // the API and the console read a body only after they know the sender
	switch {
	case isOpen(b.r):
		who = nobody
	case b.kind == deviceRequest:
		who = b.device(b.r)
	}
	switch {
	case who == nobody:
		b.fail(&http.MaxBytesError{Limit: b.earlyBytes})
		return
	case b.declared > maxBody:
		b.fail(&http.MaxBytesError{Limit: maxBody})
		return
	}
	err := b.place.Outside(b.r.Context(), func() error {
		if err := b.changeBudget(who); err != nil {
			return err
		}
		b.startWindow(time.Now())
		b.readUpTo(maxBody + 1)
		return nil
	})
	switch {
	case err != nil:
		b.fail(errBodyBusy)
	case b.size > maxBody:
		b.chunks = nil
		b.fail(&http.MaxBytesError{Limit: maxBody})
	}
}

// changeBudget moves the body to the budget of senders such as this one. If the body's length is
// known, room for all of it is taken before any of it is read: bodies that each had a part of
// theirs, and waited for one another's room, would wait for ever. While it waits, what was read
// already stays counted in the old budget.
func (b *body) changeBudget(who identity) error {
	budget := b.unproven[b.kind]
	if who == provenIdentity {
		budget = b.proven[b.kind]
	}
	if b.share != nil && budget == b.budget {
		return nil // it grows as it arrives, and must not wait for pages that it has itself
	}
	n := pages(b.size) + pages(pageSize)
	if b.declared > 0 {
		n = pages(b.declared) + 1
	}
	patient, cancel := context.WithTimeout(b.r.Context(), b.wait)
	defer cancel()
	if !b.setCancelWait(cancel) {
		return errBodyBusy
	}
	taken, err := budget.takeOrWait(patient, b.client, b.newShare(n))
	if !b.setCancelWait(nil) && err == nil {
		taken.end()
		err = errBodyBusy
	}
	if err != nil {
		return err
	}
	b.share.end()
	b.budget, b.share, b.freePages = budget, taken, n-pages(b.size)
	return nil
}

// setCancelWait sets what ends the body's wait for memory, and reports whether the body still has
// the memory that it had.
func (b *body) setCancelWait(cancelWait context.CancelFunc) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cancelWait = cancelWait
	return !b.revoked
}

func pages(bytes int64) int64 { return (bytes + pageSize - 1) / pageSize }

func (b *body) newShare(n int64) *share {
	return &share{n: n, progress: b.received.Load, busy: b.finished.Load, revoke: b.abort}
}

// abort ends the reading of a body whose memory others need.
func (b *body) abort() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.revoked = true
	if b.cancelWait != nil {
		b.cancelWait()
	}
	if !b.answered {
		_ = b.control.SetReadDeadline(time.Unix(1, 0))
	}
}

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
	// bytes that are read before anything is known of who sends: a SCEP message, nearly every call
	// and report
	aheadLimit = 64 << 10
	// the same where nobody has to be known, as to sign in; more is not read
	openLimit = 16 << 10
	// bytes of any body, as sent and unpacked: a file in base64, the report of a full device
	largestBody  = 8 << 20
	page         = 4 << 10  // bytes that are counted together
	largestChunk = 64 << 10 // bytes that are read before more is asked for
	unpacker     = 48 << 10 // bytes that unpacking takes beside what it makes
)

var (
	errBodySlow = errors.New("the body did not come in time")
	errBodyBusy = errors.New("too many bodies are on their way")
)

// identity is what a request shows of who sends it, before its body is read.
type identity int

const (
	unknownSender  identity = iota // it may be somebody: only the whole body tells
	nobody                         // who sends it will be refused
	provenIdentity                 // it is somebody
)

// intake holds bodies outside of the lanes, so that who sends slowly keeps nobody from being worked
// on.
type intake struct {
	window   time.Duration
	wait     time.Duration
	unproven map[kind]*budget // of those who have not proved who they are
	proven   map[kind]*budget
	// device tells what a device's request shows of its sender.
	device func(*http.Request) identity
}

// bodyPatience is how long a body may take when others need its room: one that does not come at
// once is then a slow one.
const bodyPatience = 2 * time.Second

func newIntake(c Capacity, device func(*http.Request) identity) *intake {
	share := func(part int64) map[kind]*budget {
		return map[kind]*budget{
			ofDevice: newBudget(c.Bodies/part/page, c.Waiting*c.Devices, bodyPatience),
			ofCall:   newBudget(c.Bodies/part/page, c.Waiting*c.Calls, bodyPatience),
		}
	}
	return &intake{window: c.Window, wait: c.Wait, unproven: share(6), proven: share(3),
		device: device}
}

// body is what a request brings: what is short is read before its handler begins, the rest outside
// of its lane when the handler asks for it, which it does when it knows who sends. It is counted
// until the answer.
type body struct {
	*intake
	r       *http.Request
	kind    kind
	guest   lane.Client
	from    io.ReadCloser
	source  io.Reader // from, unpacked
	control *http.ResponseController
	place   *lane.Place // that the request has; nil: none yet
	ahead   int64       // bytes that are read beforehand
	packed  bool        // it came as gzip

	chunks   [][]byte // that were read, and not taken by the handler
	size     int64    // bytes that were read
	declared int64    // bytes that come; -1: it is not known
	room     int64    // pages that are held, and not yet of a chunk
	holder   *budget
	share    *share
	ended    error // why there is no more: io.EOF at the end

	began time.Time // of the window
	came  int64     // bytes in it
	sum   atomic.Int64
	whole atomic.Bool // nothing more is read

	mu    sync.Mutex
	over  bool               // the request is
	taken bool               // its room was given to others
	leave context.CancelFunc // ends the waiting for room; nil: it does not wait
}

// newBody is the body of a request; nil: the request has none.
func (in *intake) newBody(w http.ResponseWriter, r *http.Request, k kind, g lane.Client) *body {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil
	}
	if k != ofDevice {
		k = ofCall
	}
	b := &body{intake: in, r: r, kind: k, guest: g, from: r.Body,
		control: http.NewResponseController(w), ahead: aheadLimit,
		declared: r.ContentLength, holder: in.unproven[k], began: time.Now()}
	if isOpen(r) && k != ofDevice { // of SCEP a whole message is read
		b.ahead = openLimit
	}
	b.source = progress{b}
	if k == ofCall && !strings.HasPrefix(r.URL.Path, "/console/") &&
		strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		b.source, b.declared, b.packed = &unpacked{from: b.source, room: b.makeRoom}, -1, true
	}
	return b
}

// handOver gives the body to the handler, by a request that is not the server's own: that has to
// keep what it came with, by which the server knows whether it was read.
func (b *body) handOver(r *http.Request, place *lane.Place) {
	b.place, r.Body = place, b
	if b.packed {
		r.Header.Del("Content-Encoding")
		r.ContentLength = -1
	}
}

// isOpen reports whether a request is for everybody, so that its sender is not known when its body
// is read. (What devices send to /scep is no longer than what is read beforehand.)
func isOpen(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/console/sign-") ||
		strings.HasPrefix(r.URL.Path, "/console/oidc/") || r.URL.Path == "/scep"
}

// begin reads what is read before it is known who sends. What nobody expects is not read.
func (b *body) begin() {
	if b.r.Method != http.MethodGet && b.r.Method != http.MethodHead &&
		b.r.ContentLength <= b.ahead {
		b.fill(b.ahead)
	}
}

// refusal is why the request cannot be answered; nil: it can.
func (b *body) refusal() error {
	if b != nil && (errors.Is(b.ended, errBodySlow) || errors.Is(b.ended, errBodyBusy)) {
		return b.ended
	}
	return nil
}

// Read implements io.Reader, for the handler.
func (b *body) Read(p []byte) (int, error) {
	for len(b.chunks) == 0 {
		if b.ended != nil {
			return 0, b.ended
		}
		b.rest()
	}
	n := copy(p, b.chunks[0])
	if b.chunks[0] = b.chunks[0][n:]; len(b.chunks[0]) == 0 {
		b.chunks[0] = nil // who has it has a copy
		b.chunks = b.chunks[1:]
	}
	return n, nil
}

// Close implements io.Closer.
func (b *body) Close() error { return b.from.Close() }

// end gives back what the body holds. Its handler has ended.
func (b *body) end() {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.over = true
	b.mu.Unlock()
	b.share.end()
}

// rest reads what is left, outside of the lane.
func (b *body) rest() {
	who := provenIdentity // the API and the console read nothing of who is nobody
	switch {
	case isOpen(b.r):
		who = nobody
	case b.kind == ofDevice:
		who = b.device(b.r)
	}
	switch {
	case who == nobody:
		b.fail(&http.MaxBytesError{Limit: b.ahead})
		return
	case b.declared > largestBody:
		b.fail(&http.MaxBytesError{Limit: largestBody})
		return
	}
	err := b.place.Outside(b.r.Context(), func() error {
		if err := b.move(who); err != nil {
			return err
		}
		b.renew(time.Now())
		b.fill(largestBody + 1)
		return nil
	})
	switch {
	case err != nil:
		b.fail(errBodyBusy)
	case b.size > largestBody:
		b.chunks = nil
		b.fail(&http.MaxBytesError{Limit: largestBody})
	}
}

// move has the body counted among those whose senders are known. Of one that says how long it is
// all is set aside before any of it is read: bodies that each have a part, and wait for the others'
// room, would wait for ever. What is read already is counted where it was for as long as it waits.
func (b *body) move(who identity) error {
	holder := b.unproven[b.kind]
	if who == provenIdentity {
		holder = b.proven[b.kind]
	}
	if b.share != nil && holder == b.holder {
		return nil // it grows as it comes: it must not wait for what it has itself
	}
	n := pages(b.size) + pages(page)
	if b.declared > 0 {
		n = pages(b.declared) + 1
	}
	patient, cancel := context.WithTimeout(b.r.Context(), b.wait)
	defer cancel()
	if !b.waits(cancel) {
		return errBodyBusy
	}
	taken, err := holder.await(patient, b.guest, b.newShare(n))
	if !b.waits(nil) && err == nil {
		taken.end()
		err = errBodyBusy
	}
	if err != nil {
		return err
	}
	b.share.end()
	b.holder, b.share, b.room = holder, taken, n-pages(b.size)
	return nil
}

// waits notes how the body's waiting for room ends, and reports whether what it has is still its
// own.
func (b *body) waits(leave context.CancelFunc) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leave = leave
	return !b.taken
}

func pages(bytes int64) int64 { return (bytes + page - 1) / page }

func (b *body) newShare(n int64) *share {
	return &share{n: n, pace: b.sum.Load, busy: b.whole.Load, cut: b.abort}
}

// abort ends the reading of a body whose room others need.
func (b *body) abort() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken = true
	if b.leave != nil {
		b.leave()
	}
	if !b.over {
		_ = b.control.SetReadDeadline(time.Unix(1, 0))
	}
}

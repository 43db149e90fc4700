package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Update is the state of a device's actions after an event.
type Update struct {
	Event   json.RawMessage // the event's JSON, as it came
	Results []ActionResult  // the latest action of each name, newest first
	// what happened to the device's enrollment; empty: the event is about an action
	Device DeviceEvent
	At     time.Time // when it happened; zero for the first update
}

// Watch yields the device's latest action of each name, newest first: their present state at once,
// and then the new state after each event that changes it or that is about the device's enrollment.
// Events come in order, and none is left out; after a broken connection, Watch continues where it
// was. An action that has just started has no payloads yet; they follow one by one. Watch ends when
// the caller breaks off, or after an error: ctx's, an *Error, or that the server could not be
// reached for a minute.
func (c *Client) Watch(ctx context.Context, deviceID string) iter.Seq2[Update, error] {
	return func(yield func(Update, error) bool) {
		w := watch{Client: c, path: "/api/devices/" + url.PathEscape(deviceID) + "/events"}
		var failing time.Time // since when the server cannot be reached; zero: it can
		for {
			began := time.Now()
			received, err := w.follow(ctx, yield)
			if errors.Is(err, errBrokenOff) {
				return
			}
			if received {
				failing = time.Time{}
			} else if failing.IsZero() {
				failing = began
			}
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			if !isTransient(ctx, err) ||
				!failing.IsZero() && time.Since(failing) > c.timing.outage {
				yield(Update{}, err)
				return
			}
			if waited := sleep(ctx, max(c.timing.pause, w.retry)); waited != nil {
				yield(Update{}, waited)
				return
			}
			if errors.Is(err, errSilent) {
				// otherwise a dead HTTP/2 connection would be used again
				c.streams.CloseIdleConnections()
			}
		}
	}
}

// watch is the state of one Watch: the device's results, and the last event that is in them.
type watch struct {
	*Client
	path    string
	started bool // a snapshot has come
	last    int64
	results []ActionResult
	retry   time.Duration // how long the server wants the client to wait; 0: it does not say
}

// errBrokenOff says that the caller stopped the iteration.
var errBrokenOff = errors.New("broken off")

// follow opens the stream after the last event, and yields changes until the stream breaks.
// received reports whether a valid stream was received.
func (w *watch) follow(ctx context.Context, yield func(Update,
	error) bool) (received bool, err error) {
	header := make(http.Header)
	if w.started {
		header.Set("Last-Event-ID", strconv.FormatInt(w.last, 10))
	}
	s, retry, err := w.openStream(ctx, w.path, header)
	w.retry = retry
	if err != nil {
		return false, err
	}
	defer s.close()
	for s.scanner.Scan() {
		changed, e, err := w.applyLine(s.scanner.Bytes())
		if err != nil {
			return received, unexpected(s.answer, err)
		}
		received = true
		if changed && !yield(Update{bytes.Clone(s.scanner.Bytes()), w.results, e.ofDevice(),
			e.DateTime}, nil) {
			return received, errBrokenOff
		}
	}
	return true, s.err()
}

// applyLine applies a line of the stream to the results, and reports whether they changed. An empty
// line is a sign of life.
func (w *watch) applyLine(line []byte) (changed bool, e *event, err error) {
	if len(bytes.TrimSpace(line)) == 0 {
		return false, nil, nil
	}
	if e, err = parseEvent(line); err != nil {
		return false, nil, err
	}
	if e.Type != snapshotEvent {
		if !w.started {
			return false, nil, errors.New("the event stream does not begin with a snapshot")
		}
		if *e.ID <= w.last {
			return false, nil, nil // it was seen before the connection broke
		}
	}
	results, err := e.apply(w.results)
	if err != nil {
		return false, nil, err
	}
	changed = !w.started || e.ofDevice() != "" || !slices.EqualFunc(w.results, results, sameResult)
	w.started, w.last, w.results = true, *e.ID, results
	return changed, e, nil
}

// ActionResults returns the device's latest action of each name, newest first.
func (c *Client) ActionResults(ctx context.Context, deviceID string) ([]ActionResult, error) {
	var d Device
	err := c.Do(ctx, http.MethodGet, devicePath(deviceID)+"?$select=id,deviceActionResults", nil,
		&d)
	return d.ActionResults, err
}

func sameResult(a, b ActionResult) bool { return bytes.Equal(a.raw, b.raw) }

// isTransient reports whether an error may be over soon: there was no answer, or the answer is not
// the caller's fault.
func isTransient(ctx context.Context, err error) bool {
	var answer *Error
	if errors.As(err, &answer) {
		return answer.Status >= http.StatusInternalServerError ||
			answer.Status == http.StatusTooManyRequests
	}
	return ctx.Err() == nil
}

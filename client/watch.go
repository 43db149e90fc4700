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

// Update is how a device's actions stand after an event.
type Update struct {
	Event   json.RawMessage // as the stream has it
	Results []ActionResult  // the latest of each name, the latest first
	Device  DeviceEvent     // what became of its enrollment; empty: the event is of an action
	At      time.Time       // when; zero for the first update
}

// Watch yields the device's latest action of each name, the latest first: at once as they are, and
// again after every event that changes anything in them or tells of the device's enrollment, in the
// order of the events and without leaving one out. An action that has just started has no payloads
// yet; they follow one by one. It ends when the caller breaks off, and after an error: ctx's, an
// *Error, or that the server could not be reached for a minute.
func (c *Client) Watch(ctx context.Context, deviceID string) iter.Seq2[Update, error] {
	return func(yield func(Update, error) bool) {
		w := watch{Client: c, path: "/api/devices/" + url.PathEscape(deviceID) + "/events"}
		var failing time.Time // since when; zero: it is not
		for {
			began := time.Now()
			heard, err := w.follow(ctx, yield)
			if errors.Is(err, errBrokenOff) {
				return
			}
			if heard {
				failing = time.Time{}
			} else if failing.IsZero() {
				failing = began
			}
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			if !passing(ctx, err) || !failing.IsZero() && time.Since(failing) > c.timing.outage {
				yield(Update{}, err)
				return
			}
			if waited := sleep(ctx, max(c.timing.pause, w.retry)); waited != nil {
				yield(Update{}, waited)
				return
			}
			if errors.Is(err, errSilent) {
				c.streams.CloseIdleConnections() // a dead connection of HTTP/2 would be used again
			}
		}
	}
}

// watch is what is known of a device, and up to which event.
type watch struct {
	*Client
	path    string
	begun   bool // there was a snapshot
	last    int64
	results []ActionResult
	retry   time.Duration // when the server wants to be asked again; 0: it does not say
}

// errBrokenOff tells that the caller wants no more.
var errBrokenOff = errors.New("broken off")

// follow opens the stream behind the last event and yields what changes until it breaks. heard
// tells whether there was a stream that could be understood.
func (w *watch) follow(ctx context.Context, yield func(Update,
	error) bool) (heard bool, err error) {
	header := make(http.Header)
	if w.begun {
		header.Set("Last-Event-ID", strconv.FormatInt(w.last, 10))
	}
	s, retry, err := w.openStream(ctx, w.path, header)
	w.retry = retry
	if err != nil {
		return false, err
	}
	defer s.close()
	for s.scanner.Scan() {
		changed, e, err := w.take(s.scanner.Bytes())
		if err != nil {
			return heard, unexpected(s.answer, err)
		}
		heard = true
		if changed && !yield(Update{bytes.Clone(s.scanner.Bytes()), w.results, e.ofDevice(),
			e.DateTime}, nil) {
			return heard, errBrokenOff
		}
	}
	return true, s.err()
}

// take applies a line to what is known, and tells whether that changed. An empty line is a sign of
// life.
func (w *watch) take(line []byte) (changed bool, e *event, err error) {
	if len(bytes.TrimSpace(line)) == 0 {
		return false, nil, nil
	}
	if e, err = parseEvent(line); err != nil {
		return false, nil, err
	}
	if e.Type != snapshotEvent {
		if !w.begun {
			return false, nil, errors.New("the event stream does not begin with a snapshot")
		}
		if *e.ID <= w.last {
			return false, nil, nil // it was seen before the break
		}
	}
	results, err := e.apply(w.results)
	if err != nil {
		return false, nil, err
	}
	changed = !w.begun || e.ofDevice() != "" || !slices.EqualFunc(w.results, results, same)
	w.begun, w.last, w.results = true, *e.ID, results
	return changed, e, nil
}

// ActionResults returns the device's latest action of each name, the latest first.
func (c *Client) ActionResults(ctx context.Context, deviceID string) ([]ActionResult, error) {
	var d Device
	err := c.Do(ctx, http.MethodGet, devicePath(deviceID)+"?$select=id,deviceActionResults", nil,
		&d)
	return d.ActionResults, err
}

func same(a, b ActionResult) bool { return bytes.Equal(a.raw, b.raw) }

// passing tells whether an error may be over soon: no answer, or one that is not the caller's
// fault.
func passing(ctx context.Context, err error) bool {
	var answer *Error
	if errors.As(err, &answer) {
		return answer.Status >= http.StatusInternalServerError ||
			answer.Status == http.StatusTooManyRequests
	}
	return ctx.Err() == nil
}

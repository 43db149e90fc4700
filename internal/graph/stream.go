package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

const (
	optionAfter    = "after"
	eventBatch     = 16               // events that may be sent in one piece
	heartbeat      = 15 * time.Second // between signs of life, so that proxies and clients know a dead connection
	typeNDJSON     = "application/x-ndjson"
	typeSSE        = "text/event-stream"
	headerLastSeen = "Last-Event-ID"
)

// writePatience is for a reader that takes nothing. Then it is cut off, and may resume.
var writePatience = 10 * time.Second

// stream is GET /api/events, all devices, and /api/devices/{id}/events: first how things stand, then every change as it
// is committed. It is served as server-sent events (WHATWG HTML, "Server-sent events"), or as newline-delimited JSON
// to who accepts that. A reader that comes back with Last-Event-ID, or the option after, goes on behind that event.
func (c *call) stream() error {
	device := c.deviceID()
	after, resumed, err := c.lastSeen()
	if err != nil {
		return err
	}
	s := c.newStream()
	if device != "" {
		if _, err := c.around(c.r.Context(), device); err != nil {
			return err
		}
	}
	if resumed {
		if device != "" {
			if _, err := c.Devices.Device(c.r.Context(), device); err != nil {
				return err
			}
		}
		s.open()
		if err := s.follow(device, after); !errors.Is(err, live.ErrGone) {
			return s.end(err)
		}
	}
	list, newest, err := c.Events.Standing(c.r.Context(), device)
	if err != nil {
		return s.end(err)
	}
	if list, err = s.seen(list); err != nil {
		return s.end(err)
	}
	s.open()
	if err := s.write(newest, "snapshot", snapshot(newest, list)); err != nil {
		return nil
	}
	return s.end(s.follow(device, newest))
}

// lastSeen is the event behind which the reader wants to go on, if it has seen one.
func (c *call) lastSeen() (after int64, resumed bool, err error) {
	text, name := c.r.Header.Get(headerLastSeen), headerLastSeen
	if text == "" {
		text, name = c.options.Get(optionAfter), optionAfter
	}
	if text == "" {
		return 0, false, nil
	}
	after, err = strconv.ParseInt(text, 10, 64)
	if err != nil || after < 0 {
		return 0, false, badRequest(name, "'%s' is not valid: give the id of an event of this stream.", name)
	}
	return after, true, nil
}

// EncodeEvent is an event as it is served, in JSON.
func EncodeEvent(e *live.Event) ([]byte, error) { return json.Marshal(change(e)) }

// eventStream writes events to one reader.
type eventStream struct {
	*call
	control *http.ResponseController
	ndjson  bool
	opened  bool
	sight   *sight
	pending bytes.Buffer // what is sent next
}

func (c *call) newStream() *eventStream {
	return &eventStream{call: c, sight: c.newSight(), control: http.NewResponseController(c.w), ndjson: strings.Contains(c.r.Header.Get("Accept"), typeNDJSON)}
}

func (s *eventStream) open() {
	if s.opened {
		return
	}
	s.opened = true
	contentType := typeSSE
	if s.ndjson {
		contentType = typeNDJSON
	}
	s.w.Header().Set("Content-Type", contentType)
	s.w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	s.w.WriteHeader(http.StatusOK)
}

// end answers an error that came before the stream began. After that the connection just ends: the reader resumes.
func (s *eventStream) end(err error) error {
	if s.opened {
		if err != nil {
			s.Log.Debug("event stream ended", "request-id", s.requestID, "err", err)
		}
		return nil
	}
	return err
}

// follow writes the events behind a position as they come, until the reader has gone or the log lets it go.
func (s *eventStream) follow(device fleet.DeviceID, after int64) error {
	ctx := s.r.Context()
	events, failed := make(chan live.Event, eventBatch), make(chan error, 1)
	stopped := make(chan struct{})
	defer close(stopped)
	go func() {
		defer close(events)
		for e, err := range s.Events.Follow(ctx, device, after) {
			if err != nil {
				failed <- err
				return
			}
			select {
			case events <- e:
			case <-stopped:
				return
			}
		}
	}()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case e, more := <-events:
			if !more {
				select {
				case err := <-failed:
					return err
				default:
					return nil
				}
			}
			if err := s.add(ctx, &e); err != nil {
				return err
			}
			// What waits already goes with it.
			for range len(events) {
				e := <-events
				if err := s.add(ctx, &e); err != nil {
					return err
				}
			}
			if err := s.send(); err != nil {
				return err
			}
		case <-beat.C:
			if err := s.alive(); err != nil {
				return err
			}
		}
	}
}

// seen is what the caller sees of how things stand.
func (s *eventStream) seen(list []live.Standing) ([]live.Standing, error) {
	var seen []live.Standing
	for _, standing := range list {
		a, err := s.sight.action(s.r.Context(), standing.Device, standing.Action)
		if err != nil {
			return nil, err
		}
		if a != nil {
			seen = append(seen, live.Standing{Device: standing.Device, Action: a})
		}
	}
	return seen, nil
}

// alive sends a sign of life, if the caller may still read: a token can be revoked meanwhile, and roles, groups and tags
// can change.
func (s *eventStream) alive() error {
	if err := s.authenticate(); err != nil {
		return err
	}
	if err := s.authorize(s.route); err != nil {
		return err
	}
	s.sight = s.newSight()
	if s.ndjson {
		s.pending.WriteString("\n")
	} else {
		s.pending.WriteString(": \n\n")
	}
	return s.send()
}

// add puts an event into what is sent next, if the caller sees it.
func (s *eventStream) add(ctx context.Context, e *live.Event) error {
	seen, err := s.sight.event(ctx, e)
	if err != nil || !seen {
		return err
	}
	text := e.Served
	if text == nil {
		if text, err = EncodeEvent(e); err != nil {
			return err
		}
	}
	s.put(e.Position, string(e.Kind), text)
	return nil
}

func (s *eventStream) write(id int64, kind string, body fields) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	s.put(id, kind, text)
	return s.send()
}

func (s *eventStream) put(id int64, kind string, text []byte) {
	if s.ndjson {
		s.pending.Write(text)
		s.pending.WriteByte('\n')
		return
	}
	fmt.Fprintf(&s.pending, "id: %d\nevent: %s\ndata: %s\n\n", id, kind, text)
}

func (s *eventStream) send() error {
	if s.pending.Len() == 0 {
		return nil
	}
	if err := s.control.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return err
	}
	if _, err := s.pending.WriteTo(s.w); err != nil {
		return err
	}
	if err := s.control.Flush(); err != nil {
		return err
	}
	// HTTP/2 would end a stream at its deadline, although nothing waits to be written.
	return s.control.SetWriteDeadline(time.Time{})
}

func snapshot(newest int64, list []live.Standing) fields {
	value := make([]fields, len(list))
	for i, standing := range list {
		value[i] = append(fields{{"deviceId", standing.Device}, {"initiatedBy", standing.Action.Actor}}, actionResult(standing.Action)...)
	}
	return fields{{"id", newest}, {"type", "snapshot"}, {"value", value}}
}

func change(e *live.Event) fields {
	f := fields{
		{"id", e.Position},
		{"type", e.Kind},
		{"deviceId", e.Device},
		{"dateTime", timestamp(e.At)},
		{"actionName", e.Name},
		{"actionState", states[e.State]},
		{"startDateTime", timestamp(e.Started)},
		{"initiatedBy", e.Actor},
	}
	if e.Result != nil {
		w := wordingOf(e.Name)
		f = append(f, field{w.element, w.item(e.Result)})
	}
	return f
}

package graph

import (
	"bytes"
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
	heartbeat      = 15 * time.Second // between signs of life, so that proxies and clients know a dead connection
	writePatience  = 10 * time.Second // for a reader that takes nothing; then it is cut off, and may resume
	typeNDJSON     = "application/x-ndjson"
	typeSSE        = "text/event-stream"
	headerLastSeen = "Last-Event-ID"
)

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

// eventStream writes events to one reader.
type eventStream struct {
	*call
	control *http.ResponseController
	ndjson  bool
	opened  bool
}

func (c *call) newStream() *eventStream {
	return &eventStream{call: c, control: http.NewResponseController(c.w), ndjson: strings.Contains(c.r.Header.Get("Accept"), typeNDJSON)}
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
	events, failed := make(chan live.Event), make(chan error, 1)
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
			if err := s.write(e.Position, string(e.Kind), change(&e)); err != nil {
				return err
			}
		case <-beat.C:
			if err := s.alive(); err != nil {
				return err
			}
		}
	}
}

// alive sends a sign of life, if the caller may still read: a token can be revoked meanwhile.
func (s *eventStream) alive() error {
	if err := s.authenticate(); err != nil {
		return err
	}
	if s.ndjson {
		return s.send([]byte("\n"))
	}
	return s.send([]byte(": \n\n"))
}

func (s *eventStream) write(id int64, kind string, body fields) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if s.ndjson {
		return s.send(append(text, '\n'))
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "id: %d\nevent: %s\ndata: %s\n\n", id, kind, text)
	return s.send(b.Bytes())
}

func (s *eventStream) send(text []byte) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return err
	}
	if _, err := s.w.Write(text); err != nil {
		return err
	}
	return s.control.Flush()
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

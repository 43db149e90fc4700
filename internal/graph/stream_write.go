package graph

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/live"
)

const (
	piece          = 16 << 10 // bytes that are sent at once: a TLS record
	typeNDJSON     = "application/x-ndjson"
	typeSSE        = "text/event-stream"
	headerLastSeen = "Last-Event-ID"
)

// pieces is buffers for what is sent next. A stream has one only while it sends: most are idle.
var pieces = sync.Pool{New: func() any { return new(make([]byte, 0, piece)) }}

// eventStream writes events to one reader.
type eventStream struct {
	call    *call
	control *http.ResponseController
	ndjson  bool
	opened  bool
	sight   *sight
	looked  int // events for which it was asked what the caller sees
}

func (c *call) newStream() *eventStream {
	return &eventStream{call: c, sight: c.newSight(),
		control: http.NewResponseController(c.req.Writer),
		ndjson:  strings.Contains(c.req.HTTP.Header.Get("Accept"), typeNDJSON)}
}

func (s *eventStream) open() {
	if s.opened {
		return
	}
	s.opened = true
	if err := s.limitBuffer(); err != nil {
		s.call.config.Log.Debug("an event stream keeps the system's buffer", "request-id",
			s.call.req.ID, "err", err)
	}
	s.head()
}

// head tells what is coming.
func (s *eventStream) head() {
	contentType := typeSSE
	if s.ndjson {
		contentType = typeNDJSON
	}
	s.call.req.Writer.Header().Set("Content-Type", contentType)
	s.call.req.Writer.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	s.call.req.Writer.WriteHeader(http.StatusOK)
}

// end answers an error that came before the stream began. After that the connection just ends: the
// reader resumes.
func (s *eventStream) end(err error) error {
	if s.opened {
		if err != nil {
			s.call.config.Log.Debug("event stream ended", "request-id", s.call.req.ID, "err", err)
		}
		return nil
	}
	return err
}

// changes sends those of the events that the caller sees, several in one piece.
func (s *eventStream) changes(events []*live.Event) error {
	if len(events) == 0 {
		return nil
	}
	buffer := pieces.Get().(*[]byte)
	defer pieces.Put(buffer)
	next := (*buffer)[:0]
	for _, e := range events {
		text, err := s.text(e)
		if err != nil {
			return err
		}
		if text == nil {
			continue
		}
		if len(next) > 0 && len(next)+len(text)+len(e.Kind)+40 > piece {
			if err := s.send(next); err != nil {
				return err
			}
			next = next[:0]
		}
		next = s.frame(next, e.Position, string(e.Kind), text)
	}
	if cap(next) <= 2*piece {
		*buffer = next
	}
	return s.send(next)
}

// text is an event in JSON, nil if the caller does not see it.
func (s *eventStream) text(e *live.Event) ([]byte, error) {
	if !s.call.scope.Everything() {
		if s.looked++; s.looked%sightLimit == 0 {
			s.sight = s.call.newSight()
		}
		if seen, err := s.sight.event(s.call.req.Context(), e); err != nil || !seen {
			return nil, err
		}
	}
	named, err := s.sight.namePlaceIn(s.call.req.Context(), e)
	if err != nil {
		return nil, err
	}
	if named.Served != nil {
		return named.Served, nil
	}
	return encodeEvent(named, s.call.server.explain)
}

// frame appends an event as the stream has it.
func (s *eventStream) frame(to []byte, id int64, kind string, text []byte) []byte {
	if s.ndjson {
		return append(append(to, text...), '\n')
	}
	to = strconv.AppendInt(append(to, "id: "...), id, 10)
	to = append(append(to, "\nevent: "...), kind...)
	to = append(append(to, "\ndata: "...), text...)
	return append(to, "\n\n"...)
}

func (s *eventStream) snapshot(newest int64, list []live.Standing) error {
	text, err := json.Marshal(snapshot(newest, list, s.call.server.explain))
	if err != nil {
		return err
	}
	return s.send(s.frame(nil, newest, "snapshot", text))
}

// alive sends a sign of life, if the caller may still read: a token can be revoked meanwhile, and
// roles, groups and tags can change.
func (s *eventStream) alive() error {
	if err := s.call.authenticate(); err != nil {
		return err
	}
	if err := s.call.authorize(s.call.route); err != nil {
		return err
	}
	s.sight = s.call.newSight()
	if s.ndjson {
		return s.send([]byte("\n"))
	}
	return s.send([]byte(": \n\n"))
}

func (s *eventStream) send(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	if err := s.control.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return err
	}
	if _, err := s.call.req.Writer.Write(text); err != nil {
		return err
	}
	if err := s.control.Flush(); err != nil {
		return err
	}
	// HTTP/2 would end a stream at its deadline, although nothing waits to be written.
	return s.control.SetWriteDeadline(time.Time{})
}

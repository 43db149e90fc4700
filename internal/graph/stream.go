package graph

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

const (
	optionAfter = "after"
	// between signs of life, so that proxies and clients know a dead connection
	heartbeat = 15 * time.Second
	// events after which a stream forgets what it found out of what the caller sees
	sightLimit = 1024
)

// writePatience is for a reader that takes nothing. Then it is cut off, and may resume.
var writePatience = 10 * time.Second

// stream is GET /api/events, all devices, and /api/devices/{id}/events: first how things stand,
// then every change as it is committed. It is served as server-sent events (WHATWG HTML,
// "Server-sent events"), or as newline-delimited JSON to a caller who accepts that. A reader that
// comes back with Last-Event-ID, or the option after, goes on after that event.
func (c *call) stream() error {
	device := c.deviceID()
	after, resumed, err := c.lastSeen()
	if err != nil {
		return err
	}
	s := c.newStream()
	if device != "" {
		if _, err := c.areasOf(c.req.Context(), device); err != nil {
			return err
		}
	}
	if c.req.HTTP.Method == http.MethodHead { // there is nothing to follow
		if device != "" {
			if _, err := c.config.Devices.Device(c.req.Context(), device); err != nil {
				return err
			}
		}
		s.head()
		return nil
	}
	if resumed {
		if device != "" {
			if _, err := c.config.Devices.Device(c.req.Context(), device); err != nil {
				return err
			}
		}
		s.open()
		if err := s.follow(device, after); !errors.Is(err, live.ErrGone) {
			return s.end(err)
		}
	}
	list, newest, err := c.config.Events.Standing(c.req.Context(), device)
	if err != nil {
		return s.end(err)
	}
	if list, err = s.seen(list); err != nil {
		return s.end(err)
	}
	s.open()
	if err := s.snapshot(newest, list); err != nil {
		return s.end(err)
	}
	return s.end(s.follow(device, newest))
}

// lastSeen is the event after which the reader wants to go on, if it has seen one.
func (c *call) lastSeen() (after int64, resumed bool, err error) {
	text, name := c.req.HTTP.Header.Get(headerLastSeen), headerLastSeen
	if text == "" {
		text, name = c.req.Options.Get(optionAfter), optionAfter
	}
	if text == "" {
		return 0, false, nil
	}
	after, err = strconv.ParseInt(text, 10, 64)
	if err != nil || after < 0 {
		return 0, false, odata.BadRequest(name,
			"'%s' is not valid: give the id of an event of this stream.", name)
	}
	return after, true, nil
}

// EncodeEvents makes events as they are served, in JSON. explain finds the words for failures, as
// Config has it.
func EncodeEvents(explain func(code action.Code, detail string) (meaning,
	advice string)) func(*live.Event) ([]byte, error) {
	x := explained(explain)
	return func(e *live.Event) ([]byte, error) { return encodeEvent(e, x) }
}

func encodeEvent(e *live.Event, x explainer) ([]byte, error) {
	return eventFields(e, x).Append(make([]byte, 0, 1024))
}

// follow writes the events after a position as they come, until the reader has gone or the log lets
// it go.
func (s *eventStream) follow(device fleet.DeviceID, after int64) error {
	ctx := s.call.req.Context()
	reader, err := s.call.config.Events.Reader(ctx, device, after)
	if err != nil {
		return err
	}
	defer reader.Close()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-reader.Ended():
			return nil
		case <-beat.C:
			err = s.alive()
		case <-reader.Turn():
			var events []*live.Event
			if events, err = reader.Next(ctx); err == nil {
				err = s.changes(events)
			}
			reader.Done()
			if device != "" && slices.ContainsFunc(events, tellsOfEnd) {
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
}

// tellsOfEnd reports whether an event is the last of its device.
func tellsOfEnd(e *live.Event) bool { return e.Kind == live.DeviceDeleted }

// seen is what the caller sees of how things stand.
func (s *eventStream) seen(list []live.Standing) ([]live.Standing, error) {
	var seen []live.Standing
	for _, standing := range list {
		a, err := s.sight.action(s.call.req.Context(), standing.Device, standing.Action)
		if err != nil {
			return nil, err
		}
		if a != nil {
			seen = append(seen, live.Standing{Device: standing.Device, Action: a})
		}
	}
	return seen, nil
}

func snapshot(newest int64, list []live.Standing, x explainer) odata.Fields {
	value := make([]odata.Fields, len(list))
	for i, standing := range list {
		value[i] = append(odata.Fields{{"deviceId", standing.Device},
			{"initiatedBy", standing.Action.Actor}}, actionResult(standing.Action, x)...)
	}
	return odata.Fields{{"id", newest}, {"type", "snapshot"}, {"value", value}}
}

// eventFields is an event as it is served.
func eventFields(e *live.Event, x explainer) odata.Fields {
	f := odata.Fields{
		{"id", e.Position},
		{"type", string(e.Kind)},
		{"deviceId", string(e.Device)},
		{"dateTime", odata.Timestamp(e.At)},
	}
	if e.Kind.OfDevice() {
		return f
	}
	f = append(f, odata.Fields{
		{"actionName", string(e.Name)},
		{"actionState", states[e.State]},
		{"startDateTime", odata.Timestamp(e.Started)},
		{"initiatedBy", e.Actor},
	}...)
	if e.Result != nil {
		w := wordingOf(e.Name)
		f = append(f, odata.Field{w.element, w.item(e.Result, x)})
	}
	return f
}
